// One op: a second of one hand at 60 samples a second through a taught model, resting and moving by turns; a second in which a
// movement ends holds one decision of the classifier.
import type { GestureModel } from "@fovea/core";
import { trainGestureModel } from "@fovea/core";
import { MOVEMENTS, performMovement, SeededRandom } from "@fovea/core/testing";
import { GestureStream } from "@fovea/protocol/gestures";

const SAMPLES = 60;
const random = new SeededRandom(1);
let stream: GestureStream | undefined;
let joints = new Float32Array(0);
let at = 0;
let timeMs = 0;

export function setup(size: number): void {
  const examples = ["grab", "shake"].flatMap((label) =>
    Array.from({ length: 3 }, () => ({
      label,
      sequence: { joints: performMovement(MOVEMENTS[label]!, random, 40), fps: 30 },
    })),
  );
  const model: GestureModel = trainGestureModel(examples, {
    streams: true,
    copies: 2,
    kernels: size === 1 ? 200 : 1_200,
  });
  stream = new GestureStream(model);
  const parts = [
    performMovement(() => MOVEMENTS["shake"]!(0), random, 240),
    performMovement(MOVEMENTS["shake"]!, random, 90),
  ];
  joints = Float32Array.from(parts.flatMap((part) => [...part]));
}

export function run(): number {
  let found = 0;
  for (let i = 0; i < SAMPLES; i++) {
    timeMs += 1_000 / SAMPLES;
    found += stream!.fold(joints.subarray(at, at + 66), timeMs).length;
    at = (at + 66) % joints.length;
  }
  return found;
}
