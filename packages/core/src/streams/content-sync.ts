// The offset between two streams from what they show: a hand that claps moves and sounds at once, a head that nods moves the
// picture. Both signals are brought to one grid, freed of their mean, and shifted until they agree best. Works where nobody
// stamped anything in common; says how sure it is, because two unrelated signals agree somewhere too.

export interface SignalPoint {
  readonly timeMs: number;
  readonly value: number;
}

export interface ContentOffset {
  /** Add to times of the second signal to get times of the first. */
  readonly offsetMs: number;
  /** Correlation at the best offset, -1 to 1. */
  readonly correlation: number;
  /** 0 to 1: how far the best offset stands above the others. Below 0.5 the result means nothing. */
  readonly confidence: number;
}

const GRID_MS = 10;

/** Fewer common points say nothing. */
const POINTS_MIN = 100;

/** Peaks nearer than this to the best one are the same peak. */
const PEAK_MS = 150;

/** Points in order of time, a few per second to thousands. Undefined when the signals share less than a second. */
export function estimateContentOffset(
  first: readonly SignalPoint[],
  second: readonly SignalPoint[],
  offsetMsMax = 1_000,
): ContentOffset | undefined {
  const startMs = Math.min(first[0]?.timeMs ?? Infinity, second[0]?.timeMs ?? Infinity);
  const endMs = Math.max(first.at(-1)?.timeMs ?? -Infinity, second.at(-1)?.timeMs ?? -Infinity);
  if (!(endMs > startMs)) return undefined;
  const count = Math.ceil((endMs - startMs) / GRID_MS) + 1;
  const a = toGrid(first, startMs, count);
  const b = toGrid(second, startMs, count);
  const reach = Math.round(offsetMsMax / GRID_MS);
  const scores = new Float64Array(2 * reach + 1).fill(Number.NaN);
  let best = -1;
  for (let lag = -reach; lag <= reach; lag++) {
    const score = correlate(a, b, lag);
    scores[lag + reach] = score;
    if (score > (best < 0 ? -Infinity : (scores[best] as number))) best = lag + reach;
  }
  if (best < 0) return undefined;
  const peak = scores[best] as number;
  let other = 0;
  for (let i = 0; i < scores.length; i++) {
    if (Math.abs(i - best) * GRID_MS > PEAK_MS && (scores[i] as number) > other) other = scores[i] as number;
  }
  const shift = best - reach + peakShift(scores, best);
  const confidence =
    peak <= 0 ? 0 : Math.min(1, Math.max(0, (peak - other) / Math.max(0.3, peak)) * 1.5) * Math.min(1, peak / 0.4);
  return { offsetMs: shift * GRID_MS, correlation: peak, confidence };
}

/** Linear between points, NaN where there is none within 250 ms. */
function toGrid(points: readonly SignalPoint[], startMs: number, count: number): Float64Array {
  const grid = new Float64Array(count).fill(Number.NaN);
  for (let i = 1; i < points.length; i++) {
    const [from, to] = [points[i - 1] as SignalPoint, points[i] as SignalPoint];
    const width = to.timeMs - from.timeMs;
    if (!(width > 0) || width > 250) continue;
    const last = Math.min(count - 1, Math.floor((to.timeMs - startMs) / GRID_MS));
    for (let slot = Math.max(0, Math.ceil((from.timeMs - startMs) / GRID_MS)); slot <= last; slot++) {
      const share = (startMs + slot * GRID_MS - from.timeMs) / width;
      grid[slot] = from.value + (to.value - from.value) * share;
    }
  }
  return grid;
}

/** Correlation of a[i + lag] with b[i] over the points that both have. */
function correlate(a: Float64Array, b: Float64Array, lag: number): number {
  let n = 0;
  let sa = 0;
  let sb = 0;
  let saa = 0;
  let sbb = 0;
  let sab = 0;
  for (let i = Math.max(0, -lag); i < Math.min(b.length, a.length - lag); i++) {
    const x = a[i + lag] as number;
    const y = b[i] as number;
    if (Number.isNaN(x) || Number.isNaN(y)) continue;
    n += 1;
    sa += x;
    sb += y;
    saa += x * x;
    sbb += y * y;
    sab += x * y;
  }
  if (n < POINTS_MIN) return Number.NaN;
  const spread = (saa - (sa * sa) / n) * (sbb - (sb * sb) / n);
  return spread <= 0 ? 0 : (sab - (sa * sb) / n) / Math.sqrt(spread);
}

/** Top of the parabola through the best score and its neighbours, in grid steps. */
function peakShift(scores: Float64Array, best: number): number {
  const [left, middle, right] = [scores[best - 1], scores[best] as number, scores[best + 1]];
  if (left === undefined || right === undefined || Number.isNaN(left + right)) return 0;
  const curve = left - 2 * middle + right;
  return curve >= 0 ? 0 : Math.max(-0.5, Math.min(0.5, (left - right) / (2 * curve)));
}
