// Goal G9, on questions of our own: free text about 60 scanned rooms, of the kinds class, existence, geometry and spatial, and
// some that geometry cannot answer. Truth by oracle.ts, which shares no code with the engine; wordings are drawn by seed.
//   node --conditions=@fovea/source bench/room-questions.ts [seed]
import { SeededRandom } from "@fovea/core/testing";
import { AdapterProcess } from "./spatial/adapter-process.ts";
import type { BoxObject } from "./spatial/data.ts";
import { hasData, protocolObjects, readRooms } from "./spatial/data.ts";
import { oracleBox, oracleDistance } from "./spatial/oracle.ts";

type Kind = "class" | "existence" | "geometry" | "spatial" | "unanswerable";

interface Question {
  readonly kind: Kind;
  readonly text: string;
  /** Any of these is right; none for what geometry cannot answer. */
  readonly answers: readonly (string | number)[];
  /** A number within this share of the truth is right. */
  readonly toleranceShare?: number;
}

const ROOMS = 60;

function only(boxes: readonly BoxObject[]): readonly BoxObject[] {
  const counts = new Map<string, number>();
  for (const { l } of boxes) counts.set(l, (counts.get(l) ?? 0) + 1);
  // Of a name that is part of no other: "chair" and "office chair" would both be meant.
  const names = [...counts.keys()];
  const isOwn = (name: string): boolean => !names.some((other) => other !== name && ` ${other} `.includes(` ${name} `));
  return boxes.filter(
    ({ l }) => counts.get(l) === 1 && isOwn(l) && !/^(?:wall|floor|ceiling|object|otherfurniture)$/.test(l),
  );
}

// oxlint-disable-next-line max-lines-per-function -- One block for each kind of question.
function questionsOf(boxes: readonly BoxObject[], random: SeededRandom): readonly Question[] {
  const unique = only(boxes);
  const questions: Question[] = [];
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T;
  const say = (kind: Kind, texts: readonly string[], answers: Question["answers"], toleranceShare?: number): void =>
    void questions.push({
      kind,
      text: pick(texts),
      answers,
      ...(toleranceShare === undefined ? {} : { toleranceShare }),
    });
  const gap = (a: BoxObject, b: BoxObject): number => oracleDistance(oracleBox(a), oracleBox(b));
  for (let round = 0; round < 3 && unique.length >= 4; round++) {
    const [a, b, c] = [pick(unique), pick(unique), pick(unique)];
    if (a === b || b === c || c === a) continue;
    const [ab, ac] = [gap(a, b), gap(a, c)];
    if (Math.abs(ab - ac) > 0.3)
      say(
        "spatial",
        [
          `Is the ${a.l} closer to the ${b.l} or the ${c.l}?`,
          `Which is nearer to the ${a.l}, the ${b.l} or the ${c.l}?`,
        ],
        [ab < ac ? b.l : c.l],
      );
    const ranked = unique
      .filter((other) => other !== a)
      .map((other) => ({ other, m: gap(a, other) }))
      .sort((x, y) => x.m - y.m);
    const listed = ranked.filter((_, at) => at % 3 === 0).slice(0, 4);
    const [first, second] = listed;
    if (first !== undefined && second !== undefined && second.m - first.m > 0.2)
      say(
        "class",
        [
          `Which of these is closest to the ${a.l}: ${listed.map(({ other }) => other.l).join(", ")}?`,
          `Which of these objects (${listed.map(({ other }) => other.l).join(", ")}) is the closest to the ${a.l}?`,
        ],
        [first.other.l],
      );
    if (Math.abs(a.s[2] - b.s[2]) > 0.15)
      say(
        "geometry",
        [`Which is taller, the ${a.l} or the ${b.l}?`, `What is taller: the ${a.l} or the ${b.l}?`],
        [a.s[2] > b.s[2] ? a.l : b.l],
      );
    say("geometry", [`How tall is the ${a.l}?`, `What is the height of the ${a.l}?`], [a.s[2]], 0.05);
    if (ab > 0.2)
      say(
        "spatial",
        [`How far is the ${a.l} from the ${b.l}?`, `How far apart are the ${a.l} and the ${b.l}?`],
        [ab],
        0.05,
      );
    const higher = a.c[2] - b.c[2];
    if (Math.abs(higher) > 0.6 && a.c[2] - a.s[2] / 2 > b.c[2] + b.s[2] / 2)
      say("spatial", [`Is the ${a.l} higher than the ${b.l}?`], ["yes"]);
    say(
      "unanswerable",
      [`What color is the ${a.l}?`, `What is the ${a.l} made of?`, `Is the ${a.l} clean?`, `Who owns the ${a.l}?`],
      [],
    );
  }
  const names = new Set(boxes.map(({ l }) => l));
  const absent = ["piano", "elephant", "surfboard", "bathtub", "guitar", "refrigerator", "bed", "toilet"].filter(
    (name) => ![...names].some((other) => other.includes(name)),
  );
  const there = pick(unique.length > 0 ? unique : boxes);
  say(
    "existence",
    [`Is there a ${there.l} in this room?`, `Does this room have a ${there.l}?`, `Can you see a ${there.l}?`],
    ["yes"],
  );
  if (absent.length > 0) {
    const gone = pick(absent);
    say(
      "existence",
      [`Is there a ${gone} in this room?`, `Does this room have a ${gone}?`, `Do you see a ${gone} here?`],
      ["no"],
    );
  }
  // "books" is a label too: its plural and its count are a matter of taste.
  // Of names whose plural is another label the count is a matter of taste.
  const many = [...names].filter(
    (name) => !name.endsWith("s") && !names.has(`${name}s`) && boxes.filter(({ l }) => l === name).length > 1,
  );
  if (many.length > 0) {
    const name = pick(many);
    const isOwn = ![...names].some((other) => other !== name && ` ${other} `.includes(` ${name} `));
    if (isOwn && !/^(?:wall|floor|ceiling|object|otherfurniture)$/.test(name))
      say(
        "existence",
        [`How many ${name}s are there?`, `How many ${name}s are in this room?`],
        [boxes.filter(({ l }) => l === name).length],
      );
  }
  return questions;
}

