// Writes the generated pages of docs/reference. Tests compare them with what this would write.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { configurationReference } from "../packages/gateway/src/config/config-reference.ts";

const PAGES: readonly [path: string, make: () => string][] = [
  ["docs/reference/configuration.md", configurationReference],
];

for (const [path, make] of PAGES) {
  writeFileSync(join(import.meta.dirname, "..", path), make());
  console.log(path);
}
