// What a row of failures has in common: a name for the operator and a reason to act. Rules, each with its evidence.
import type { ProviderErrorCode, ProviderFailure } from "../errors/provider-failure.ts";

export type PatternKind =
  | "none"
  | "outage"
  | "brown-out"
  | "rate-limit-wall"
  | "dead-key"
  | "region"
  | "model"
  | "flapping"
  | "slow-start"
  | "truncation"
  | "mixed";

/** A failure with where and when it happened, where that is known. */
export type LocatedFailure = ProviderFailure & {
  readonly atMs?: number;
  readonly model?: string;
  readonly region?: string;
};

/** Specification: FailurePattern. */
export interface FailurePattern {
  readonly kind: PatternKind;
  /** Share of the failures that fit, 0 to 1. */
  readonly confidence: number;
  readonly evidence: readonly string[];
  readonly advice: string;
}

const GROUPS: Readonly<Partial<Record<PatternKind, readonly ProviderErrorCode[]>>> = {
  "dead-key": ["auth", "permission", "quota_exhausted"],
  "rate-limit-wall": ["rate_limited"],
  truncation: ["truncated", "provider_stream_error", "protocol"],
  model: ["not_found"],
  "slow-start": ["capacity"],
  "brown-out": ["timeout_first_token", "stalled", "overloaded", "timeout_total"],
  outage: ["unreachable", "timeout_connect", "timeout_headers", "server_error"],
};

const ADVICE: Readonly<Record<PatternKind, string>> = {
  none: "nothing to do",
  outage: "leave the provider to its breaker; the plan moves on",
  "brown-out": "shift its share and hedge earlier",
  "rate-limit-wall": "lower the concurrency or add a key",
  "dead-key": "replace the key",
  region: "route to another region",
  model: "use another model of the provider",
  flapping: "keep it out for longer than its up-times last",
  "slow-start": "warm it up before it gets its share",
  truncation: "ask the vendor; answers are rescued meanwhile",
  mixed: "look at the single failures",
};

/** How much of the failures a group must hold to name them all. */
const DOMINANT = 0.6;
/** Failures that lie further apart than this belong to different bursts. */
const BURST_GAP_MS = 5_000;

export function patternOf(failures: readonly LocatedFailure[]): FailurePattern {
  if (failures.length === 0) return named("none", 1, []);
  const bursts = burstsOf(failures);
  if (bursts >= 3) return named("flapping", 1, [`${bursts} bursts with quiet times between them`]);
  for (const [kind, codes] of Object.entries(GROUPS) as [PatternKind, readonly ProviderErrorCode[]][]) {
    const share = failures.filter((failure) => codes.includes(failure.code)).length / failures.length;
    if (share >= DOMINANT) return located(kind, share, failures);
  }
  return named("mixed", 1, [countsOf(failures)]);
}

/** An outage of one place only is that place's, where failures from several cells are known. */
function located(kind: PatternKind, share: number, failures: readonly LocatedFailure[]): FailurePattern {
  const evidence = [countsOf(failures)];
  if (kind !== "outage" && kind !== "brown-out") return named(kind, share, evidence);
  const regions = new Set(failures.map((failure) => failure.region));
  const models = new Set(failures.map((failure) => failure.model));
  const [region] = regions;
  const [model] = models;
  if (models.size > 1 && regions.size === 1 && region !== undefined) {
    return named("region", share, [...evidence, `${models.size} models, all in ${region}`]);
  }
  if (regions.size > 1 && models.size === 1 && model !== undefined) {
    return named("model", share, [...evidence, `${regions.size} regions, all with ${model}`]);
  }
  return named(kind, share, evidence);
}

function burstsOf(failures: readonly LocatedFailure[]): number {
  const times = failures.flatMap((failure) => (failure.atMs === undefined ? [] : [failure.atMs])).sort((a, b) => a - b);
  if (times.length < 3) return 0;
  let bursts = 1;
  for (let index = 1; index < times.length; index++) {
    if ((times[index] as number) - (times[index - 1] as number) > BURST_GAP_MS) bursts += 1;
  }
  // Single failures far apart are noise, not bursts.
  return times.length / bursts >= 2 ? bursts : 0;
}

function countsOf(failures: readonly LocatedFailure[]): string {
  const counts = new Map<string, number>();
  for (const { code } of failures) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([code, count]) => `${count} ${code}`)
    .join(", ");
}

function named(kind: PatternKind, confidence: number, evidence: readonly string[]): FailurePattern {
  return { kind, confidence, evidence, advice: ADVICE[kind] };
}
