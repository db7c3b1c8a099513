import type { FastifyReply, FastifyRequest } from "fastify";
import type { Authenticator } from "./authenticate.ts";

/** What the vendors' clients send from a browser, beside what a page names in its preflight. */
const ALLOWED_HEADERS =
  "authorization, content-type, x-api-key, api-key, x-goog-api-key, x-goog-api-client, anthropic-version, anthropic-beta, anthropic-dangerous-direct-browser-access, openai-organization, openai-project, openai-beta, x-request-id, traceparent, last-event-id";
const EXPOSED_HEADERS =
  "x-request-id, request-id, x-should-retry, location, x-fovea-dropped, x-fovea-warnings, x-fovea-degraded, x-fovea-sample-rate, x-fovea-decision, x-fovea-provider, x-fovea-model, x-fovea-cost, x-fovea-budget, x-fovea-remaining-usd, x-fovea-limit, x-fovea-error, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens, anthropic-ratelimit-requests-limit, anthropic-ratelimit-requests-remaining, anthropic-ratelimit-requests-reset, anthropic-ratelimit-tokens-limit, anthropic-ratelimit-tokens-remaining, anthropic-ratelimit-tokens-reset, ratelimit, ratelimit-policy, retry-after, retry-after-ms";
const METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS";
const HEADER_NAME = /^[A-Za-z0-9-]{1,64}$/;
const DAY_SECONDS = "86400";

/** No credentials mode: the gateway has no cookies, so a page can only use a key that it was given. */
export function setCorsHeaders(request: FastifyRequest, reply: FastifyReply, authenticator: Authenticator): void {
  const { origin } = request.headers;
  if (origin === undefined || !authenticator.allowsOrigin(origin)) return;
  reply.raw.setHeader("access-control-allow-origin", origin);
  reply.raw.setHeader("vary", "origin");
  reply.raw.setHeader("access-control-expose-headers", EXPOSED_HEADERS);
}

/** True when it was a preflight and is answered. One of an origin that is not allowed gets no allowance, and 204 all the same. */
export function answerPreflight(request: FastifyRequest, reply: FastifyReply): boolean {
  if (request.headers["access-control-request-method"] === undefined) return false;
  if (reply.raw.hasHeader("access-control-allow-origin")) {
    const wanted = (request.headers["access-control-request-headers"] ?? "")
      .split(",")
      .map((name) => name.trim().toLowerCase());
    const extra = wanted.filter((name) => HEADER_NAME.test(name) && !ALLOWED_HEADERS.includes(name)).slice(0, 40);
    reply.raw.setHeader("access-control-allow-headers", [ALLOWED_HEADERS, ...extra].join(", "));
    reply.raw.setHeader("access-control-allow-methods", METHODS);
    reply.raw.setHeader("access-control-max-age", DAY_SECONDS);
    // Chrome asks before a public page may reach a private address.
    if (request.headers["access-control-request-private-network"] === "true")
      reply.raw.setHeader("access-control-allow-private-network", "true");
  }
  void reply.code(204).send();
  return true;
}
