// Rules WP1..WP9 of docs/spec/wire.md.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SourceTable } from "./input-source.ts";
import { decodePosePacket, encodePosePacket, POSE_PACKET_BYTES_MAX, posePacketBytes } from "./pose-packet.ts";
import type { PoseSample, PoseSource } from "./pose-sample.ts";
import { createPoseSample } from "./pose-sample.ts";
import { PACKED_POSE_BYTES, readQuaternion, writeQuaternion } from "./packed-pose.ts";

const CONTROLLER = { buttons: 12, axes: 4 };
const HAND = { buttons: 1, axes: 0 };

/** A head with some sources; every number is a function of its place, so that a swapped field shows. */
function sampleOf(sources: readonly { id: number; hand?: boolean }[], orientations = false): PoseSample {
  const sample = createPoseSample();
  sample.t = 1234.567891;
  sample.seq = 65_535;
  sample.viewer.set([0.25, 1.5, -2, 0.5, -0.5, 0.5, 0.5]);
  sample.hasJointOrientations = orientations;
  sample.sourceCount = sources.length;
  sources.forEach(({ id, hand }, index) => {
    const source = sample.sources[index] as PoseSource;
    source.id = id;
    source.hasTargetRay = true;
    source.targetRay.set([index + 0.125, 1.25, -0.5, 0, 0.6, 0, 0.8]);
    source.hasGrip = true;
    source.grip.set([index + 0.5, 1, -0.25, 0.8, 0, -0.6, 0]);
    source.hasHand = hand === true;
    for (let joint = 0; joint < 25; joint++) {
      source.joints.set([index + joint * 0.005, 1 - joint * 0.003, -0.4 + joint * 0.001], joint * 3);
      const half = joint * 0.05 + 0.2;
      source.jointOrientations.set([Math.sin(half) * 0.6, 0, Math.sin(half) * 0.8, Math.cos(half)], joint * 4);
    }
    source.pressed = 0b101;
    source.touched = 0b111;
    source.values.set([1, 0.2]);
    source.axes.set([0, 0, -1, 0.5]);
  });
  return sample;
}

function tableOf(layouts: Readonly<Record<number, { buttons: number; axes: number }>>): SourceTable {
  const table = new SourceTable();
  for (const [id, layout] of Object.entries(layouts)) table.set({ id: Number(id), ...layout });
  return table;
}

const TABLE = tableOf({ 1: CONTROLLER, 2: CONTROLLER, 3: HAND, 4: HAND });

function encode(sample: PoseSample, table = TABLE): Uint8Array {
  const into = new Uint8Array(POSE_PACKET_BYTES_MAX);
  const length = encodePosePacket(sample, table, into);
  if (typeof length !== "number") throw new Error(`${length.field}: ${length.message}`);
  return into.slice(0, length);
}

/** What the decoder said of the bytes: "ok" or "code at field". */
function check(bytes: Uint8Array, table = TABLE): string {
  const error = decodePosePacket(bytes, table, createPoseSample());
  return error === undefined ? "ok" : `${error.code} at ${error.field}`;
}

test("[WP1] packet sizes: head 31, two controllers 127, two hands 441, two hands with orientations 729 bytes", () => {
  const sizes = [
    encode(sampleOf([])).length,
    encode(sampleOf([{ id: 1 }, { id: 2 }])).length,
    encode(
      sampleOf([
        { id: 3, hand: true },
        { id: 4, hand: true },
      ]),
    ).length,
    encode(
      sampleOf(
        [
          { id: 3, hand: true },
          { id: 4, hand: true },
        ],
        true,
      ),
    ).length,
  ];
  assert.deepEqual(sizes, [31, 127, 441, 729]);
});

