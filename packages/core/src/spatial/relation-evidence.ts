// From a relation in words to numbers for every candidate: `degree` says whether it holds (0.5 and more), `log` orders the
// candidates. Anchors are themselves uncertain ("the table by the window"): each weighs in with its own evidence.
import type { EntityRelation, SpatialRelation } from "../model/spatial.ts";
import type { Choice } from "./choice.ts";
import { topAnchors } from "./choice.ts";
import {
  aboveDegree,
  againstDegree,
  betweenCost,
  betweenDegree,
  centerDistance,
  cornerDistance,
  facingDegree,
  insideDegree,
  nearDegree,
  nextToDegree,
  offsetBetween,
  onDegree,
  sideDirection,
  surfaceGap,
  towardDegree,
  wallDistance,
} from "./relation-kernels.ts";
import type { Side } from "./relation-kernels.ts";
import type { Scope } from "./scope.ts";
import { VIEWER_ID } from "./scope.ts";
import type { Solid } from "./solid.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import type { Viewpoint } from "./viewpoint.ts";
import { viewpoint } from "./viewpoint.ts";

export interface Evidence {
  readonly log: Float64Array;
  readonly degree: Float64Array;
}

/** One relation, with the frame its view-dependent words are read in. */
export interface RelationInput {
  readonly relation: EntityRelation;
  readonly candidates: readonly Solid[];
  readonly anchors: readonly Choice[];
  readonly scope: Scope;
  /** Set when the words say where to look from ("facing the bed"). */
  readonly sightline: Viewpoint | undefined;
}

/** Below this a relation does not hold at all; keeps one bad relation from hiding the others. */
const LOG_FLOOR = -6;

export function relationEvidence(input: RelationInput): Evidence {
  const { relation, candidates } = input;
  const evidence = positiveEvidence(input);
  if (relation.isNegated !== true) return evidence;
  return {
    log: Float64Array.from(evidence.degree, (degree) => Math.max(-2.5, Math.log(Math.max(1e-9, 1 - degree)))),
    degree: candidates.length === 0 ? evidence.degree : evidence.degree.map((degree) => 1 - degree),
  };
}

function positiveEvidence(input: RelationInput): Evidence {
  const name = input.relation.relation;
  switch (name) {
    case "nearest-to":
    case "near":
    case "around":
      return closeness(input, name);
    case "far-from":
    case "farthest-from":
      return remoteness(input, name);
    case "between":
      return betweenness(input);
    case "corner-of":
      return input.anchors.length === 0 ? roomCorner(input) : pairwise(input, endOf);
    case "floor":
      return onFloor(input);
    case "against":
      return input.anchors.length === 0 ? againstWall(input) : pairwise(input, againstDegree);
    case "left-of":
    case "right-of":
    case "in-front-of":
    case "behind":
      return sided(input, name);
    default:
      return pairwise(input, PAIR_DEGREES[name]);
  }
}

type PairDegree = (candidate: Solid, anchor: Solid, scope: Scope) => number;

const PAIR_DEGREES: Readonly<
  Record<
    Exclude<
      SpatialRelation,
      | "nearest-to"
      | "near"
      | "around"
      | "far-from"
      | "farthest-from"
      | "between"
      | "corner-of"
      | "floor"
      | "against"
      | Side
    >,
    PairDegree
  >
> = {
  on: (a, b) => Math.max(onDegree(a, b), hangingDegree(a, b)),
  supporting: (a, b) => onDegree(b, a),
  above: aboveDegree,
  under: (a, b) => aboveDegree(b, a),
  below: (a, b) => aboveDegree(b, a),
  inside: (a, b) => Math.max(insideDegree(a, b), 0.8 * onDegree(a, b)),
  containing: (a, b) => Math.max(insideDegree(b, a), onDegree(b, a), 0.7 * nearDegree(surfaceGap(a, b) * 2)),
  "next-to": (a, b) => nextToDegree(a, b, surfaceGap(a, b)),
  facing: facingDegree,
  "across-from": (a, b) => acrossDegree(a, b),
  "middle-of": (a, b) => Math.exp(-centerDistance(a, b) / Math.max(0.3, Math.hypot(b.half[0], b.half[2]))),
  "end-of": (a, b) => endOf(a, b),
};

/** What stands on the floor by a wall does not hang on it. */
const HANGS_M = 0.3;

/** On a wall: against it, clear of the floor. */
function hangingDegree(a: Solid, b: Solid): number {
  if (!b.isStructure || b.label === "floor" || b.label === "ceiling") return 0;
  return a.min[1] - b.min[1] > HANGS_M ? againstDegree(a, b) : 0;
}

