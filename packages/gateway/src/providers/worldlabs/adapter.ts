import type { IdentifiedAdapter, Job, JobRequest, ModelInfo, ProviderConfig, ProviderFailure } from "@fovea/core";
import { toBase64 } from "../base64.ts";
import { withoutVersion } from "../base-url.ts";
import { readErrorBody } from "../error-body.ts";
import { buildFailure, codeOfStatus, retryAfterMs } from "../failure.ts";
import { countOf, numberOf, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import { OperationAdapter } from "../operation-adapter.ts";
import type { JobCodec } from "../operation-wire.ts";
import type { AdapterDeps } from "../provider-caller.ts";
import type { EncodedCall, ErrorHead, VendorWire } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";

/** Worlds from words and pictures, in about five minutes. Source: World Labs OpenAPI document. */
const MODELS: readonly ModelInfo[] = ["marble-1.1", "marble-1.1-plus", "marble-1.0", "marble-1.0-draft"].map((id) => ({
  id,
  features: ["job"],
}));

const NAME_CHARACTERS_MAX = 64;

function startCall(request: JobRequest): EncodedCall {
  const { world_prompt, prompt, image, display_name, ...more } = request.input;
  const name = stringOf(display_name) ?? stringOf(prompt) ?? "world";
  const body = {
    ...more,
    model: request.model,
    display_name: name.slice(0, NAME_CHARACTERS_MAX),
    world_prompt: recordOf(world_prompt) ?? worldPrompt(prompt, image),
  };
  return { path: "/marble/v1/worlds:generate", body: JSON.stringify(body), warnings: [] };
}

function worldPrompt(prompt: unknown, image: unknown): JsonRecord {
  const text = stringOf(prompt);
  const content = imageContent(image);
  if (content !== undefined)
    return { type: "image", image_prompt: content, ...(text === undefined ? {} : { text_prompt: text }) };
  if (text === undefined) throw new WireFault("invalid_request", "a world needs input.prompt or input.image");
  return { type: "text", text_prompt: text };
}

function imageContent(image: unknown): JsonRecord | undefined {
  if (image instanceof Uint8Array) return { source: "data_base64", data_base64: toBase64(image) };
  const url = stringOf(image);
  if (url === undefined) return undefined;
  const inline = /^data:[^;,]+;base64,(.*)$/s.exec(url)?.[1];
  return inline === undefined ? { source: "uri", uri: url } : { source: "data_base64", data_base64: inline };
}

/** An operation: nothing is known of its progress until it is done. */
function decodeOperation(body: unknown): Job {
  const operation = recordOf(body);
  const id = stringOf(operation?.["operation_id"]);
  if (operation === undefined || id === undefined) throw new WireFault("protocol", "an operation without an id");
  const error = recordOf(operation["error"]);
  const isDone = operation["done"] === true;
  const credits = countOf(recordOf(operation["cost"])?.["total_credits"]);
  const note = stringOf(recordOf(recordOf(operation["metadata"])?.["progress"])?.["description"]);
  return {
    id,
    state: error !== undefined ? "failed" : isDone ? "succeeded" : "running",
    output: isDone && error === undefined ? assetsOf(recordOf(operation["response"])) : [],
    ...(isDone && error === undefined ? { fraction: 1 } : {}),
    ...(isDone && error === undefined ? factsOf(recordOf(operation["response"])) : {}),
    ...(note === undefined ? {} : { logs: note }),
    ...(error === undefined ? {} : { error: stringOf(error["message"]) ?? "the world could not be made" }),
    ...(credits === undefined
      ? {}
      : {
          usage: {
            input: { total: 0, cacheRead: 0, cacheWrite: 0 },
            output: { total: 0 },
            units: { credits },
            source: "provider" as const,
          },
        }),
  };
}

/** What an anchor needs to place the world: metres a unit, and where the floor lies. */
function factsOf(world: JsonRecord | undefined): Pick<Job, "facts"> {
  const assets = recordOf(world?.["assets"]);
  const semantics = recordOf(recordOf(assets?.["splats"])?.["semantics_metadata"]);
  const metricScaleFactor = numberOf(semantics?.["metric_scale_factor"]);
  const groundPlaneOffset = numberOf(semantics?.["ground_plane_offset"]);
  const caption = stringOf(assets?.["caption"]);
  return {
    facts: {
      ...(metricScaleFactor === undefined ? {} : { metricScaleFactor }),
      ...(groundPlaneOffset === undefined ? {} : { groundPlaneOffset }),
      ...(caption === undefined ? {} : { caption }),
    },
  };
}

/** Roles carry the level, so that a client can begin with the smallest: `splat:100k` before `splat:full_res`. */
function assetsOf(world: JsonRecord | undefined): Job["output"] {
  const assets = recordOf(world?.["assets"]);
  const mesh = recordOf(assets?.["mesh"]);
  const splats = recordOf(recordOf(assets?.["splats"])?.["spz_urls"]) ?? {};
  const found: { url: string; mime: string; role: string }[] = [];
  const add = (url: unknown, role: string, mime: string): void => {
    if (typeof url === "string" && url !== "") found.push({ url, role, mime });
  };
  add(assets?.["thumbnail_url"], "thumbnail", "image/webp");
  add(recordOf(assets?.["imagery"])?.["pano_url"], "panorama", "image/png");
  for (const [level, url] of Object.entries(splats)) add(url, `splat:${level}`, "application/x-spz");
  add(mesh?.["collider_mesh_url"], "mesh:collider", "model/gltf-binary");
  add(mesh?.["hq_mesh_url"], "mesh:hq", "model/gltf-binary");
  add(mesh?.["full_res_mesh_url"], "mesh:full_res", "model/gltf-binary");
  return found;
}

const JOBS: JobCodec = {
  start: startCall,
  get: (id) => ({ path: `/marble/v1/operations/${encodeURIComponent(id)}`, warnings: [] }),
  cancel: () => undefined,
  decode: decodeOperation,
  fileHosts: /(?:^|\.)worldlabs\.ai$/,
};

function classify(head: ErrorHead, body: string): ProviderFailure {
  const error = readErrorBody(body);
  const requestId = stringOf(error.record["request_id"]);
  const wait = retryAfterMs(head.status, head.headers, head.unixMs);
  const isFiltered = head.status === 400 && /content policy|moderation/i.test(error.message);
  return buildFailure(isFiltered ? "content_filtered" : codeOfStatus(head.status), head.providerId, error.message, {
    status: head.status,
    ...(requestId === undefined ? {} : { requestId }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}

const WIRE: VendorWire = {
  probe: { path: "/marble/v1/worlds:list", body: JSON.stringify({ page_size: 1 }), warnings: [] },
  requestIdHeader: "x-request-id",
  classify,
  limits: () => [],
};

export function createWorldLabsAdapter(config: ProviderConfig, deps: AdapterDeps): IdentifiedAdapter {
  return new OperationAdapter(
    {
      config,
      features: ["job"],
      baseUrl: withoutVersion(config.baseUrl ?? "https://api.worldlabs.ai"),
      headers: config.apiKey === undefined ? {} : { "wlt-api-key": config.apiKey },
      wire: WIRE,
      knownModels: MODELS,
      featuresOf: () => ["job"],
      recognises: (model) => model.startsWith("marble-"),
    },
    { job: JOBS },
    deps,
  );
}
