import { readFileSync } from "node:fs";
import { fromWebXRJoints, GestureClassifier, GestureStream, parseGestureModel } from "@fovea/core";
import type { AdapterOps } from "./adapter-ops.ts";

const SAMPLE = 66;

/**
 * `classify` {joints, fps, frames [[66]]} -> {label14, label28}; `stream`, `frame` {t, joints [66]} -> {events}, `end` ->
 * {events}. Labels are SHREC'17's: 14 gestures, 28 = gesture and finger. Hands of 25 or 26 joints are reduced to the 22.
 */
export function gestureOps(): AdapterOps {
  const load = (name: string): GestureClassifier =>
    new GestureClassifier(parseGestureModel(readFileSync(new URL(`../models/${name}`, import.meta.url), "utf8")));
  // A model costs 100 ms: only a run that asks for gestures loads it.
  let sequences: GestureClassifier | undefined;
  let continuous: GestureClassifier | undefined;
  let stream: GestureStream | undefined;
  const started = (): GestureStream => (stream ??= new GestureStream((continuous ??= load("hand-stream.json"))));
  return {
    reset: () => {
      stream = undefined;
      return undefined;
    },
    classify: (line) => {
      const samples = line["frames"] as readonly (readonly number[])[];
      const joints = new Float32Array(samples.length * SAMPLE);
      samples.forEach((sample, index) => foldSample(sample, joints, index * SAMPLE));
      sequences ??= load("hand-sequences.json");
      const answer = sequences.classify({ joints, fps: Number(line["fps"] ?? 30) });
      if (answer === undefined) return { label14: null, label28: null };
      const gesture = Number(answer.gesture);
      return { label14: gesture, label28: 2 * (gesture - 1) + Number(answer.variant), confidence: answer.confidence };
    },
    stream: () => {
      stream = undefined;
      return undefined;
    },
    frame: (line) => {
      const joints = new Float32Array(SAMPLE);
      foldSample(line["joints"] as readonly number[], joints, 0);
      return { events: started().fold(joints).map(toEvent) };
    },
    end: () => ({ events: started().end().map(toEvent) }),
  };
}

function toEvent(event: { gesture: string; start: number; end: number; decided: number }): unknown {
  return { label14: Number(event.gesture), start: event.start, end: event.end, decided: event.decided };
}

function foldSample(sample: readonly number[], out: Float32Array, offset: number): void {
  if (sample.length === SAMPLE) out.set(sample, offset);
  // 26 joints (OpenXR, HoloLens) begin with the palm; the rest is WebXR's order.
  else fromWebXRJoints(sample.length === 78 ? sample.slice(3) : sample, out, offset);
}
