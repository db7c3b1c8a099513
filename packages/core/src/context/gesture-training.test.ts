// Rules GE18..GE23 of docs/spec/gestures.md, on generated movements (core/testing/hand-movements).
import assert from "node:assert/strict";
import test from "node:test";
import type { StreamGesture } from "@fovea/protocol/gestures";
import {
  fromWebXRJoints,
  GestureClassifier,
  GestureStream,
  NO_GESTURE,
  writeGestureModel,
} from "@fovea/protocol/gestures";
import { handJoints } from "../../testing/hand-model.ts";
import { MOVEMENTS, performMovement } from "../../testing/hand-movements.ts";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { parseGestureModel } from "./gesture-model.ts";
import type { GestureExample } from "./gesture-example.ts";
import { trainGestureModel } from "./gesture-training.ts";

const STEP_MS = 1_000 / 72;

const QUICK = { kernels: 500, copies: 8 };

function examples(names: readonly string[], count: number, seed: number): GestureExample[] {
  const random = new SeededRandom(seed);
  return names.flatMap((name) =>
    Array.from({ length: count }, () => ({
      label: name,
      sequence: { joints: performMovement(MOVEMENTS[name]!, random), fps: 30 },
    })),
  );
}

function shareRight(classifier: GestureClassifier, list: readonly GestureExample[]): number {
  const right = list.filter((example) => classifier.classify(example.sequence)?.gesture === example.label);
  return right.length / list.length;
}

const NAMES = Object.keys(MOVEMENTS);
const MODEL = trainGestureModel(examples(NAMES, 4, 1), QUICK);

test("[GE18] a few examples are enough", () => {
  const classifier = new GestureClassifier(MODEL);
  const share = shareRight(classifier, examples(NAMES, 30, 2));
  assert.ok(share >= 0.97, String(share));
  const sure = classifier.classify(examples(["grab"], 1, 9)[0]!.sequence);
  assert.ok((sure?.confidence ?? 0) > 0.6 && (sure?.confidence ?? 2) <= 1);
  assert.equal(classifier.classify({ joints: new Float32Array(66), fps: 30 }), undefined);
  assert.equal(classifier.classify({ joints: new Float32Array(660), fps: 30 }), undefined);
});

test("[GE19] variants are answered, mixed labels and a single gesture are refused", () => {
  const random = new SeededRandom(5);
  const list = NAMES.slice(0, 3).flatMap((name) =>
    [0, 1].flatMap((curl) =>
      Array.from({ length: 6 }, () => ({
        label: `${name}/${curl === 0 ? "hand" : "finger"}`,
        sequence: {
          joints: performMovement(
            (share) => ({ ...MOVEMENTS[name]!(share), curl: [0.2, 0, curl, curl, curl] }),
            random,
          ),
          fps: 30,
        },
      })),
    ),
  );
  const train = list.filter((_, i) => i % 2 === 0);
  const classifier = new GestureClassifier(trainGestureModel(train, QUICK));
  const answers = list
    .filter((_, i) => i % 2 === 1)
    .map((example) => {
      const answer = classifier.classify(example.sequence);
      return `${answer?.gesture}/${answer?.variant}` === example.label;
    });
  assert.ok(answers.filter(Boolean).length >= answers.length - 1);
  const refused = (labels: readonly string[]): boolean => {
    const sequence = { joints: performMovement(MOVEMENTS["grab"]!, random), fps: 30 };
    try {
      trainGestureModel(
        labels.map((label) => ({ label, sequence })),
        QUICK,
      );
      return false;
    } catch (error) {
      return GatewayError.has(error, "request_invalid") && error.details.param === "label";
    }
  };
  assert.ok(refused(["a/1", "b"]) && refused(["a", "a"]) && refused([]));
});

test("[GE20] training is repeatable, models survive writing, altered ones are refused", () => {
  const text = writeGestureModel(MODEL);
  assert.equal(writeGestureModel(trainGestureModel(examples(NAMES, 4, 1), QUICK)), text);
  const [a, b] = [new GestureClassifier(MODEL), new GestureClassifier(parseGestureModel(text))];
  for (const example of examples(NAMES, 3, 7))
    assert.deepEqual(a.classify(example.sequence), b.classify(example.sequence));
  const refused = (change: (model: Record<string, unknown>) => void): string => {
    const model = JSON.parse(text) as Record<string, unknown>;
    change(model);
    try {
      parseGestureModel(JSON.stringify(model));
      return "ok";
    } catch (error) {
      assert.ok(GatewayError.has(error, "request_invalid"));
      return String(error.details.param);
    }
  };
  assert.equal(
    refused(() => undefined),
    "ok",
  );
  assert.equal(
    refused((model) => (model["format"] = "x")),
    "format",
  );
  assert.equal(
    refused((model) => (model["kernels"] = 499)),
    "bias",
  );
  assert.equal(
    refused((model) => (model["weights"] = "AAAA")),
    "weights",
  );
  assert.equal(
    refused((model) => (model["bias"] = "*")),
    "bias",
  );
  assert.equal(
    refused((model) => (model["gestures"] = [1])),
    "gestures",
  );
  assert.throws(
    () => parseGestureModel("{"),
    (error) => GatewayError.has(error, "request_invalid"),
  );
});

