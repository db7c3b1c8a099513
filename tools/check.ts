// `npm run check`: types, lint, format, then the structural tests (architecture, specification map, rule coverage).
// Every step runs even when an earlier one failed, so that one run shows everything.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

const projects = ["protocol", "core", "gateway", "client"]
  .map((name) => `packages/${name}/tsconfig.json`)
  .concat(["apps/demo/tsconfig.json", "apps/dashboard/tsconfig.json", "tsconfig.tests.json"])
  .filter((path) => existsSync(path) && hasSources(path));

const steps: [title: string, command: string, args: string[]][] = [
  ...projects.map((path): [string, string, string[]] => [`types ${path}`, "tsc", ["--noEmit", "-p", path]]),
  ["lint", "oxlint", ["--type-aware", "--quiet"]],
  ["format", "oxfmt", ["--check", "."]],
  [
    "structure",
    process.execPath,
    ["--conditions=@fovea/source", "--test", "--test-reporter=dot", "test/structure/*.test.ts"],
  ],
];

/** Some folders of the tree are still empty: the compiler would call that an error. */
function hasSources(path: string): boolean {
  const folder = path.replace(/tsconfig\.json$/, "src");
  return folder === path || (existsSync(folder) && readdirSync(folder).length > 0);
}

// `npm test` runs the structural tests among its suites.
if (process.argv.includes("--without-structure")) steps.pop();

let failures = 0;
for (const [title, command, args] of steps) {
  const started = performance.now();
  const result = spawnSync(command, args, { encoding: "utf8" });
  const ok = result.status === 0;
  if (!ok) failures++;
  console.log(`${ok ? "ok  " : "FAIL"} ${title} (${Math.round(performance.now() - started)} ms)`);
  if (!ok) console.log(`${result.stdout ?? ""}${result.stderr ?? ""}`.split("\n").slice(0, 80).join("\n"));
}
process.exitCode = failures === 0 ? 0 : 1;
