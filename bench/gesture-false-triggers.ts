// How often a gesture is told of people who perform none: heads of hours of recordings (EyeNavGS, HoloLens, NJIT, Vive, Quest 3,
// Beat Saber), and hands that rest (handy-work's relaxed and flat hands and IWER's relaxed one, 2 mm of joint noise, held at
// many headings; and the relaxed hand carried along the recorded Vive controllers). Nobody checked that these people never
// nodded: the figures are upper bounds. Beat Saber's hands play and are left out.
// Run: node --conditions=@fovea/source bench/gesture-false-triggers.ts
import { globSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { GestureEvent } from "@fovea/core";
import { HandGestures, HeadGestures } from "@fovea/core";
import { SeededRandom } from "@fovea/core/testing";
import type { Quat } from "../packages/core/src/geometry/quat.ts";
import { fromAxisAngle, fromYaw, multiply, normalizeQuat, rotate } from "../packages/core/src/geometry/quat.ts";

const DATA = process.env["FOVEA_DATA"] ?? "../shared/data";

type Track = readonly (readonly [tMs: number, position: readonly number[], q: Quat])[];

function unzip(path: string): string {
  return gunzipSync(readFileSync(path)).toString("utf8");
}

function rows(path: string): number[][] {
  const lines = unzip(path).trim().split("\n").slice(1);
  return lines.map((line) => line.split(",").map(Number));
}

/** Quaternions of unit length, times that increase; what was not tracked is left out. */
function trackOf(list: readonly (readonly [number, readonly number[], readonly number[]])[]): Track {
  const out: (readonly [number, readonly number[], Quat])[] = [];
  for (const [tMs, position, q] of list) {
    if (tMs <= (out.at(-1)?.[0] ?? -Infinity) || !(Math.hypot(...q) > 0)) continue;
    out.push([tMs, position, normalizeQuat(q as unknown as Quat)]);
  }
  return out;
}

function euler(yawDeg: number, pitchDeg: number, rollDeg: number): Quat {
  const radians = (degrees: number): number => (degrees / 180) * Math.PI;
  const yawPitch = multiply(fromYaw(radians(yawDeg)), fromAxisAngle([1, 0, 0], radians(pitchDeg)));
  return multiply(yawPitch, fromAxisAngle([0, 0, 1], radians(rollDeg)));
}

interface ViveSession {
  readonly [part: string]: {
    readonly poses: readonly {
      readonly position: { readonly x: number; readonly y: number; readonly z: number };
      readonly rotation: { readonly x: number; readonly y: number; readonly z: number };
      readonly timestamp: number;
    }[];
  };
}

function vive(part: string): Track[] {
  return globSync(`${DATA}/xr/vive/*.json.gz`)
    .sort()
    .map((path) => {
      const session = JSON.parse(unzip(path)) as ViveSession;
      return trackOf(
        session[part]!.poses.map(({ position: p, rotation: r, timestamp }) => {
          return [timestamp, [p.x, p.y, p.z], euler(r.y, r.x, r.z)];
        }),
      );
    });
}

const HEADS: Readonly<Record<string, () => Track[]>> = {
  EyeNavGS: () =>
    globSync(`${DATA}/motion/eyenavgs/*/*.csv.gz`)
      .sort()
      .map((path) => trackOf(rows(path).map((row) => [row[0]!, row.slice(1, 4), row.slice(4, 8)]))),
  HoloLens: () =>
    globSync(`${DATA}/motion/pred6dof/*.csv.gz`)
      .sort()
      .map((path) => {
        const lines = unzip(path)
          .trim()
          .split("\n")
          .slice(1)
          .map((line) => line.split(","));
        const first = BigInt(lines[0]![0]!);
        return trackOf(
          lines.map((cells) => [
            Number(BigInt(cells[0]!) - first) / 1e4,
            cells.slice(1, 4).map(Number),
            cells.slice(4, 8).map(Number),
          ]),
        );
      }),
  NJIT: () =>
    globSync(`${DATA}/motion/njit_museum/*.csv.gz`)
      .sort()
      .map((path) => trackOf(rows(path).map((row, i) => [i * 16, row.slice(0, 3), euler(row[3]!, row[4]!, row[5]!)]))),
  Vive: () => vive("camera"),
  "Quest 3": () => {
    const quest = JSON.parse(unzip(`${DATA}/xr/quest3-session.json.gz`)) as { frames: number[][] };
    return [trackOf(quest.frames.map((row) => [row[0]!, row.slice(1, 4), row.slice(4, 8)]))];
  },
  "Beat Saber": () => [
    trackOf(
      rows(`${DATA}/motion/beatsaber_hands/rec1.csv.gz`).map((row) => [row[0]! / 10, row.slice(1, 4), row.slice(4, 8)]),
    ),
  ],
};

function count(events: readonly GestureEvent[], into: Map<string, number>): void {
  for (const { name, phase } of events) if (phase === "start") into.set(name, (into.get(name) ?? 0) + 1);
}

function report(what: string, minutes: number, found: ReadonlyMap<string, number>): void {
  const names = [...found].map(([name, times]) => `${name} ${times}`).join(", ") || "none";
  const total = [...found.values()].reduce((sum, times) => sum + times, 0);
  console.log(`${what}: ${names} in ${minutes.toFixed(1)} min, ${(total / minutes).toFixed(3)} a minute`);
}

for (const [name, load] of Object.entries(HEADS)) {
  const found = new Map<string, number>();
  let minutes = 0;
  for (const track of load()) {
    const gestures = new HeadGestures();
    minutes += (track.at(-1)![0] - track[0]![0]) / 60_000;
    for (const [tMs, position, q] of track) count(gestures.fold([...position, ...q], tMs), found);
  }
  report(`${name} heads`, minutes, found);
}

/** 25 positions relative to the wrist, of a right hand. */
function restingHands(): Record<string, Float32Array> {
  const hands: Record<string, Float32Array> = {};
  for (const name of ["relax", "flat"]) {
    const bytes = readFileSync(`${DATA}/xr/handposes/handy-work/${name}.handpose`);
    const floats = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    hands[name] = Float32Array.from({ length: 75 }, (_, i) => floats[401 + Math.floor(i / 3) * 16 + 12 + (i % 3)]!);
  }
  const { jointTransforms } = JSON.parse(readFileSync(`${DATA}/xr/handposes/iwer/relaxed.json`, "utf8")) as {
    jointTransforms: Record<string, { offsetMatrix: Record<string, number> }>;
  };
  const matrices = Object.values(jointTransforms).map(({ offsetMatrix }) => offsetMatrix);
  hands["relaxed (IWER)"] = Float32Array.from(
    { length: 75 },
    (_, i) => matrices[Math.floor(i / 3)]![String(12 + (i % 3))]! - matrices[0]![String(12 + (i % 3))]!,
  );
  return hands;
}

function placed(hand: Float32Array, position: readonly number[], q: Quat, random: SeededRandom): Float32Array {
  const out = new Float32Array(75);
  for (let i = 0; i < 75; i += 3) {
    const turned = rotate(q, [hand[i]!, hand[i + 1]!, hand[i + 2]!]);
    for (let axis = 0; axis < 3; axis++) out[i + axis] = turned[axis]! + position[axis]! + 0.002 * random.gaussian();
  }
  return out;
}

const random = new SeededRandom(11);
for (const [name, hand] of Object.entries(restingHands())) {
  const still = new Map<string, number>();
  for (let heading = 0; heading < 12; heading++) {
    const gestures = new HandGestures();
    const q = multiply(fromYaw((heading * Math.PI) / 6), fromAxisAngle([1, 0, 0], (heading % 5) * 0.12 - 0.24));
    for (let tMs = 0; tMs < 30_000; tMs += 14)
      count(gestures.fold(placed(hand, [0.2, 1, -0.3], q, random), tMs, "right"), still);
  }
  report(`${name} hand, held`, 6, still);
  const carried = new Map<string, number>();
  let minutes = 0;
  for (const track of [...vive("right"), ...vive("left")]) {
    const gestures = new HandGestures();
    minutes += (track.at(-1)![0] - track[0]![0]) / 60_000;
    for (const [tMs, position, q] of track)
      count(gestures.fold(placed(hand, position, q, random), tMs, "right"), carried);
  }
  report(`${name} hand, carried along the Vive controllers`, minutes, carried);
}
