// `/v1/jobs`: video, worlds, meshes and any prediction, in one shape for all vendors. `/v1/webhooks/<provider>` is where a
// vendor tells of its own accord that a job has ended.
import type { Cost, JobRequest, Warning } from "@fovea/core";
import { GatewayError } from "@fovea/core";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Readable } from "node:stream";
import { abortWhenClientLeaves, setServedBy } from "../answer-reply.ts";
import { BODY_BYTES_MAX, type DoorParts } from "../door-parts.ts";
import { deadlineOf, requestIdOf, warnAbout } from "../door-request.ts";
import { openDoor } from "../door-scope.ts";
import { openAiFailure } from "../openai/failures.ts";
import { Fields, invalid } from "../request-fields.ts";
import type { JobDesk } from "./job-desk.ts";
import type { JobRecord } from "./job-record.ts";

const KINDS = ["image", "video", "mesh", "splat", "panorama", "other"] as const;
const WAIT_S_MAX = 60;

type ByIdRequest = FastifyRequest<{ Params: { id: string } }>;

export function registerJobsDoor(app: FastifyInstance, parts: DoorParts, desk: JobDesk): void {
  openDoor(app, parts, { name: "jobs", wordFailure: openAiFailure }, (scope) => {
    scope.post("/v1/jobs", { bodyLimit: BODY_BYTES_MAX }, async (request, reply) => {
      const { input, warnings } = parseJob(request.body);
      const { record, decision } = await desk.start(
        input,
        {
          requestId: requestIdOf(reply),
          principal: parts.principalOf(request),
          deadlineMs: deadlineOf(request, "job", parts),
        },
        abortWhenClientLeaves(reply),
      );
      setServedBy(reply, { provider: record.providerId, model: record.model, decision, cost: record.cost });
      warnAbout(reply, warnings);
      void reply.code(202).header("location", `/v1/jobs/${record.id}`);
      return wordJob(record);
    });
    scope.get("/v1/jobs", async (request) => {
      const records = await desk.list(parts.principalOf(request));
      return { object: "list", data: records.map(wordJob) };
    });
    scope.get("/v1/jobs/:id", async (request: ByIdRequest, reply) => {
      const waitMs = waitOf(request) * 1_000;
      const gone = abortWhenClientLeaves(reply);
      const record = await desk.get(request.params.id, parts.principalOf(request), waitMs, gone);
      setServedBy(reply, { provider: record.providerId, model: record.model, decision: undefined, cost: record.cost });
      return wordJob(record);
    });
    scope.post("/v1/jobs/:id/cancel", async (request: ByIdRequest) =>
      wordJob(await desk.cancel(request.params.id, parts.principalOf(request))),
    );
    scope.get("/v1/jobs/:id/files/:index", (request, reply) => sendFile(request as FileRequest, reply, parts, desk));
  });
}

function parseJob(body: unknown): { readonly input: JobRequest; readonly warnings: readonly Warning[] } {
  const fields = new Fields(body);
  const warnings: Warning[] = [];
  const input = fields.data("input");
  if (input === undefined) throw invalid("input", 'is required: what the model takes, such as {"prompt": "…"}');
  const request = {
    model: fields.requiredString("model"),
    kind: fields.oneOf("kind", KINDS) ?? "other",
    input,
  };
  fields.unknown(warnings);
  return { input: request, warnings };
}

function waitOf(request: FastifyRequest): number {
  const { wait } = request.query as Readonly<Record<string, unknown>>;
  if (wait === undefined) return 0;
  const seconds = typeof wait === "string" && wait.trim() !== "" ? Number(wait) : Number.NaN;
  if (seconds >= 0 && seconds <= WAIT_S_MAX) return seconds;
  throw invalid("wait", `must be a number of seconds from 0 to ${WAIT_S_MAX}`);
}

function wordJob(record: JobRecord): object {
  const { job, cost, endedUnixMs } = record;
  return {
    id: record.id,
    object: "job",
    model: `${record.providerId}/${record.model}`,
    kind: record.kind,
    status: job.state,
    progress: job.fraction ?? null,
    created_at: Math.floor(record.createdUnixMs / 1_000),
    completed_at: endedUnixMs === undefined ? null : Math.floor(endedUnixMs / 1_000),
    error: job.error === undefined ? null : { message: job.error },
    output: job.output.map((output, index) => ({
      // Addresses that hold the bytes themselves would make a status of megabytes: the file is at its own path.
      ...(output.url.startsWith("data:") ? {} : { url: output.url }),
      file: `/v1/jobs/${record.id}/files/${index}`,
      role: output.role,
      mime: output.mime ?? null,
      expires_at: output.expiresAtUnixMs === undefined ? null : Math.floor(output.expiresAtUnixMs / 1_000),
    })),
    ...(job.facts === undefined ? {} : { facts: job.facts }),
    ...(job.result === undefined ? {} : { result: job.result }),
    ...(job.logs === undefined ? {} : { logs: job.logs.slice(-LOG_CHARACTERS_MAX) }),
    cost_usd: costOf(cost, endedUnixMs !== undefined),
  };
}

const LOG_CHARACTERS_MAX = 4_000;

/** Null while it runs; a price that nobody knows is said to be none. */
function costOf(cost: Cost | undefined, isOver: boolean): number | "unpriced" | null {
  if (!isOver) return null;
  return cost?.microUsd === undefined ? "unpriced" : cost.microUsd / 1e6;
}

type FileRequest = FastifyRequest<{ Params: { id: string; index: string } }>;

/** Bytes as their maker sends them. What could run in a browser is sent as something to keep. */
async function sendFile(
  request: FileRequest,
  reply: FastifyReply,
  parts: DoorParts,
  desk: JobDesk,
): Promise<FastifyReply> {
  const { id, index } = request.params;
  if (!/^\d{1,4}$/.test(index)) throw new GatewayError("job_unknown", `"${index}" is not the number of a file`);
  const file = await desk.file(id, Number(index), parts.principalOf(request), abortWhenClientLeaves(reply));
  const isHarmless = /^(?:image\/(?!svg)|video\/|audio\/|model\/|application\/x-(?:spz|ply|splat)$)/.test(
    file.mime ?? "",
  );
  void reply.type(isHarmless ? (file.mime ?? "") : "application/octet-stream");
  void reply.header("content-disposition", `attachment; filename="${file.name}"`);
  void reply.header("cache-control", "private, max-age=3600");
  if (file.sizeBytes !== undefined) void reply.header("content-length", file.sizeBytes);
  return reply.send(Readable.from(file.stream, { objectMode: false }));
}