test("[WP2] what was encoded is decoded: positions exact, hand joints to 10 um, rotations to 0.0071 degrees", () => {
  const sent = sampleOf([{ id: 1 }, { id: 3, hand: true }], true);
  sent.hasVelocities = true;
  sent.linearVelocity.set([0.5, -0.25, 2]);
  sent.angularVelocity.set([1, 2, -3]);
  sent.emulatedPosition = true;
  const bytes = encode(sent);
  assert.equal(bytes.length, posePacketBytes(sent));
  const got = createPoseSample();
  assert.equal(decodePosePacket(bytes, TABLE, got), undefined);
  assert.deepEqual([got.t, got.seq, got.emulatedPosition, got.isTrackingLost], [1234.567891, 65_535, true, false]);
  assert.deepEqual([...got.linearVelocity, ...got.angularVelocity], [0.5, -0.25, 2, 1, 2, -3]);
  assertPose(got.viewer, sent.viewer);
  assert.equal(got.sourceCount, 2);
  for (let index = 0; index < 2; index++) {
    const a = sent.sources[index] as PoseSource;
    const b = got.sources[index] as PoseSource;
    assert.deepEqual([b.id, b.hasTargetRay, b.hasGrip, b.hasHand], [a.id, true, true, a.hasHand]);
    assertPose(b.targetRay, a.targetRay);
    assertPose(b.grip, a.grip);
    assert.deepEqual([b.pressed, b.touched], [0b101, 0b111]);
    if (!a.hasHand) {
      assert.deepEqual(
        [...b.values].map((v) => Math.round(v * 255)),
        [255, 51],
      );
      assert.deepEqual(
        [...b.axes.subarray(0, 4)].map((v) => Math.round(v * 127)),
        [0, 0, -127, 64],
      );
      continue;
    }
    // The rotation into the wrist's axes and back costs its own 0.0071 degrees, 0.025 mm at 0.2 m.
    for (let i = 0; i < 75; i++) assert.ok(Math.abs((b.joints[i] ?? 9) - (a.joints[i] ?? 0)) < 5e-5);
    for (let joint = 0; joint < 25; joint++) {
      const angle = degreesBetween(a.jointOrientations, b.jointOrientations, joint * 4);
      assert.ok(angle < 0.0075, `joint ${joint}: ${angle}`);
    }
  }
});

function assertPose(got: Float32Array, sent: Float32Array): void {
  assert.deepEqual([...got.subarray(0, 3)], [...sent.subarray(0, 3)]);
  assert.ok(degreesBetween(got, sent, 3) < 0.0075);
}

function degreesBetween(a: Float32Array, b: Float32Array, at: number): number {
  let sign = 0;
  for (let i = at; i < at + 4; i++) sign += (a[i] ?? 0) * (b[i] ?? 0);
  let squares = 0;
  for (let i = at; i < at + 4; i++) squares += ((a[i] ?? 0) - Math.sign(sign) * (b[i] ?? 0)) ** 2;
  return (4 * Math.asin(Math.sqrt(squares) / 2) * 180) / Math.PI;
}

test("[WP3] every rotation survives smallest-three with at most 0.0075 degrees, whichever component is left out", () => {
  const view = new DataView(new ArrayBuffer(8));
  const back = new Float32Array(4);
  let worst = 0;
  const leftOut = new Set<number>();
  for (let step = 0; step < 20_000; step++) {
    // A walk over the sphere with irrational steps: even cover without randomness.
    const a = step * 0.618_034;
    const b = step * 0.414_214;
    const u = (step + 0.5) / 20_000;
    const q = new Float32Array([
      Math.sqrt(1 - u) * Math.sin(a),
      Math.sqrt(1 - u) * Math.cos(a),
      Math.sqrt(u) * Math.sin(b),
      Math.sqrt(u) * Math.cos(b),
    ]);
    writeQuaternion(view, 0, q, 0);
    assert.equal(readQuaternion(view, 0, back, 0), undefined);
    leftOut.add((view.getUint16(0, true) >> 15) | ((view.getUint16(2, true) >> 15) << 1));
    worst = Math.max(worst, degreesBetween(q, back, 0));
  }
  assert.equal(leftOut.size, 4);
  assert.ok(worst < 0.0075, `worst ${worst}`);
});

