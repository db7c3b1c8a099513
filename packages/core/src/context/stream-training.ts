import type { SpotModel } from "@fovea/protocol/gestures";
import {
  mulberry32,
  NO_GESTURE,
  SpanFinder,
  SPOT_FEATURES,
  SPOT_LOOKAHEAD,
  SpotFeatures,
  STREAM_FPS,
} from "@fovea/protocol/gestures";
import type { Random } from "../ports/random.ts";
import type { GestureExample } from "./gesture-example.ts";
import type { MarkedStream, StreamPart } from "./stream-composer.ts";
import { composeStream } from "./stream-composer.ts";
import { trainSpotModel } from "./spot-training.ts";
import { varySequence } from "./gesture-variation.ts";

const VALUES = 66;

/** Streams to learn from: each gesture occurs about once, but a handful of examples is shown in many orders. */
const STREAMS_MIN = 40;
const STREAMS_MAX = 360;

/** Spans without a gesture: at most, and at least, so many for each example. */
const NONE_SHARE = 0.3;
const NONE_SHARE_MIN = 0.1;
const NONE_MIN = 8;

/** A handful of examples says little of how else the same gesture may be performed: varied copies fill up to so many. */
const PARTS_MIN = 40;

/** Rests are cut into pieces as long as gestures are. */
const REST_SAMPLES = 45;

/** Whether the example shows what the hand does when it performs nothing. */
export function isRest(example: GestureExample): boolean {
  return example.label.split("/")[0] === NO_GESTURE;
}

/**
 * Learns where gestures are in streams composed of the examples, and gives back what a classifier then has to name: spans
 * as they are found, with their label or "none".
 */
export function learnStreams(
  examples: readonly GestureExample[],
  seed: number,
): { readonly spot: SpotModel; readonly spans: readonly GestureExample[] } {
  const next = mulberry32(seed + 3);
  const casts = castsOf(examples, next);
  const gestures = examples.filter((example) => !isRest(example)).length;
  const count = Math.min(STREAMS_MAX, Math.max(STREAMS_MIN, Math.ceil(gestures / 4)));
  const random: Random = { next };
  const streams = Array.from({ length: count }, (_, i) => compose(casts, i, random));
  const { features, targets } = samplesOf(streams);
  const spot = trainSpotModel(features, targets, seed + 4);
  // Other streams than those the network was trained on: there it is surer than it will be.
  const fresh = Array.from({ length: count }, (_, i) => compose(casts, i, random));
  const spans = spansOf(fresh, spot, Math.ceil(gestures * NONE_SHARE));
  const rests = examples.filter(isRest).flatMap(piecesOf);
  const nones = rests.length + spans.filter(isRest).length;
  const wanted = Math.max(NONE_MIN, Math.ceil(gestures * NONE_SHARE_MIN)) - nones;
  const pauses = Array.from({ length: Math.max(0, wanted) }, (_, i) =>
    pauseOf(fresh[i % count] as MarkedStream, random),
  );
  return { spot, spans: [...spans, ...rests, ...pauses] };
}

function piecesOf({ sequence, performer }: GestureExample): readonly GestureExample[] {
  const joints = atStreamRate(sequence.joints, sequence.fps);
  const count = Math.max(1, Math.round(joints.length / VALUES / REST_SAMPLES));
  const samples = Math.floor(joints.length / VALUES / count);
  return Array.from({ length: count }, (_, i) => ({
    sequence: { joints: joints.slice(i * samples * VALUES, (i + 1) * samples * VALUES), fps: STREAM_FPS },
    label: NO_GESTURE,
    ...(performer === undefined ? {} : { performer }),
  }));
}

/** What is between two gestures of a stream, or a part of it. */
function pauseOf({ joints, gestures }: MarkedStream, random: Random): GestureExample {
  const index = 1 + Math.floor(random.next() * (gestures.length - 1));
  const first = (gestures[index - 1]?.end ?? 0) + 1;
  const last = gestures[index]?.start ?? joints.length / VALUES;
  const samples = Math.max(2, Math.min(last - first, 12 + Math.floor(random.next() * 48)));
  const start = first + Math.floor(random.next() * (last - first - samples + 1));
  const part = joints.slice(start * VALUES, (start + samples) * VALUES);
  return { sequence: { joints: part, fps: STREAM_FPS }, label: NO_GESTURE };
}

interface Cast {
  readonly performer: string | undefined;
  readonly parts: readonly StreamPart[];
  readonly rests: readonly Float32Array[];
}

