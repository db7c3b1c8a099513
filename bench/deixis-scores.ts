// G20 of the algorithms reference: which object "that" meant. A simulation on real head traces and real rooms: a steady
// moment of a trace is rotated onto a random object (4 degrees of error per axis); the word starts clip(N(0.4, 0.3), 0, 1.4) s
// later and is stamped with 80 ms of error; the utterance ends 0.4 to 1.2 s after the onset. Seeds 0 to 9.
// Run: node --conditions=@fovea/source bench/deixis-scores.ts [seeds]
import { globSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { DeixisCandidate, DeixisSample } from "@fovea/core";
import { resolveDeixis } from "@fovea/core";
import { SeededRandom } from "@fovea/core/testing";

const DATA = process.env["FOVEA_DATA"] ?? "../shared/data";
const STRUCTURE = new Set(["wall", "floor", "ceiling"]);
type Vec = readonly [number, number, number];

interface Box {
  readonly id: number;
  readonly l: string;
  readonly c: Vec;
  readonly s: Vec;
}

const rooms = Object.values(
  JSON.parse(gunzipSync(readFileSync(`${DATA}/spatial/boxes.json.gz`)).toString("utf8")) as Record<string, Box[]>,
)
  .map((boxes) => boxes.filter((box) => !STRUCTURE.has(box.l)))
  .filter((boxes) => boxes.length >= 4);

/** Head directions, z up as the rooms: x right, y forward. */
function readTrace(file: string): { t: Float64Array; d: Float64Array } {
  const lines = gunzipSync(readFileSync(file)).toString("utf8").trim().split("\n").slice(1);
  const t: number[] = [];
  const d: number[] = [];
  for (const line of lines) {
    const [ms, , , , qx, qy, qz, qw] = line.split(",").map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const size = Math.hypot(qx, qy, qz, qw);
    if (size < 500 || ms <= (t.at(-1) ?? -1)) continue;
    const [x, y, z, w] = [qx / size, qy / size, qz / size, qw / size];
    t.push(ms);
    const fx = -2 * (x * z + w * y);
    const fy = -2 * (y * z - w * x);
    const fz = -(1 - 2 * (x * x + y * y));
    d.push(fx, -fz, fy);
  }
  return { t: Float64Array.from(t), d: Float64Array.from(d) };
}

const traces = globSync("*/user1*.csv.gz", { cwd: `${DATA}/motion/eyenavgs` })
  .sort()
  .map((file) => readTrace(`${DATA}/motion/eyenavgs/${file}`));

function at(trace: { d: Float64Array }, i: number): Vec {
  return [trace.d[i * 3]!, trace.d[i * 3 + 1]!, trace.d[i * 3 + 2]!];
}

function dot(a: Vec, b: Vec): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function angle(a: Vec, b: Vec): number {
  return Math.acos(Math.min(1, Math.max(-1, dot(a, b) / Math.hypot(...a) / Math.hypot(...b))));
}

/** Turn about the vertical, then tilt, so that `from` becomes `to`: the way a head turns. */
function turner(from: Vec, to: Vec): (v: Vec) => Vec {
  const yaw = Math.atan2(to[1], to[0]) - Math.atan2(from[1], from[0]);
  const tilt = Math.asin(to[2] / Math.hypot(...to)) - Math.asin(from[2] / Math.hypot(...from));
  const heading = Math.atan2(to[1], to[0]);
  const axis: Vec = [Math.sin(heading), -Math.cos(heading), 0];
  return (v) => {
    const x = v[0] * Math.cos(yaw) - v[1] * Math.sin(yaw);
    const y = v[0] * Math.sin(yaw) + v[1] * Math.cos(yaw);
    const u: Vec = [x, y, v[2]];
    const c = Math.cos(tilt);
    const s = Math.sin(tilt);
    const k = dot(axis, u) * (1 - c);
    return [
      u[0] * c + (axis[1] * u[2] - axis[2] * u[1]) * s + axis[0] * k,
      u[1] * c + (axis[2] * u[0] - axis[0] * u[2]) * s + axis[1] * k,
      u[2] * c + (axis[0] * u[1] - axis[1] * u[0]) * s + axis[2] * k,
    ];
  };
}

interface Trial {
  readonly candidates: readonly DeixisCandidate[];
  readonly origin: Vec;
  readonly samples: readonly DeixisSample[];
  readonly wordMs: number;
  readonly trueMs: number;
  readonly endMs: number;
  readonly target: DeixisCandidate;
}

function steadyIndex(trace: { t: Float64Array; d: Float64Array }, random: SeededRandom): number {
  for (let attempt = 0; attempt < 400; attempt++) {
    const i = random.integer(trace.t.length);
    const t = trace.t[i]!;
    if (t < 2_000 || t > trace.t.at(-1)! - 3_500) continue;
    let a = i;
    let b = i;
    while (t - trace.t[a]! < 150) a -= 1;
    while (trace.t[b]! - t < 150) b += 1;
    if (trace.t[b]! - trace.t[a]! > 420) continue;
    const speed = (angle(at(trace, a), at(trace, b)) / (trace.t[b]! - trace.t[a]!)) * 1_000;
    if (speed < (10 * Math.PI) / 180) return i;
  }
  return -1;
}

function makeTrial(trace: { t: Float64Array; d: Float64Array }, random: SeededRandom): Trial | undefined {
  const boxes = random.pick(rooms);
  const low = [0, 1].map((axis) => Math.min(...boxes.map((box) => box.c[axis]!)));
  const high = [0, 1].map((axis) => Math.max(...boxes.map((box) => box.c[axis]!)));
  const origin: Vec = [
    low[0]! + (high[0]! - low[0]!) * random.next(),
    low[1]! + (high[1]! - low[1]!) * random.next(),
    1.5,
  ];
  const candidates = boxes.map((box) => ({ id: String(box.id), label: box.l, center: box.c, size: box.s }));
  const near = candidates.filter(({ center }) => {
    const distance = Math.hypot(center[0] - origin[0], center[1] - origin[1], center[2] - origin[2]);
    return distance >= 0.4 && distance <= 5;
  });
  const i = steadyIndex(trace, random);
  if (near.length === 0 || i < 0) return undefined;
  const target = random.pick(near);
  const to: Vec = [target.center[0] - origin[0], target.center[1] - origin[1], target.center[2] - origin[2]];
  const heading =
    Math.atan2(to[1], to[0]) +
    (random.gaussian() * 4 * Math.PI) / 180 / Math.max(0.2, Math.hypot(to[0], to[1]) / Math.hypot(...to));
  const pitch = Math.asin(to[2] / Math.hypot(...to)) + (random.gaussian() * 4 * Math.PI) / 180;
  const aimed: Vec = [Math.cos(pitch) * Math.cos(heading), Math.cos(pitch) * Math.sin(heading), Math.sin(pitch)];
  const turn = turner(at(trace, i), aimed);
  const trueMs = trace.t[i]!;
  const onset = trueMs + 1_000 * Math.min(1.4, Math.max(0, 0.4 + 0.3 * random.gaussian()));
  const wordMs = onset + 80 * random.gaussian();
  const endMs = onset + 400 + 800 * random.next();
  const samples: DeixisSample[] = [];
  for (let j = 0; j < trace.t.length; j++) {
    const tMs = trace.t[j]!;
    if (tMs < trueMs - 2_000) continue;
    if (tMs > endMs) break;
    samples.push({ tMs, direction: turn(at(trace, j)) });
  }
  return { candidates, origin, samples, wordMs, trueMs, endMs, target };
}

const seeds = Number(process.argv[2] ?? 10);
const counts = { trials: 0, bare: 0, labelled: 0, trueBare: 0, trueLabelled: 0 };
const answered: { confidence: number; right: boolean; isAmbiguous: boolean }[] = [];
const bareAnswers: { confidence: number; right: boolean; isAmbiguous: boolean }[] = [];
for (let seed = 0; seed < seeds; seed++) {
  const random = new SeededRandom(seed);
  for (const trace of traces) {
    for (let repeat = 0; repeat < 7; repeat++) {
      const trial = makeTrial(trace, random);
      if (trial === undefined) continue;
      counts.trials += 1;
      const { target, trueMs, endMs: _, ...request } = trial;
      const bare = resolveDeixis(request);
      const labelled = resolveDeixis({ ...request, label: target.label });
      const moment = request.samples.filter((sample) => sample.tMs === trueMs);
      const { wordMs: __, ...still } = request;
      if (resolveDeixis({ ...still, samples: moment }).id === target.id) counts.trueBare += 1;
      if (resolveDeixis({ ...still, samples: moment, label: target.label }).id === target.id) counts.trueLabelled += 1;
      if (bare.id === target.id) counts.bare += 1;
      if (labelled.id === target.id) counts.labelled += 1;
      answered.push({ ...labelled, right: labelled.id === target.id });
      bareAnswers.push({ ...bare, right: bare.id === target.id });
    }
  }
}

const share = (part: number, all: number): string => ((100 * part) / all).toFixed(2);
const right = (list: typeof answered): number => list.filter((answer) => answer.right).length;
console.log(
  `${counts.trials} trials: bare "that" ${share(counts.bare, counts.trials)} %, class word ${share(counts.labelled, counts.trials)} %`,
);
console.log(
  `at the true moment: ${share(counts.trueBare, counts.trials)} %, ${share(counts.trueLabelled, counts.trials)} %`,
);
for (const [name, list] of [
  ["class word", answered],
  ["bare", bareAnswers],
] as const) {
  const sorted = list.toSorted((a, b) => b.confidence - a.confidence).slice(0, Math.floor(list.length * 0.8));
  const certain = list.filter((answer) => !answer.isAmbiguous);
  console.log(
    `${name}: surest 80 % right in ${share(right(sorted), sorted.length)} %; answered without asking ${share(certain.length, list.length)} %, ` +
      `right in ${share(right(certain), certain.length)} %`,
  );
  const bins = [0, 0.3, 0.5, 0.7, 0.9, 1.01];
  const text = bins.slice(0, -1).map((low, i) => {
    const inside = list.filter((answer) => answer.confidence >= low && answer.confidence < bins[i + 1]!);
    const mean = inside.reduce((sum, answer) => sum + answer.confidence, 0) / Math.max(1, inside.length);
    return `${mean.toFixed(2)}:${(right(inside) / Math.max(1, inside.length)).toFixed(2)} (${inside.length})`;
  });
  console.log(`  said:was right ${text.join(" ")}`);
}
