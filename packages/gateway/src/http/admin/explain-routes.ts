// Why a request goes, or went, where it does: `POST /admin/explain` asks for a request that nobody sends,
// `GET /admin/decisions/<request id>` for one of the last five hundred; `POST /admin/optimize` for weights that fit better. Scope `admin`: the answers name tenants' rules.
import type { Clock, GatewayEngine, Ids, Principal, XRRequest } from "@fovea/core";
import { fitRouting, GatewayError, NO_CONTEXT } from "@fovea/core";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { needsOf } from "../door-request.ts";
import { parseChatRequest } from "../openai/chat-request.ts";
import { invalid } from "../request-fields.ts";
import type { AnswerLog } from "./answer-log.ts";

export interface ExplainRoutes {
  readonly engine: GatewayEngine;
  readonly answers: AnswerLog;
  readonly ids: Ids;
  readonly clock: Clock;
}

const DEADLINE_MS = 60_000;
const KINDS: readonly XRRequest["kind"][] = ["chat", "turn", "spatial-query"];
const CLASSES: readonly XRRequest["latencyClass"][] = ["interactive", "conversational", "background"];

export function registerExplain(app: FastifyInstance, parts: ExplainRoutes): void {
  const config = { access: "admin" } as const;
  app.post("/admin/explain", { config }, (request) => parts.engine.explain(buildQuestion(request, parts)));
  app.post("/admin/optimize", { config }, async (request) => {
    const { apply = false } = bodyOf(request);
    if (typeof apply !== "boolean") throw invalid("apply", "must be true or false");
    const { mesh, history, registry } = parts.engine;
    const weights = Object.fromEntries(registry.entries.map(({ adapter, weight }) => [adapter.id, weight]));
    const data = { calls: history.calls, weights };
    return apply ? mesh.optimizeRouting(data) : { ...fitRouting(data), isApplied: false };
  });
  app.get<{ Params: { id: string } }>("/admin/decisions/:id", { config }, (request) => {
    const { id } = request.params;
    const planned = parts.engine.recent.find(id);
    if (planned === undefined)
      throw new GatewayError("route_unknown", `no request '${id}' among those that are remembered`);
    const decision = parts.answers.decisions.find(({ requestId }) => requestId === id);
    const { plan, ...rest } = planned;
    const now = plan.cells.map(({ cell }) => parts.engine.viewOf(cell));
    return { ...rest, plan, cellsNow: now, ...(decision === undefined ? {} : { decision }) };
  });
}

/** A chat body as OpenAI's clients send it, and beside it `tenant`, `user`, `key`, `kind`, `latency`, `costMaxUsd`. */
function buildQuestion(request: FastifyRequest, { ids, clock }: ExplainRoutes): XRRequest {
  const { tenant, user, key, kind, latency, costMaxUsd, ...body } = bodyOf(request);
  const messages = body["messages"] ?? [{ role: "user", content: "hello" }];
  const draft = parseChatRequest({ model: "auto", ...body, messages });
  return {
    requestId: ids.next("explain"),
    kind: oneOf(kind, KINDS, "kind") ?? "chat",
    model: draft.model,
    chat: draft.chat,
    context: NO_CONTEXT,
    needs: needsOf(draft.chat),
    deadlineMs: clock.monotonicMs() + DEADLINE_MS,
    latencyClass: oneOf(latency, CLASSES, "latency") ?? "conversational",
    ...(typeof costMaxUsd === "number" ? { budget: { costMicroUsdMax: costMaxUsd * 1e6 } } : {}),
    principal: principalFor(request.principal, { tenant, user, key }),
    commit: "token",
  };
}

function bodyOf(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const { body } = request;
  if (body === undefined || body === null) return {};
  if (typeof body !== "object" || Array.isArray(body)) throw invalid("body", "must be an object");
  return body as Readonly<Record<string, unknown>>;
}

function principalFor(own: Principal, wish: Readonly<Record<"tenant" | "user" | "key", unknown>>): Principal {
  return {
    ...own,
    ...(typeof wish.tenant === "string" ? { tenantId: wish.tenant } : {}),
    ...(typeof wish.user === "string" ? { userId: wish.user } : {}),
    ...(typeof wish.key === "string" ? { keyId: wish.key } : {}),
  };
}

function oneOf<T extends string>(value: unknown, known: readonly T[], field: string): T | undefined {
  if (value === undefined) return undefined;
  const found = known.find((name) => name === value);
  if (found === undefined) throw invalid(field, `must be one of ${known.join(", ")}`);
  return found;
}
