// One span for each answer, and one for each provider call within it, named by OpenTelemetry's GenAI conventions (v1.41).
// Prompts, answers, users and tenants never enter a span.
import type {
  AnswerEngine,
  AnswerPart,
  AttemptObserver,
  Candidate,
  ClientTools,
  Clock,
  ModelListing,
  OperationOutput,
  OperationRequest,
  Principal,
  ProviderType,
  Served,
  UnaryOperation,
  XRRequest,
} from "@fovea/core";
import { GatewayError } from "@fovea/core";
import { newSpanId, newTraceId } from "../platform/trace-ids.ts";
import type { Attributes, Span } from "../telemetry/otlp-json.ts";
import type { TraceContext } from "../telemetry/trace-context.ts";
import { isInSample, parseTraceparent, writeTraceparent } from "../telemetry/trace-context.ts";

export interface TracingParts {
  readonly clock: Clock;
  /** Share of the traces that begin here; a caller's own decision holds. */
  readonly sampleRatio: number;
  readonly add: (span: Span) => void;
}

/** `gen_ai.provider.name` where the conventions have one. */
const PROVIDER_NAMES: Readonly<Partial<Record<ProviderType, string>>> = {
  openai: "openai",
  anthropic: "anthropic",
  google: "gcp.gemini",
  cohere: "cohere",
  huggingface: "huggingface",
  replicate: "replicate",
  together: "together_ai",
  embedded: "fovea.embedded",
};
const OPERATION_NAMES: Readonly<Record<string, string>> = { embed: "embeddings" };

/** A span of every attempt whose request is traced. */
export function tracingObserver({ clock, add }: TracingParts): AttemptObserver {
  return {
    started: () => undefined,
    firstContent: () => undefined,
    ended(candidate, record) {
      const parent = parseTraceparent(record.traceparent);
      if (parent === undefined || !parent.isSampled) return;
      const { operation, model } = candidate.cell;
      const offsetMs = clock.unixMs() - clock.monotonicMs();
      const error = record.outcome === "ok" ? undefined : (record.failure?.code ?? record.outcome);
      add({
        traceId: parent.traceId,
        spanId: newSpanId(),
        parentSpanId: parent.spanId,
        name: `${OPERATION_NAMES[operation] ?? operation} ${model}`,
        kind: candidate.entry.adapter.type === "embedded" ? "internal" : "client",
        startUnixMs: record.startedMs + offsetMs,
        endUnixMs: record.endedMs + offsetMs,
        attributes: attemptAttributes(candidate, record),
        ...(error === undefined ? {} : { error }),
      });
    },
  };
}

function attemptAttributes(candidate: Candidate, record: Parameters<AttemptObserver["ended"]>[1]): Attributes {
  const { operation, providerId, model, region, keyId } = candidate.cell;
  const { usage, firstContentMs, startedMs, isWhole, isHedge, isSlow } = record;
  return {
    "gen_ai.operation.name": OPERATION_NAMES[operation] ?? operation,
    "gen_ai.provider.name": PROVIDER_NAMES[candidate.entry.adapter.type] ?? providerId,
    "gen_ai.request.model": model,
    "gen_ai.request.stream": isWhole ? undefined : true,
    "gen_ai.response.time_to_first_chunk":
      firstContentMs === undefined ? undefined : (firstContentMs - startedMs) / 1_000,
    "gen_ai.usage.input_tokens": usage?.input.total,
    "gen_ai.usage.output_tokens": usage?.output.total,
    "gen_ai.usage.cache_read.input_tokens": usage?.input.cacheRead,
    "gen_ai.usage.cache_creation.input_tokens": usage?.input.cacheWrite,
    "gen_ai.usage.reasoning.output_tokens": usage?.output.reasoning,
    "fovea.provider": providerId,
    "fovea.region": region,
    "fovea.key": keyId,
    "fovea.is_hedge": isHedge,
    "fovea.is_slow": isSlow,
  };
}

/** Stands in front of the engine as an engine. */
export class TracedEngine implements AnswerEngine {
  readonly #engine: AnswerEngine;
  readonly #parts: TracingParts;

  constructor(engine: AnswerEngine, parts: TracingParts) {
    this.#engine = engine;
    this.#parts = parts;
  }

