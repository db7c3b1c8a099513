import type { FastifyInstance } from "fastify";
import { sendAnswer } from "../answer-reply.ts";
import { BODY_BYTES_MAX, type DoorParts } from "../door-parts.ts";
import { buildRequest, headerOf, needsOf, requestIdOf } from "../door-request.ts";
import { openDoor } from "../door-scope.ts";
import { anthropicFailure } from "./failures.ts";
import { messagesAnswer } from "./messages-answer.ts";
import { parseMessagesRequest } from "./messages-request.ts";

/** `/v1/messages` as Anthropic's clients call it. */
export function registerAnthropicDoor(app: FastifyInstance, parts: DoorParts): void {
  openDoor(app, parts, { name: "anthropic", limits: "anthropic", wordFailure: anthropicFailure }, (scope) => {
    const options = { bodyLimit: BODY_BYTES_MAX };
    scope.post("/v1/messages", options, async (request, reply) => {
      const parsed = parseMessagesRequest(request.body);
      const betas = headerOf(request, "anthropic-beta");
      const field = "anthropic-beta";
      const draft =
        betas === undefined
          ? parsed
          : { ...parsed, warnings: [...parsed.warnings, { field, message: `${betas}: not passed on` }] };
      const requestId = requestIdOf(reply);
      const dialect = messagesAnswer({ id: `msg_${requestId}`, requestId, wantsThinking: draft.wantsThinking });
      return sendAnswer({ request: buildRequest(draft, request, reply, parts), draft, dialect, reply, parts });
    });
    scope.post("/v1/messages/count_tokens", options, (request, reply) => {
      const { chat } = parseMessagesRequest(request.body, true);
      const schemas = (chat.tools ?? []).reduce((sum, tool) => sum + JSON.stringify(tool).length, 0);
      // Tokenizers differ from model to model and none is asked: four characters a token is what all come near.
      reply.header("x-fovea-estimated", "input_tokens");
      return { input_tokens: needsOf({ ...chat, maxOutputTokens: 0 }).contextTokensMin + Math.ceil(schemas / 4) };
    });
  });
}
