// Models that the figures of gestures come from, trained when they are first asked for and kept outside the repository:
// SHREC'17 states no licence, so nothing learned from it is a part of Fovea.
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GestureModel } from "@fovea/core";
import { parseGestureModel, trainGestureModel, writeGestureModel } from "@fovea/core";
import { readShrec17 } from "./shrec17.ts";

/** The people whom the reference page sets apart for streams (goal G5). */
export const STREAM_TEST_PEOPLE: readonly string[] = ["4", "10", "16", "22", "26"];

/** People of the other fifteen, apart from whom thresholds are chosen. */
export const STREAM_VALIDATION_PEOPLE: readonly string[] = ["3", "12", "20", "25"];

/** Names single sequences: trained on everybody. The leave-2-subjects-out figures train their own. */
export function sequenceModel(): GestureModel {
  return cached("sequences", () => trainGestureModel(readShrec17(), { copies: 1 }));
}

/** Finds gestures in streams: trained on everybody but the given people. */
export function streamModel(apart: readonly string[] = STREAM_TEST_PEOPLE): GestureModel {
  return cached(`stream-without-${apart.join("-")}`, () => {
    const examples = readShrec17().filter((example) => !apart.includes(example.performer));
    const labelled = examples.map(({ sequence, label14, performer }) => ({
      sequence,
      label: String(label14),
      performer,
    }));
    return trainGestureModel(labelled, { streams: true, copies: 0 });
  });
}

/** The key holds the code that trains, so that a changed trainer never answers with an old model. */
function cached(name: string, train: () => GestureModel): GestureModel {
  const root = join(import.meta.dirname, "../..");
  const digest = createHash("sha256");
  const files = globSync(
    ["packages/protocol/src/gestures/*.ts", "packages/core/src/context/{gesture,stream,spot}-*.ts"],
    {
      cwd: root,
    },
  );
  const sources = files.filter((file) => !file.endsWith(".test.ts")).sort();
  for (const file of [...sources, "bench/data/trained-models.ts"]) digest.update(readFileSync(join(root, file)));
  const folder = process.env["FOVEA_BENCH_CACHE"] ?? join(tmpdir(), "fovea-bench");
  const path = join(folder, `${name}-${digest.digest("hex").slice(0, 16)}.json`);
  if (existsSync(path)) return parseGestureModel(readFileSync(path, "utf8"));
  const text = writeGestureModel(train());
  mkdirSync(folder, { recursive: true });
  // Two programs may train at the same time: each writes its own file and puts it in place whole.
  const own = `${path}.${process.pid}`;
  writeFileSync(own, text);
  renameSync(own, path);
  return parseGestureModel(text);
}
