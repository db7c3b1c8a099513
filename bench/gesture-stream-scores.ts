// G5 of the algorithms reference: continuous streams, synthetic (see data/gesture-streams.ts). 144 streams of subjects 4, 10,
// 16, 22, 26; trained on the other 15 people. Scored as SHREC'22 scores (data/online-scorer.ts). The second line is the same
// with the recorded tracker's unrest laid over the pauses, which the reference's pauses lack: how much of the first is owed
// to pauses that are too smooth to be real.
// Run: node --conditions=@fovea/source bench/gesture-stream-scores.ts [leads, comma separated] [validate]
import type { StreamGesture } from "@fovea/core";
import { GestureStream } from "@fovea/core";
import { SeededRandom } from "@fovea/core/testing";
import type { GestureRecording } from "./data/gesture-streams.ts";
import { addTrackerNoise, makeRecording } from "./data/gesture-streams.ts";
import type { Detection } from "./data/online-scorer.ts";
import { scoreOnline } from "./data/online-scorer.ts";
import { readShrec17 } from "./data/shrec17.ts";
import { STREAM_TEST_PEOPLE, STREAM_VALIDATION_PEOPLE, streamModel } from "./data/trained-models.ts";

const FPS = 30;
const isValidation = process.argv[3] === "validate";
const people = isValidation ? STREAM_VALIDATION_PEOPLE : STREAM_TEST_PEOPLE;
// Thresholds are chosen on four of the fifteen, never on the test people.
const model = streamModel(isValidation ? [...STREAM_TEST_PEOPLE, ...STREAM_VALIDATION_PEOPLE] : STREAM_TEST_PEOPLE);
const leads = process.argv[2] === undefined ? [model.leadMin] : process.argv[2].split(",").map(Number);
const all = readShrec17();

for (const kind of ["as the reference defines", "with tracker noise in the pauses"]) {
  const random = new SeededRandom(5);
  const recordings: GestureRecording[] = Array.from({ length: 144 }, (_, i) => {
    const own = all.filter((example) => example.performer === people[i % people.length]);
    const recording = makeRecording(own, random);
    return kind.startsWith("as") ? recording : addTrackerNoise(recording, own, random);
  });
  for (const leadMin of leads) console.log(`${kind}, lead ${leadMin}: ${score(recordings, leadMin)}`);
}

function score(recordings: readonly GestureRecording[], leadMin: number): string {
  const start = process.cpuUsage();
  let samples = 0;
  const found = recordings.map(({ joints }) => {
    const stream = new GestureStream(model, { leadMin });
    const events: StreamGesture[] = [];
    for (let i = 0; i < joints.length; i += 66) {
      events.push(...stream.fold(joints.subarray(i, i + 66), ((i / 66) * 1_000) / FPS));
      samples += 1;
    }
    events.push(...stream.end());
    return events;
  });
  const { user } = process.cpuUsage(start);
  const truth = recordings.map(({ gestures }) =>
    gestures.map(({ label14, start, end }) => ({ label: String(label14), start, end })),
  );
  const detections = found.map((events) => events.map(toDetection));
  const { detectionRate, falsePositives, jaccard, delay } = scoreOnline(truth, detections);
  const delays = detections.flat().map((event) => event.decided - event.start);
  const median = delays.sort((a, b) => a - b)[delays.length >> 1] ?? 0;
  return (
    `DR ${detectionRate.toFixed(3)} FP ${falsePositives.toFixed(3)} JI ${jaccard.toFixed(3)} delay from the start ` +
    `mean ${toMs(delay)} ms, median ${toMs(median)} ms; ${(user / samples).toFixed(1)} us a sample`
  );
}

function toDetection({ gesture, startMs, endMs, decidedMs }: StreamGesture): Detection & { readonly decided: number } {
  const sampleOf = (tMs: number): number => Math.round((tMs * FPS) / 1_000);
  return { label: gesture, start: sampleOf(startMs), end: sampleOf(endMs), decided: sampleOf(decidedMs) };
}

function toMs(samples: number): number {
  return Math.round((samples * 1_000) / FPS);
}
