import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { sendAnswer } from "../answer-reply.ts";
import { BODY_BYTES_MAX, type DoorParts } from "../door-parts.ts";
import { buildRequest, requestIdOf } from "../door-request.ts";
import { openDoor } from "../door-scope.ts";
import { FORM_BYTES_MAX, readForm, type Form } from "../form-body.ts";
import { registerModelLists } from "../model-lists.ts";
import { performOperation } from "../operation-reply.ts";
import { invalid } from "../request-fields.ts";
import { chatAnswer } from "./chat-answer.ts";
import { parseChatRequest } from "./chat-request.ts";
import { embeddingsAnswer, parseEmbeddings } from "./embeddings.ts";
import { openAiFailure } from "./failures.ts";
import { imagesAnswer, parseImages } from "./images.ts";
import { parseRerank, rerankAnswer } from "./rerank.ts";
import { responseAnswer } from "./response-answer.ts";
import { parseResponseRequest } from "./response-request.ts";
import { parseSpeech, sendSpeech } from "./speech.ts";
import { parseTranscription, transcriptionAnswer } from "./transcriptions.ts";

/** `/v1/…` as OpenAI's clients call it, and the model list, whose path three dialects share. */
export function registerOpenAiDoor(app: FastifyInstance, parts: DoorParts): void {
  registerModelLists(app, parts);
  openDoor(app, parts, { name: "openai", limits: "openai", wordFailure: openAiFailure }, (scope) => {
    scope.addContentTypeParser("multipart/form-data", (_request, payload, done) => {
      readForm(payload as Parameters<typeof readForm>[0]).then((form) => done(null, form), done);
    });
    registerAnswers(scope, parts);
    registerOperations(scope, parts);
  });
}

function registerAnswers(scope: FastifyInstance, parts: DoorParts): void {
  const options = { bodyLimit: BODY_BYTES_MAX };
  scope.post("/v1/chat/completions", options, async (request, reply) => {
    const draft = parseChatRequest(request.body);
    const facts = { id: `chatcmpl-${requestIdOf(reply)}`, createdS: nowS(parts), wantsUsage: draft.wantsUsage };
    const dialect = chatAnswer(facts);
    return sendAnswer({ request: buildRequest(draft, request, reply, parts), draft, dialect, reply, parts });
  });
  scope.post("/v1/responses", options, async (request, reply) => {
    const draft = parseResponseRequest(request.body);
    const dialect = responseAnswer({ id: `resp_${requestIdOf(reply)}`, createdS: nowS(parts), echo: draft.echo });
    return sendAnswer({ request: buildRequest(draft, request, reply, parts), draft, dialect, reply, parts });
  });
}

function registerOperations(scope: FastifyInstance, parts: DoorParts): void {
  const options = { bodyLimit: BODY_BYTES_MAX };
  scope.post("/v1/embeddings", options, async (request, reply) => {
    const { input, format, warnings } = parseEmbeddings(request.body);
    const served = await performOperation({ operation: "embed", input, warnings, request, reply, parts });
    return embeddingsAnswer(served.result, format, served.model);
  });
  scope.post("/v1/audio/speech", async (request, reply) => {
    const draft = parseSpeech(request.body);
    const { input, warnings } = draft;
    const served = await performOperation({ operation: "speak", input, warnings, request, reply, parts });
    return sendSpeech(served.result, draft, reply);
  });
  for (const [path, translates] of [
    ["/v1/audio/transcriptions", false],
    ["/v1/audio/translations", true],
  ] as const) {
    scope.post(path, { bodyLimit: FORM_BYTES_MAX }, (request, reply) =>
      transcribe({ request, reply, parts, translates }),
    );
  }
  scope.post("/v1/images/generations", async (request, reply) => {
    const { input, wantsUrl, warnings } = parseImages(request.body);
    const served = await performOperation({ operation: "image", input, warnings, request, reply, parts });
    return imagesAnswer(served.result, wantsUrl, nowS(parts));
  });
  for (const path of ["/v1/rerank", "/v2/rerank"]) {
    scope.post(path, options, async (request, reply) => {
      const draft = parseRerank(request.body);
      const { input, warnings } = draft;
      const served = await performOperation({ operation: "rerank", input, warnings, request, reply, parts });
      return rerankAnswer(served.result, draft, { id: requestIdOf(reply), model: served.model });
    });
  }
}

interface Hearing {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly parts: DoorParts;
  /** Into English, whatever was spoken. */
  readonly translates: boolean;
}

async function transcribe(hearing: Hearing): Promise<FastifyReply> {
  const { request, reply, parts, translates } = hearing;
  const isForm = request.headers["content-type"]?.startsWith("multipart/form-data") === true;
  if (!isForm) throw invalid("body", "must be multipart/form-data with a file");
  const draft = parseTranscription(request.body as Form);
  const { warnings } = draft;
  const input = translates ? { ...draft.input, translateToEnglish: true } : draft.input;
  const served = await performOperation({ operation: "transcribe", input, warnings, request, reply, parts });
  const { type, body } = transcriptionAnswer(served.result, draft);
  return reply.type(type).send(body);
}

function nowS(parts: DoorParts): number {
  return Math.floor(parts.clock.unixMs() / 1000);
}
