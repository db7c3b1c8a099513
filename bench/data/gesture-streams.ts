// Continuous streams made of segmented gestures, as the algorithms reference defines them for G5: four gestures of one
// person, between them 1 to 3 s of cosine interpolation with a random walk of 0.2 mm a sample of every joint coordinate;
// half of these pauses hold the first or last 15 % of another gesture of that person. Synthetic: no public set has
// continuous streams with skeletons of a headset.
import type { SeededRandom } from "@fovea/core/testing";
import type { Shrec17Example } from "./shrec17.ts";

export interface TrueGesture {
  readonly label14: number;
  readonly start: number;
  readonly end: number;
}

export interface GestureRecording {
  readonly joints: Float32Array;
  readonly gestures: readonly TrueGesture[];
}

const VALUES = 66;

export function makeRecording(
  examples: readonly Shrec17Example[],
  random: SeededRandom,
  gestures = 4,
): GestureRecording {
  const chosen = Array.from({ length: gestures }, () => random.pick(examples));
  const parts: Float32Array[] = [];
  const truth: TrueGesture[] = [];
  let length = 0;
  const add = (part: Float32Array): void => {
    parts.push(part);
    length += part.length / VALUES;
  };
  chosen.forEach((example, i) => {
    const { joints } = example.sequence;
    if (i > 0) {
      const before = chosen[i - 1]!.sequence.joints;
      for (const part of pause(before.subarray(before.length - VALUES), joints.subarray(0, VALUES), examples, random))
        add(part);
    }
    truth.push({ label14: example.label14, start: length, end: length + joints.length / VALUES - 1 });
    add(joints);
  });
  const joints = new Float32Array(length * VALUES);
  let offset = 0;
  for (const part of parts) {
    joints.set(part, offset);
    offset += part.length;
  }
  return { joints, gestures: truth };
}

function pause(
  from: Float32Array,
  to: Float32Array,
  examples: readonly Shrec17Example[],
  random: SeededRandom,
): Float32Array[] {
  const samples = 30 + random.integer(61);
  if (random.next() < 0.5) return [transition(from, to, samples, random)];
  const { joints } = random.pick(examples).sequence;
  const count = Math.max(2, Math.round((joints.length / VALUES) * 0.15));
  const isFirst = random.next() < 0.5;
  const piece = isFirst ? joints.subarray(0, count * VALUES) : joints.subarray(joints.length - count * VALUES);
  const half = Math.max(8, Math.round((samples - count) / 2));
  return [
    transition(from, piece.subarray(0, VALUES), half, random),
    piece,
    transition(piece.subarray(piece.length - VALUES), to, half, random),
  ];
}

function transition(from: Float32Array, to: Float32Array, samples: number, random: SeededRandom): Float32Array {
  const out = new Float32Array(samples * VALUES);
  const walk = new Float64Array(VALUES);
  for (let i = 0; i < samples; i++) {
    const share = (1 - Math.cos((Math.PI * (i + 1)) / (samples + 1))) / 2;
    for (let k = 0; k < VALUES; k++) {
      walk[k] = walk[k]! + 0.0002 * random.gaussian();
      out[i * VALUES + k] = from[k]! + (to[k]! - from[k]!) * share + walk[k]!;
    }
  }
  return out;
}

/**
 * The same recording with pauses that tremble as the tracker does: a pause gets what samples of another gesture of that
 * person differ from the mean of their neighbours, played forth and back.
 */
export function addTrackerNoise(
  recording: GestureRecording,
  examples: readonly Shrec17Example[],
  random: SeededRandom,
): GestureRecording {
  const joints = recording.joints.slice();
  const isGesture = new Uint8Array(joints.length / VALUES);
  for (const { start, end } of recording.gestures) isGesture.fill(1, start, end + 1);
  let recorded = new Float32Array(0);
  let at = 0;
  let step = 1;
  for (let sample = 0; sample < isGesture.length; sample++) {
    if (isGesture[sample] === 1) continue;
    if (sample === 0 || isGesture[sample - 1] === 1) {
      recorded = random.pick(examples).sequence.joints.slice();
      at = random.integer(recorded.length / VALUES);
    }
    const last = recorded.length / VALUES - 1;
    for (let k = 0; k < VALUES; k++) {
      let mean = 0;
      for (let near = at - 2; near <= at + 2; near++)
        mean += recorded[Math.min(last, Math.max(0, near)) * VALUES + k]! / 5;
      joints[sample * VALUES + k] = joints[sample * VALUES + k]! + recorded[at * VALUES + k]! - mean;
    }
    if (at + step < 0 || at + step > last) step = -step;
    at += step;
  }
  return { joints, gestures: recording.gestures };
}
