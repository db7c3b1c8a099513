// The last step of the spine: how an answer ended, told to the meter, the audit trail and the log. Content never enters.
import type { AnswerPart, AnswerTrace } from "../model/answer-part.ts";
import type { FinishReason } from "../model/chat.ts";
import type { Cost, Usage } from "../model/measure.ts";
import type { XRRequest } from "../model/xr-request.ts";
import type { Meter } from "../ports/meter.ts";
import type { SpentKind } from "../mesh/mesh-part.ts";
import { UsageSum } from "../mesh/price-book.ts";
import type { EngineParts } from "./engine-parts.ts";

export type Outcome = Extract<AnswerPart, { type: "end" }>["outcome"];
type RecordingParts = Pick<EngineParts, "clock" | "log" | "meter" | "audit" | "prices">;

export class AnswerRecord {
  readonly #parts: RecordingParts;
  readonly #request: XRRequest;
  readonly #startedMs: number;
  readonly #steps: { readonly name: string; readonly ms: number }[] = [];
  readonly #sum = new UsageSum();
  #stepStartedMs: number;
  #provider = "";
  #model = "";
  #reason = "";
  #isCached = false;
  #firstPartMs: number | undefined;
  #wasResumed = false;
  #wasDegraded = false;
  #isRecorded = false;
  #characters = 0;
  readonly #isStructured: boolean;
  /** Of structured output only, until it is known whether it can be read. */
  #text = "";

  constructor(parts: RecordingParts, request: XRRequest) {
    this.#parts = parts;
    this.#request = request;
    this.#isStructured = request.chat.output !== undefined && request.chat.output.kind !== "text";
    this.#startedMs = parts.clock.monotonicMs();
    this.#stepStartedMs = this.#startedMs;
  }

  /** Names the time since the last step. */
  step(name: string): void {
    const nowMs = this.#parts.clock.monotonicMs();
    if (name === "plan") this.#parts.meter.record("xr.gateway.overhead", {}, (nowMs - this.#startedMs) / 1_000);
    this.#steps.push({ name, ms: nowMs - this.#stepStartedMs });
    this.#stepStartedMs = nowMs;
  }

  served(provider: string, model: string, reason: string): void {
    this.#provider = provider;
    this.#model = model;
    this.#reason = reason;
    this.#firstPartMs ??= this.#parts.clock.monotonicMs();
  }

  cached(model: string): void {
    this.#isCached = true;
    this.served("cache", model, "stored answer");
  }

  resumed(): void {
    this.#wasResumed = true;
  }

  degraded(): void {
    this.#wasDegraded = true;
  }

  spent(provider: string, model: string, usage: Usage, kind: SpentKind | "mirror"): void {
    const { prices, meter } = this.#parts;
    const cost = prices?.costOf(provider, model, usage) ?? UNPRICED;
    this.#sum.add(usage, cost);
    countCost(meter, provider, model, cost, kind);
  }

