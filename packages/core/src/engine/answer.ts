// THE SPINE. Every answer, of a chat door or of a turn in a room, runs through this function from top to bottom:
// authorize -> cache -> plan -> attempt -> compose -> record. What may leave for a provider is decided where a cell's
// call is made (turn-request, protect), because it depends on which cell gets it.
import { chooseModalities } from "../responses/modality-choice.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { AnswerPart } from "../model/answer-part.ts";
import type { FinishReason, Message } from "../model/chat.ts";
import type { XRRequest } from "../model/xr-request.ts";
import { privateValue } from "../ports/log.ts";
import type { AdapterUse } from "../mesh/adapter-use.ts";
import type { CommitUnit } from "../mesh/delivery.ts";
import { errorPartOf } from "../mesh/failure-answer.ts";
import type { MeshPart } from "../mesh/mesh-part.ts";
import type { MeshCall } from "../mesh/mesh-call.ts";
import type { PlanPerformer } from "../mesh/plan-performer.ts";
import type { Admission } from "../resilience/admission.ts";
import type { ClientTools } from "../providers/answer-engine.ts";
import type { CellRates } from "../routing/cell-states.ts";
import type { LoadBalancer } from "../routing/load-balancer.ts";
import type { RoutedCell, RoutedPlan } from "../routing/routed-plan.ts";
import { affinityKeyOf } from "../routing/xr-provider-selector.ts";
import type { XRRequestRouter } from "../routing/xr-request-router.ts";
import type { Outcome } from "./answer-record.ts";
import { AnswerRecord } from "./answer-record.ts";
import { buildContextFacts } from "../context/context-facts.ts";
import { authorize, requireAudit } from "./authorize.ts";
import { inputTokensOf, worstCaseOf } from "./budget-estimate.ts";
import type { Budgets, Reservation } from "./budgets.ts";
import type { EngineParts, FactsSource } from "./engine-parts.ts";
import { mirrorTo } from "./mirror.ts";
import type { ToolLimit } from "./tool-results.ts";
import { resultsOf } from "./tool-results.ts";
import { contextForVendor } from "./protect.ts";
import type { OutcomeLearning } from "./outcome-learning.ts";
import type { RecentPlans } from "./recent-plans.ts";
import { RoomQueries } from "./room-queries.ts";
import { SightMarks } from "./sight-marks.ts";
import { chatRequestFor, isTurn } from "./turn-request.ts";
import { TurnComposer } from "./turn-composer.ts";

export interface SpineParts extends EngineParts {
  readonly router: XRRequestRouter;
  readonly performer: PlanPerformer;
  readonly balancer: LoadBalancer;
  readonly admission: Admission;
  readonly budgets: Budgets;
  readonly rates: CellRates;
  readonly uses: AdapterUse;
  readonly recent: RecentPlans;
  readonly learning: OutcomeLearning;
}

/** Further rounds in which a model goes on with the results of its tools. */
const ROUNDS_MAX = 4;

