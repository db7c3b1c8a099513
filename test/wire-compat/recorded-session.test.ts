// Rule WR1 of docs/spec/wire.md: a session that a headset really recorded goes over the wire, sample by sample.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { PoseSample, PoseSource } from "@fovea/protocol";
import {
  createPoseSample,
  decodePosePacket,
  encodePosePacket,
  JOINT_COUNT,
  POSE_PACKET_BYTES_MAX,
  SourceTable,
  toPoseJson,
} from "@fovea/protocol";

const PATH = join(
  process.env["FOVEA_DATA"] ?? join(import.meta.dirname, "../../../shared/data"),
  "xr/quest3-session.json.gz",
);
const skip = existsSync(PATH) ? false : "FOVEA_DATA absent";

interface Schema {
  readonly hasGrip: boolean;
  readonly hasHand: boolean;
  readonly hasGamepad: boolean;
  readonly numButtons: number;
  readonly numAxes: number;
}
interface Recording {
  readonly schema: readonly (readonly [number, Schema])[];
  readonly frames: readonly (readonly unknown[])[];
}

/** Recordings keep three decimals, so their quaternions are a little off unit length. */
function unit(numbers: readonly number[]): number[] {
  const length = Math.hypot(...numbers);
  return numbers.map((value) => value / length);
}

function rotated([x, y, z, w]: readonly number[], [vx, vy, vz]: readonly number[]): number[] {
  const [qx = 0, qy = 0, qz = 0, qw = 1, a = 0, b = 0, c = 0] = [x, y, z, w, vx, vy, vz];
  const tx = 2 * (qy * c - qz * b);
  const ty = 2 * (qz * a - qx * c);
  const tz = 2 * (qx * b - qy * a);
  return [a + qw * tx + qy * tz - qz * ty, b + qw * ty + qz * tx - qx * tz, c + qw * tz + qx * ty - qy * tx];
}

function times(
  [ax = 0, ay = 0, az = 0, aw = 1]: readonly number[],
  [bx = 0, by = 0, bz = 0, bw = 1]: readonly number[],
): number[] {
  return [
    aw * bx + ax * bw + ay * bz - az * by,
    aw * by - ax * bz + ay * bw + az * bx,
    aw * bz + ax * by - ay * bx + az * bw,
    aw * bw - ax * bx - ay * by - az * bz,
  ];
}

function pose(into: Float32Array, numbers: readonly number[]): void {
  into.set(numbers.slice(0, 3));
  into.set(unit(numbers.slice(3, 7)), 3);
}

function fill(sample: PoseSample, frame: readonly unknown[], schemas: ReadonlyMap<number, Schema>): void {
  sample.t = frame[0] as number;
  sample.seq = (sample.seq + 1) & 0xffff;
  pose(sample.viewer, frame.slice(1, 8) as number[]);
  sample.sourceCount = 0;
  for (const row of frame.slice(8) as unknown[][]) {
    const id = row[0] as number;
    const schema = schemas.get(id) as Schema;
    const source = sample.sources[sample.sourceCount++] as PoseSource;
    source.id = id;
    source.hasTargetRay = true;
    pose(source.targetRay, row.slice(1, 8) as number[]);
    let at = 8;
    source.hasGrip = schema.hasGrip;
    if (schema.hasGrip) pose(source.grip, row[at++] as number[]);
    source.hasHand = schema.hasHand;
    if (schema.hasHand) fillHand(source, row[at++] as number[]);
    source.pressed = 0;
    const gamepad = row[at] as (readonly [number, number, number] | number)[];
    for (let button = 0; button < schema.numButtons; button++) {
      const [pressed = 0, , value = 0] = gamepad[button] as readonly number[];
      if (pressed) source.pressed |= 1 << button;
      if (button < 2) source.values[button] = value;
    }
    for (let axis = 0; axis < schema.numAxes; axis++) source.axes[axis] = gamepad[schema.numButtons + axis] as number;
  }
}

/** Joints of the recording are relative to the source's target ray. */
function fillHand(source: PoseSource, numbers: readonly number[]): void {
  const origin = [...source.targetRay.subarray(0, 3)];
  const turn = [...source.targetRay.subarray(3, 7)];
  for (let joint = 0; joint < JOINT_COUNT; joint++) {
    const row = numbers.slice(joint * 8, joint * 8 + 7);
    const offset = rotated(turn, row.slice(0, 3));
    source.joints.set(
      offset.map((value, axis) => value + (origin[axis] ?? 0)),
      joint * 3,
    );
    source.jointOrientations.set(times(turn, unit(row.slice(3, 7))), joint * 4);
  }
}

test(
  "[WR1] every sample of a recorded Quest 3 session arrives: 441 bytes at most, joints within 0.1 mm",
  { skip },
  (context) => {
    const recording = JSON.parse(gunzipSync(readFileSync(PATH)).toString("utf8")) as Recording;
    const schemas = new Map(recording.schema);
    const table = new SourceTable();
    for (const [id, { numButtons, numAxes }] of recording.schema) table.set({ id, buttons: numButtons, axes: numAxes });
    const sent = createPoseSample();
    const got = createPoseSample();
    const packet = new Uint8Array(POSE_PACKET_BYTES_MAX);
    let bytes = 0;
    let largest = 0;
    let json = 0;
    let worstM = 0;
    for (const frame of recording.frames) {
      fill(sent, frame, schemas);
      const length = encodePosePacket(sent, table, packet);
      if (typeof length !== "number") assert.fail(`${length.field}: ${length.message}`);
      assert.equal(decodePosePacket(packet.subarray(0, length), table, got), undefined);
      assert.deepEqual([got.t, got.seq, got.sourceCount], [sent.t, sent.seq, sent.sourceCount]);
      for (let index = 0; index < sent.sourceCount; index++) {
        const [a, b] = [sent.sources[index] as PoseSource, got.sources[index] as PoseSource];
        assert.deepEqual([b.id, b.hasHand, b.pressed], [a.id, a.hasHand, a.pressed]);
        if (a.hasHand)
          for (let i = 0; i < JOINT_COUNT * 3; i++)
            worstM = Math.max(worstM, Math.abs((a.joints[i] ?? 0) - (b.joints[i] ?? 0)));
      }
      bytes += length;
      largest = Math.max(largest, length);
      json += JSON.stringify(toPoseJson(sent)).length;
    }
    const count = recording.frames.length;
    context.diagnostic(
      `${count} samples: ${Math.round(bytes / count)} bytes a packet (${largest} at most), ${Math.round(json / count)} as WebXR-named JSON (${(json / bytes).toFixed(1)} times), joints off by ${(worstM * 1e6).toFixed(0)} um at most`,
    );
    assert.equal(count, 1_796);
    assert.equal(largest, 441);
    assert.ok(worstM < 1e-4, `${worstM} m`);
    assert.ok(json / bytes > 8);
  },
);
