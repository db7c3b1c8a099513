import type { StreamGesture } from "@fovea/core";
import { fromWebXRJoints, GestureClassifier, GestureStream } from "@fovea/core";
import { sequenceModel, streamModel } from "../data/trained-models.ts";
import type { AdapterOps } from "./adapter-ops.ts";

const SAMPLE = 66;
const FPS = 30;

/**
 * `classify` {joints, fps, frames [[66]]} -> {label14, label28}; `stream`, `frame` {t, joints [66]} -> {events}, `end` ->
 * {events}. Labels are SHREC'17's: 14 gestures, 28 = gesture and finger. Hands of 25 or 26 joints are reduced to the 22.
 * The first question trains the model, unless an earlier run has left it in the cache.
 */
export function gestureOps(): AdapterOps {
  let sequences: GestureClassifier | undefined;
  let stream: GestureStream | undefined;
  let count = 0;
  let firstMs = 0;
  const restart = (): undefined => {
    stream = undefined;
    count = 0;
  };
  const sampleOf = (tMs: number): number => Math.round(((tMs - firstMs) * FPS) / 1_000);
  const toEvent = ({ gesture, startMs, endMs, decidedMs, confidence }: StreamGesture): unknown => ({
    label14: Number(gesture),
    start: sampleOf(startMs),
    end: sampleOf(endMs),
    decided: sampleOf(decidedMs),
    confidence,
  });
  return {
    reset: restart,
    classify: (line) => {
      const samples = line["frames"] as readonly (readonly number[])[];
      const joints = new Float32Array(samples.length * SAMPLE);
      samples.forEach((sample, index) => foldSample(sample, joints, index * SAMPLE));
      sequences ??= new GestureClassifier(sequenceModel());
      const answer = sequences.classify({ joints, fps: Number(line["fps"] ?? 30) });
      if (answer === undefined) return { label14: null, label28: null };
      const gesture = Number(answer.gesture);
      return { label14: gesture, label28: 2 * (gesture - 1) + Number(answer.variant), confidence: answer.confidence };
    },
    stream: restart,
    frame: (line) => {
      const joints = new Float32Array(SAMPLE);
      foldSample(line["joints"] as readonly number[], joints, 0);
      // Without stamps the samples are evenly spaced.
      const tMs = line["t"] === undefined ? (count * 1_000) / FPS : Number(line["t"]) * 1_000;
      if (count === 0) firstMs = tMs;
      count += 1;
      stream ??= new GestureStream(streamModel());
      return { events: stream.fold(joints, tMs).map(toEvent) };
    },
    end: () => ({ events: stream?.end().map(toEvent) ?? [] }),
  };
}

function foldSample(sample: readonly number[], out: Float32Array, offset: number): void {
  if (sample.length === SAMPLE) out.set(sample, offset);
  // 26 joints (OpenXR, HoloLens) begin with the palm; the rest is WebXR's order.
  else fromWebXRJoints(sample.length === 78 ? sample.slice(3) : sample, out, offset);
}
