// Model choice by text difficulty (algorithms.md section 8, goal G23): prompts are scored first, both outcomes told afterwards
// in blocks of 250. Run: node --conditions=@fovea/source bench/model-choice-scores.ts
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { SeededRandom } from "@fovea/core/testing";
import { DifficultyLearner } from "@fovea/core";

interface Row {
  readonly prompt: string;
  readonly weak: number;
  readonly strong: number;
  readonly subject: string;
}
const path = join(process.env["FOVEA_DATA"] ?? "../shared/data", "traffic/routellm_mmlu.csv.gz");
const rows = parseRows(gunzipSync(readFileSync(path)).toString());
const SEEDS = Number(process.env["FOVEA_SEEDS"] ?? 2);

function parseRows(csv: string): Row[] {
  const found: string[][] = [];
  let fields: string[] = [];
  let field = "";
  let isQuoted = false;
  for (let at = 0; at < csv.length; at++) {
    const character = csv[at] as string;
    if (isQuoted) {
      if (character !== '"') field += character;
      else if (csv[at + 1] === '"') [field, at] = [`${field}"`, at + 1];
      else isQuoted = false;
    } else if (character === '"') isQuoted = true;
    else if (character === "," || character === "\n") {
      fields.push(field);
      field = "";
      if (character === "\n") [found[found.length], fields] = [fields, []];
    } else field += character;
  }
  const isRight = (value: string | undefined): number =>
    value === "True" || value === "1" || value === "true" || value === "1.0" ? 1 : 0;
  return found
    .slice(1)
    .filter((row) => row.length >= 4)
    .map(([prompt = "", weak, strong, subject = ""]) => ({
      prompt,
      weak: isRight(weak),
      strong: isRight(strong),
      subject: subject.trim(),
    }));
}

function shuffled(list: readonly Row[], seed: number): Row[] {
  const random = new SeededRandom(seed);
  const copy = [...list];
  for (let index = copy.length - 1; index > 0; index--) {
    const other = random.integer(index + 1);
    [copy[index], copy[other]] = [copy[other] as Row, copy[index] as Row];
  }
  return copy;
}

function prequential(order: readonly Row[]): { row: Row; score: number }[] {
  const learner = new DifficultyLearner();
  const scored: { row: Row; score: number }[] = [];
  for (let from = 0; from < order.length; from += 250) {
    const block = order.slice(from, from + 250);
    block.forEach((row, index) => scored.push({ row, score: learner.score(String(from + index), row.prompt) }));
    block.forEach((row, index) => learner.feedback(String(from + index), row.weak, row.strong));
  }
  return scored;
}

function measures(scored: readonly { row: Row; score: number }[]): string {
  const order = scored.toSorted((a, b) => b.score - a.score);
  const weak = order.reduce((sum, { row }) => sum + row.weak, 0);
  const strong = order.reduce((sum, { row }) => sum + row.strong, 0);
  const recovered = [0];
  for (const { row } of order) recovered.push((recovered.at(-1) as number) + row.strong - row.weak);
  const at = (share: number): number => (recovered[Math.floor(share * order.length)] as number) / (strong - weak);
  const cpt = (level: number): number =>
    (recovered.findIndex((value) => value >= level * (strong - weak)) / order.length) * 100;
  const apgr = Array.from({ length: 11 }, (_, index) => at(index / 10)).reduce((sum, value) => sum + value, 0) / 11;
  return `APGR ${apgr.toFixed(3)} CPT50 ${cpt(0.5).toFixed(1)} CPT80 ${cpt(0.8).toFixed(1)}`;
}

console.log(
  `${rows.length} prompts, weak ${(rows.filter((row) => row.weak === 1).length / rows.length).toFixed(3)}, strong ${(rows.filter((row) => row.strong === 1).length / rows.length).toFixed(3)}`,
);
for (let seed = 0; seed < SEEDS; seed++)
  console.log(`random order, seed ${seed}: ${measures(prequential(shuffled(rows, seed)))}`);
console.log(`file order: ${measures(prequential(rows))}`);
const subjects = [...new Set(rows.map((row) => row.subject))].sort();
for (const half of [0, 1]) {
  const isTrained = (row: Row): boolean => subjects.indexOf(row.subject) % 2 === half;
  const learner = new DifficultyLearner();
  shuffled(rows.filter(isTrained), 1).forEach((row, index) => {
    learner.score(String(index), row.prompt);
    learner.feedback(String(index), row.weak, row.strong);
  });
  const tested = rows.filter((row) => !isTrained(row)).map((row) => ({ row, score: learner.score("t", row.prompt) }));
  console.log(`new subjects, half ${half}: ${measures(tested)}`);
}
