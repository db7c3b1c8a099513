// Weights of providers from what they did: fitted on the first seven tenths of a history, checked on the rest. The loss of
// a call is what its user lost: seconds until first content, ten seconds for a failure, and its price.
/** Specification: HistoricalData. Oldest first. */
export interface HistoricalData {
  readonly calls: readonly {
    readonly atMs: number;
    readonly providerId: string;
    readonly firstContentMs?: number;
    readonly isFailure: boolean;
    readonly costMicroUsd?: number;
  }[];
  /** Weights in force while the calls were made; 1 where nothing is said. */
  readonly weights?: Readonly<Record<string, number>>;
}

/** Specification: OptimizationResult. */
export interface OptimizationResult {
  readonly isApplied: boolean;
  readonly weights: readonly { readonly providerId: string; readonly from: number; readonly to: number }[];
  /** Mean loss per call, seconds: as it was, and as the new weights would have had it. */
  readonly fitted: { readonly before: number; readonly after: number };
  readonly heldBack: { readonly before: number; readonly after: number };
  readonly reason: string;
}

const CALLS_MIN = 100;
const CALLS_MIN_PER_PROVIDER = 20;
const FAILURE_S = 10;
const CENT_S = 0.3;
const GAIN_MIN = 0.02;

type Call = HistoricalData["calls"][number];
interface Summary {
  readonly calls: number;
  readonly loss: number;
}

export function fitRouting(history: HistoricalData): OptimizationResult {
  const { calls } = history;
  const split = Math.floor(calls.length * 0.7);
  const fitted = summariesOf(calls.slice(0, split));
  const held = summariesOf(calls.slice(split));
  const known = [...fitted.keys()].filter(
    (id) => (fitted.get(id)?.calls ?? 0) >= CALLS_MIN_PER_PROVIDER && held.has(id),
  );
  const unchanged = known.map((providerId) => ({
    providerId,
    from: weightOf(history, providerId),
    to: weightOf(history, providerId),
  }));
  const shares = sharesOf(fitted, known);
  const before = { fitted: mean(fitted, shares), held: mean(held, shares) };
  const kept = (reason: string): OptimizationResult => ({
    isApplied: false,
    weights: unchanged,
    fitted: { before: before.fitted, after: before.fitted },
    heldBack: { before: before.held, after: before.held },
    reason,
  });
  if (calls.length < CALLS_MIN) return kept(`${calls.length} calls are too few to learn from`);
  if (known.length < 2) return kept("fewer than two providers have been seen often enough");
  const weights = weightsOf(history, fitted, known);
  const moved = movedShares(shares, weights);
  const after = { fitted: mean(fitted, moved), held: mean(held, moved) };
  const report = {
    fitted: { before: before.fitted, after: after.fitted },
    heldBack: { before: before.held, after: after.held },
  };
  const gain = 1 - after.held / before.held;
  if (gain < GAIN_MIN) {
    return {
      ...report,
      isApplied: false,
      weights: unchanged,
      reason: `the held-back calls show a gain of ${percent(gain)} only`,
    };
  }
  return { ...report, isApplied: true, weights, reason: `the held-back calls would have lost ${percent(gain)} less` };
}

function lossOf(call: Call): number {
  const cents = (call.costMicroUsd ?? 0) / 10_000;
  return (call.isFailure ? FAILURE_S : (call.firstContentMs ?? 0) / 1_000) + cents * CENT_S;
}

function summariesOf(calls: readonly Call[]): ReadonlyMap<string, Summary> {
  const summaries = new Map<string, { calls: number; sum: number }>();
  for (const call of calls) {
    const summary = summaries.get(call.providerId) ?? { calls: 0, sum: 0 };
    summary.calls += 1;
    summary.sum += lossOf(call);
    summaries.set(call.providerId, summary);
  }
  return new Map([...summaries].map(([id, { calls: count, sum }]) => [id, { calls: count, loss: sum / count }]));
}

function sharesOf(summaries: ReadonlyMap<string, Summary>, known: readonly string[]): ReadonlyMap<string, number> {
  const total = known.reduce((sum, id) => sum + (summaries.get(id)?.calls ?? 0), 0);
  return new Map(known.map((id) => [id, (summaries.get(id)?.calls ?? 0) / Math.max(1, total)]));
}

function mean(summaries: ReadonlyMap<string, Summary>, shares: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [id, share] of shares) sum += share * (summaries.get(id)?.loss ?? 0);
  return sum;
}

/** Inverse to the loss, the mean weight as it was, none moved by more than a factor of four. */
function weightsOf(
  history: HistoricalData,
  fitted: ReadonlyMap<string, Summary>,
  known: readonly string[],
): OptimizationResult["weights"] {
  const inverse = known.map((id) => 1 / Math.max(0.05, fitted.get(id)?.loss ?? 1));
  const average = inverse.reduce((sum, value) => sum + value, 0) / inverse.length;
  return known.map((providerId, index) => {
    const from = weightOf(history, providerId);
    const factor = Math.min(4, Math.max(0.25, (inverse[index] ?? average) / average));
    return { providerId, from, to: from * factor };
  });
}

function movedShares(
  shares: ReadonlyMap<string, number>,
  weights: OptimizationResult["weights"],
): ReadonlyMap<string, number> {
  const raw = weights.map(
    ({ providerId, from, to }) => [providerId, ((shares.get(providerId) ?? 0) * to) / from] as const,
  );
  const total = raw.reduce((sum, [, share]) => sum + share, 0);
  return new Map(raw.map(([id, share]) => [id, share / Math.max(1e-9, total)]));
}

function weightOf(history: HistoricalData, providerId: string): number {
  return history.weights?.[providerId] ?? 1;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
