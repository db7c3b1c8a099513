// `npm start`: builds the pages when their sources changed, then runs the gateway in this process.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processTerminal } from "../packages/gateway/src/cli/process-terminal.ts";
import { runCommandLine } from "../packages/gateway/src/cli/command-line.ts";

const ROOT = join(import.meta.dirname, "..");
const CACHE = join(ROOT, "node_modules/.cache/fovea");
/** Each page with the packages whose sources it bundles. */
const PAGES: Readonly<Record<string, readonly string[]>> = {
  demo: ["packages/client/src", "packages/protocol/src"],
  dashboard: [],
};

for (const [name, packages] of Object.entries(PAGES)) buildPage(name, packages);

// People read what `npm start` prints; a service manager that wants JSON says so.
process.env["FOVEA_LOG_FORMAT"] ??= "readable";
stopWithNpm();
const args = process.argv.slice(2);
process.exit(await runCommandLine(["start", ...args], processTerminal()));

/** npm passes a signal on to its shell only, and the shell dies without a word: a gateway left behind would keep the port. */
function stopWithNpm(): void {
  if (process.env["npm_lifecycle_event"] !== "start") return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGTERM");
  }, 250);
  timer.unref();
}

function buildPage(name: string, packages: readonly string[]): void {
  const folder = join(ROOT, "apps", name);
  if (!existsSync(join(folder, "index.html"))) return;
  const fingerprint = fingerprintOf([`apps/${name}`, ...packages]);
  const mark = join(CACHE, `${name}.sha256`);
  const isFresh =
    existsSync(join(folder, "dist/index.html")) && existsSync(mark) && readFileSync(mark, "utf8") === fingerprint;
  if (isFresh) return;
  console.log(`building the ${name} page`);
  const vite = join(ROOT, "node_modules/vite/bin/vite.js");
  const result = spawnSync(process.execPath, [vite, "build", "--logLevel", "error"], {
    cwd: folder,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (result.status !== 0) {
    // The API is worth running without a page, and the page says itself that it is missing.
    console.error(`the ${name} page could not be built; the gateway starts without it`);
    return;
  }
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(mark, fingerprint);
}

/** Names and contents of all sources; the lock file stands for every dependency. */
function fingerprintOf(folders: readonly string[]): string {
  const digest = createHash("sha256");
  const files = folders.flatMap((folder) =>
    globSync(`${folder}/**/*`, { cwd: ROOT, exclude: ["**/dist/**", "**/node_modules/**"], withFileTypes: true }),
  );
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  for (const path of [...paths, join(ROOT, "package-lock.json")].sort())
    digest.update(path.slice(ROOT.length)).update("\0").update(readFileSync(path)).update("\0");
  return digest.digest("hex");
}
