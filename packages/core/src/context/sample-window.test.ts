// Rules SW1..SW8 of docs/spec/context.md.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../testing/seeded-random.ts";
import type { Quat } from "../geometry/quat.ts";
import { angleTo, fromAxisAngle, fromYaw, slerp } from "../geometry/quat.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import { PoseTrack } from "./pose-track.ts";
import { SampleWindow } from "./sample-window.ts";

const pose = (x: number, q: Quat = [0, 0, 0, 1]): Float32Array => Float32Array.of(x, 1.6, 0, ...q);

/** x at the instant, `-` where nothing is known. */
function read(track: PoseTrack, ...times: readonly number[]): string {
  const into = new Float64Array(7);
  return times.map((atMs) => (track.sampleAt(atMs, into) ? (into[0] as number).toFixed(3) : "-")).join(" ");
}

test("[SW1] between two samples the pose is interpolated, at a sample it is the sample", () => {
  const track = new PoseTrack(10_000, 64);
  track.push(0, pose(0));
  track.push(100, pose(1, fromYaw(0.4)));
  assert.equal(read(track, 0, 25, 100), "0.000 0.250 1.000");
  const into = new Float64Array(7);
  track.sampleAt(50, into);
  const got: Quat = [into[3]!, into[4]!, into[5]!, into[6]!];
  assert.ok(angleTo(got, slerp(fromYaw(0), fromYaw(0.4), 0.5)) < 1e-3);
});

test("[SW2] outside the samples the nearest end holds for a quarter of a second, then nothing is known", () => {
  const track = new PoseTrack(10_000, 64);
  assert.equal(read(track, 0), "-");
  track.push(1_000, pose(1));
  track.push(1_100, pose(2));
  assert.equal(read(track, 740, 760, 1_340, 1_360), "- 1.000 2.000 -");
});

test("[SW3] ten seconds stay known at any rate, in bounded memory", () => {
  for (const rateHz of [10, 30, 72, 90, 120]) {
    const window = new SampleWindow();
    for (let i = 0; i < 30 * rateHz; i++) window.viewer.push((i * 1_000) / rateHz, pose(i / rateHz));
    const lastMs = ((30 * rateHz - 1) * 1_000) / rateHz;
    assert.equal(window.viewer.newestMs, lastMs);
    assert.ok(lastMs - window.viewer.oldestMs >= 10_000, `${rateHz} Hz keeps ${lastMs - window.viewer.oldestMs} ms`);
    assert.ok(window.viewer.count <= 362);
    const into = new Float64Array(7);
    for (let backMs = 0; backMs < 10_000; backMs += 317) {
      assert.ok(window.viewer.sampleAt(lastMs - backMs, into));
      assert.ok(Math.abs((into[0] as number) - (lastMs - backMs) / 1_000) < 1e-3);
    }
  }
});

test("[SW4] nothing is interpolated across a jump or a long gap", () => {
  const track = new PoseTrack(10_000, 64);
  track.push(0, pose(0));
  track.cut();
  track.push(100, pose(10));
  assert.equal(read(track, 40, 60), "0.000 10.000");
  track.push(1_000, pose(20));
  assert.equal(read(track, 200, 500, 900), "10.000 - 20.000");
});

test("[SW5] velocity is that of the motion, and zero after a jump", () => {
  const random = new SeededRandom(5);
  for (let round = 0; round < 20; round++) {
    const axis: Vec3 = [0, 1, 0];
    const rate = (random.next() - 0.5) * 4;
    const speed = random.next() * 3;
    const track = new PoseTrack(10_000, 64);
    for (let i = 0; i < 10; i++)
      track.push(i * 11.1, pose((speed * i * 11.1) / 1_000, fromAxisAngle(axis, (rate * i * 11.1) / 1_000)));
    const [linear, angular] = [new Float64Array(3), new Float64Array(3)];
    track.velocityInto(linear, angular);
    assert.ok(Math.abs(linear[0]! - speed) < 1e-3 && Math.abs(angular[1]! - rate) < 1e-3, `${linear} ${angular}`);
    track.cut();
    track.push(200, pose(9));
    track.velocityInto(linear, angular);
    assert.deepEqual([...linear, ...angular], [0, 0, 0, 0, 0, 0]);
  }
});

test("[SW6] a position that is real again, and a viewer found again, have jumped", () => {
  const jumps = (states: readonly [emulated: boolean, lost: boolean][]): boolean => {
    const window = new SampleWindow();
    states.forEach(([emulated, lost], i) => {
      window.noteTracking(emulated, lost);
      window.viewer.push(i * 100, pose(i * 5));
    });
    return read(window.viewer, (states.length - 2) * 100 + 40) === `${((states.length - 2) * 5).toFixed(3)}`;
  };
  assert.equal(
    jumps([
      [false, false],
      [false, false],
    ]),
    false,
  );
  assert.equal(
    jumps([
      [true, false],
      [false, false],
    ]),
    true,
  );
  assert.equal(
    jumps([
      [false, true],
      [false, false],
    ]),
    true,
  );
  assert.equal(
    jumps([
      [false, false],
      [true, false],
    ]),
    false,
  );
});

test("[SW7] a sample that is not newer is dropped", () => {
  const track = new PoseTrack(10_000, 64);
  assert.deepEqual([track.push(100, pose(1)), track.push(100, pose(2)), track.push(90, pose(3))], [true, false, false]);
  assert.equal(read(track, 100), "1.000");
});

test("[SW8] only so many things are followed; a removed source is forgotten", () => {
  const window = new SampleWindow({ windowMs: 1_000, samplesMax: 8, tracksMax: 3 });
  const opened = [1, 2, 3, 4].map((id) => window.ray(id) !== undefined);
  assert.deepEqual(opened, [true, true, true, false]);
  window.forget(2);
  assert.equal(window.find(2), undefined);
});
