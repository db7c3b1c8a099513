// G4 of the algorithms reference: SHREC'17, leave-2-subjects-out over the 20 people of the set, folds of neighbouring
// subject numbers. Every fold trains anew on the other 18 people, all statistics included.
// Run: node --conditions=@fovea/source bench/gesture-scores.ts [first fold] [last fold]
import { GestureClassifier, parseGestureModel, trainGestureModel, writeGestureModel } from "@fovea/core";
import { readShrec17 } from "./data/shrec17.ts";

const examples = readShrec17();
const subjects = [...new Set(examples.map((example) => Number(example.performer)))].sort((a, b) => a - b);
const first = Number(process.argv[2] ?? 0);
const last = Number(process.argv[3] ?? 9);
let total = 0;
let right14 = 0;
let right28 = 0;
let calibration = 0;
let decisionMs = 0;
for (let fold = first; fold <= last; fold++) {
  const held = subjects.slice(fold * 2, fold * 2 + 2).map(String);
  const train = examples.filter((example) => !held.includes(example.performer));
  const text = writeGestureModel(trainGestureModel(train));
  const classifier = new GestureClassifier(parseGestureModel(text));
  const test = examples.filter((example) => held.includes(example.performer));
  let fold14 = 0;
  let fold28 = 0;
  const start = performance.now();
  for (const example of test) {
    const answer = classifier.classify(example.sequence);
    if (answer?.gesture === String(example.label14)) fold14 += 1;
    if (`${answer?.gesture}/${answer?.variant}` === example.label) fold28 += 1;
    calibration += answer?.confidence ?? 0;
  }
  decisionMs += performance.now() - start;
  total += test.length;
  right14 += fold14;
  right28 += fold28;
  const share = (right: number): string => ((100 * right) / test.length).toFixed(1);
  console.log(`fold ${fold} (${held.join(", ")}): ${share(fold14)} / ${share(fold28)} %, model ${text.length} B`);
}
console.log(
  `all: ${((100 * right14) / total).toFixed(2)} % (14), ${((100 * right28) / total).toFixed(2)} % (28), ` +
    `mean confidence ${((100 * calibration) / total).toFixed(1)} %, ${(decisionMs / total).toFixed(2)} ms a decision`,
);
