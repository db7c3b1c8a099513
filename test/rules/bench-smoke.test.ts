// Benches are tests: each runs once at the smallest size, so that none rots.
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { MicroBench } from "../../bench/micro-bench.ts";

const ROOT = join(import.meta.dirname, "../..");
const paths = globSync("bench/micro/**/*.bench.ts", { cwd: ROOT }).sort();

test("there are micro benches", () => assert.ok(paths.length > 0));

for (const path of paths)
  test(`${path} runs at the smallest size`, async () => {
    const bench = (await import(join(ROOT, path))) as MicroBench;
    assert.equal(typeof bench.setup, "function");
    await bench.setup(1);
    await bench.run();
  });
