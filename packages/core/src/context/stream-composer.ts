// Examples are single gestures; a stream also holds what is between them. Streams to learn from are therefore composed:
// gestures of one performer with ways from the end of one to the beginning of the next. Some of these ways are smooth and
// some tremble as the performer's own tracker does, some hold the beginning or the end of a gesture that is not performed,
// and recordings that the application labelled "none" are played between.
import type { Random } from "../ports/random.ts";

const VALUES = 66;

/** Joints of 22 joints a sample at 30 samples a second, with what is performed where. */
export interface MarkedStream {
  readonly joints: Float32Array;
  readonly gestures: readonly { readonly label: string; readonly start: number; readonly end: number }[];
}

export interface StreamPart {
  readonly joints: Float32Array;
  readonly label: string;
}

const PAUSE_MIN = 24;
const PAUSE_SPREAD = 76;
const GESTURES = 4;

/** How many of the ways tremble as the tracker does. */
const TREMBLING_SHARE = 0.5;

/** Deviation of the random walk of smooth ways, metres a sample. */
const WALK_M_MIN = 0.0001;
const WALK_M_MAX = 0.0003;

/** One stream of four gestures out of `parts`, all of one performer; `rests` may be empty. */
export function composeStream(
  parts: readonly StreamPart[],
  rests: readonly Float32Array[],
  random: Random,
): MarkedStream {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T;
  const chosen = Array.from({ length: GESTURES }, () => pick(parts));
  const pieces: Float32Array[] = [];
  const gestures: { label: string; start: number; end: number }[] = [];
  let length = 0;
  const add = (piece: Float32Array): void => {
    pieces.push(piece);
    length += piece.length / VALUES;
  };
  const way = (from: Float32Array, to: Float32Array): void => {
    const samples = PAUSE_MIN + Math.floor(random.next() * PAUSE_SPREAD);
    const stops = random.next() < 0.5 ? [stopOf(pick(parts).joints, pick(rests), random)] : [];
    let last = from.subarray(from.length - VALUES);
    for (const next of [...stops, to]) {
      const share = Math.max(8, Math.floor(samples / (stops.length + 1)));
      const piece = smoothWay(last, next.subarray(0, VALUES), share, random);
      if (random.next() < TREMBLING_SHARE) addTrembling(piece, pick(parts).joints, random);
      add(piece);
      if (next !== to) add(next);
      last = next.subarray(next.length - VALUES);
    }
  };
  chosen.forEach(({ joints, label }, index) => {
    // Half of the streams begin with a gesture under way.
    const before = chosen[index - 1] ?? (random.next() < 0.5 ? pick(parts) : undefined);
    if (before !== undefined) way(before.joints, joints);
    gestures.push({ label, start: length, end: length + joints.length / VALUES - 1 });
    add(joints);
  });
  const joints = new Float32Array(length * VALUES);
  let offset = 0;
  for (const piece of pieces) {
    joints.set(piece, offset);
    offset += piece.length;
  }
  return { joints, gestures };
}

/** What happens on the way and is no gesture: up to two seconds of a rest, or a tenth to a fifth of a gesture. */
function stopOf(gesture: Float32Array, rest: Float32Array | undefined, random: Random): Float32Array {
  if (rest !== undefined && rest.length >= 8 * VALUES && random.next() < 0.7) {
    const samples = rest.length / VALUES;
    const count = Math.min(samples, 8 + Math.floor(random.next() * 52));
    const first = Math.floor(random.next() * (samples - count + 1));
    return rest.subarray(first * VALUES, (first + count) * VALUES);
  }
  const samples = gesture.length / VALUES;
  const count = Math.max(2, Math.round(samples * (0.1 + 0.1 * random.next())));
  const first = random.next() < 0.5 ? 0 : samples - count;
  return gesture.subarray(first * VALUES, (first + count) * VALUES);
}

/** Hands start and stop gently, and no joint stays exactly on its way. */
function smoothWay(from: Float32Array, to: Float32Array, samples: number, random: Random): Float32Array {
  const out = new Float32Array(samples * VALUES);
  const walk = new Float64Array(VALUES);
  const stepM = WALK_M_MIN + (WALK_M_MAX - WALK_M_MIN) * random.next();
  for (let i = 0; i < samples; i++) {
    const share = (1 - Math.cos((Math.PI * (i + 1)) / (samples + 1))) / 2;
    for (let k = 0; k < VALUES; k++) {
      walk[k] = (walk[k] as number) + stepM * gaussian(random);
      const start = from[k] as number;
      out[i * VALUES + k] = start + ((to[k] as number) - start) * share + (walk[k] as number);
    }
  }
  return out;
}

/** The tracker's own unrest: what a recorded sample differs from the mean of its neighbours, played forth and back. */
function addTrembling(way: Float32Array, recorded: Float32Array, random: Random): void {
  const samples = recorded.length / VALUES;
  if (samples < 5) return;
  let at = Math.floor(random.next() * samples);
  let step = 1;
  for (let i = 0; i < way.length; i += VALUES) {
    for (let k = 0; k < VALUES; k++) {
      let mean = 0;
      for (let near = at - 2; near <= at + 2; near++) {
        mean += (recorded[Math.min(samples - 1, Math.max(0, near)) * VALUES + k] as number) / 5;
      }
      way[i + k] = (way[i + k] as number) + (recorded[at * VALUES + k] as number) - mean;
    }
    if (at + step < 0 || at + step >= samples) step = -step;
    at += step;
  }
}

function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}