/** On the other side: some way off, facing it where the front is known. */
function acrossDegree(a: Solid, b: Solid): number {
  const gap = surfaceGap(a, b);
  const away = 1 - Math.exp(-gap / 1.5);
  if (b.facing === undefined) return away;
  return away * (0.3 + 0.7 * facingDegree(b, a));
}

/** Near one of the short ends of a long thing. */
function endOf(a: Solid, b: Solid): number {
  const along = b.half[0] >= b.half[2] ? 0 : 2;
  const axis = b.axes[along];
  const half = b.half[along];
  const offset = offsetBetween(b, a);
  const position = Math.abs(offset[0] * axis[0] + offset[1] * axis[1] + offset[2] * axis[2]);
  const atEnd = Math.exp(-Math.abs(position - half) / Math.max(0.3, half));
  return atEnd * nearDegree(surfaceGap(a, b));
}

/** The best over the anchors, each discounted by how sure it is to be meant. */
function pairwise(input: RelationInput, degreeOf: PairDegree): Evidence {
  const { candidates, scope } = input;
  const log = new Float64Array(candidates.length).fill(LOG_FLOOR);
  const degree = new Float64Array(candidates.length);
  for (const choice of input.anchors) {
    for (const { solid, log: weight } of topAnchors(choice)) {
      for (let i = 0; i < candidates.length; i++) {
        const candidate = candidates[i] as Solid;
        if (candidate === solid) continue;
        const value = degreeOf(candidate, solid, scope);
        const evidence = Math.max(LOG_FLOOR, Math.log(Math.max(1e-9, value))) + weight;
        if (evidence > (log[i] as number)) log[i] = evidence;
        if (weight > -1 && value > (degree[i] as number)) degree[i] = value;
      }
    }
  }
  return { log, degree };
}

function sided(input: RelationInput, side: Side): Evidence {
  const { candidates, scope } = input;
  const log = new Float64Array(candidates.length).fill(LOG_FLOOR);
  const degree = new Float64Array(candidates.length);
  for (const choice of input.anchors) {
    for (const { solid: anchor, log: weight } of topAnchors(choice)) {
      const direction = directionOf(input, side, anchor);
      for (let i = 0; i < candidates.length; i++) {
        const candidate = candidates[i] as Solid;
        if (candidate === anchor) continue;
        const x = candidate.center[0] - anchor.center[0];
        const z = candidate.center[2] - anchor.center[2];
        const value = towardDegree(x, z, direction);
        const evidence =
          Math.max(LOG_FLOOR, Math.log(Math.max(1e-9, value)) - sideCost(candidate, anchor, scope)) + weight;
        if (evidence > (log[i] as number)) log[i] = evidence;
        if (weight > -1 && value > (degree[i] as number)) degree[i] = value;
      }
    }
  }
  return { log, degree };
}

/** Of two things to the left, the near one is meant; things far above or below are beside nothing. */
function sideCost(candidate: Solid, anchor: Solid, scope: Scope): number {
  const x = candidate.center[0] - anchor.center[0];
  const z = candidate.center[2] - anchor.center[2];
  const reach = Math.sqrt(x * x + z * z);
  const rise =
    anchor === scope.viewer ? 0 : Math.max(0, candidate.min[1] - anchor.max[1], anchor.min[1] - candidate.max[1]);
  return 0.12 * reach + 0.5 * rise;
}

/** In which direction on the floor a side of an anchor lies. */
function directionOf(input: RelationInput, side: Side, anchor: Solid): Vec3 {
  const { scope, sightline, relation } = input;
  const isFrontal = side === "in-front-of" || side === "behind";
  // "In front of me" is where I look, and a thing's front is where it faces: not towards an onlooker.
  const opposite = side === "in-front-of" ? "behind" : side === "behind" ? "in-front-of" : side;
  if (anchor.entity.id === VIEWER_ID) return sideDirection(opposite, scope.view);
  if (sightline !== undefined) return sideDirection(side, sightline);
  if (anchor.facing !== undefined && (isFrontal || relation.frame === "object")) {
    return sideDirection(opposite, viewpoint(anchor.center, anchor.facing, true));
  }
  const from = scope.view.isKnown ? scope.view.position : scope.room.center;
  const line: Vec3 = [anchor.center[0] - from[0], 0, anchor.center[2] - from[2]];
  return sideDirection(side, viewpoint(from, line, scope.view.isKnown));
}

