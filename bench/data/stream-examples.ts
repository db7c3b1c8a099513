import type { GestureExample } from "@fovea/core";
import { NO_GESTURE } from "@fovea/core";
import { SeededRandom } from "@fovea/core/testing";
import { makeRecording, overlap } from "./gesture-streams.ts";
import type { Shrec17Example } from "./shrec17.ts";

const VALUES = 66;
const WINDOWS = [18, 26, 36, 48, 62, 80, 104];

/**
 * Windows of continuous streams of the given people: gestures with ends up to 12 % off, and as much that is none:
 * pauses, pieces of gestures, gestures with half a pause. Every gesture of every person is used once as a whole.
 */
export function streamExamples(examples: readonly Shrec17Example[], seed: number, rounds = 1): GestureExample[] {
  const random = new SeededRandom(seed);
  const people = [...new Set(examples.map((example) => example.performer))];
  const windows: GestureExample[] = [];
  for (const performer of people) {
    const own = examples.filter((example) => example.performer === performer);
    for (let i = 0; i < (own.length * rounds) / 4; i++) {
      const { joints, gestures } = makeRecording(own, random);
      const last = joints.length / VALUES - 1;
      const cut = (start: number, end: number, label: string): void => {
        const part = joints.slice(start * VALUES, (end + 1) * VALUES);
        windows.push({ sequence: { joints: part, fps: 30 }, label, performer });
      };
      for (const gesture of gestures) {
        const length = gesture.end - gesture.start + 1;
        for (let j = 0; j < 2; j++) {
          const slack = (): number => Math.round((random.next() - 0.5) * 0.24 * length * j);
          cut(Math.max(0, gesture.start + slack()), Math.min(last, gesture.end + slack()), String(gesture.label14));
        }
      }
      for (let j = 0, tries = 0; j < 8 && tries < 200; tries++) {
        const length = Math.min(last, random.pick(WINDOWS));
        const start = random.integer(last - length + 2);
        const span = { start, end: start + length - 1 };
        if (gestures.some((gesture) => overlap(gesture, span) > 0.45)) continue;
        cut(span.start, span.end, NO_GESTURE);
        j += 1;
      }
    }
  }
  return windows;
}
