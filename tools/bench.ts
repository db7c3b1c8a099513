// `npm run bench -- <name> [options]`: a larger comparison (bench/<name>/main.ts or bench/<name>.ts), or all micro
// benches whose path holds the name. Without a name it lists what there is.
import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { join } from "node:path";
import type { MicroBench } from "../bench/micro-bench.ts";
import { measureMicro } from "../bench/micro-bench.ts";

const ROOT = join(import.meta.dirname, "..");
const MICRO = "bench/micro/**/*.bench.ts";
const micro = globSync(MICRO, { cwd: ROOT }).sort();
const [name, ...options] = process.argv.slice(2);

if (name === undefined) {
  const larger = [
    ...globSync("bench/*/main.ts", { cwd: ROOT }),
    ...globSync("bench/*.ts", { cwd: ROOT, exclude: ["bench/micro-bench.ts"] }),
  ];
  console.log(
    `comparisons: ${larger
      .map((path) => path.replace(/^bench\/|\/main\.ts$|\.ts$/g, ""))
      .sort()
      .join(", ")}`,
  );
  console.log(`micro:       ${micro.map((path) => path.replace(/^bench\/micro\/|\.bench\.ts$/g, "")).join(", ")}`);
} else {
  const larger = [`bench/${name}/main.ts`, `bench/${name}.ts`].find((path) => existsSync(join(ROOT, path)));
  const wanted = micro.filter((path) => name === "micro" || path.replace("bench/micro/", "").includes(name));
  if (larger !== undefined) {
    const flags = ["--conditions=@fovea/source", "--expose-gc"];
    process.exitCode =
      spawnSync(process.execPath, [...flags, join(ROOT, larger), ...options], { stdio: "inherit" }).status ?? 1;
  } else if (wanted.length > 0) await runMicro(wanted);
  else {
    console.log(`there is no bench ${name}`);
    process.exitCode = 2;
  }
}

async function runMicro(paths: readonly string[]): Promise<void> {
  console.log("bench                                     size   median µs      best     worst   bytes/run");
  for (const path of paths) {
    for (const size of [1, 10]) {
      const bench = (await import(join(ROOT, path))) as MicroBench;
      const { medianMicros, bestMicros, worstMicros, bytesPerRun } = await measureMicro(bench, size);
      const title = path.replace(/^bench\/micro\/|\.bench\.ts$/g, "");
      const numbers = [medianMicros, bestMicros, worstMicros].map((micros) => micros.toFixed(2).padStart(9)).join(" ");
      console.log(
        `${title.padEnd(40)} ${String(size).padStart(5)}   ${numbers} ${String(Math.round(bytesPerRun)).padStart(11)}`,
      );
    }
  }
}
