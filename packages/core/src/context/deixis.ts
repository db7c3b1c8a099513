// Which thing a person meant by "that": the word's time, where head or hand pointed around it, and the class word if there
// was one, weighed against every thing in the room.
//
// People look or point first and speak 0.4 s later (0.3 s deviation), and they hold still while they mean something. So the
// direction is not taken at one moment: every sample before the word counts by how likely the meant moment was then (lag) and
// by how still the direction was. A thing's score is the likelihood of those directions if it was meant: the angle to its
// box, which is nothing for a ray that meets it, and some of the angle to its centre, which people aim at. Scores become
// probabilities; when the best two are close, the answer is a question.

/** One thing that may be meant. `axes` are the rotation of its box as a unit quaternion; absent for boxes along the room's axes. */
export interface DeixisCandidate {
  readonly id: string;
  readonly label: string;
  readonly center: readonly [number, number, number];
  readonly size: readonly [number, number, number];
  readonly orientation?: readonly [number, number, number, number];
  /** How likely it was meant before anything was seen, relative to the others (1): recently mentioned, touched, in a task. */
  readonly prior?: number;
}

/** Direction samples, oldest first; any unit vectors in the candidates' space. */
export interface DeixisSample {
  readonly tMs: number;
  readonly direction: readonly [number, number, number];
  /** Where the ray started then; the request's origin where absent. */
  readonly origin?: readonly [number, number, number];
}

export interface DeixisRequest {
  readonly candidates: readonly DeixisCandidate[];
  readonly origin: readonly [number, number, number];
  readonly samples: readonly DeixisSample[];
  /** Start of the deictic word as stamped by the recogniser. Absent: the samples' directions all count alike. */
  readonly wordMs?: number;
  /** "lamp" in "that lamp": things of other classes drop out if any of this class exists. */
  readonly label?: string;
  /** Deviation of the pointing, radians. Head direction at a thing about 0.07 (4 degrees), a hand ray about 0.05. */
  readonly sigmaRad?: number;
}

export interface DeixisAnswer {
  /** Best guess; undefined when there was nothing to choose from. */
  readonly id: string | undefined;
  /** Probability that `id` is right; calibrated on simulated pointing in scanned rooms. */
  readonly confidence: number;
  /** Up to three others worth naming in a question, best first. */
  readonly alternatives: readonly { readonly id: string; readonly confidence: number }[];
  /** The best two are too close: ask "the lamp or the shelf?". */
  readonly isAmbiguous: boolean;
  /** The most likely moment at which the person pointed. */
  readonly atMs: number;
}

const SIGMA_RAD = 0.07;

/** Lag of the word behind the pointing, and error of the recogniser's stamp. Milliseconds. */
const LAG_MS = 400;
const LAG_DEVIATION_MS = 300;
const STAMP_DEVIATION_MS = 80;
const LAG_MS_MAX = 1_500;

/** Angular speed at which a direction counts half as much as one at rest, radians a second. */
const STILL_RADPS = 0.06;

/** How much of the angle to the centre counts beside the angle to the box. */
const CENTRE_SHARE = 0.7;

/** Things nearer or farther than people point at in a room count less. */
const NEAR_M = 0.4;
const FAR_M = 5;
const OUT_OF_REACH = 0.15;

/** Below this probability the answer is a question. */
const QUESTION_BELOW = 0.45;

export function resolveDeixis(request: DeixisRequest): DeixisAnswer {
  const { samples } = request;
  const candidates = ofClass(request.candidates, request.label);
  if (candidates.length === 0 || samples.length === 0) {
    return { id: undefined, confidence: 0, alternatives: [], isAmbiguous: true, atMs: request.wordMs ?? 0 };
  }
  const weights = request.wordMs === undefined ? samples.map(() => 1) : momentWeights(samples, request.wordMs);
  const sigmaRad = request.sigmaRad ?? SIGMA_RAD;
  const scores = candidates.map((candidate) => {
    let sum = 0;
    for (let i = 0; i < samples.length; i++) {
      const weight = weights[i] as number;
      if (weight < 1e-4) continue;
      const sample = samples[i] as DeixisSample;
      sum += weight * likelihood(candidate, sample.origin ?? request.origin, sample.direction, sigmaRad);
    }
    return sum * (candidate.prior ?? 1);
  });
  const total = scores.reduce((sum, score) => sum + score, 0);
  const ranked = candidates
    .map((candidate, i) => ({ id: candidate.id, confidence: total === 0 ? 0 : (scores[i] as number) / total }))
    .sort((a, b) => b.confidence - a.confidence);
  const best = ranked[0] as { id: string; confidence: number };
  let at = 0;
  for (let i = 1; i < weights.length; i++) if ((weights[i] as number) > (weights[at] as number)) at = i;
  return {
    id: best.id,
    confidence: best.confidence,
    alternatives: ranked.slice(1, 4).filter((other) => other.confidence >= 0.1),
    isAmbiguous: best.confidence < QUESTION_BELOW,
    atMs: (samples[at] as DeixisSample).tMs,
  };
}

function ofClass(candidates: readonly DeixisCandidate[], label: string | undefined): readonly DeixisCandidate[] {
  if (label === undefined) return candidates;
  return candidates.filter((candidate) => candidate.label === label);
}

