// G5 of the algorithms reference: continuous streams, synthetic (see data/gesture-streams.ts). 144 streams of subjects 4, 10,
// 16, 22, 26; trained on the other 15 people. Scorer of SHREC'22: a detection counts if the label is equal, it covers at
// least half of the true gesture and is at most twice as long. Run: node --conditions=@fovea/source bench/gesture-stream-scores.ts
// [leads, comma separated] [validate]
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { StreamGesture } from "@fovea/core";
import { GestureClassifier, GestureStream, parseGestureModel, trainGestureModel, writeGestureModel } from "@fovea/core";
import { SeededRandom } from "@fovea/core/testing";
import type { GestureRecording } from "./data/gesture-streams.ts";
import { makeRecording } from "./data/gesture-streams.ts";
import { readShrec17 } from "./data/shrec17.ts";
import { streamExamples } from "./data/stream-examples.ts";

const HELD = ["4", "10", "16", "22", "26"];
const leads = (process.argv[2] ?? "0.25").split(",").map(Number);
const isValidation = process.argv[3] === "validate";
const all = readShrec17();
const learning = all.filter((example) => !HELD.includes(example.performer));
const people = [...new Set(learning.map((example) => example.performer))];
// Thresholds are chosen on three of the fifteen, never on the held people.
const test = isValidation ? people.slice(-3) : HELD;
const train = isValidation ? learning.filter((example) => !test.includes(example.performer)) : learning;

const cache = process.env["FOVEA_MODEL_CACHE"];
const text =
  cache !== undefined && existsSync(cache)
    ? readFileSync(cache, "utf8")
    : writeGestureModel(trainGestureModel(streamExamples(train, 1), { copies: 0 }));
if (cache !== undefined) writeFileSync(cache, text);
const classifier = new GestureClassifier(parseGestureModel(text));

const random = new SeededRandom(5);
const recordings: GestureRecording[] = Array.from({ length: isValidation ? 48 : 144 }, (_, i) => {
  const performer = test[i % test.length];
  return makeRecording(
    all.filter((example) => example.performer === performer),
    random,
  );
});

for (const leadMin of leads) {
  const found = recordings.map(({ joints }) => {
    const stream = new GestureStream(classifier, { leadMin });
    const events: StreamGesture[] = [];
    for (let i = 0; i < joints.length; i += 66) events.push(...stream.fold(joints.subarray(i, i + 66)));
    events.push(...stream.end());
    return events;
  });
  console.log(`lead ${leadMin}: ${score(found)}`);
}

function score(found: readonly (readonly StreamGesture[])[]): string {
  const classes = Array.from({ length: 14 }, () => ({ truth: 0, right: 0, wrong: 0 }));
  const delays: number[] = [];
  recordings.forEach(({ gestures }, i) => {
    const free = new Set(gestures);
    for (const gesture of gestures) classes[gesture.label14 - 1]!.truth += 1;
    for (const event of found[i]!) {
      const label = Number(event.gesture);
      const hit = [...free].find((gesture) => {
        const length = gesture.end - gesture.start + 1;
        const common = Math.min(event.end, gesture.end) - Math.max(event.start, gesture.start) + 1;
        return gesture.label14 === label && common >= 0.5 * length && event.end - event.start + 1 <= 2 * length;
      });
      if (hit === undefined) classes[label - 1]!.wrong += 1;
      else {
        free.delete(hit);
        classes[label - 1]!.right += 1;
        delays.push(event.decided - event.start);
      }
    }
  });
  const mean = (of: (row: (typeof classes)[number]) => number): string =>
    (classes.reduce((sum, row) => sum + of(row), 0) / classes.length).toFixed(3);
  const delay = delays.sort((a, b) => a - b)[delays.length >> 1] ?? 0;
  return (
    `DR ${mean((row) => row.right / row.truth)} FP ${mean((row) => row.wrong / row.truth)} ` +
    `JI ${mean((row) => row.right / (row.truth + row.wrong))} median delay ${delay} samples (${Math.round(delay / 0.03)} ms)`
  );
}
