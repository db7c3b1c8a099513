// The spine of the unary operations (embeddings, speech, images, …): the same steps as `answer`, one result instead of parts.
import { ProviderError } from "../errors/provider-failure.ts";
import type { Cost, Usage } from "../model/measure.ts";
import type { RequestNeeds } from "../model/xr-request.ts";
import { NO_PRICES } from "../mesh/price-book.ts";
import type { OperationRequest, Served } from "../providers/answer-engine.ts";
import type { OperationInput, OperationOutput, UnaryOperation } from "../providers/capabilities.ts";
import { hasCapability } from "../providers/capabilities.ts";
import type { CallOptions, IdentifiedAdapter } from "../providers/provider-adapter.ts";
import { plainPlan } from "../routing/routed-plan.ts";
import type { SpineParts } from "./answer.ts";
import { countCost } from "./answer-record.ts";
import { requireAudit, requireScope } from "./authorize.ts";
import { worstCaseOfOperation } from "./budget-estimate.ts";
import type { Reservation } from "./budgets.ts";

const NO_NEEDS: RequestNeeds = {
  modalities: [],
  tools: false,
  structuredOutput: false,
  vision: false,
  audioInput: false,
  contextTokensMin: 0,
};

export async function performOperation<O extends UnaryOperation>(
  parts: SpineParts,
  request: OperationRequest<O>,
  signal: AbortSignal,
): Promise<Served<OperationOutput[O]>> {
  const { operation, input, principal } = request;
  const startedMs = parts.clock.monotonicMs();
  let outcome = "error";
  let served = "";
  let sizes: Readonly<Record<string, string | number>> = {};
  let reservation: Reservation | undefined;
  let letGo: (() => void) | undefined;
  let used: Usage | undefined;
  let cost: Cost = NO_COST;
  try {
    requireScope(principal, "chat");
    requireAudit(parts.audit);
    const plan = parts.router.planOperation(input.model, operation, NO_NEEDS);
    reservation = parts.budgets.reserve(principal, worstCaseOfOperation(request, plan, parts.rates));
    letGo = parts.uses.hold(plan);
    const done = await parts.performer.performUnary<OperationOutput[O]>(
      {
        plan,
        deadlineMs: request.deadlineMs,
        tenantId: principal.tenantId,
        ...(request.traceparent === undefined ? {} : { traceparent: request.traceparent }),
        call: (cell, options) =>
          callAdapter(cell.candidate.entry.adapter, operation, withModel(input, cell.cell.model), options),
        usageOf: usageOfResult,
      },
      signal,
    );
    const { providerId, model } = done.cell.cell;
    served = providerId;
    used = usageOfResult(done.value);
    if (used !== undefined) cost = (parts.prices ?? NO_PRICES).costOf(providerId, model, used);
    countCost(parts.meter, providerId, model, cost, "winner");
    sizes = sizesOf(model, used, cost);
    outcome = "complete";
    return { result: done.value, providerId, model, cost, plan: plainPlan(plan) };
  } finally {
    letGo?.();
    reservation?.settle(used, used === undefined ? undefined : cost, outcome === "complete");
    if (outcome === "error" && signal.aborted) outcome = "cancelled";
    const seconds = (parts.clock.monotonicMs() - startedMs) / 1_000;
    parts.meter.count("fovea.answers", { kind: operation, outcome, provider: served });
    parts.meter.record("fovea.answer.duration", { kind: operation, provider: served }, seconds);
    parts.audit.append({
      atUnixMs: parts.clock.unixMs(),
      action: `perform.${operation}`,
      tenantId: principal.tenantId,
      userId: principal.userId,
      ...(principal.keyId === undefined ? {} : { keyId: principal.keyId }),
      outcome,
      details: { requestId: request.requestId, provider: served, ...sizes },
    });
  }
}

function sizesOf(model: string, usage: Usage | undefined, cost: Cost): Readonly<Record<string, string | number>> {
  return {
    model,
    ...(usage === undefined ? {} : { inputTokens: usage.input.total, outputTokens: usage.output.total }),
    ...(cost.microUsd === undefined ? {} : { costMicroUsd: cost.microUsd }),
  };
}

const NO_COST = { microUsd: undefined, source: "unpriced" } as const;

function withModel<T extends { readonly model: string }>(input: T, model: string): T {
  return input.model === model ? input : { ...input, model };
}

type Caller<O extends UnaryOperation> = (
  adapter: IdentifiedAdapter,
  input: OperationInput[O],
  options: CallOptions,
) => Promise<OperationOutput[O]> | undefined;

const CALLERS: { readonly [O in UnaryOperation]: Caller<O> } = {
  embed: (adapter, input, options) => adapter.embeddings(input, options),
  transcribe: (adapter, input, options) =>
    hasCapability(adapter, "transcribe") ? adapter.transcribe(input, options) : undefined,
  speak: (adapter, input, options) => (hasCapability(adapter, "speak") ? adapter.speak(input, options) : undefined),
  image: (adapter, input, options) => (hasCapability(adapter, "image") ? adapter.image(input, options) : undefined),
  rerank: (adapter, input, options) => (hasCapability(adapter, "rerank") ? adapter.rerank(input, options) : undefined),
  vision: (adapter, input, options) => (hasCapability(adapter, "vision") ? adapter.detect(input, options) : undefined),
  job: (adapter, input, options) => (hasCapability(adapter, "job") ? adapter.startJob(input, options) : undefined),
};

/** A model that claims an ability its adapter lacks is `not_found` there: the next cell may have it. */
async function callAdapter<O extends UnaryOperation>(
  adapter: IdentifiedAdapter,
  operation: O,
  input: OperationInput[O],
  options: CallOptions,
): Promise<OperationOutput[O]> {
  const caller: Caller<O> = CALLERS[operation];
  const pending = caller(adapter, input, options);
  if (pending !== undefined) return pending;
  throw new ProviderError({
    code: "not_found",
    providerId: adapter.id,
    message: `has no operation '${operation}'`,
    retryable: false,
    scope: "model",
    partialOutput: false,
    billed: "no",
  });
}

/** Speech settles its usage when its stream has ended, which is after this call. */
function usageOfResult(value: unknown): Usage | undefined {
  if (typeof value !== "object" || value === null || !("usage" in value)) return undefined;
  const { usage } = value as { usage?: Usage | Promise<Usage | undefined> };
  return usage === undefined || "then" in usage ? undefined : usage;
}
