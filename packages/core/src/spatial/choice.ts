import type { Solid } from "./solid.ts";

/** Candidates for a description with what speaks for each. Parallel arrays. */
export interface Choice {
  readonly solids: readonly Solid[];
  /** Natural logarithm of the evidence; only differences matter. */
  readonly log: Float64Array;
  /** Whether each part of the description holds: the least degree over class, relations and region, 0 to 1. */
  readonly degree: Float64Array;
  /** How well the best candidate's label fits the words, 0 to 4; 4 when no class was named. */
  readonly fit: number;
}

export const NO_CHOICE: Choice = { solids: [], log: new Float64Array(0), degree: new Float64Array(0), fit: 0 };

export interface Anchor {
  readonly solid: Solid;
  /** 0 for the likeliest, negative for the others. */
  readonly log: number;
}

const ANCHORS_MAX = 12;
/** e^-4: an anchor fifty times less likely than the best is not meant. */
const ANCHOR_LOG_MIN = -4;

const anchorsOf = new WeakMap<Choice, readonly Anchor[]>();

/** The likeliest candidates as anchors, best first. */
export function topAnchors(choice: Choice): readonly Anchor[] {
  const known = anchorsOf.get(choice);
  if (known !== undefined) return known;
  const best = bestLog(choice);
  const anchors = choice.solids
    .map((solid, i): Anchor => ({ solid, log: (choice.log[i] as number) - best }))
    .filter((anchor) => anchor.log >= ANCHOR_LOG_MIN)
    .sort((a, b) => b.log - a.log || a.solid.index - b.solid.index)
    .slice(0, ANCHORS_MAX);
  anchorsOf.set(choice, anchors);
  return anchors;
}

export function bestLog(choice: Choice): number {
  let best = -Infinity;
  for (const value of choice.log) if (value > best) best = value;
  return best;
}

export interface Ranked {
  readonly solid: Solid;
  /** Share of the evidence, 0 to 1; all candidates together give 1. */
  readonly share: number;
  readonly degree: number;
}

/** Evidence is spread over several kernels and so too flat: sharpened before it is read as a share. */
const SHARPNESS = 3;

/** e^-20 and less of the evidence: such candidates are not worth a place in the list. */
const RANKED_LOG_MIN = -20;

/** The candidates worth naming, best first; ties keep the order of the ids. */
export function ranked(choice: Choice, degreeMin = 0): readonly Ranked[] {
  const best = bestLog(choice);
  let total = 0;
  for (const value of choice.log) total += Math.exp(SHARPNESS * (value - best));
  const list: Ranked[] = [];
  for (const [i, solid] of choice.solids.entries()) {
    const log = SHARPNESS * ((choice.log[i] as number) - best);
    const degree = choice.degree[i] as number;
    if (degree < degreeMin || (degreeMin === 0 && log < RANKED_LOG_MIN)) continue;
    list.push({ solid, share: Math.exp(log) / total, degree });
  }
  return list.sort((a, b) => b.share - a.share || byId(a.solid, b.solid));
}

/** Independent of the order in which entities arrived. */
function byId(a: Solid, b: Solid): number {
  return a.entity.id < b.entity.id ? -1 : 1;
}

/** The candidates for which everything holds, in the order of the scene. */
export function holding(choice: Choice, degreeMin: number): readonly Solid[] {
  return choice.solids.filter((_, i) => (choice.degree[i] as number) >= degreeMin);
}

/** The same with their degrees, the surest first. */
export function holdingByDegree(
  choice: Choice,
  degreeMin: number,
): readonly { readonly solid: Solid; readonly degree: number }[] {
  const list: { solid: Solid; degree: number }[] = [];
  for (let i = 0; i < choice.solids.length; i++) {
    const degree = choice.degree[i] as number;
    if (degree >= degreeMin) list.push({ solid: choice.solids[i] as Solid, degree });
  }
  return list.sort((a, b) => b.degree - a.degree || byId(a.solid, b.solid));
}
