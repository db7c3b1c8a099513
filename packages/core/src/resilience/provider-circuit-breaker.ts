import { GatewayError } from "../errors/gateway-error.ts";
import { ProviderError } from "../errors/provider-failure.ts";
import type { AnswerPart } from "../model/answer-part.ts";
import type { XRRequest } from "../model/xr-request.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { IXRProviderAdapter } from "../providers/xr-provider-adapter.ts";
import type { BreakerPolicy, BreakerState } from "./cell-breaker.ts";
import { CellBreaker } from "./cell-breaker.ts";
import { classOf } from "./failure-classes.ts";

export type Result = readonly AnswerPart[];

/**
 * Specification section 7: the breaker around a whole provider, for those who call adapters themselves. The mesh uses the
 * same machine for each cell. An open circuit rejects at once with `provider_circuit_open` and how long to wait.
 */
export class ProviderCircuitBreaker {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #policy: BreakerPolicy | undefined;
  readonly #breakers = new Map<string, CellBreaker>();

  constructor(clock: Clock, random: Random, policy?: BreakerPolicy) {
    this.#clock = clock;
    this.#random = random;
    this.#policy = policy;
  }

  async executeWithCircuitBreaker(provider: IXRProviderAdapter, request: XRRequest): Promise<Result> {
    const startedMs = this.#clock.monotonicMs();
    if (this.isOpen(provider.id)) return this.handleOpenCircuit(provider, request);
    this.#of(provider.id).admit(startedMs);
    try {
      const result = await provider.process(request);
      this.recordSuccess(provider.id, startedMs);
      return result;
    } catch (error) {
      // The breaker opens by itself inside: what was recorded decides, in one place, with the reason.
      this.recordFailure(provider.id, startedMs, error);
      throw error;
    }
  }

  state(providerId: string): BreakerState {
    return this.#breakers.get(providerId)?.state ?? "closed";
  }

  private isOpen(providerId: string): boolean {
    const admission = this.#breakers.get(providerId)?.look(this.#clock.monotonicMs());
    return admission !== undefined && admission !== "closed" && admission !== "probe";
  }

  private handleOpenCircuit(provider: IXRProviderAdapter, _request: XRRequest): never {
    const breaker = this.#of(provider.id);
    const untilMs = Math.max(breaker.opensAgainMs, breaker.throttledUntilMs);
    const retryAfterMs = Math.max(0, Math.ceil(untilMs - this.#clock.monotonicMs()));
    const details = { providerId: provider.id, retryAfterMs };
    throw new GatewayError("provider_circuit_open", `${provider.id} rests after failures`, details);
  }

  private recordSuccess(providerId: string, startedMs: number): void {
    this.#of(providerId).succeeded(startedMs, this.#clock.monotonicMs(), false);
  }

  private recordFailure(providerId: string, startedMs: number, error: unknown): void {
    const breaker = this.#of(providerId);
    const nowMs = this.#clock.monotonicMs();
    if (!ProviderError.is(error)) {
      // The caller's own mistake says nothing about the provider; anything else does.
      const isCallers = GatewayError.is(error) && !error.row.retryable;
      return isCallers ? breaker.cancelled(startedMs) : breaker.failed(startedMs, nowMs, "hard");
    }
    const { breaker: weight, key } = classOf(error.failure);
    if (key === "rest") breaker.throttle(nowMs, error.failure.retryAfterMs);
    if (weight === "none") breaker.cancelled(startedMs);
    else breaker.failed(startedMs, nowMs, weight);
  }

  #of(providerId: string): CellBreaker {
    let breaker = this.#breakers.get(providerId);
    if (breaker === undefined) {
      breaker = new CellBreaker(this.#random, undefined, this.#policy);
      this.#breakers.set(providerId, breaker);
    }
    return breaker;
  }
}