function isRight({ answers, toleranceShare }: Question, given: string | number): boolean {
  return answers.some((answer) => {
    if (typeof answer === "number") {
      const value = Number(given);
      return Math.abs(value - answer) <= (toleranceShare ?? 0) * answer + 1e-9;
    }
    return String(given).toLowerCase() === answer;
  });
}

if (!hasData()) {
  process.stdout.write("skipped: FOVEA_DATA/spatial is absent\n");
  process.exit(0);
}
const seed = Number(process.argv[2] ?? 1);
const random = new SeededRandom(seed);
const adapter = new AdapterProcess();
const totals = new Map<Kind, { asked: number; answered: number; right: number }>();
const rooms = Object.entries(readRooms());
for (let index = 0; index < ROOMS; index++) {
  const [scene, boxes] = rooms[Math.floor(((index + random.next()) * rooms.length) / ROOMS)] as [
    string,
    readonly BoxObject[],
  ];
  adapter.send({ op: "scene", id: scene, up: "z", objects: protocolObjects(boxes) });
  for (const question of questionsOf(boxes, random)) {
    const { answer } = await adapter.ask<{ readonly answer: string | number | null }>({
      op: "ask",
      scene,
      text: question.text,
    });
    const total = totals.get(question.kind) ?? { asked: 0, answered: 0, right: 0 };
    total.asked++;
    if (answer !== null) total.answered++;
    if (answer !== null && isRight(question, answer)) total.right++;
    else if (process.env["FOVEA_SHOW"] !== undefined && (answer !== null || question.answers.length > 0))
      process.stdout.write(
        `  ${question.kind}: ${question.text} -> ${answer}, should be ${question.answers.join(" or ") || "none"}\n`,
      );
    totals.set(question.kind, total);
  }
}
adapter.close();
const percent = (part: number, whole: number): string => ((100 * part) / Math.max(1, whole)).toFixed(1);
for (const [kind, { asked, answered, right }] of totals)
  process.stdout.write(`${kind}: ${asked} asked, ${answered} answered, ${percent(right, asked)} % right\n`);
const sum = (
  of: (total: { asked: number; answered: number; right: number }) => number,
  kinds: (kind: Kind) => boolean,
): number => [...totals].filter(([kind]) => kinds(kind)).reduce((all, [, total]) => all + of(total), 0);
const answerable = (kind: Kind): boolean => kind !== "unanswerable";
process.stdout.write(
  `seed ${seed}: answerable right ${percent(
    sum((t) => t.right, answerable),
    sum((t) => t.asked, answerable),
  )} %, precision of answered ${percent(
    sum(
      (t) => t.right,
      () => true,
    ),
    sum(
      (t) => t.answered,
      () => true,
    ),
  )} %\n`,
);
