import { LIMITS } from "./limits.ts";
import type { SceneMove, SceneNode, SceneUpdateMessage, WirePose } from "./scene-node.ts";

/** How far a thing may stand from where it was last reported before a move is worth sending. */
export interface SceneTolerance {
  readonly distanceM: number;
  readonly angleRad: number;
  /** Differences of geometry below this are jitter, also where they straddle the rounding of the hash. */
  readonly geometryM: number;
}

export const SCENE_TOLERANCE: SceneTolerance = { distanceM: 0.01, angleRad: Math.PI / 180, geometryM: 0.001 };

/**
 * What leads from the nodes last sent to the nodes now seen: new ids, changed content (a whole node), moved ones (the
 * pose alone), ids that are gone. Compare always with what was sent, never with what was last seen: slow drift would
 * otherwise stay below the tolerance for ever.
 */
export function diffScene(
  sent: ReadonlyMap<string, SceneNode>,
  seen: Iterable<SceneNode>,
  tolerance: SceneTolerance = SCENE_TOLERANCE,
): { readonly add: SceneNode[]; readonly update: (SceneNode | SceneMove)[]; readonly remove: string[] } {
  const add: SceneNode[] = [];
  const update: (SceneNode | SceneMove)[] = [];
  const present = new Set<string>();
  for (const node of seen) {
    present.add(node.id);
    const before = sent.get(node.id);
    if (before === undefined) add.push(node);
    else if (!isSameContent(before, node, tolerance.geometryM)) update.push(node);
    else if (!isSamePose(before.pose, node.pose, tolerance)) update.push({ id: node.id, pose: node.pose });
  }
  const remove: string[] = [];
  for (const id of sent.keys()) if (!present.has(id)) remove.push(id);
  return { add, update, remove };
}

/** The changes as messages, none above the limit of nodes. Undefined-free and empty when nothing changed. */
export function sceneUpdates(
  changes: ReturnType<typeof diffScene>,
  options: { readonly full?: boolean; readonly nodesMax?: number } = {},
): SceneUpdateMessage[] {
  const size = options.nodesMax ?? Math.min(250, LIMITS.sceneNodesPerUpdateMax);
  const count = Math.max(changes.add.length, changes.update.length, changes.remove.length);
  const messages: SceneUpdateMessage[] = [];
  for (let from = 0; from < count || (from === 0 && options.full === true); from += size) {
    messages.push({
      type: "scene.update",
      frame: "local-floor",
      ...(options.full === true && from === 0 ? { full: true } : {}),
      add: changes.add.slice(from, from + size),
      update: changes.update.slice(from, from + size),
      remove: changes.remove.slice(from, from + size),
    });
  }
  return messages;
}

function isSameContent(before: SceneNode, now: SceneNode, toleranceM: number): boolean {
  if (before.hash === now.hash) return true;
  if (WORDS.some((key) => before[key] !== now[key])) return false;
  if ((before.affordances ?? []).join("\n") !== (now.affordances ?? []).join("\n")) return false;
  // A mesh that is told by its hash alone has other content than its box shows.
  if (before.kind === "mesh" || now.kind === "mesh") return false;
  return (
    isNear(before.bounds?.min, now.bounds?.min, toleranceM) &&
    isNear(before.bounds?.max, now.bounds?.max, toleranceM) &&
    isNear(before.polygon?.flat(), now.polygon?.flat(), toleranceM)
  );
}

const WORDS = ["kind", "semanticLabel", "name", "role", "description", "orientation", "text", "lod"] as const;

function isNear(
  before: readonly number[] | undefined,
  now: readonly number[] | undefined,
  toleranceM: number,
): boolean {
  if (before === undefined || now === undefined) return before === now;
  return (
    before.length === now.length && before.every((value, index) => Math.abs(value - (now[index] ?? 0)) <= toleranceM)
  );
}

export function isSamePose(before: WirePose, now: WirePose, tolerance: SceneTolerance): boolean {
  const dx = before.position[0] - now.position[0];
  const dy = before.position[1] - now.position[1];
  const dz = before.position[2] - now.position[2];
  if (dx * dx + dy * dy + dz * dz > tolerance.distanceM ** 2) return false;
  const a = before.orientation;
  const b = now.orientation;
  const cosine = Math.abs(a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]);
  return cosine >= Math.cos(tolerance.angleRad / 2);
}
