// Questions in the style of VSI-Bench over boxes, with answers by brute force. 20 a room, seeded.
import { SeededRandom } from "@fovea/core/testing";
import type { BoxObject } from "./data.ts";
import type { OracleBox } from "./oracle.ts";
import { oracleBox, oracleDistance, oracleQuadrant } from "./oracle.ts";

export interface GeneratedQuestion {
  readonly kind: "count" | "size" | "distance" | "nearest" | "direction";
  readonly text: string;
  readonly answer: number | string;
}

export interface GeneratedRoom {
  readonly objects: readonly Readonly<Record<string, unknown>>[];
  readonly questions: readonly GeneratedQuestion[];
}

const KINDS = ["count", "size", "distance", "nearest", "direction"] as const;

/** Every third room has its boxes turned, so that oriented boxes are tested too. */
export function generateRoom(boxes: readonly BoxObject[], seed: number): GeneratedRoom {
  const random = new SeededRandom(seed);
  const turned = seed % 3 === 0;
  const all = boxes.map((box) => oracleBox(box, turned ? random.next() * Math.PI : 0));
  const unique = all.filter(
    (box) =>
      all.filter((other) => other.label === box.label).length === 1 &&
      !/^(?:wall|floor|ceiling|object)$/.test(box.label),
  );
  const questions: GeneratedQuestion[] = [];
  for (let attempt = 0; attempt < 400 && questions.length < 20; attempt++) {
    const question =
      generate(KINDS[questions.length % KINDS.length] ?? "count", all, unique, random) ??
      (attempt % 40 === 39 ? generate("count", all, unique, random) : undefined);
    if (question !== undefined) questions.push(question);
  }
  const objects = all.map((box) => ({
    id: box.id,
    label: box.label,
    center: box.center,
    size: box.size,
    ...(turned ? { axes: box.axes } : {}),
  }));
  return { objects, questions };
}

function generate(
  kind: GeneratedQuestion["kind"],
  all: readonly OracleBox[],
  unique: readonly OracleBox[],
  random: SeededRandom,
): GeneratedQuestion | undefined {
  if (kind === "count") {
    const { label } = random.pick(all);
    return {
      kind,
      text: `How many ${label}(s) are in this room?`,
      answer: all.filter((box) => box.label === label).length,
    };
  }
  if (unique.length < 5) return undefined;
  const chosen = new Set<OracleBox>();
  while (chosen.size < 5) chosen.add(random.pick(unique));
  const [a, b, c, d, e] = [...chosen] as [OracleBox, OracleBox, OracleBox, OracleBox, OracleBox];
  if (kind === "size") {
    return {
      kind,
      text: `What is the length of the longest dimension (length, width, or height) of the ${a.label}, measured in centimeters?`,
      answer: Math.max(...a.size) * 100,
    };
  }
  if (kind === "distance") {
    const metres = oracleDistance(a, b);
    return metres < 0.1
      ? undefined
      : {
          kind,
          text: `Measuring from the closest point of each object, what is the distance between the ${a.label} and the ${b.label} (in meters)?`,
          answer: metres,
        };
  }
  if (kind === "nearest") {
    const order = [b, c, d, e]
      .map((box) => ({ box, metres: oracleDistance(a, box) }))
      .sort((x, y) => x.metres - y.metres);
    const [first, second] = order;
    if (first === undefined || second === undefined || second.metres - first.metres < 0.15) return undefined;
    return {
      kind,
      text: `Measuring from the closest point of each object, which of these objects (${[b, c, d, e].map((box) => box.label).join(", ")}) is the closest to the ${a.label}?`,
      answer: first.box.label,
    };
  }
  const { quadrant, marginDeg } = oracleQuadrant(a, b, c);
  if (marginDeg < 5 || Math.hypot(a.center[0] - b.center[0], a.center[1] - b.center[1]) < 0.3) return undefined;
  return {
    kind,
    text: `If I am standing by the ${a.label} and facing the ${b.label}, is the ${c.label} to my front-left, front-right, back-left, or back-right?`,
    answer: quadrant,
  };
}

/** Mean relative accuracy (VSI-Bench): the share of thresholds .50 … .95 that the relative error stays under. */
export function relativeAccuracy(answer: number, truth: number): number {
  let passed = 0;
  for (let i = 0; i < 10; i++) if (Math.abs(answer - truth) / truth < 1 - (0.5 + 0.05 * i)) passed++;
  return passed / 10;
}
