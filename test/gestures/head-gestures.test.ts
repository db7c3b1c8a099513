// Rules GE14, GE15 of docs/spec/gestures.md. A path is [pitch, yaw] in radians over milliseconds, sampled at 72 Hz with
// 0.1 degree of noise; `play` writes starts and ends.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import test from "node:test";
import { gunzipSync } from "node:zlib";
import { handJoints, SeededRandom } from "@fovea/core/testing";
import { HandGestures, HeadGestures } from "@fovea/protocol/gestures";
import type { Quat } from "../../packages/core/src/geometry/quat.ts";
import { fromAxisAngle, fromYaw, multiply, rotate } from "../../packages/core/src/geometry/quat.ts";

function play(path: (tMs: number) => readonly [pitchRad: number, yawRad: number], durationMs = 3_000): string {
  const gestures = new HeadGestures();
  const random = new SeededRandom(3);
  const words: string[] = [];
  for (let tMs = 0; tMs < durationMs; tMs += 1_000 / 72) {
    const [pitch, yaw] = path(tMs);
    const noise = (): number => random.gaussian() * 0.0017;
    const q = multiply(fromYaw(yaw + noise()), fromAxisAngle([1, 0, 0], pitch + noise()));
    for (const event of gestures.fold([0, 0, 0, ...q], tMs)) {
      words.push(`${event.name}${event.phase === "start" ? "+" : "-"}`);
      assert.ok(event.confidence > 0.5 && event.confidence <= 1 && event.sinceMs <= event.tMs);
    }
  }
  return words.join(" ");
}

const between = (tMs: number, fromMs: number, toMs: number): boolean => tMs >= fromMs && tMs < toMs;
const wave = (tMs: number, hz: number): number => Math.sin(((tMs - 1_000) / 1_000) * 2 * Math.PI * hz);

test("[GE14] a nod and a shake, and nothing for other movements", () => {
  for (const yaw of [0, 3.1, -2]) {
    for (const hz of [1.5, 2.5]) {
      const nod = play((tMs) => [between(tMs, 1_000, 2_200) ? 0.16 * wave(tMs, hz) : 0, yaw]);
      assert.equal(nod, "nod+ nod-", `yaw ${yaw} at ${hz} Hz`);
      const shake = play((tMs) => [-0.2, yaw + (between(tMs, 1_000, 2_200) ? 0.25 * wave(tMs, hz) : 0)]);
      assert.equal(shake, "shake+ shake-", `yaw ${yaw} at ${hz} Hz`);
    }
  }
  assert.equal(
    play((tMs) => [between(tMs, 1_000, 1_500) ? -0.3 * Math.sin(((tMs - 1_000) / 500) * Math.PI) : 0, 0]),
    "",
  );
  assert.equal(
    play((tMs) => [0, 0.6 * wave(tMs, 0.4)], 8_000),
    "",
  );
  assert.equal(
    play((tMs) => [0.15 * wave(tMs, 1.5), 0.15 * Math.cos(((tMs - 1_000) / 1_000) * 3 * Math.PI)], 5_000),
    "",
  );
  assert.equal(
    play((tMs) => [0.02 * wave(tMs, 2), 0.02 * wave(tMs, 3)], 5_000),
    "",
  );
});

const DATA = process.env["FOVEA_DATA"] ?? "../shared/data";
const skip = existsSync(`${DATA}/xr/vive`) ? false : "FOVEA_DATA absent";

function unzip(path: string): string {
  return gunzipSync(readFileSync(`${DATA}/${path}`)).toString("utf8");
}

