/** How the SDK comes back after a lost connection. */
export interface ReconnectPolicy {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** The first attempt comes within half a second, so that a passing drop-out costs less than a breath. */
export const RECONNECT_POLICY: ReconnectPolicy = { firstMs: 250, longestMs: 10_000 };

/**
 * Wait before attempt `attempt` (0 is the first): doubling, capped, and spread over its upper half so that the headsets
 * of one lost gateway do not return in one instant. `share` is a uniform number in [0, 1).
 */
export function reconnectDelayMs(
  attempt: number,
  share: number,
  waitMsMin = 0,
  policy: ReconnectPolicy = RECONNECT_POLICY,
): number {
  const full = Math.min(policy.longestMs, policy.firstMs * 2 ** Math.min(attempt, 20));
  return Math.max(waitMsMin * (1 + share / 4), full * (0.5 + share / 2));
}
