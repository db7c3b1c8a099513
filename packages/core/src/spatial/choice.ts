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

/** All candidates, best first. Ties keep the order of the scene. */
export function ranked(choice: Choice): readonly Ranked[] {
  const best = bestLog(choice);
  let total = 0;
  for (const value of choice.log) total += Math.exp(SHARPNESS * (value - best));
  return choice.solids
    .map((solid, i): Ranked => ({
      solid,
      share: Math.exp(SHARPNESS * ((choice.log[i] as number) - best)) / total,
      degree: choice.degree[i] as number,
    }))
    .sort((a, b) => b.share - a.share || a.solid.index - b.solid.index);
}