/** Distance from each candidate to the nearest anchor, where an unsure anchor counts as farther away. */
function anchorDistances(input: RelationInput, measure: (a: Solid, b: Solid) => number): Float64Array {
  const { candidates } = input;
  const distances = new Float64Array(candidates.length).fill(Infinity);
  for (const choice of input.anchors) {
    for (const { solid, log: weight } of topAnchors(choice)) {
      for (let i = 0; i < candidates.length; i++) {
        const candidate = candidates[i] as Solid;
        if (candidate === solid) continue;
        const value = measure(candidate, solid) - weight * METRES_PER_DOUBT;
        if (value < (distances[i] as number)) distances[i] = value;
      }
    }
  }
  return distances;
}

const METRES_PER_DOUBT = 0.7;

/** People judge "closest" of furniture by its middle, not by its nearest edge (Sr3D: 99.2 % against 97 %). */
function closeness(input: RelationInput, name: "nearest-to" | "near" | "around"): Evidence {
  const distances = anchorDistances(input, centerDistance);
  const gaps = anchorDistances(input, surfaceGap);
  const nearest = finiteMin(distances);
  const slope = name === "nearest-to" ? 4 : 2.2;
  return {
    log: distances.map((distance) =>
      distance === Infinity ? LOG_FLOOR : Math.max(LOG_FLOOR, (-slope * (distance - nearest)) / (0.5 + nearest)),
    ),
    degree:
      name === "nearest-to"
        ? distances.map((distance) => (distance === nearest ? 1 : 0))
        : gaps.map((gap) => (gap === Infinity ? 0 : nearDegree(gap))),
  };
}

function remoteness(input: RelationInput, name: "far-from" | "farthest-from"): Evidence {
  const distances = anchorDistances(input, centerDistance);
  const farthest = distances.reduce((most, distance) => (distance === Infinity ? most : Math.max(most, distance)), 0);
  const slope = name === "farthest-from" ? 8 : 5;
  return {
    log: distances.map((distance) =>
      distance === Infinity ? LOG_FLOOR : Math.max(LOG_FLOOR, (-slope * (farthest - distance)) / (0.5 + farthest)),
    ),
    degree: distances.map((distance) =>
      distance === Infinity
        ? 0
        : name === "farthest-from"
          ? distance === farthest
            ? 1
            : 0
          : 1 - nearDegree(distance / 2),
    ),
  };
}

function finiteMin(values: Float64Array): number {
  let least = Infinity;
  for (const value of values) if (value < least) least = value;
  return least === Infinity ? 0 : least;
}

function betweenness(input: RelationInput): Evidence {
  const pairs = anchorPairs(input.anchors);
  const log = new Float64Array(input.candidates.length).fill(LOG_FLOOR);
  const degree = new Float64Array(input.candidates.length);
  for (const { one, other, weight } of pairs) {
    for (const [i, candidate] of input.candidates.entries()) {
      if (candidate === one || candidate === other) continue;
      const cost = betweenCost(candidate, one, other);
      log[i] = Math.max(log[i] as number, Math.max(LOG_FLOOR, -2.5 * cost) + weight);
      if (weight > -1) degree[i] = Math.max(degree[i] as number, betweenDegree(candidate, one, other));
    }
  }
  return { log, degree };
}

/** "between the door and the window" takes one of each; "between the two beds" two of the same choice. */
function anchorPairs(
  anchors: readonly Choice[],
): readonly { readonly one: Solid; readonly other: Solid; readonly weight: number }[] {
  const pairs: { one: Solid; other: Solid; weight: number }[] = [];
  const [first, second] = anchors;
  if (first === undefined) return pairs;
  const ones = topAnchors(first);
  const others = second === undefined ? ones : topAnchors(second);
  for (const [i, one] of ones.entries()) {
    for (const [j, other] of others.entries()) {
      if (one.solid === other.solid || (second === undefined && j <= i)) continue;
      pairs.push({ one: one.solid, other: other.solid, weight: one.log + other.log });
    }
  }
  return pairs;
}

function roomCorner(input: RelationInput): Evidence {
  return byDistance(input.candidates, (solid) => cornerDistance(solid, input.scope.room), 1.2);
}

function againstWall(input: RelationInput): Evidence {
  return byDistance(input.candidates, (solid) => wallDistance(solid, input.scope.room), 0.4);
}

function onFloor(input: RelationInput): Evidence {
  return byDistance(input.candidates, (solid) => Math.max(0, solid.min[1] - input.scope.room.floorY), 0.3);
}

function byDistance(candidates: readonly Solid[], distanceOf: (solid: Solid) => number, halfM: number): Evidence {
  const degree = Float64Array.from(candidates, (solid) => Math.exp((-Math.LN2 * distanceOf(solid)) / halfM));
  return { degree, log: degree.map((value) => Math.max(LOG_FLOOR / 2, Math.log(Math.max(1e-9, value)))) };
}
