// `npm test`: all suites, then one line `N passed, N failed, N skipped`.
//   node tools/test.ts [filter ...]   runs only the files whose path contains one of the filters.
// Rule and contract suites share one process (they hold no state and take their time from a fake clock);
// suites under test/ that start servers, browsers or child processes get a process each.
import { spawn, spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tally } from "./tally-reporter.ts";

const filters = process.argv.slice(2);
const wanted = (file: string): boolean => filters.length === 0 || filters.some((filter) => file.includes(filter));
const shared = globSync([
  "packages/*/src/**/*.test.ts",
  "packages/core/testing/**/*.test.ts",
  "packages/gateway/emulator/**/*.test.ts",
  "test/rules/**/*.test.ts",
])
  .filter(wanted)
  .sort();
const isolated = globSync(["test/**/*.test.ts"])
  .filter((file) => !file.startsWith("test/rules/") && wanted(file))
  .sort();
const scratch = mkdtempSync(join(tmpdir(), "fovea-test-"));
const total: Tally = { passed: 0, failed: 0, skipped: 0, slowest: [], skips: [] };

async function runSuites(name: string, files: string[], flags: string[]): Promise<void> {
  if (files.length === 0) return;
  const out = join(scratch, `${name}.json`);
  const reporter = join(import.meta.dirname, "tally-reporter.ts");
  const args = [
    "--conditions=@fovea/source",
    "--test",
    ...flags,
    `--test-reporter=${reporter}`,
    "--test-reporter-destination=stdout",
    ...files,
  ];
  const child = spawn(process.execPath, args, { stdio: "inherit", env: { ...process.env, FOVEA_TALLY: out } });
  const code = await new Promise<number>((resolve) => child.on("exit", (status) => resolve(status ?? 1)));
  add(out, code, name);
}

function add(out: string, code: number, name: string): void {
  let tally: Tally | undefined;
  try {
    tally = JSON.parse(readFileSync(out, "utf8")) as Tally;
  } catch {
    console.log(`suite ${name} ended with code ${code} before it could report`);
    total.failed++;
    return;
  }
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped += tally.skipped;
  total.slowest.push(...tally.slowest);
  total.skips.push(...tally.skips);
  if (code !== 0 && tally.failed === 0) total.failed++;
}

if (filters.length === 0) {
  const check = spawnSync(
    process.execPath,
    ["--conditions=@fovea/source", join(import.meta.dirname, "check.ts"), "--without-structure"],
    {
      stdio: "inherit",
    },
  );
  if (check.status === 0) total.passed++;
  else total.failed++;
}
await runSuites("shared", shared, ["--test-isolation=none", "--test-timeout=120000"]);
await runSuites("isolated", isolated, ["--test-concurrency=1", "--test-timeout=300000", "--test-force-exit"]);
rmSync(scratch, { recursive: true, force: true });

for (const skip of total.skips) console.log(`skipped: ${skip}`);
console.log("slowest:");
for (const [title, ms] of total.slowest.sort((a, b) => b[1] - a[1]).slice(0, 5))
  console.log(`  ${Math.round(ms)} ms  ${title}`);
if (process.env["FOVEA_REQUIRE_SERVICES"] === "1" && total.skipped > 0) {
  console.log("FOVEA_REQUIRE_SERVICES=1 allows no skipped suite");
  total.failed++;
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;
