// What a rule makes of a call before any vendor is asked: failures, foreign bodies, drawn delays.
import type { SeededRandom } from "@fovea/core/testing";
import type { FailureAsk, WholeReply } from "./exchange.ts";
import type { Rule, Scenario } from "./scenario.ts";

/** Quantiles of the knots: below the first the half of it stands for p0. */
const KNOTS = [0, 0.5, 0.9, 0.95, 0.99, 1] as const;

/** A time to the first token from its percentiles; the slowest hundredth stays at p99. */
export function withDrawnDelay(rule: Rule, random: SeededRandom): Rule {
  const percentiles = rule.delay?.firstTokenPercentilesMs;
  if (percentiles === undefined) return rule;
  const [p50, , , p99] = percentiles;
  const values = [p50 / 2, ...percentiles, p99];
  const at = random.next();
  const right = KNOTS.findIndex((knot) => at < knot);
  const [low, high] = [KNOTS[right - 1] ?? 0, KNOTS[right] ?? 1];
  const [from, to] = [values[right - 1] ?? 0, values[right] ?? 0];
  const firstTokenMs = from + ((at - low) / (high - low)) * (to - from);
  return { ...rule, delay: { ...rule.delay, firstTokenMs } };
}

export function failureAsk(rule: Rule): FailureAsk | undefined {
  if (rule.status === undefined || rule.status < 400) return undefined;
  return {
    status: rule.status,
    ...(rule.error === undefined ? {} : { kind: rule.error }),
    ...(rule.message === undefined ? {} : { message: rule.message }),
    ...(typeof rule.retryAfter === "number" ? { retryAfterS: rule.retryAfter } : {}),
  };
}

export function overLimit(scenario: Scenario, resetMs: number): FailureAsk {
  const kind = scenario.limits?.error;
  return { status: 429, retryAfterS: Math.ceil(resetMs / 1000), ...(kind === undefined ? {} : { kind }) };
}

/** What stands between a client and a vendor says it in its own words. */
export function foreignBody(rule: Rule): WholeReply {
  const status = rule.status ?? 502;
  if (rule.body === "empty") return { status, contentType: "application/json", body: "" };
  const text = rule.message ?? `${status} ${status === 502 ? "Bad Gateway" : "Service Unavailable"}`;
  if (rule.body === "text") return { status, contentType: "text/plain; charset=utf-8", body: text };
  const page = `<html>\r\n<head><title>${text}</title></head>\r\n<body>\r\n<center><h1>${text}</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n`;
  return { status, contentType: "text/html", body: page };
}
