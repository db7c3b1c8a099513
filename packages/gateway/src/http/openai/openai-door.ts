import type { FastifyInstance } from "fastify";
import { sendAnswer } from "../answer-reply.ts";
import { BODY_BYTES_MAX, type DoorParts } from "../door-parts.ts";
import { buildRequest, requestIdOf } from "../door-request.ts";
import { openDoor } from "../door-scope.ts";
import { chatAnswer } from "./chat-answer.ts";
import { parseChatRequest } from "./chat-request.ts";
import { openAiError } from "./failures.ts";
import { openAiModelNamed, openAiModels } from "./models.ts";

/** `/v1/…` as OpenAI's clients call it. */
export function registerOpenAiDoor(app: FastifyInstance, parts: DoorParts): void {
  const style = {
    name: "openai",
    wordFailure: (failure: Parameters<typeof openAiError>[0]) => ({
      status: failure.status,
      body: openAiError(failure),
    }),
  };
  openDoor(app, parts, style, (scope) => {
    const options = { bodyLimit: BODY_BYTES_MAX };
    scope.post("/v1/chat/completions", options, async (request, reply) => {
      const draft = parseChatRequest(request.body);
      const dialect = chatAnswer({
        id: `chatcmpl-${requestIdOf(reply)}`,
        createdS: Math.floor(parts.clock.unixMs() / 1000),
        wantsUsage: draft.wantsUsage,
      });
      return sendAnswer({ request: buildRequest(draft, request, reply, parts), draft, dialect, reply, parts });
    });
    scope.get("/v1/models", (request) => openAiModels(parts.engine.listModels(parts.principalOf(request))));
    scope.get<{ Params: { "*": string } }>("/v1/models/*", (request) =>
      openAiModelNamed(parts.engine.listModels(parts.principalOf(request)), request.params["*"]),
    );
  });
}
