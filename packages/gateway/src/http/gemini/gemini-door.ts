import { GatewayError, type Served, type SpeechResponse } from "@fovea/core";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { sendAnswer } from "../answer-reply.ts";
import { BODY_BYTES_MAX, type DoorParts } from "../door-parts.ts";
import { buildRequest, needsOf, requestIdOf, type ChatDraft } from "../door-request.ts";
import { openDoor } from "../door-scope.ts";
import { performOperation } from "../operation-reply.ts";
import { invalid } from "../request-fields.ts";
import {
  batchEmbedContentsAnswer,
  embedContentAnswer,
  parseBatchEmbedContents,
  parseEmbedContent,
  type EmbedDraft,
} from "./embed-content.ts";
import { geminiFailure } from "./failures.ts";
import { generateAnswer } from "./generate-answer.ts";
import { parseGenerateRequest } from "./generate-request.ts";
import { geminiModelNamed, geminiModels, modelName } from "./models.ts";
import { sendGeminiSpeech, spokenText } from "./speech.ts";
import { definedOf } from "../wire-values.ts";

const VERSIONS = ["v1", "v1beta", "v1alpha"] as const;

interface Visit {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly parts: DoorParts;
  readonly model: string;
}

type Method = (visit: Visit) => Promise<unknown>;

/**
 * `/{version}/models/{model}:{method}` as Gemini's clients call it. The path is split by hand: a colon is a parameter mark
 * to the router, and model names hold slashes. `GET /v1/models` comes with the OpenAI door.
 */
export function registerGeminiDoor(app: FastifyInstance, parts: DoorParts): void {
  openDoor(app, parts, { name: "gemini", wordFailure: geminiFailure }, (scope) => {
    for (const version of VERSIONS) {
      // Below v1 other dialects have their paths. Elsewhere a name with a slash may stand without `models/`.
      const paths = version === "v1" ? ["/v1/models/*", "/v1/tunedModels/*"] : [`/${version}/*`];
      for (const path of paths) {
        scope.post<{ Params: { "*": string } }>(path, { bodyLimit: BODY_BYTES_MAX }, (request, reply) =>
          call(request, reply, parts),
        );
      }
      if (version === "v1") continue;
      scope.get(`/${version}/models`, (request) => geminiModels(parts.engine.listModels(parts.principalOf(request))));
      scope.get<{ Params: { "*": string } }>(`/${version}/models/*`, (request) =>
        geminiModelNamed(parts.engine.listModels(parts.principalOf(request)), request.params["*"]),
      );
    }
  });
}

const METHODS: Readonly<Record<string, Method>> = {
  generateContent: (visit) => generate(visit, false),
  streamGenerateContent: (visit) => generate(visit, true),
  countTokens: async ({ request, reply, model }) => {
    const body = request.body as { readonly generateContentRequest?: unknown } | null;
    const { chat } = parseGenerateRequest(body?.generateContentRequest ?? body, model, false);
    reply.header("x-fovea-estimated", "totalTokens");
    return { totalTokens: needsOf({ ...chat, maxOutputTokens: 0 }).contextTokensMin };
  },
  embedContent: async (visit) =>
    embedContentAnswer(await embed(visit, parseEmbedContent(visit.request.body, visit.model))),
  batchEmbedContents: async (visit) =>
    batchEmbedContentsAnswer(await embed(visit, parseBatchEmbedContents(visit.request.body, visit.model))),
};

async function call(
  request: FastifyRequest<{ Params: { "*": string } }>,
  reply: FastifyReply,
  parts: DoorParts,
): Promise<unknown> {
  const path = request.params["*"];
  const colon = path.lastIndexOf(":");
  const name = colon < 0 ? "" : path.slice(colon + 1);
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
  if (method === undefined) {
    throw new GatewayError("route_unknown", `"${name}" is not a method; known are ${Object.keys(METHODS).join(", ")}`);
  }
  const model = modelName(path.slice(0, colon));
  if (model === "") throw invalid("model", "is required in the path");
  return method({ request, reply, parts, model });
}

async function generate(visit: Visit, isStream: boolean): Promise<FastifyReply> {
  const { request, reply, parts, model } = visit;
  const draft = parseGenerateRequest(request.body, model, isStream);
  const query = request.query as Readonly<Record<string, unknown>>;
  const text = spokenText(draft.chat);
  const spoken = text === undefined ? undefined : await speak(visit, draft, text);
  if (spoken !== undefined) {
    const framing = !isStream ? "whole" : query["alt"] === "sse" ? "events" : "array";
    const facts = { responseId: requestIdOf(reply), model: spoken.model, framing } as const;
    return sendGeminiSpeech(spoken.result, facts, reply);
  }
  const dialect = generateAnswer({
    responseId: requestIdOf(reply),
    framing: query["alt"] === "sse" ? "events" : "array",
    wantsThoughts: draft.chat.reasoning?.show === true,
  });
  return sendAnswer({ request: buildRequest(draft, request, reply, parts), draft, dialect, reply, parts });
}

/** Undefined where the model does not speak by itself: then it is a chat that may answer in sound. */
async function speak(visit: Visit, draft: ChatDraft, text: string): Promise<Served<SpeechResponse> | undefined> {
  const { request, reply, parts, model } = visit;
  const voice = draft.chat.voice?.id ?? "";
  const instructions = draft.chat.system?.join("\n");
  const input = { model, text, voice, format: "pcm" as const, ...definedOf({ instructions }) };
  try {
    return await performOperation({ operation: "speak", input, warnings: draft.warnings, request, reply, parts });
  } catch (error) {
    const isOther = GatewayError.has(error, "request_unsupported") || GatewayError.has(error, "model_unknown");
    if (!isOther) throw error;
    return undefined;
  }
}

async function embed(visit: Visit, draft: EmbedDraft): Promise<Parameters<typeof embedContentAnswer>[0]> {
  const { request, reply, parts } = visit;
  const { input, warnings } = draft;
  return (await performOperation({ operation: "embed", input, warnings, request, reply, parts })).result;
}
