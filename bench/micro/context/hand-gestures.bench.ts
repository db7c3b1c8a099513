// One op: a second of two hands at 90 Hz through the gesture recogniser, moving from rest to pinch and back.
import { HandGestures } from "@fovea/core";
import { handJoints } from "../../../packages/core/testing/hand-model.ts";

const gestures = new HandGestures();
const samples: Float32Array[] = [];
let timeMs = 0;

export function setup(_size: number): void {
  for (let i = 0; i < 90; i++) {
    const share = Math.abs(((i / 45) % 2) - 1);
    samples.push(
      handJoints({ curl: [0.1, 0.3, 0.2, 0.2, 0.2], pinchM: 0.01 + 0.05 * share, position: [0.01 * share, 1.2, -0.4] }),
    );
  }
}

export function run(): number {
  let events = 0;
  for (const joints of samples) {
    timeMs += 11;
    events += gestures.fold(joints, timeMs, "left").length + gestures.fold(joints, timeMs, "right").length;
  }
  return events;
}
