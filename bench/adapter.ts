// The bench protocol as a child process: one JSON line in, one JSON line out, so that no look-ahead is possible.
//   node --conditions=@fovea/source bench/adapter.ts
// Operations live in bench/adapter/, one file a family. A line that fails is answered with {"error": …} and the process lives.
import { createInterface } from "node:readline";
import type { AdapterOps } from "./adapter/adapter-ops.ts";
import { spatialOps } from "./adapter/spatial-ops.ts";

const OPS: AdapterOps = { ...spatialOps() };

for await (const text of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (text.trim() === "") continue;
  const answer = perform(text);
  if (answer !== undefined) process.stdout.write(`${JSON.stringify(answer)}\n`);
}

function perform(text: string): unknown {
  try {
    const line = JSON.parse(text) as Record<string, unknown>;
    const op = OPS[String(line["op"])];
    if (op === undefined) throw new Error(`unknown op '${String(line["op"])}'`);
    return op(line);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
