import type { Budgets } from "@fovea/core";

/** One line of `rate_limits.updated`. */
export interface RateLimitLine {
  readonly name: "requests" | "tokens";
  readonly limit: number;
  readonly remaining: number;
  readonly reset_seconds: number;
}

/** The tightest budget of each kind. */
export function rateLimitLines(left: ReturnType<Budgets["remaining"]>): readonly RateLimitLine[] {
  return (["requests", "tokens"] as const).flatMap((name) => {
    let tightest: RateLimitLine | undefined;
    for (const { limit, resetsInMs, ...remainder } of left) {
      const remaining = remainder[name];
      const most = limit[name];
      if (remaining === undefined || most === undefined || (tightest?.remaining ?? Infinity) <= remaining) continue;
      tightest = { name, limit: most, remaining, reset_seconds: Math.round(resetsInMs) / 1000 };
    }
    return tightest === undefined ? [] : [tightest];
  });
}
