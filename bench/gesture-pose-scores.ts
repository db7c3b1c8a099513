// G6 of the algorithms reference: static WebXR poses. Templates are the 55 handy left hands; the test is the same poses
// mirrored to the right, turned at random, scaled 0.85 to 1.15, with joint noise. A check of joint order and alignment,
// not a claim about people. Run: node --conditions=@fovea/source bench/gesture-pose-scores.ts
import { globSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { PoseTemplates } from "@fovea/core";
import { SeededRandom } from "@fovea/core/testing";

const DATA = process.env["FOVEA_DATA"] ?? "../shared/data";

interface Handy {
  readonly names: readonly string[];
  readonly jointPositions: readonly (readonly number[])[];
}

const handy = JSON.parse(gunzipSync(readFileSync(`${DATA}/gestures/handy/left.json.gz`)).toString("utf8")) as Handy[];
const shapes = handy.map((pose) => Float64Array.from(pose.jointPositions.flat(), (mm) => mm / 1_000));

function shareRight(noiseM: number, rounds: number): number {
  const templates = new PoseTemplates();
  shapes.forEach((shape, index) => templates.add(String(index), shape, "left"));
  const random = new SeededRandom(6);
  let right = 0;
  for (let round = 0; round < rounds; round++) {
    shapes.forEach((shape, index) => {
      const scale = 0.85 + 0.3 * random.next();
      const mirrored = shape.map((value, i) => (i % 3 === 0 ? -value : value) * scale);
      const turned = turn(mirrored, random);
      const noisy = turned.map((value) => value + random.gaussian() * noiseM);
      if (templates.match(noisy, "right")?.name === String(index)) right += 1;
    });
  }
  return (100 * right) / (rounds * shapes.length);
}

function turn(joints: Float64Array, random: SeededRandom): Float64Array {
  const q = [random.gaussian(), random.gaussian(), random.gaussian(), random.gaussian()] as const;
  const size = Math.hypot(...q);
  const [x, y, z, w] = q.map((value) => value / size) as [number, number, number, number];
  return joints.map((_, i) => {
    const first = i - (i % 3);
    const [vx, vy, vz] = [joints[first]!, joints[first + 1]!, joints[first + 2]!];
    const t = [2 * (y * vz - z * vy), 2 * (z * vx - x * vz), 2 * (x * vy - y * vx)] as const;
    const out = [
      vx + w * t[0] + y * t[2] - z * t[1],
      vy + w * t[1] + z * t[0] - x * t[2],
      vz + w * t[2] + x * t[1] - y * t[0],
    ];
    return out[i % 3]!;
  });
}

for (const noiseMm of [2, 3, 5]) {
  console.log(`joint noise ${noiseMm} mm: ${shareRight(noiseMm / 1_000, 40).toFixed(2)} % of 55 poses`);
}

const across = new PoseTemplates();
const tests: { name: string; joints: Float64Array }[] = [];
for (const file of globSync("*.handpose", { cwd: `${DATA}/xr/handposes/handy-work` }).sort()) {
  const bytes = readFileSync(`${DATA}/xr/handposes/handy-work/${file}`);
  const floats = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const joints = (from: number): Float64Array =>
    Float64Array.from({ length: 75 }, (_, i) => floats[from + Math.floor(i / 3) * 16 + 12 + (i % 3)]!);
  const name = file.replace(".handpose", "");
  across.add(name, joints(1), "left");
  tests.push({ name, joints: joints(401) });
}
const found = tests.map((pose) => `${pose.name}:${across.match(pose.joints, "right")?.name}`);
const right = tests.filter((pose) => across.match(pose.joints, "right")?.name === pose.name).length;
console.log(`across hands: ${right} of ${tests.length} (${found.join(" ")})`);
