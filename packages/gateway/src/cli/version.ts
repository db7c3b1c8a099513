import { readFileSync } from "node:fs";

/** From the package manifest, which lies one folder higher in a published package than in a checkout. */
export function readVersion(): string {
  for (const path of ["../../package.json", "../../../package.json"]) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as {
        name?: string;
        version?: string;
      };
      if (manifest.name === "@fovea/gateway" && manifest.version !== undefined) return manifest.version;
    } catch {
      // Not here: the next place.
    }
  }
  return "0.0.0";
}