  answer(request: XRRequest, signal: AbortSignal, tools?: ClientTools): AsyncIterable<AnswerPart> {
    const trace = new AnswerSpan(request, request.kind, request.model, this.#parts);
    return trace.watch(this.#engine.answer({ ...request, traceparent: trace.traceparent }, signal, tools));
  }

  async perform<O extends UnaryOperation>(
    request: OperationRequest<O>,
    signal: AbortSignal,
  ): Promise<Served<OperationOutput[O]>> {
    const trace = new AnswerSpan(request, request.operation, request.input.model, this.#parts);
    try {
      const served = await this.#engine.perform({ ...request, traceparent: trace.traceparent }, signal);
      trace.end({ "fovea.provider": served.providerId, "fovea.model": served.model, "fovea.outcome": "complete" });
      return served;
    } catch (error) {
      trace.fail(error);
      throw error;
    }
  }

  listModels(principal: Principal): readonly ModelListing[] {
    return this.#engine.listModels(principal);
  }
}

class AnswerSpan {
  readonly #parts: TracingParts;
  readonly #context: TraceContext;
  readonly #parent: TraceContext | undefined;
  readonly #name: string;
  readonly #startUnixMs: number;
  #attributes: Record<string, string | number | boolean | undefined>;
  #error: string | undefined;
  #isEnded = false;

  constructor(
    request: { readonly requestId: string; readonly traceparent?: string },
    kind: string,
    asked: string,
    parts: TracingParts,
  ) {
    this.#parts = parts;
    this.#parent = parseTraceparent(request.traceparent);
    const traceId = this.#parent?.traceId ?? newTraceId();
    const isSampled = this.#parent?.isSampled ?? isInSample(traceId, parts.sampleRatio);
    this.#context = { traceId, spanId: newSpanId(), isSampled };
    this.#name = `fovea.answer ${kind}`;
    this.#startUnixMs = parts.clock.unixMs();
    this.#attributes = {
      "fovea.request_id": request.requestId,
      "fovea.kind": kind,
      "fovea.asked": asked.slice(0, 120),
    };
  }

  get traceparent(): string {
    return writeTraceparent(this.#context);
  }

  async *watch(parts: AsyncIterable<AnswerPart>): AsyncGenerator<AnswerPart> {
    try {
      for await (const part of parts) {
        this.#see(part);
        yield part;
      }
    } catch (error) {
      this.fail(error);
      throw error;
    } finally {
      this.end({});
    }
  }

  fail(error: unknown): void {
    this.#error = GatewayError.is(error) ? error.code : "internal";
    this.end({ "fovea.outcome": this.#error === "request_cancelled" ? "cancelled" : "error" });
  }

  end(more: Attributes): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (!this.#context.isSampled) return;
    const { traceId, spanId } = this.#context;
    this.#parts.add({
      traceId,
      spanId,
      ...(this.#parent === undefined ? {} : { parentSpanId: this.#parent.spanId }),
      name: this.#name,
      kind: "server",
      startUnixMs: this.#startUnixMs,
      endUnixMs: this.#parts.clock.unixMs(),
      attributes: { ...this.#attributes, ...more },
      ...(this.#error === undefined ? {} : { error: this.#error }),
    });
  }

  #see(part: AnswerPart): void {
    switch (part.type) {
      case "usage":
        this.#attributes["gen_ai.usage.input_tokens"] = part.usage.input.total;
        this.#attributes["gen_ai.usage.output_tokens"] = part.usage.output.total;
        if (part.cost.microUsd !== undefined) this.#attributes["fovea.cost_usd"] = part.cost.microUsd / 1e6;
        return;
      case "resumed":
        this.#attributes["fovea.was_resumed"] = true;
        return;
      case "error":
        this.#error = part.code;
        return;
      case "end": {
        const { provider, model, reason, isCached } = part.trace;
        Object.assign(this.#attributes, {
          "fovea.outcome": part.outcome,
          "fovea.provider": provider,
          "fovea.model": model,
          "fovea.decision": reason,
          "fovea.is_cached": isCached,
        });
        return;
      }
      default:
        return;
    }
  }
}
