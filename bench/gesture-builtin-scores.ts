// What the built-in gestures say of the performances of SHREC'17: 20 people before a depth camera whose tracker is noisier
// than a headset's, 30 samples a second, 22 joints (the finger metacarpals are put between wrist and knuckle). A row is what
// people were asked to do with one finger or the whole hand; the columns are the share of performances in which a gesture
// started. Nothing was fitted to these rows but the thresholds of strokes.
// Run: node --conditions=@fovea/source bench/gesture-builtin-scores.ts
import { HandGestures } from "@fovea/core";
import { readShrec17 } from "./data/shrec17.ts";

const ASKED = [
  "grab",
  "tap",
  "expand",
  "pinch",
  "rotate clockwise",
  "rotate back",
  "swipe right",
  "swipe left",
  "swipe up",
  "swipe down",
  "X",
  "plus",
  "V",
  "shake",
];
/** After the last sample the hand is held: a stroke is told when it is over. */
const HELD_SAMPLES = 15;
const examples = readShrec17();

for (const finger of ["1", "2"]) {
  console.log(finger === "1" ? "with one finger" : "with the whole hand");
  ASKED.forEach((name, index) => {
    const own = examples.filter((example) => example.label === `${index + 1}/${finger}`);
    const counts = new Map<string, number>();
    for (const { sequence } of own) {
      for (const word of gesturesOf(sequence.joints)) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const shares = [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([word, times]) => `${word} ${percent(times, own.length)}`);
    console.log(`  ${name.padEnd(17)} ${own.length} times: ${shares.join(", ")}`);
  });
}

function gesturesOf(joints: Float32Array): Set<string> {
  const gestures = new HandGestures();
  const started = new Set<string>();
  const last = joints.length / 66 - 1;
  for (let sample = 0; sample <= last + HELD_SAMPLES; sample++) {
    const hand = toWebXRJoints(joints.subarray(Math.min(sample, last) * 66));
    for (const { name, phase, direction } of gestures.fold(hand, (sample * 1_000) / 30, "right")) {
      if (phase === "start") started.add(direction === undefined ? name : `${name} ${direction}`);
    }
  }
  return started;
}

function toWebXRJoints(sample: Float32Array): Float32Array {
  const joints = new Float32Array(75);
  const put = (to: number, from: number): void => joints.set(sample.subarray(from * 3, from * 3 + 3), to * 3);
  put(0, 0);
  for (let bone = 0; bone < 4; bone++) {
    put(1 + bone, 2 + bone);
    for (let finger = 0; finger < 4; finger++) put(6 + finger * 5 + bone, 6 + finger * 4 + bone);
  }
  for (let finger = 0; finger < 4; finger++) {
    for (let axis = 0; axis < 3; axis++) {
      const knuckle = joints[(6 + finger * 5) * 3 + axis]!;
      joints[(5 + finger * 5) * 3 + axis] = joints[axis]! + 0.3 * (knuckle - joints[axis]!);
    }
  }
  return joints;
}

function percent(times: number, of: number): string {
  return `${Math.round((100 * times) / of)} %`;
}