export async function* answer(
  parts: SpineParts,
  request: XRRequest,
  signal: AbortSignal,
  tools?: ClientTools,
): AsyncGenerator<AnswerPart> {
  const record = new AnswerRecord(parts, request);
  let outcome: Outcome = "cancelled";
  let code: string | undefined;
  let isStarted = false;
  let leave: (() => void) | undefined;
  let letGo: (() => void) | undefined;
  let reservation: Reservation | undefined;
  try {
    authorize(request);
    requireAudit(parts.audit);
    leave = parts.admission.enter(request.latencyClass);
    record.step("authorize");
    const stored = await parts.cache?.find(request);
    if (stored !== undefined) {
      record.cached(stored.model);
      isStarted = true;
      yield startPart(request, "cache", stored.model);
      yield* stored.parts;
      outcome = "complete";
      yield* record.closing(outcome, "stop");
      return;
    }
    const decision = parts.router.decide(request);
    const { plan, mirror } = decision;
    parts.recent.note(request, decision);
    reservation = parts.budgets.reserve(request.principal, worstCaseOf(request, plan, parts.rates));
    letGo = parts.uses.hold(plan);
    record.step("plan");
    if (mirror !== undefined) void mirrorTo(parts, request, meshCallFor(parts, request, mirror, []), signal);
    const composer = composerFor(request);
    const rounds: Message[] = [];
    const kept: AnswerPart[] | undefined = parts.cache === undefined ? undefined : [];
    let finish: FinishReason = "other";
    for (let round = 0; ; round++) {
      const call = meshCallFor(parts, request, plan, rounds);
      for await (const batch of parts.performer.perform(call, signal)) {
        for (const part of batch) {
          if (part.type === "broken") throw part.error;
          if (part.type === "finished") finish = part.reason;
          else if (part.type === "serving") {
            composer?.servedBy(part.cell.candidate.entry.adapter.type);
            record.served(part.cell.cell.providerId, part.cell.cell.model, part.cell.reason);
            record.step(round === 0 ? "first content" : `round ${round + 1}`);
            if (part.cell.degradation !== undefined) record.degraded();
            parts.learning.served(request, part.cell.candidate);
            remember(parts, request, part.cell);
            if (!isStarted) {
              isStarted = true;
              yield {
                ...startPart(request, part.cell.cell.providerId, part.cell.cell.model),
                warnings: part.warnings,
                decision: part.cell.reason,
                providerType: part.cell.candidate.entry.adapter.type,
              };
            }
            if (part.cell.degradation !== undefined) yield degradedPart(plan, part);
          } else if (part.type === "spent") {
            record.spent(part.cell.cell.providerId, part.cell.cell.model, part.usage, part.kind);
          } else if (part.type === "resumed") {
            const { providerId: provider, model } = part.cell.cell;
            composer?.servedBy(part.cell.candidate.entry.adapter.type);
            record.resumed();
            yield { type: "resumed", fromUnit: part.fromUnit, provider, model };
          } else {
            const composed = composer === undefined ? plainPart(part) : composer.fold(part);
            if (composed === undefined) continue;
            record.delivered(composed);
            kept?.push(composed);
            yield composed;
          }
        }
      }
      record.step("answer");
      if (composer === undefined || !wantsAnotherRound(composer, finish, round)) break;
      const results = await resultsOf(composer.calls, tools, signal, toolLimit(parts, request));
      record.step("tools");
      rounds.push(...composer.roundMessages(results));
      composer.nextRound();
    }
    outcome = "complete";
    noteStructure(parts, request, record);
    if (kept !== undefined) parts.cache?.store(request, kept, plan.cells[0]?.cell.model ?? "");
    // Not `yield*`: over an array it makes two promises a part.
    for (const part of record.closing(outcome, finish === "tool_calls" && composer !== undefined ? "stop" : finish))
      yield part;
  } catch (thrown) {
    const error = GatewayError.is(thrown) ? thrown : unexpected(parts, request, thrown);
    outcome = error.code === "request_cancelled" ? "cancelled" : "error";
    ({ code } = error);
    if (!isStarted) throw error;
    if (outcome === "error") yield errorPartOf(error);
    yield* record.closing(outcome, "other");
  } finally {
    leave?.();
    letGo?.();
    const settled = reservation === undefined ? undefined : record.settlement(inputTokensOf(request));
    reservation?.settle(settled?.usage, settled?.cost, isStarted);
    record.record(outcome, code);
  }
}

function meshCallFor(parts: SpineParts, request: XRRequest, plan: RoutedPlan, rounds: readonly Message[]): MeshCall {
  const { deadlineMs, latencyClass, traceparent } = request;
  // Two messages a round. A model that may not ask again has to speak.
  const isLastRound = rounds.length / 2 + 1 >= ROUNDS_MAX;
  return {
    plan,
    deadlineMs,
    latencyClass,
    commit: commitOf(request),
    whole: request.delivery === "whole",
    isSpeech: request.isSpoken === true,
    isStructured: request.chat.output !== undefined && request.chat.output.kind !== "text",
    tenantId: request.principal.tenantId,
    ...(traceparent === undefined ? {} : { traceparent }),
    requestFor: (cell) => chatRequestFor(request, cell.candidate, rounds, parts.facts ?? buildFacts, isLastRound),
  };
}

