// "the big table", "the leftmost window", "the second from the left": properties compare the candidates with one another.
import type { EntityAttribute, EntitySelector } from "../model/spatial.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import type { Choice } from "./choice.ts";
import { bestLog } from "./choice.ts";
import type { Scope } from "./scope.ts";
import type { Solid } from "./solid.ts";
import type { Viewpoint } from "./viewpoint.ts";
import { bearingRad, viewpoint } from "./viewpoint.ts";

/** How much the extreme candidate is preferred to the opposite one, in log units. */
const SUPERLATIVE_WEIGHT = 4;
const PLAIN_WEIGHT = 2.2;

export function propertyEvidence(
  attribute: EntityAttribute,
  choice: Choice,
  scope: Scope,
  sightline: Viewpoint | undefined,
): Float64Array {
  const line = sightline ?? groupView(choice.solids, scope);
  const rivals = rivalsOf(choice);
  const values = Float64Array.from(
    choice.solids,
    (solid) => attribute.direction * valueOf(attribute.dimension, solid, line, rivals),
  );
  let least = Infinity;
  let most = -Infinity;
  for (const [i, value] of values.entries()) {
    if (!rivals.includes(choice.solids[i] as Solid)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const range = most - least;
  const weight = attribute.isSuperlative ? SUPERLATIVE_WEIGHT : PLAIN_WEIGHT;
  return values.map((value) => (range < 1e-6 ? 0 : (weight * (Math.min(most, Math.max(least, value)) - most)) / range));
}

/** Those still in question: a chair across the room does not make the near one "the left chair". */
function rivalsOf(choice: Choice): readonly Solid[] {
  const best = bestLog(choice);
  return choice.solids.filter((_, i) => (choice.log[i] as number) > best - 1.5);
}

/** Where one would stand to compare a group: at the known viewer, else in the middle of the room. */
function groupView(solids: readonly Solid[], scope: Scope): Viewpoint {
  if (scope.view.isKnown) return scope.view;
  const middle = centroid(solids);
  const from = scope.room.center;
  return viewpoint(from, [middle[0] - from[0], 0, middle[2] - from[2]], false);
}

function centroid(solids: readonly Solid[]): Vec3 {
  let x = 0;
  let y = 0;
  let z = 0;
  for (const solid of solids) {
    x += solid.center[0] / solids.length;
    y += solid.center[1] / solids.length;
    z += solid.center[2] / solids.length;
  }
  return [x, y, z];
}

function valueOf(
  dimension: EntityAttribute["dimension"],
  solid: Solid,
  line: Viewpoint,
  rivals: readonly Solid[],
): number {
  const x = solid.max[0] - solid.min[0];
  const y = solid.max[1] - solid.min[1];
  const z = solid.max[2] - solid.min[2];
  switch (dimension) {
    case "size":
      return Math.cbrt(solid.volume);
    case "height":
      return y;
    case "width":
      return Math.max(solid.half[0], solid.half[2]);
    case "length":
      return Math.max(x, y, z);
    case "depth":
      return Math.min(x, z);
    case "elevation":
      return solid.center[1];
    case "lateral":
      // A person compares by the angle; a line of sight that is only assumed has no place to measure angles from.
      return line.isKnown
        ? bearingRad(line, solid.center)
        : solid.center[0] * line.right[0] + solid.center[2] * line.right[2];
    case "nearness":
      return -(
        (solid.center[0] - line.position[0]) * line.forward[0] +
        (solid.center[2] - line.position[2]) * line.forward[2]
      );
    case "centrality": {
      const middle = centroid(rivals);
      return -Math.hypot(solid.center[0] - middle[0], solid.center[1] - middle[1], solid.center[2] - middle[2]);
    }
    case "slenderness":
      return Math.max(x, y, z) / Math.max(0.01, Math.min(x, y, z));
  }
}

type Ordinal = NonNullable<EntitySelector["ordinal"]>;

const PLACE_WEIGHT = 2;

export function orderEvidence(
  ordinal: Ordinal,
  choice: Choice,
  scope: Scope,
  sightline: Viewpoint | undefined,
): Float64Array {
  const line = sightline ?? groupView(choice.solids, scope);
  const best = bestLog(choice);
  const inOrder = choice.solids
    .map((solid, i) => ({ solid, i, key: orderKey(ordinal.order, solid, line) }))
    .filter(({ i }) => (choice.log[i] as number) > best - 2.5)
    .sort((a, b) => a.key - b.key || a.i - b.i);
  const wanted =
    ordinal.position > 0
      ? ordinal.position - 1
      : ordinal.position < 0
        ? inOrder.length + ordinal.position
        : (inOrder.length - 1) / 2;
  const evidence = new Float64Array(choice.solids.length).fill(-PLACE_WEIGHT * 3);
  for (const [place, { i }] of inOrder.entries()) evidence[i] = -PLACE_WEIGHT * Math.min(3, Math.abs(place - wanted));
  return evidence;
}

function orderKey(order: Ordinal["order"], solid: Solid, line: Viewpoint): number {
  const lateral = solid.center[0] * line.right[0] + solid.center[2] * line.right[2];
  const ahead =
    (solid.center[0] - line.position[0]) * line.forward[0] + (solid.center[2] - line.position[2]) * line.forward[2];
  if (order === "left-to-right") return lateral;
  if (order === "right-to-left") return -lateral;
  if (order === "bottom-to-top") return solid.center[1];
  if (order === "top-to-bottom") return -solid.center[1];
  return ahead;
}
