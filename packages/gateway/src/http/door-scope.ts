import { GatewayError } from "@fovea/core";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { DoorParts } from "./door-parts.ts";
import { failureHeaders, failureOf, type DoorFailure } from "./error-response.ts";
import { limitHeaders, type LimitStyle } from "./limit-headers.ts";

declare module "fastify" {
  interface FastifyReply {
    /** Sets the headers that say what is left of the caller's budgets, as they stand now. */
    tellLimits?: () => void;
  }
}

export interface WordedFailure {
  readonly status: number;
  readonly body: unknown;
}

export interface DoorStyle {
  readonly name: string;
  readonly wordFailure: (failure: DoorFailure, requestId: string) => WordedFailure;
  /** Under whose names the limits are told; the IETF's where nothing is said. */
  readonly limits?: LimitStyle;
  /** Where one scope speaks several dialects. */
  readonly styleOf?: (request: FastifyRequest) => Pick<DoorStyle, "wordFailure">;
}

/** An encapsulated scope whose routes share request ids and the dialect's error shape. */
export function openDoor(
  app: FastifyInstance,
  parts: DoorParts,
  style: DoorStyle,
  routes: (scope: FastifyInstance) => void,
): void {
  void app.register((scope, _options, done) => {
    const limits = style.limits ?? "ietf";
    scope.decorateReply("tellLimits", function tellLimits(this: FastifyReply): void {
      const { request } = this;
      const budgets = parts.limitsOf?.(parts.principalOf(request)) ?? [];
      this.headers(limitHeaders(limits, budgets, request.rate, parts.clock.unixMs()));
    });
    scope.addHook("onRequest", (_request, reply, next) => {
      nameRequest(reply, parts);
      next();
    });
    scope.setErrorHandler((error, request, reply) => {
      nameRequest(reply, parts);
      const failure = failureOf(error);
      if (failure.code === "internal" || (GatewayError.is(error) && error.row.level === "error")) {
        const kind = error instanceof Error ? error.name : typeof error;
        parts.log.write("error", "door failed", { door: style.name, code: failure.code, kind });
      }
      const words = style.styleOf?.(request) ?? style;
      const { status, body } = words.wordFailure(failure, String(reply.getHeader("x-request-id")));
      reply.tellLimits?.();
      reply.headers(failureHeaders(failure));
      return reply.code(status).send(body);
    });
    routes(scope);
    done();
  });
}

/** The two names under which the official SDKs read it. An id that the gateway has set already is kept. */
function nameRequest(reply: FastifyReply, parts: DoorParts): void {
  let id = reply.getHeader("x-request-id");
  if (id === undefined) {
    id = parts.ids.next("req");
    reply.header("x-request-id", id);
  }
  reply.header("request-id", id);
}
