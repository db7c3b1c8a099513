// What is left of the caller's budgets, told in the headers that each kind of client reads. Where several budgets hold,
// vendors' names have room for one: the one with the least left.
import type { BudgetRemainder } from "@fovea/core";
import { headerText } from "./error-response.ts";

/** `openai` and `anthropic` under their vendors' names; `ietf` as RateLimit and RateLimit-Policy. */
export type LimitStyle = "openai" | "anthropic" | "ietf";

/** The requests of the minute that `limits.requestsPerMinute` allows a key. */
export interface RateRemainder {
  readonly perMinute: number;
  readonly remaining: number;
  readonly resetsInMs: number;
}

type Headers = Record<string, string>;

interface Binding {
  readonly limit: number;
  readonly remaining: number;
  readonly resetsInMs: number;
}

const RATE_NAME = "requests-per-minute";

/** Empty where nothing limits the caller. `nowUnixMs`: wall time, for the names that want an instant. */
export function limitHeaders(
  style: LimitStyle,
  budgets: readonly BudgetRemainder[],
  rate: RateRemainder | undefined,
  nowUnixMs: number,
): Headers {
  const headers: Headers = {};
  if (budgets.length === 0 && rate === undefined) return headers;
  if (style === "ietf") Object.assign(headers, ietfHeaders(budgets, rate));
  else {
    const write = style === "openai" ? writeOpenAi : writeAnthropic;
    const requests = tightest(budgets, "requests", rate);
    const tokens = tightest(budgets, "tokens", undefined);
    if (requests !== undefined) write(headers, "requests", requests, nowUnixMs);
    if (tokens !== undefined) write(headers, "tokens", tokens, nowUnixMs);
  }
  const money = tightest(budgets, "costMicroUsd", undefined);
  if (money !== undefined) headers["x-fovea-remaining-usd"] = dollars(money.remaining);
  if (budgets.length > 0) headers["x-fovea-budget"] = headerText(budgets.map(budgetText).join(", "));
  return headers;
}

function tightest(
  budgets: readonly BudgetRemainder[],
  unit: "requests" | "tokens" | "costMicroUsd",
  rate: RateRemainder | undefined,
): Binding | undefined {
  let least: Binding | undefined =
    rate === undefined ? undefined : { limit: rate.perMinute, remaining: rate.remaining, resetsInMs: rate.resetsInMs };
  for (const budget of budgets) {
    const limit = budget.limit[unit];
    const remaining = budget[unit];
    if (limit === undefined || remaining === undefined) continue;
    if (least === undefined || remaining < least.remaining) least = { limit, remaining, resetsInMs: budget.resetsInMs };
  }
  return least;
}

function writeOpenAi(headers: Headers, unit: string, binding: Binding): void {
  headers[`x-ratelimit-limit-${unit}`] = String(binding.limit);
  headers[`x-ratelimit-remaining-${unit}`] = String(Math.floor(binding.remaining));
  headers[`x-ratelimit-reset-${unit}`] = goDuration(binding.resetsInMs);
}

function writeAnthropic(headers: Headers, unit: string, binding: Binding, nowUnixMs: number): void {
  headers[`anthropic-ratelimit-${unit}-limit`] = String(binding.limit);
  headers[`anthropic-ratelimit-${unit}-remaining`] = String(Math.floor(binding.remaining));
  const at = new Date(Math.ceil((nowUnixMs + binding.resetsInMs) / 1_000) * 1_000);
  headers[`anthropic-ratelimit-${unit}-reset`] = at.toISOString().replace(".000Z", "Z");
}

/** Each budget and unit is a policy of its own: `"team-tokens";q=1000;w=86400;qu="tokens"` and `"team-tokens";r=12;t=360`. */
function ietfHeaders(budgets: readonly BudgetRemainder[], rate: RateRemainder | undefined): Headers {
  const policies: string[] = [];
  const states: string[] = [];
  const add = (name: string, unit: string, windowMs: number, { limit, remaining, resetsInMs }: Binding): void => {
    const quoted = `"${headerText(name).replaceAll(/["\\]/g, "'")}"`;
    policies.push(`${quoted};q=${Math.floor(limit)};w=${Math.round(windowMs / 1_000)};qu="${unit}"`);
    states.push(`${quoted};r=${Math.floor(remaining)};t=${Math.ceil(resetsInMs / 1_000)}`);
  };
  if (rate !== undefined)
    add(RATE_NAME, "requests", 60_000, {
      limit: rate.perMinute,
      remaining: rate.remaining,
      resetsInMs: rate.resetsInMs,
    });
  for (const { name, limit, requests, tokens, resetsInMs } of budgets) {
    if (limit.requests !== undefined && requests !== undefined)
      add(`${name}-requests`, "requests", limit.periodMs, { limit: limit.requests, remaining: requests, resetsInMs });
    if (limit.tokens !== undefined && tokens !== undefined)
      add(`${name}-tokens`, "tokens", limit.periodMs, { limit: limit.tokens, remaining: tokens, resetsInMs });
  }
  return policies.length === 0 ? {} : { "ratelimit-policy": policies.join(", "), ratelimit: states.join(", ") };
}

/** `team-day;of=tenant;requests=12;tokens=3400;usd=1.25;reset=3600`, a list of one for each budget that holds. */
function budgetText({ name, limit, requests, tokens, costMicroUsd, resetsInMs }: BudgetRemainder): string {
  const parts = [name, `of=${limit.of}`];
  if (requests !== undefined) parts.push(`requests=${requests}`);
  if (tokens !== undefined) parts.push(`tokens=${Math.floor(tokens)}`);
  if (costMicroUsd !== undefined) parts.push(`usd=${dollars(costMicroUsd)}`);
  parts.push(`reset=${Math.ceil(resetsInMs / 1_000)}`);
  return parts.join(";");
}

/** To the millionth, without trailing zeros. */
function dollars(microUsd: number): string {
  return String(Math.floor(microUsd) / 1e6);
}

/** As OpenAI writes them: `350ms`, `1s`, `6m0s`, `23h59m1s`. */
function goDuration(ms: number): string {
  if (ms < 1_000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 1_000);
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60), seconds % 60];
  return `${h > 0 ? `${h}h` : ""}${h > 0 || m > 0 ? `${m}m` : ""}${s}s`;
}
