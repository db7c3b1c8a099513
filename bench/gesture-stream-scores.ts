// G5 of the algorithms reference: continuous streams, synthetic (see data/gesture-streams.ts). 144 streams of subjects 4, 10,
// 16, 22, 26; trained on the other 15 people. Scored as SHREC'22 scores (data/online-scorer.ts).
// Run: node --conditions=@fovea/source bench/gesture-stream-scores.ts [leads, comma separated] [validate]
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { StreamGesture } from "@fovea/core";
import { GestureClassifier, GestureStream, parseGestureModel, trainGestureModel, writeGestureModel } from "@fovea/core";
import { SeededRandom } from "@fovea/core/testing";
import type { GestureRecording } from "./data/gesture-streams.ts";
import { scoreOnline } from "./data/online-scorer.ts";
import { makeRecording } from "./data/gesture-streams.ts";
import { readShrec17 } from "./data/shrec17.ts";
import { streamExamples } from "./data/stream-examples.ts";

const HELD = ["4", "10", "16", "22", "26"];
const leads = (process.argv[2] ?? "-0.5").split(",").map(Number);
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
const recordings: GestureRecording[] = Array.from({ length: isValidation ? 24 : 144 }, (_, i) => {
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
  const truth = recordings.map(({ gestures }) =>
    gestures.map(({ label14, start, end }) => ({ label: String(label14), start, end })),
  );
  const detections = found.map((events) =>
    events.map(({ gesture, start, end, decided }) => ({ label: gesture, start, end, decided })),
  );
  const { detectionRate, falsePositives, jaccard, delay } = scoreOnline(truth, detections);
  return (
    `DR ${detectionRate.toFixed(3)} FP ${falsePositives.toFixed(3)} JI ${jaccard.toFixed(3)} ` +
    `mean delay ${delay.toFixed(1)} samples (${Math.round(delay / 0.03)} ms)`
  );
}