test("[GE21] new gestures are learned on an existing model", () => {
  const base = trainGestureModel(examples(["swipe-right", "circle"], 6, 3), QUICK);
  const model = trainGestureModel(examples(["grab", "shake"], 3, 4), { base, copies: 5 });
  assert.deepEqual([model.gestures, model.seed, model.bias === base.bias], [["grab", "shake"], base.seed, true]);
  const share = shareRight(new GestureClassifier(model), examples(["grab", "shake"], 25, 6));
  assert.ok(share >= 0.96, String(share));
});

test("[GE22] WebXR joints become sequence joints", () => {
  const joints = handJoints({ curl: [0, 0, 0, 0, 0] });
  const out = new Float32Array(66);
  fromWebXRJoints(joints, out, 0);
  const three = (list: Float32Array, joint: number): number[] => [...list.subarray(joint * 3, joint * 3 + 3)];
  const pairs = [
    [0, 0],
    [2, 1],
    [5, 4],
    [6, 6],
    [9, 9],
    [10, 11],
    [13, 14],
    [14, 16],
    [17, 19],
    [18, 21],
    [21, 24],
  ] as const;
  for (const [to, from] of pairs) assert.deepEqual(three(out, to), three(joints, from), `${to} from ${from}`);
  three(out, 1).forEach((value, axis) => assert.ok(Math.abs(value - (joints[axis]! + joints[33 + axis]!) / 2) < 1e-6));
});

/** The hand goes from one pose to the next in the manner of hands, as people do between gestures. */
function transition(from: Float32Array, to: Float32Array, samples: number, random: SeededRandom): Float32Array {
  const out = new Float32Array(samples * 66);
  for (let i = 0; i < samples; i++) {
    const share = (1 - Math.cos((Math.PI * (i + 1)) / (samples + 1))) / 2;
    for (let k = 0; k < 66; k++)
      out[i * 66 + k] = from[k]! + (to[k]! - from[k]!) * share + (random.next() - 0.5) * 0.005;
  }
  return out;
}

test("[GE23] a stream's gestures are found once each, and pauses are nothing", () => {
  // No swipe: alone in the air it is the same movement as going from one gesture to the next.
  const names = ["shake", "grab", "circle"];
  const random = new SeededRandom(8);
  const train = examples(names, 5, 10);
  for (let i = 0; i < 6; i++) {
    const [a, b] = [0, 1].map(() => performMovement(MOVEMENTS[random.pick(names)]!, random, 50));
    const pause = transition(a!.subarray(-66), b!.subarray(0, 66), 40 + random.integer(50), random);
    train.push({ label: NO_GESTURE, sequence: { joints: pause, fps: 30 } });
  }
  const model = trainGestureModel(train, { kernels: 300, copies: 6, streams: true });
  const stream = new GestureStream(parseGestureModel(writeGestureModel(model)));
  const wanted = ["grab", "shake", "circle", "grab", "circle", "shake"];
  const found: StreamGesture[] = [];
  const spans: { startMs: number; endMs: number }[] = [];
  const person = new SeededRandom(99);
  let tMs = 0;
  let last: Float32Array | undefined;
  // Faster than the 30 samples a second that the examples were recorded with.
  const feed = (joints: Float32Array): void => {
    for (let i = 0; i < joints.length; i += 66, tMs += STEP_MS) {
      found.push(...stream.fold(joints.subarray(i, i + 66), tMs));
    }
  };
  for (const name of wanted) {
    const joints = performMovement(MOVEMENTS[name]!, person, 100);
    if (last !== undefined) feed(transition(last, joints.subarray(0, 66), 130, person));
    spans.push({ startMs: tMs, endMs: tMs + 99 * STEP_MS });
    feed(joints);
    last = joints.slice(-66);
  }
  found.push(...stream.end());
  const met = wanted.filter((name, i) =>
    found.some(({ gesture, startMs, endMs }) => {
      const span = spans[i]!;
      const commonMs = Math.min(endMs, span.endMs) - Math.max(startMs, span.startMs);
      return gesture === name && commonMs >= (span.endMs - span.startMs) / 2;
    }),
  );
  const text = found.map(({ gesture, startMs, endMs }) => `${gesture} ${Math.round(startMs)}-${Math.round(endMs)}`);
  assert.ok(met.length >= 5 && found.length <= wanted.length + 1, `${text.join(", ")} of ${JSON.stringify(spans)}`);
  for (const { endMs, decidedMs } of found) assert.ok(decidedMs - endMs < 1_000, `${decidedMs - endMs} ms late`);
  assert.throws(() => new GestureStream(MODEL), TypeError);
});
