// Builds the pages whose sources changed since the last time. `npm start` runs it; a container image runs it once.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const CACHE = join(ROOT, "node_modules/.cache/fovea");
/** Each page with the packages whose sources it bundles. */
const PAGES: Readonly<Record<string, readonly string[]>> = {
  demo: ["packages/client/src", "packages/protocol/src"],
  dashboard: [],
};

/** Tells which pages could not be built: the API is worth running without them, and they say themselves that they are missing. */
export function buildPages(): readonly string[] {
  return Object.entries(PAGES).flatMap(([name, packages]) => (isBuilt(name, packages) ? [] : [name]));
}

function isBuilt(name: string, packages: readonly string[]): boolean {
  const folder = join(ROOT, "apps", name);
  if (!existsSync(join(folder, "index.html"))) return true;
  const fingerprint = fingerprintOf([`apps/${name}`, ...packages]);
  const mark = join(CACHE, `${name}.sha256`);
  const isFresh =
    existsSync(join(folder, "dist/index.html")) && existsSync(mark) && readFileSync(mark, "utf8") === fingerprint;
  if (isFresh) return true;
  console.log(`building the ${name} page`);
  const vite = join(ROOT, "node_modules/vite/bin/vite.js");
  const result = spawnSync(process.execPath, [vite, "build", "--logLevel", "error"], {
    cwd: folder,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (result.status !== 0) return false;
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(mark, fingerprint);
  return true;
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

if (import.meta.main) {
  const failed = buildPages();
  if (failed.length > 0) console.error(`could not be built: ${failed.join(", ")}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
