import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where the program would start from, or undefined when it is not installed. */
export function findProgram(name: string, searchPath: string | undefined): string | undefined {
  for (const folder of (searchPath ?? "").split(delimiter)) {
    if (folder === "") continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}
