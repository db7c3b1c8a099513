// Trains the models that bench/adapter answers "classify" and "stream" with, on all SHREC'17 training people. Deterministic:
// seeds and options are the defaults of trainGestureModel. The data's licence is not stated (research use), so the models
// are assets of the bench and are not packed into any package.
// Run: node --conditions=@fovea/source tools/train-gesture-model.ts sequences|stream [output file]
import { writeFileSync } from "node:fs";
import { trainGestureModel, writeGestureModel } from "@fovea/core";
import { readShrec17 } from "../bench/data/shrec17.ts";
import { streamExamples } from "../bench/data/stream-examples.ts";

const kind = process.argv[2] === "stream" ? "stream" : "sequences";
const path = process.argv[3] ?? `bench/models/hand-${kind}.json`;
const examples = readShrec17();
const model =
  kind === "stream" ? trainGestureModel(streamExamples(examples, 1, 0.6), { copies: 0 }) : trainGestureModel(examples);
const text = writeGestureModel(model);
writeFileSync(path, text);
console.log(`${path}: ${text.length} bytes`);