/** How likely each sample was the moment that was meant. Largest 1. */
function momentWeights(samples: readonly DeixisSample[], wordMs: number): number[] {
  const weights = samples.map((sample, i) => {
    const lagMs = wordMs - sample.tMs;
    if (lagMs < -3 * STAMP_DEVIATION_MS || lagMs > LAG_MS_MAX) return 0;
    const speed = speedRadps(samples, i);
    const still = 1 / (1 + (speed / STILL_RADPS) ** 2);
    return lagDensity(lagMs) * still * coverMs(samples, i);
  });
  const most = Math.max(...weights);
  if (most > 0) return weights.map((weight) => weight / most);
  // No sample near the word: the one nearest in time is all there is.
  const nearest = samples.reduce(
    (best, sample, i) =>
      Math.abs(sample.tMs - wordMs + LAG_MS) < Math.abs((samples[best] as DeixisSample).tMs - wordMs + LAG_MS)
        ? i
        : best,
    0,
  );
  return samples.map((_, i) => (i === nearest ? 1 : 0));
}

/** The lag is never negative; whoever speaks first points with the word. Both smeared by the stamp's error. */
function lagDensity(lagMs: number): number {
  const deviation = Math.hypot(LAG_DEVIATION_MS, STAMP_DEVIATION_MS);
  const gate = 1 / (1 + Math.exp((-1.7 * lagMs) / STAMP_DEVIATION_MS));
  const spread = (Math.exp(-(((lagMs - LAG_MS) / deviation) ** 2) / 2) / deviation) * gate;
  const together = (0.09 * Math.exp(-((lagMs / STAMP_DEVIATION_MS) ** 2) / 2)) / STAMP_DEVIATION_MS;
  return spread + together;
}

/** Samples are irregular: one that stands for more time counts more. */
function coverMs(samples: readonly DeixisSample[], i: number): number {
  const before = samples[Math.max(0, i - 1)] as DeixisSample;
  const after = samples[Math.min(samples.length - 1, i + 1)] as DeixisSample;
  return Math.min(60, Math.max(1, (after.tMs - before.tMs) / 2));
}

/** Angular speed over about 150 ms around the sample. */
function speedRadps(samples: readonly DeixisSample[], i: number): number {
  const here = samples[i] as DeixisSample;
  let from = i;
  let to = i;
  while (from > 0 && here.tMs - (samples[from - 1] as DeixisSample).tMs <= 80) from -= 1;
  while (to < samples.length - 1 && (samples[to + 1] as DeixisSample).tMs - here.tMs <= 80) to += 1;
  const a = samples[from] as DeixisSample;
  const b = samples[to] as DeixisSample;
  if (b.tMs <= a.tMs) return 0;
  return (angle(a.direction, b.direction) / (b.tMs - a.tMs)) * 1_000;
}

function likelihood(
  candidate: DeixisCandidate,
  origin: readonly [number, number, number],
  direction: readonly [number, number, number],
  sigmaRad: number,
): number {
  const [toBox, toCentre, distanceM] = anglesTo(candidate, origin, direction);
  const error = Math.hypot(toBox, CENTRE_SHARE * toCentre) / sigmaRad;
  const reach = distanceM < NEAR_M || distanceM > FAR_M ? OUT_OF_REACH : 1;
  return Math.exp(-(error * error) / 2) * reach + 1e-9;
}

/** Angles from the ray to the box's nearest point and to its centre, and the distance of the centre. */
function anglesTo(
  candidate: DeixisCandidate,
  origin: readonly [number, number, number],
  direction: readonly [number, number, number],
): readonly [toBox: number, toCentre: number, distanceM: number] {
  const { center, size, orientation } = candidate;
  // The ray in the box's own axes, the box's centre at zero.
  let o: readonly [number, number, number] = [origin[0] - center[0], origin[1] - center[1], origin[2] - center[2]];
  let d = direction;
  if (orientation !== undefined) {
    o = unrotate(orientation, o);
    d = unrotate(orientation, d);
  }
  const distanceM = Math.hypot(o[0], o[1], o[2]);
  const toCentre = angle([-o[0], -o[1], -o[2]], d);
  // Alternate between the nearest point of the box and the nearest point of the ray: both are convex, so it settles.
  let along = Math.max(0, -(o[0] * d[0] + o[1] * d[1] + o[2] * d[2]));
  let px = 0;
  let py = 0;
  let pz = 0;
  for (let round = 0; round < 4; round++) {
    px = clamp(o[0] + along * d[0], size[0] / 2);
    py = clamp(o[1] + along * d[1], size[1] / 2);
    pz = clamp(o[2] + along * d[2], size[2] / 2);
    along = Math.max(0, (px - o[0]) * d[0] + (py - o[1]) * d[1] + (pz - o[2]) * d[2]);
  }
  const toBox = Math.hypot(px - o[0], py - o[1], pz - o[2]) < 1e-9 ? 0 : angle([px - o[0], py - o[1], pz - o[2]], d);
  return [Math.min(toBox, toCentre), toCentre, distanceM];
}

function unrotate(
  q: readonly [number, number, number, number],
  v: readonly [number, number, number],
): readonly [number, number, number] {
  const [x, y, z, w] = [-q[0], -q[1], -q[2], q[3]];
  const tx = 2 * (y * v[2] - z * v[1]);
  const ty = 2 * (z * v[0] - x * v[2]);
  const tz = 2 * (x * v[1] - y * v[0]);
  return [v[0] + w * tx + y * tz - z * ty, v[1] + w * ty + z * tx - x * tz, v[2] + w * tz + x * ty - y * tx];
}

function angle(a: readonly [number, number, number], b: readonly [number, number, number]): number {
  const cx = a[1] * b[2] - a[2] * b[1];
  const cy = a[2] * b[0] - a[0] * b[2];
  const cz = a[0] * b[1] - a[1] * b[0];
  return Math.atan2(Math.hypot(cx, cy, cz), a[0] * b[0] + a[1] * b[1] + a[2] * b[2]);
}

function clamp(value: number, half: number): number {
  return Math.min(half, Math.max(-half, value));
}
