// Audio to haptics against authored clips: correlation of the amplitude envelopes on a 10 ms grid, for our envelope and for
// a plain root mean square of 10 ms. Run: node --conditions=@fovea/source bench/haptic-scores.ts
import { globSync, readFileSync } from "node:fs";
import { amplitudeAt, composeFromAudio, parseHapticClip } from "@fovea/core";
import { readWav } from "./data/wav.ts";

const DATA = `${process.env["FOVEA_DATA"] ?? "../shared/data"}/xr/haptics`;

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    ab += (value - ma) * (b[i]! - mb);
    aa += (value - ma) ** 2;
    bb += (b[i]! - mb) ** 2;
  });
  return ab / Math.sqrt(aa * bb);
}

const rows = globSync("wav/**/*.wav", { cwd: DATA })
  .sort()
  .map((file) => {
    const { samples, sampleRateHz } = readWav(readFileSync(`${DATA}/${file}`));
    const authored = parseHapticClip(readFileSync(`${DATA}/clips/${file.slice(4, -4)}.haptic`, "utf8"));
    const composed = composeFromAudio(samples, sampleRateHz);
    const perStep = Math.round(sampleRateHz / 100);
    const steps = Math.floor(samples.length / perStep);
    const times = Array.from({ length: steps }, (_, i) => (i + 0.5) / 100);
    const plain = times.map((_, i) => {
      const part = samples.subarray(i * perStep, (i + 1) * perStep);
      return Math.sqrt(part.reduce((sum, value) => sum + value * value, 0) / perStep);
    });
    const truth = times.map((time) => amplitudeAt(authored, time));
    return {
      file,
      own: correlation(
        times.map((time) => amplitudeAt(composed, time)),
        truth,
      ),
      plain: correlation(plain, truth),
      points: composed.signals.continuous.envelopes.amplitude.length,
    };
  });

for (const row of rows) {
  console.log(
    `${row.file.padEnd(36)} own ${row.own.toFixed(3)} plain ${row.plain.toFixed(3)} (${row.points} breakpoints)`,
  );
}
const median = (list: readonly number[]): number => {
  const sorted = list.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
};
console.log(
  `median of ${rows.length}: own ${median(rows.map((row) => row.own)).toFixed(3)}, plain ${median(rows.map((row) => row.plain)).toFixed(3)}`,
);
