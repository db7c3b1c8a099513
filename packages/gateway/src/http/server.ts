// The HTTP server with what every route shares: an id for each request, who is calling, limits, headers for browsers,
// measuring, errors. Doors, pages and admin routes are registered on it by compose.ts. A door may hijack its reply and
// write raw: everything here is set on the raw response, so that it arrives there too.
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from "fastify";
import Fastify from "fastify";
import type { Clock, Ids, Log, Meter, Principal, Scope } from "@fovea/core";
import { ERROR_TABLE, GatewayError } from "@fovea/core";
import type { Authenticator } from "./authenticate.ts";
import { requireScope } from "./authenticate.ts";
import { answerPreflight, setCorsHeaders } from "./cors.ts";
import type { DoorFailure } from "./error-response.ts";
import { failureHeaders, failureOf } from "./error-response.ts";
import { openAiError } from "./openai/failures.ts";
import type { RateRemainder } from "./limit-headers.ts";
import { RateLimit } from "./rate-limit.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Who is calling; on public routes a principal without scopes. */
    principal: Principal;
    startedMs: number;
    /** The route's pattern, for metrics and logs; Fastify's own getter makes a new object at each look. */
    routeUrl: string;
    access: "public" | Scope;
    /** Where `limits.requestsPerMinute` limits the caller: what is left of it. */
    rate?: RateRemainder | undefined;
  }
  interface FastifyContextConfig {
    /** `public` routes need no credential; others need the scope, `chat` where none is named. */
    readonly access?: "public" | Scope;
  }
}

export interface ServerParts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly meter: Meter;
  readonly authenticator: Authenticator;
  /** Present: https and wss instead of http and ws. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly limits: {
    readonly bodyBytesMax: number;
    readonly concurrentRequestsMax: number;
    readonly requestsPerMinute?: number | undefined;
  };
}

/** Nobody: what a public route sees. */
const NOBODY: Principal = { tenantId: "", userId: "", scopes: [], via: "open" };
/** Longer than the idle time of usual load balancers (60 s), so that the balancer closes first. */
const KEEP_ALIVE_MS = 72_000;
/** For a request to arrive whole: a sender that drips its bytes must not hold a socket for ever. */
const REQUEST_ARRIVAL_MS = 120_000;
/** One text for each status, so that a label is compared by identity. */
const STATUS_TEXTS: readonly string[] = Array.from({ length: 600 }, (_, status) => String(status));
const REQUEST_ID = /^[\w.:-]{1,80}$/;

/** Answers nothing yet but errors and preflights. `gate.close()` makes it refuse new work while it drains. */
export interface GatewayServer {
  readonly app: FastifyInstance;
  readonly gate: Gate;
  /** Called once for every request, when its answer is out or its caller gone. */
  onAnswered(listener: AnsweredListener): void;
  /** Undefined for no limit. Everybody begins with a whole minute's worth. */
  setRequestsPerMinute(perMinute: number | undefined): void;
}

export type AnsweredListener = (request: FastifyRequest, status: number, durationMs: number) => void;

/** Counts the work in hand, and knows whether more is taken. */
export class Gate {
  readonly #max: number;
  #inWork = 0;
  #isDraining = false;

  constructor(max: number) {
    this.#max = max;
  }

  get inWork(): number {
    return this.#inWork;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  close(): void {
    this.#isDraining = true;
  }