  /** Text on its way to the caller: what an answer has cost whose provider did not come to say so. */
  delivered(part: AnswerPart): void {
    if (part.type === "text-delta" && this.#isStructured && this.#text.length < STRUCTURE_MAX) this.#text += part.text;
    if ("text" in part) this.#characters += part.text.length;
    else if (part.type === "tool-delta") this.#characters += part.args.length;
  }

  /** Whether the text, which was asked for as JSON, is JSON. */
  get isReadable(): boolean {
    if (this.#text.length >= STRUCTURE_MAX) return true;
    try {
      JSON.parse(this.#text);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * What to settle a budget by: what the providers reported, or where the answer ended before they could, its request and
   * what was delivered of it. Undefined where nothing had begun.
   */
  settlement(inputTokens: number): { readonly usage: Usage; readonly cost: Cost } | undefined {
    if (!this.#sum.isEmpty) return { usage: this.#sum.usage, cost: this.#sum.cost };
    if (this.#firstPartMs === undefined) return undefined;
    const usage: Usage = {
      input: { total: inputTokens, cacheRead: 0, cacheWrite: 0 },
      output: { total: Math.ceil(this.#characters / CHARACTERS_PER_TOKEN) },
      source: "estimated",
    };
    const cost = this.#parts.prices?.costOf(this.#provider, this.#model, usage) ?? UNPRICED;
    countCost(this.#parts.meter, this.#provider, this.#model, cost, "broken");
    return { usage, cost };
  }

  /** The closing parts: what it took, then how it ended. */
  closing(outcome: Outcome, finishReason: FinishReason): readonly AnswerPart[] {
    const end: AnswerPart = { type: "end", outcome: this.#finalOutcome(outcome), finishReason, trace: this.#trace() };
    if (this.#sum.isEmpty) return [end];
    return [{ type: "usage", usage: this.#sum.usage, cost: this.#sum.cost }, end];
  }

  /** Once, however the answer ended; also when the reader left without reading the end. */
  record(outcome: Outcome, code?: string): void {
    if (this.#isRecorded) return;
    this.#isRecorded = true;
    const { clock, meter, audit } = this.#parts;
    const { kind, requestId, principal } = this.#request;
    const final = this.#finalOutcome(outcome);
    const labels = { kind, outcome: final, provider: this.#provider };
    const seconds = (clock.monotonicMs() - this.#startedMs) / 1_000;
    meter.count("fovea.answers", labels);
    meter.record("fovea.answer.duration", { kind, provider: this.#provider }, seconds);
    if (this.#firstPartMs !== undefined) {
      const firstSeconds = (this.#firstPartMs - this.#startedMs) / 1_000;
      meter.record("fovea.answer.time_to_first_part", { kind, provider: this.#provider }, firstSeconds);
    }
    audit.append({
      atUnixMs: clock.unixMs(),
      action: `answer.${kind}`,
      tenantId: principal.tenantId,
      userId: principal.userId,
      ...(principal.keyId === undefined ? {} : { keyId: principal.keyId }),
      outcome: final,
      details: {
        requestId,
        provider: this.#provider,
        model: this.#model,
        isCached: this.#isCached,
        ...this.#sizes(),
        ...(code === undefined ? {} : { code }),
      },
    });
    this.#log(final, seconds, code);
  }

  #log(outcome: Outcome, seconds: number, code: string | undefined): void {
    const level = outcome === "error" ? "warn" : "info";
    const { requestId, kind } = this.#request;
    const ms = Math.round(seconds * 1_000);
    const attributes = { requestId, kind, outcome, provider: this.#provider, model: this.#model, ms, code };
    this.#parts.log.write(level, "answer ended", attributes);
  }

  #sizes(): Readonly<Record<string, number>> {
    if (this.#sum.isEmpty) return {};
    const { usage, cost } = this.#sum;
    const sizes = { inputTokens: usage.input.total, outputTokens: usage.output.total };
    return cost.microUsd === undefined ? sizes : { ...sizes, costMicroUsd: cost.microUsd };
  }

  #finalOutcome(outcome: Outcome): Outcome {
    if (outcome !== "complete") return outcome;
    if (this.#wasDegraded) return "degraded";
    return this.#wasResumed ? "resumed" : "complete";
  }

  #trace(): AnswerTrace {
    return {
      requestId: this.#request.requestId,
      provider: this.#provider,
      model: this.#model,
      reason: this.#reason,
      isCached: this.#isCached,
      steps: this.#steps,
    };
  }
}

/** Longer output is not read a second time. */
const STRUCTURE_MAX = 100_000;

/** English text has about four characters a token. */
const CHARACTERS_PER_TOKEN = 4;

export function countCost(meter: Meter, provider: string, model: string, cost: Cost, kind: string): void {
  if (cost.microUsd === undefined || cost.microUsd <= 0) return;
  const labels = { "gen_ai.provider.name": provider, "gen_ai.request.model": model, kind };
  meter.count("xr.cost", labels, cost.microUsd / 1e6);
}

const UNPRICED = { microUsd: undefined, source: "unpriced" } as const;
