import { GatewayError } from "../errors/gateway-error.ts";
import type { ProviderErrorCode, ProviderFailure } from "../errors/provider-failure.ts";
import { ProviderError } from "../errors/provider-failure.ts";

export interface AttemptFacts {
  readonly providerId: string;
  readonly elapsedMs: number;
  readonly partialOutput: boolean;
  readonly hasUsage: boolean;
  readonly isAborted: boolean;
}

/** Whatever an adapter threw, as the closed set that routing and resilience reason about. */
export function failureOfError(error: unknown, facts: AttemptFacts): ProviderFailure {
  if (ProviderError.is(error)) return { ...error.failure, partialOutput: facts.partialOutput };
  if (GatewayError.is(error) && !error.row.retryable && error.row.http < 500) {
    const { param } = error.details;
    const field = param === undefined ? {} : { param };
    const told = { message: error.message, scope: "request", providerCode: error.code, billed: "no" } as const;
    return { ...ownFailure("invalid_request", facts), ...told, ...field };
  }
  if (facts.isAborted) return ownFailure("aborted", facts);
  // An adapter that throws anything else is wrong itself; the mesh treats it like a provider that talks nonsense.
  const message = error instanceof Error ? error.message.slice(0, 500) : "unknown";
  return { ...ownFailure("protocol", facts), message };
}

/** A failure that the gateway saw itself: a deadline, an end without a terminal part. */
export function ownFailure(code: ProviderErrorCode, facts: AttemptFacts): ProviderFailure {
  return {
    code,
    providerId: facts.providerId,
    message: `${code.replaceAll("_", " ")} after ${Math.round(facts.elapsedMs)} ms`,
    retryable: code !== "aborted",
    scope: "model",
    partialOutput: facts.partialOutput,
    billed: facts.hasUsage ? "yes" : "unknown",
  };
}
