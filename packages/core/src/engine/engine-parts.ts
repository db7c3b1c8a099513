import type { AnswerPart } from "../model/answer-part.ts";
import type { XRContext } from "../model/xr-context.ts";
import type { XRRequest } from "../model/xr-request.ts";
import type { AttemptObserver } from "../mesh/attempt.ts";
import type { PriceBook } from "../mesh/price-book.ts";
import type { AuditSink } from "../ports/audit-sink.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Log } from "../ports/log.ts";
import type { Meter } from "../ports/meter.ts";
import type { Random } from "../ports/random.ts";
import type { Budgets } from "./budgets.ts";
import type { ProviderRegistry } from "../providers/provider-registry.ts";
import type { BreakerPolicy } from "../resilience/cell-breaker.ts";
import type { RoutingRules } from "../routing/routing-rules.ts";

/** A stored answer. `find` decides what counts as the same question; the engine only asks and tells. */
export interface AnswerCache {
  find(request: XRRequest): Promise<{ readonly parts: readonly AnswerPart[]; readonly model: string } | undefined>;
  /** Called once a complete answer has been delivered, never for a broken, degraded or cancelled one. */
  store(request: XRRequest, parts: readonly AnswerPart[], model: string): void;
}

/** A compact, truthful text on the room and what the user attends to, within a token budget; undefined where there is none. */
export type FactsSource = (context: XRContext, tokensMax: number, question: string) => string | undefined;

/** Everything the engine needs from outside. Optional ones have a working default. */
export interface EngineParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly log: Log;
  readonly meter: Meter;
  readonly audit: AuditSink;
  readonly registry: ProviderRegistry;
  readonly prices?: PriceBook;
  readonly cache?: AnswerCache;
  readonly facts?: FactsSource;
  readonly rules?: RoutingRules;
  readonly budgets?: Budgets;
  /** Answers made at the same time before requests are sent away, those that can wait first. 1,000 when nothing is said. */
  readonly inFlightMax?: number;
  /** Told of every provider call, after those who learn from it. */
  readonly observers?: readonly AttemptObserver[];
  readonly breakerPolicy?: BreakerPolicy;
  /** For the negative controls of the simulation: a gateway leaves this out. */
  readonly controls?: {
    readonly canRescue?: boolean;
    readonly hedgeShare?: number;
    readonly hasDeadlines?: boolean;
  };
}
