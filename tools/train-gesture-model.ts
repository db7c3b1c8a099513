// Trains the sequence model that bench/adapter answers "classify" with, on all SHREC'17 training people. Deterministic: the
// seed and the options are the defaults of trainGestureModel. The data's licence is not stated (research use), so the model
// is an asset of the bench and is not packed into any package.
// Run: node --conditions=@fovea/source tools/train-gesture-model.ts [output file]
import { writeFileSync } from "node:fs";
import { trainGestureModel, writeGestureModel } from "@fovea/core";
import { readShrec17 } from "../bench/data/shrec17.ts";

const path = process.argv[2] ?? "bench/models/hand-sequences.json";
const text = writeGestureModel(trainGestureModel(readShrec17()));
writeFileSync(path, text);
console.log(`${path}: ${text.length} bytes`);
