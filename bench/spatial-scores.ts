// Goals G7, G8, G10 and G11: `node --conditions=@fovea/source bench/spatial-scores.ts [sr3d|nr3d|sample|trees|generated]`
// Reads FOVEA_DATA/spatial; talks to the engine through bench/adapter.ts only.
import { AdapterProcess } from "./spatial/adapter-process.ts";
import type { Row } from "./spatial/data.ts";
import { hasData, protocolObjects, readRooms, readTable, readText } from "./spatial/data.ts";
import { generateRoom, relativeAccuracy } from "./spatial/generated-questions.ts";

interface Referred {
  readonly id: number | null;
  readonly confidence: number;
  readonly alternatives: readonly number[];
}

const wanted = process.argv[2];
if (!hasData()) {
  console.log("skipped: FOVEA_DATA/spatial is absent");
  process.exit(0);
}
const adapter = new AdapterProcess();
const rooms = readRooms();
const tables: readonly (readonly [string, string])[] = [
  ["sr3d", "sr3d.csv.gz"],
  ["nr3d", "nr3d.csv.gz"],
  ["sample", "nr3d_train_sample.csv.gz"],
];
for (const [name, file] of tables)
  if (wanted === undefined || wanted === name) await scoreReferring(name, readTable(file));
if (wanted === undefined || wanted === "trees") await scoreReferring("nr3d with trees", readTrees());
if (wanted === undefined || wanted === "generated") await scoreGenerated();
adapter.close();

/** The relation trees as rows of the same form. */
function readTrees(): readonly Row[] {
  const lines = readText("nr3d_trees.jsonl.gz").trim().split("\n");
  return lines.map((line) => {
    const { scan_id, target_id, sentence, json_obj } = JSON.parse(line) as Record<string, unknown>;
    return {
      scan_id: String(scan_id),
      target_id: String(target_id),
      utterance: String(sentence),
      tree: JSON.stringify(json_obj),
    };
  });
}

async function scoreReferring(name: string, rows: readonly Row[]): Promise<void> {
  const sent = new Set<string>();
  const outcomes: {
    readonly isRight: boolean;
    readonly isAnswered: boolean;
    readonly confidence: number;
    readonly type: string;
  }[] = [];
  for (const row of rows) {
    const scene = row["scan_id"] ?? "";
    if (!sent.has(scene))
      adapter.send({ op: "scene", id: scene, up: "z", objects: protocolObjects(rooms[scene] ?? []) });
    sent.add(scene);
    const { id, confidence } = await adapter.ask<Referred>({
      op: "refer",
      scene,
      text: row["utterance"],
      ...(row["tree"] === undefined ? {} : { tree: JSON.parse(row["tree"]) as unknown }),
    });
    outcomes.push({
      isRight: String(id) === row["target_id"],
      isAnswered: id !== null,
      confidence: id === null ? 0 : confidence,
      type: row["reference_type"] ?? "all",
    });
  }
  const percent = (part: number, whole: number): string => ((100 * part) / Math.max(1, whole)).toFixed(2);
  const right = outcomes.filter((outcome) => outcome.isRight).length;
  const answered = outcomes.filter((outcome) => outcome.isAnswered).length;
  const sorted = outcomes.toSorted((a, b) => b.confidence - a.confidence);
  const covered = sorted.slice(0, Math.round(0.8 * sorted.length));
  console.log(
    `${name}: ${rows.length} rows, accuracy ${percent(right, rows.length)} %, answered ${percent(answered, rows.length)} %, precision ${percent(right, answered)} %, at 80 % coverage ${percent(covered.filter((outcome) => outcome.isRight).length, covered.length)} %`,
  );
  const types = new Set(outcomes.map((outcome) => outcome.type));
  if (types.size > 1) {
    for (const type of types) {
      const some = outcomes.filter((outcome) => outcome.type === type);
      console.log(
        `  ${type.padEnd(14)}${String(some.length).padStart(6)}  ${percent(some.filter((outcome) => outcome.isRight).length, some.length)} %`,
      );
    }
  }
}

async function scoreGenerated(): Promise<void> {
  const totals = new Map<string, { count: number; score: number }>();
  for (const [index, [scene, boxes]] of Object.entries(rooms).entries()) {
    const { objects, questions } = generateRoom(boxes, index + 1);
    const id = `generated:${scene}`;
    adapter.send({ op: "scene", id, up: "z", objects });
    for (const { kind, text, answer } of questions) {
      const given = (await adapter.ask<{ readonly answer: number | string | null }>({ op: "ask", scene: id, text }))
        .answer;
      const score = gradeOf(kind, given, answer);
      const total = totals.get(kind) ?? { count: 0, score: 0 };
      totals.set(kind, { count: total.count + 1, score: total.score + score });
      if (score < 1 && process.env["FOVEA_SHOW"] !== undefined)
        console.log(`  ${scene}: ${text} -> ${given}, should be ${answer}`);
    }
  }
  for (const [kind, { count, score }] of totals)
    console.log(`generated ${kind}: ${count} questions, ${(score / count).toFixed(4)}`);
}

function gradeOf(kind: string, given: number | string | null, answer: number | string): number {
  if (given === null) return 0;
  if (kind === "distance") return typeof given === "number" ? relativeAccuracy(given, Number(answer)) : 0;
  if (kind === "size") return Math.abs(Number(given) - Number(answer)) < 0.5 ? 1 : 0;
  return given === answer ? 1 : 0;
}