test("[WP4] a packet cut at any byte is refused as truncated, and never read beyond its end", () => {
  const bytes = encode(sampleOf([{ id: 1 }, { id: 3, hand: true }], true));
  for (let length = 0; length < bytes.length; length++)
    assert.match(check(bytes.subarray(0, length)), /^truncated at /, `length ${length}`);
});

test("[WP5] bytes after the last source are refused", () => {
  const bytes = encode(sampleOf([{ id: 1 }]));
  assert.equal(check(new Uint8Array([...bytes, 0])), "trailing_bytes at packet");
});

test("[WP6] a number that is not finite or beyond its limit is refused with its field", () => {
  const plant = (at: number, value: number, size: 4 | 8): string => {
    const sample = sampleOf([{ id: 1 }]);
    sample.hasVelocities = true;
    const bytes = encode(sample);
    const view = new DataView(bytes.buffer);
    if (size === 8) view.setFloat64(at, value, true);
    else view.setFloat32(at, value, true);
    return check(bytes);
  };
  assert.equal(plant(2, Number.NaN, 8), "not_finite at t");
  assert.equal(plant(2, -1, 8), "out_of_range at t");
  assert.equal(plant(12, Number.NaN, 4), "not_finite at viewer");
  assert.equal(plant(16, Infinity, 4), "not_finite at viewer");
  assert.equal(plant(20, 20_000, 4), "out_of_range at viewer");
  assert.equal(plant(30, Number.NaN, 4), "not_finite at velocities");
  assert.equal(plant(50, 1e9, 4), "out_of_range at velocities");
  assert.equal(plant(57, Number.NaN, 4), "not_finite at sources[0].targetRay");
});

test("[WP7] three components that no unit quaternion has are refused", () => {
  const bytes = encode(sampleOf([]));
  new DataView(bytes.buffer).setUint16(PACKED_POSE_BYTES + 6, 0x7fff, true);
  new DataView(bytes.buffer).setUint16(PACKED_POSE_BYTES + 8, 0x7fff, true);
  assert.equal(check(bytes), "not_normalized at viewer");
});

test("[WP8] unknown flags, unknown and doubled sources, too many sources and other kinds are refused", () => {
  const planted = (at: number, value: number): string => {
    const bytes = encode(sampleOf([{ id: 1 }, { id: 2 }]));
    bytes[at] = value;
    return check(bytes);
  };
  assert.equal(planted(0, 0x02), "kind_unknown at kind");
  assert.equal(planted(1, 0x10), "not_allowed at flags");
  assert.equal(planted(30, 9), "too_large at sources");
  assert.equal(planted(31, 77), "source_unknown at sources[0].id");
  assert.equal(planted(32, 0x0b), "not_allowed at sources[0].present");
  assert.equal(planted(31 + 48, 1), "duplicate_id at sources[1].id");
});

test("[WP9] the encoder refuses what the decoder would: no packet with NaN or a source that was not described", () => {
  const refusal = (change: (sample: PoseSample) => void): string => {
    const sample = sampleOf([{ id: 3, hand: true }]);
    change(sample);
    const result = encodePosePacket(sample, TABLE, new Uint8Array(POSE_PACKET_BYTES_MAX));
    return typeof result === "number" ? "ok" : `${result.code} at ${result.field}`;
  };
  assert.equal(
    refusal(() => {}),
    "ok",
  );
  assert.equal(
    refusal((s) => (s.viewer[0] = Number.NaN)),
    "not_finite at viewer",
  );
  assert.equal(
    refusal((s) => s.viewer.fill(0)),
    "not_normalized at viewer",
  );
  assert.equal(
    refusal((s) => ((s.sources[0] as PoseSource).joints[70] = Number.NaN)),
    "not_finite at sources[0]",
  );
  assert.equal(
    refusal((s) => ((s.sources[0] as PoseSource).id = 99)),
    "source_unknown at sources[0].id",
  );
});