/** Head orientations of the recordings: milliseconds, quaternion. */
function heads(): readonly (readonly [tMs: number, q: Quat])[][] {
  const traces: (readonly [number, Quat])[][] = [];
  const quest = JSON.parse(unzip("xr/quest3-session.json.gz")) as { frames: number[][] };
  traces.push(quest.frames.map((row) => [row[0] as number, row.slice(4, 8) as unknown as Quat]));
  for (const file of globSync("*.json.gz", { cwd: `${DATA}/xr/vive` }).sort()) {
    const session = JSON.parse(unzip(`xr/vive/${file}`)) as {
      camera: { poses: { rotation: { x: number; y: number; z: number }; timestamp: number }[] };
    };
    traces.push(
      session.camera.poses.map(({ rotation, timestamp }) => {
        const radians = (degrees: number): number => (degrees / 180) * Math.PI;
        const yawPitch = multiply(fromYaw(radians(rotation.y)), fromAxisAngle([1, 0, 0], radians(rotation.x)));
        return [timestamp, multiply(yawPitch, fromAxisAngle([0, 0, 1], radians(rotation.z)))];
      }),
    );
  }
  return traces;
}

test("[GE15] recorded heads give no false gesture", { skip }, () => {
  let minutes = 0;
  const found: string[] = [];
  for (const trace of heads()) {
    const gestures = new HeadGestures();
    minutes += ((trace.at(-1)?.[0] ?? 0) - (trace[0]?.[0] ?? 0)) / 60_000;
    for (const [tMs, q] of trace) {
      for (const event of gestures.fold([0, 0, 0, ...q], tMs)) {
        if (event.phase === "start") found.push(`${event.name} at ${Math.round(tMs)}`);
      }
    }
  }
  assert.ok(found.length <= minutes / 3, `${found.join(", ")} in ${minutes.toFixed(2)} min`);
});

test("[GE15] an open hand carried along the recorded controllers gives no pose", { skip }, () => {
  for (const file of globSync("*.json.gz", { cwd: `${DATA}/xr/vive` }).sort()) {
    const session = JSON.parse(unzip(`xr/vive/${file}`)) as Record<
      string,
      { poses: { position: { x: number; y: number; z: number }; timestamp: number }[] } | undefined
    >;
    for (const side of ["left", "right"] as const) {
      const gestures = new HandGestures();
      for (const { position, timestamp } of session[side]?.poses ?? []) {
        const at = [position.x, position.y, position.z] as const;
        const joints = handJoints({ curl: [0.1, 0.12, 0.13, 0.14, 0.15], isLeft: side === "left", position: at });
        const poses = gestures.fold(joints, timestamp, side).filter((event) => !/swipe|push|circle/.test(event.name));
        assert.deepEqual(poses, [], `${file} ${side}`);
      }
    }
  }
});

test(
  "[GE15] the recorded Quest 3 hands point where they point and nothing else starts but open palms",
  { skip },
  () => {
    const quest = JSON.parse(unzip("xr/quest3-session.json.gz")) as {
      schema: [number, { handedness: "left" | "right"; hasHand?: boolean }][];
      frames: (number | (number | number[])[])[][];
    };
    const schema = new Map(quest.schema);
    const gestures = new HandGestures();
    const words: string[] = [];
    for (const row of quest.frames) {
      const tMs = row[0] as unknown as number;
      for (const input of row.slice(8) as unknown as (number | number[])[][]) {
        const source = schema.get(input[0] as unknown as number);
        if (source?.hasHand !== true) continue;
        const q = input.slice(4, 8) as unknown as Quat;
        const local = input[9] as unknown as number[];
        const joints = new Float32Array(75);
        for (let joint = 0; joint < 25; joint++) {
          const turned = rotate(q, [local[joint * 8] ?? 0, local[joint * 8 + 1] ?? 0, local[joint * 8 + 2] ?? 0]);
          for (let axis = 0; axis < 3; axis++) {
            joints[joint * 3 + axis] = (turned[axis] as number) + (input[1 + axis] as unknown as number);
          }
        }
        for (const event of gestures.fold(joints, tMs, source.handedness)) {
          if (event.phase === "start") words.push(`${event.handedness} ${event.name}`);
        }
      }
    }
    const others = words.filter((word) => !/point|open-palm/.test(word));
    assert.deepEqual(others, []);
    assert.ok(words.includes("right point") && words.includes("left point"), words.join(", "));
  },
);
