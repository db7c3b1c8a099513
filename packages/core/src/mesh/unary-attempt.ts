import type { ProviderFailure } from "../errors/provider-failure.ts";
import { ProviderError } from "../errors/provider-failure.ts";
import type { Usage } from "../model/measure.ts";
import type { Clock } from "../ports/clock.ts";
import type { Candidate } from "../providers/catalogue.ts";
import type { CallOptions } from "../providers/provider-adapter.ts";
import type { AttemptObserver } from "./attempt.ts";
import type { AttemptFacts } from "./classify-error.ts";
import { failureOfError, ownFailure } from "./classify-error.ts";

export type UnaryResult<T> =
  | { readonly state: "done"; readonly value: T }
  | { readonly state: "failed"; readonly failure: ProviderFailure };

export interface UnaryCall<T> {
  readonly candidate: Candidate;
  readonly limitMs: number;
  readonly traceparent?: string;
  call(options: CallOptions): Promise<T>;
  usageOf(value: T): Usage | undefined;
}

/** One call with one result. It fails at its deadline, whether or not the adapter lets go. */
export async function attemptOnce<T>(
  clock: Clock,
  observer: AttemptObserver,
  unary: UnaryCall<T>,
  signal: AbortSignal,
): Promise<UnaryResult<T>> {
  const { candidate, limitMs } = unary;
  const startedMs = clock.monotonicMs();
  const controller = new AbortController();
  observer.started(candidate, startedMs, true);
  const facts = (): AttemptFacts => ({
    providerId: candidate.cell.providerId,
    elapsedMs: clock.monotonicMs() - startedMs,
    partialOutput: false,
    hasUsage: false,
    isAborted: signal.aborted || controller.signal.aborted,
  });
  const ended = (outcome: "ok" | "failed" | "cancelled", rest: { failure?: ProviderFailure; usage?: Usage }): void =>
    observer.ended(candidate, {
      outcome,
      startedMs,
      endedMs: clock.monotonicMs(),
      isHedge: false,
      isWhole: true,
      isSlow: false,
      operation: candidate.cell.operation,
      ...(unary.traceparent === undefined ? {} : { traceparent: unary.traceparent }),
      ...rest,
    });
  let stop = (): void => undefined;
  try {
    const value = await new Promise<T>((resolve, reject) => {
      const fail = (code: "timeout_total" | "timeout_headers" | "aborted"): void => {
        const error = new ProviderError(ownFailure(code, facts()));
        controller.abort(error);
        reject(error);
      };
      const onAbort = (): void => fail("aborted");
      const cancel = clock.schedule(limitMs, () => fail("timeout_headers"));
      signal.addEventListener("abort", onAbort, { once: true });
      // The listener stays: a result may hold a stream (speech), which must end when the caller leaves.
      stop = cancel;
      if (signal.aborted) return onAbort();
      const timeouts = { headersMs: limitMs, totalMs: limitMs };
      const trace = unary.traceparent === undefined ? {} : { traceparent: unary.traceparent };
      unary.call({ signal: controller.signal, timeouts, ...trace }).then(resolve, reject);
    });
    const usage = unary.usageOf(value);
    ended("ok", usage === undefined ? {} : { usage });
    return { state: "done", value };
  } catch (error) {
    const failure = failureOfError(error, facts());
    ended(failure.code === "aborted" ? "cancelled" : "failed", { failure });
    return { state: "failed", failure };
  } finally {
    stop();
  }
}
