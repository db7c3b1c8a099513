import type { EmbeddingRequest, ModelListing, Warning } from "@fovea/core";
import { GatewayError } from "@fovea/core";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { sendAnswer } from "../answer-reply.ts";
import { BODY_BYTES_MAX, type DoorParts } from "../door-parts.ts";
import { buildRequest } from "../door-request.ts";
import { openDoor } from "../door-scope.ts";
import { performOperation } from "../operation-reply.ts";
import { Fields, invalid } from "../request-fields.ts";
import { definedOf } from "../wire-values.ts";
import { ollamaAnswer } from "./chat-answer.ts";
import { parseOllamaChat, parseOllamaGenerate, type OllamaDraft } from "./chat-request.ts";
import { ollamaFailure } from "./failures.ts";

/** Clients read features from the version; this one has tools, thinking and structured output. */
const VERSION = "0.12.0";
const MODIFIED_AT = "2025-01-01T00:00:00Z";
const INPUTS_MAX = 2048;

/** `/api/…` as Ollama's clients call it. */
export function registerOllamaDoor(app: FastifyInstance, parts: DoorParts): void {
  openDoor(app, parts, { name: "ollama", wordFailure: ollamaFailure }, (scope) => {
    // Some clients send JSON without saying so, or as text.
    scope.removeContentTypeParser("text/plain");
    scope.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
      try {
        done(null, body === "" ? undefined : JSON.parse(body as string));
      } catch {
        done(invalid("body", "is not JSON"));
      }
    });
    registerAnswers(scope, parts);
    registerEmbeddings(scope, parts);
    registerModels(scope, parts);
    for (const path of ["create", "copy", "push", "delete", "blobs/*"]) {
      scope.all(`/api/${path}`, () => {
        throw new GatewayError("permission_denied", "models are managed at their providers, not through this gateway");
      });
    }
  });
}

function registerAnswers(scope: FastifyInstance, parts: DoorParts): void {
  const options = { bodyLimit: BODY_BYTES_MAX };
  scope.post("/api/chat", options, (request, reply) =>
    answer(request, reply, parts, { kind: "chat", draft: parseOllamaChat(request.body) }),
  );
  scope.post("/api/generate", options, (request, reply) =>
    answer(request, reply, parts, { kind: "generate", draft: parseOllamaGenerate(request.body) }),
  );
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: DoorParts,
  asked: { readonly kind: "chat" | "generate"; readonly draft: OllamaDraft },
): Promise<FastifyReply> {
  const { clock } = parts;
  const { kind, draft } = asked;
  if (draft.loads !== undefined) {
    modelNamed(parts.engine.listModels(parts.principalOf(request)), draft.model);
    const empty = kind === "chat" ? { message: { role: "assistant", content: "" } } : { response: "" };
    const created = new Date(clock.unixMs()).toISOString();
    return reply.send({ model: draft.model, created_at: created, ...empty, done: true, done_reason: draft.loads });
  }
  const dialect = ollamaAnswer({ model: draft.model, kind, clock, startedMs: clock.monotonicMs() });
  return sendAnswer({ request: buildRequest(draft, request, reply, parts), draft, dialect, reply, parts });
}

function registerEmbeddings(scope: FastifyInstance, parts: DoorParts): void {
  const options = { bodyLimit: BODY_BYTES_MAX };
  scope.post("/api/embed", options, async (request, reply) => {
    const { input, warnings } = parseEmbed(request.body, "input");
    const startedMs = parts.clock.monotonicMs();
    const served = await performOperation({ operation: "embed", input, warnings, request, reply, parts });
    const embeddings = served.result.vectors.map((vector) => Array.from(vector));
    const total = Math.round((parts.clock.monotonicMs() - startedMs) * 1_000_000);
    const count = served.result.usage?.input.total ?? 0;
    return { model: input.model, embeddings, total_duration: total, load_duration: 0, prompt_eval_count: count };
  });
  scope.post("/api/embeddings", options, async (request, reply) => {
    const { input, warnings } = parseEmbed(request.body, "prompt");
    const served = await performOperation({ operation: "embed", input, warnings, request, reply, parts });
    return { embedding: Array.from(served.result.vectors[0] ?? []) };
  });
}

function parseEmbed(body: unknown, name: string): { input: EmbeddingRequest; warnings: readonly Warning[] } {
  const fields = new Fields(body);
  const warnings: Warning[] = [];
  const texts = fields.strings(name, INPUTS_MAX);
  if (texts === undefined || texts.length === 0) throw invalid(name, "is required and must not be empty");
  const input: EmbeddingRequest = {
    model: fields.requiredString("model"),
    input: texts,
    ...definedOf({ dimensions: fields.integer("dimensions", 1, 100_000) }),
  };
  fields.raw("keep_alive");
  fields.ignored(warnings, ["options", "truncate"]);
  fields.unknown(warnings);
  return { input, warnings };
}

function registerModels(scope: FastifyInstance, parts: DoorParts): void {
  const models = (request: FastifyRequest): readonly ModelListing[] =>
    parts.engine.listModels(parts.principalOf(request));
  scope.get("/api/version", () => ({ version: VERSION }));
  scope.get("/api/tags", (request) => ({ models: models(request).map(tag) }));
  scope.get("/api/ps", () => ({ models: [] }));
  scope.post("/api/show", (request) => {
    const fields = new Fields(request.body);
    const found = modelNamed(models(request), fields.string("model") ?? fields.requiredString("name"));
    return {
      modelfile: "",
      parameters: "",
      template: "",
      details: tag(found).details,
      model_info: {
        "general.architecture": "remote",
        ...(found.contextTokens === undefined ? {} : { "remote.context_length": found.contextTokens }),
      },
      capabilities: capabilitiesOf(found),
    };
  });
  // A known name is "there" already.
  scope.post("/api/pull", (request) => {
    const fields = new Fields(request.body);
    modelNamed(models(request), fields.string("model") ?? fields.requiredString("name"));
    return { status: "success" };
  });
}

/** `llama3` and `llama3:latest` are the same to Ollama's clients. */
function modelNamed(models: readonly ModelListing[], name: string): ModelListing {
  const plain = name.replace(/:latest$/, "");
  const found = models.find((model) => model.name === name || model.name === plain);
  if (found === undefined) throw new GatewayError("model_unknown", `model '${name}' not found`, { param: "model" });
  return found;
}

interface Tag {
  readonly name: string;
  readonly model: string;
  readonly modified_at: string;
  readonly size: number;
  readonly digest: string;
  readonly details: object;
}

function tag(model: ModelListing): Tag {
  const details = {
    parent_model: "",
    format: "remote",
    family: model.providerId,
    families: [model.providerId],
    parameter_size: "",
    quantization_level: "",
  };
  return { name: model.name, model: model.name, modified_at: MODIFIED_AT, size: 0, digest: "", details };
}

function capabilitiesOf(model: ModelListing): readonly string[] {
  const { features } = model;
  return [
    ...(features.includes("chat") ? ["completion"] : []),
    ...(features.includes("tools") ? ["tools"] : []),
    ...(features.includes("vision-input") ? ["vision"] : []),
    ...(features.includes("reasoning") ? ["thinking"] : []),
    ...(features.includes("embed") ? ["embedding"] : []),
  ];
}