/** Half an object of JSON is of use to nobody who waits for whole sentences. */
function commitOf(request: XRRequest): CommitUnit {
  if (request.commit !== "sentence") return request.commit;
  return request.chat.output === undefined || request.chat.output.kind === "text" ? "sentence" : "whole";
}

const buildFacts: FactsSource = (context, tokensMax, question) => buildContextFacts(context, { tokensMax, question });

function composerFor(request: XRRequest): TurnComposer | undefined {
  if (!isTurn(request)) return undefined;
  const ownTools = new Set((request.chat.tools ?? []).map((definition) => definition.name));
  const allowed = contextForVendor(request.context);
  const marks = request.sight === undefined ? undefined : new SightMarks(request.sight, allowed);
  return new TurnComposer(request.requestId, request.context, ownTools, new RoomQueries(allowed), marks);
}

/** A model that only acted has not spoken yet, and one that waits for results has not finished. */
function wantsAnotherRound(composer: TurnComposer, finish: FinishReason, round: number): boolean {
  if (finish !== "tool_calls" || composer.calls.length === 0 || round + 1 >= ROUNDS_MAX) return false;
  const waits = composer.calls.some((item) => item.state !== "done");
  return waits || composer.roundText.trim() === "";
}

/** Whether structured output can be read is seen without asking anybody. */
function noteStructure(parts: SpineParts, request: XRRequest, record: AnswerRecord): void {
  const { output } = request.chat;
  if (output === undefined || output.kind === "text") return;
  parts.learning.observeForm(request.requestId, record.isReadable);
}

function remember(parts: SpineParts, request: XRRequest, cell: RoutedCell): void {
  const key = affinityKeyOf(request);
  if (key !== undefined) parts.balancer.remember(key, cell.candidate.name);
}

/** Half of what is left: the model still has to say something with the results. */
function toolLimit(parts: SpineParts, request: XRRequest): ToolLimit {
  return { clock: parts.clock, limitMs: Math.max(1, (request.deadlineMs - parts.clock.monotonicMs()) / 2) };
}

function plainPart(part: Parameters<TurnComposer["fold"]>[0]): AnswerPart {
  return part.type === "media" ? { type: "image", mime: part.mime, data: part.data } : part;
}

function startPart(request: XRRequest, provider: string, model: string): Extract<AnswerPart, { type: "start" }> {
  const start = { type: "start", requestId: request.requestId, provider, model, warnings: [] } as const;
  return isTurn(request) ? { ...start, captions: chooseModalities(request.context).captions } : start;
}

function degradedPart(plan: RoutedPlan, part: Extract<MeshPart, { type: "serving" }>): AnswerPart {
  const from = plan.cells[0]?.cell;
  return {
    type: "degraded",
    from: from === undefined ? "" : `${from.providerId}/${from.model}`,
    to: `${part.cell.cell.providerId}/${part.cell.cell.model}`,
    reason: part.cell.degradation ?? "",
  };
}

/** A fault of ours: the client learns the code, the log the rest. */
function unexpected(parts: SpineParts, request: XRRequest, thrown: unknown): GatewayError {
  // A message may quote what the user said, as those of JSON.parse do: the log gets the kind and the length.
  const { name, message } = thrown instanceof Error ? thrown : { name: typeof thrown, message: "" };
  const attributes = { requestId: request.requestId, error: name, detail: privateValue(message) };
  parts.log.write("error", "answer failed unexpectedly", attributes);
  return new GatewayError("internal", "internal error", {}, { cause: thrown });
}