  enter(isFree: boolean): void {
    this.#inWork++;
    if (isFree) return;
    if (this.#isDraining)
      throw new GatewayError("shutting_down", "the gateway is shutting down", { retryAfterMs: 1_000 });
    if (this.#inWork > this.#max)
      throw new GatewayError("overloaded", "too many requests are in work", { retryAfterMs: 1_000 });
  }

  leave(): void {
    this.#inWork--;
  }
}

export function buildServer(parts: ServerParts): GatewayServer {
  const gate = new Gate(parts.limits.concurrentRequestsMax);
  const options: FastifyServerOptions = {
    logger: false,
    bodyLimit: parts.limits.bodyBytesMax,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_ARRIVAL_MS,
    forceCloseConnections: "idle",
    ...(parts.tls === undefined ? {} : { https: { cert: parts.tls.cert, key: parts.tls.key } }),
    routerOptions: { ignoreDuplicateSlashes: true, ignoreTrailingSlash: true, maxParamLength: 500 },
    genReqId: (request) => {
      const given = request.headers["x-request-id"];
      return typeof given === "string" && REQUEST_ID.test(given) ? given : parts.ids.next("req");
    },
  };
  const app = Fastify(options);
  // Fastify wants reference values declared as undefined: the hook below sets them before any handler runs.
  app.decorateRequest("principal", undefined as unknown as Principal);
  app.decorateRequest("startedMs", 0);
  app.decorateRequest("routeUrl", "");
  app.decorateRequest("access", "public");
  app.decorateRequest("rate", undefined);
  const listeners: AnsweredListener[] = [];
  const rate = new RateLimit(parts.clock, parts.limits.requestsPerMinute);
  addRequestHooks(app, parts, gate, rate);
  addResponseHook(app, parts, gate, listeners);
  // A route may allow less than the operator does, never more.
  app.addHook("onRoute", (route) => {
    route.bodyLimit = Math.min(route.bodyLimit ?? parts.limits.bodyBytesMax, parts.limits.bodyBytesMax);
  });
  app.setErrorHandler((error, request, reply) => {
    const failure = failureOf(error);
    const isUnexpected = failure.code === "internal";
    parts.log.write(ERROR_TABLE[failure.code].level, isUnexpected ? "request failed" : "request refused", {
      requestId: request.id,
      route: request.routeUrl,
      code: failure.code,
      ...(isUnexpected && error instanceof Error ? { stack: error.stack } : {}),
    });
    sendError(failure, reply);
  });
  app.setNotFoundHandler((request, reply) => {
    const message = `there is no ${request.method} ${pathOf(request.url)}`;
    sendError(failureOf(new GatewayError("route_unknown", message)), reply);
  });
  return {
    app,
    gate,
    onAnswered: (listener) => void listeners.push(listener),
    setRequestsPerMinute: (perMinute) => rate.replace(perMinute),
  };
}

/** Routes without a wire shape of their own answer as OpenAI does; doors answer in their vendor's shape. */
function sendError(failure: DoorFailure, reply: FastifyReply): void {
  if (failure.status === 401) void reply.header("www-authenticate", "Bearer");
  void reply.headers(failureHeaders(failure)).code(failure.status).send(openAiError(failure));
}

function addRequestHooks(app: FastifyInstance, parts: ServerParts, gate: Gate, rate: RateLimit): void {
  app.addHook("onRequest", (request, reply, done) => {
    const { url = "unknown", config } = request.routeOptions;
    const access = config.access ?? "chat";
    request.startedMs = parts.clock.monotonicMs();
    request.principal = NOBODY;
    request.routeUrl = url;
    request.access = access;
    const isPublic = access === "public" || request.is404;
    setCommonHeaders(request, reply);
    try {
      setCorsHeaders(request, reply, parts.authenticator);
      gate.enter(isPublic);
      if (request.method === "OPTIONS" && answerPreflight(request, reply)) return;
      if (!isPublic) {
        request.principal = parts.authenticator.authenticate({ headers: request.headers, url: request.raw.url ?? "" });
        requireScope(request.principal, access as Scope);
        checkRate(rate, request, reply);
      }
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  });
}

function addResponseHook(
  app: FastifyInstance,
  parts: ServerParts,
  gate: Gate,
  listeners: readonly AnsweredListener[],
): void {
  app.addHook("onResponse", (request, reply, done) => {
    gate.leave();
    const durationMs = parts.clock.monotonicMs() - request.startedMs;
    const status = reply.raw.statusCode;
    const labels = {
      "http.request.method": request.method,
      "http.route": request.routeUrl,
      "http.response.status_code": STATUS_TEXTS[status] ?? String(status),
    };
    parts.meter.record("http.server.request.duration", labels, durationMs / 1000);
    for (const listener of listeners) listener(request, status, durationMs);
    done();
  });
}

function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.raw.setHeader("x-request-id", request.id);
  reply.raw.setHeader("x-content-type-options", "nosniff");
  reply.raw.setHeader("referrer-policy", "no-referrer");
}

function checkRate(limit: RateLimit, request: FastifyRequest, reply: FastifyReply): void {
  const decision = limit.take(request.principal.keyId ?? request.principal.userId);
  if (decision === undefined) return;
  const { perMinute, remaining, resetsInMs } = decision;
  request.rate = { perMinute, remaining, resetsInMs };
  reply.raw.setHeader("x-ratelimit-limit-requests", String(perMinute));
  reply.raw.setHeader("x-ratelimit-remaining-requests", String(remaining));
  if (!decision.isAllowed)
    throw new GatewayError("rate_limited", "this key has used its requests of the minute", {
      retryAfterMs: decision.retryAfterMs,
      limit: "requestsPerMinute",
    });
}

function pathOf(url: string): string {
  const mark = url.indexOf("?");
  return (mark < 0 ? url : url.slice(0, mark)).slice(0, 200);
}
