// The bench protocol as a child process: one JSON line in, one JSON line out, so that no look-ahead is possible.
//   node --conditions=@fovea/source bench/adapter.ts
// Operations live in bench/adapter/, one file a family. A line that fails is answered with {"error": …} and the process lives.
import { createInterface } from "node:readline";
import type { AdapterOps } from "./adapter/adapter-ops.ts";
import { balancingOps } from "./adapter/balancing.ts";
import { clockOps } from "./adapter/clock.ts";
import { deixisOps } from "./adapter/deixis.ts";
import { gestureOps } from "./adapter/gestures.ts";
import { modelChoiceOps } from "./adapter/model-choice.ts";
import { spatialOps } from "./adapter/spatial-ops.ts";

/** `reset` and `scene` concern several families: each hears them, and at most one answers. */
const FAMILIES: readonly AdapterOps[] = [
  spatialOps(),
  gestureOps(),
  deixisOps(),
  clockOps(),
  balancingOps(),
  modelChoiceOps(),
];

for await (const text of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (text.trim() === "") continue;
  const answer = perform(text);
  if (answer !== undefined) process.stdout.write(`${JSON.stringify(answer)}\n`);
}

function perform(text: string): unknown {
  try {
    const line = JSON.parse(text) as Record<string, unknown>;
    const name = String(line["op"]);
    const concerned = FAMILIES.filter((family) => Object.hasOwn(family, name));
    if (concerned.length === 0 && name !== "reset") throw new Error(`unknown op '${name}'`);
    let answer: unknown;
    for (const family of concerned) answer = family[name]?.(line) ?? answer;
    return answer;
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