/** Who performed what. Who showed only rests lends them to all. */
function castsOf(examples: readonly GestureExample[], random: () => number): readonly Cast[] {
  const rests = examples.filter(isRest);
  const performers = [...new Set(examples.map((example) => example.performer))];
  return performers.flatMap((performer) => {
    const own = examples.filter((example) => example.performer === performer && !isRest(example));
    if (own.length === 0) return [];
    const parts = own.map(({ sequence, label }) => ({ joints: atStreamRate(sequence.joints, sequence.fps), label }));
    const copies = Math.max(0, Math.ceil(PARTS_MIN / parts.length) - 1);
    const varied = Array.from({ length: copies }, () =>
      parts.map(({ joints, label }) => ({ joints: varySequence(joints, random), label })),
    ).flat();
    const ownRests = rests.filter((example) => example.performer === performer);
    return [
      {
        performer,
        parts: [...parts, ...varied],
        rests: (ownRests.length > 0 ? ownRests : rests).map(({ sequence }) =>
          atStreamRate(sequence.joints, sequence.fps),
        ),
      },
    ];
  });
}

function compose(casts: readonly Cast[], index: number, random: Random): MarkedStream & { performer?: string } {
  const { performer, parts, rests } = casts[index % casts.length] as Cast;
  const stream = composeStream(parts, rests, random);
  return performer === undefined ? stream : { ...stream, performer };
}

function atStreamRate(joints: Float32Array, fps: number): Float32Array {
  const samples = joints.length / VALUES;
  const wanted = Math.max(2, Math.round(((samples - 1) * STREAM_FPS) / fps) + 1);
  if (wanted === samples || samples < 2) return joints;
  const out = new Float32Array(wanted * VALUES);
  for (let sample = 0; sample < wanted; sample++) {
    const at = (sample * (samples - 1)) / (wanted - 1);
    const before = Math.min(Math.floor(at), samples - 2);
    for (let i = 0; i < VALUES; i++) {
      const from = joints[before * VALUES + i] as number;
      out[sample * VALUES + i] = from + ((joints[(before + 1) * VALUES + i] as number) - from) * (at - before);
    }
  }
  return out;
}

function samplesOf(streams: readonly MarkedStream[]): { features: Float32Array; targets: Float32Array } {
  const total = streams.reduce((sum, { joints }) => sum + joints.length / VALUES, 0);
  const features = new Float32Array(total * SPOT_FEATURES);
  const targets = new Float32Array(total);
  const spot = new SpotFeatures();
  let rows = 0;
  for (const { joints, gestures } of streams) {
    spot.restart();
    const inside = new Uint8Array(joints.length / VALUES);
    for (const { start, end } of gestures) inside.fill(1, start, end + 1);
    for (let sample = 0; sample < inside.length; sample++) {
      if (!spot.fold(joints, sample * VALUES)) continue;
      features.set(spot.out, rows * SPOT_FEATURES);
      targets[rows] = inside[sample - SPOT_LOOKAHEAD] as number;
      rows += 1;
    }
  }
  return { features: features.subarray(0, rows * SPOT_FEATURES), targets: targets.subarray(0, rows) };
}

function spansOf(
  streams: readonly (MarkedStream & { performer?: string })[],
  spot: SpotModel,
  noneMax: number,
): readonly GestureExample[] {
  const spans: GestureExample[] = [];
  let nones = 0;
  for (const { joints, gestures, performer } of streams) {
    const finder = new SpanFinder(spot);
    const samples = joints.length / VALUES;
    const note = (): void => {
      const { start } = finder;
      const end = Math.min(finder.end, samples - 1);
      const gesture = gestures.find((one) => overlap(one, { start, end }) > 0.5);
      if (gesture === undefined && nones >= noneMax) return;
      if (gesture === undefined) nones += 1;
      const sequence = { joints: joints.slice(start * VALUES, (end + 1) * VALUES), fps: STREAM_FPS };
      const label = gesture?.label ?? NO_GESTURE;
      spans.push({ sequence, label, ...(performer === undefined ? {} : { performer }) });
    };
    for (let sample = 0; sample < samples; sample++) if (finder.fold(joints, sample * VALUES)) note();
    if (finder.finish(joints.subarray((samples - 1) * VALUES))) note();
  }
  return spans;
}

/** Share of the union that both cover. */
function overlap(a: { start: number; end: number }, b: { start: number; end: number }): number {
  const common = Math.min(a.end, b.end) - Math.max(a.start, b.start) + 1;
  return common <= 0 ? 0 : common / (a.end - a.start + b.end - b.start + 2 - common);
}
