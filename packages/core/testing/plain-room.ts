import type { Quat } from "../src/geometry/quat.ts";
import { fromYaw } from "../src/geometry/quat.ts";
import type { Vec3 } from "../src/geometry/vec3.ts";
import type { EntityKind, SceneEntity, SceneSnapshot } from "../src/model/spatial.ts";
import type { AttentionTarget, XRContext } from "../src/model/xr-context.ts";
import { NO_CONTEXT } from "../src/model/xr-context.ts";

/** One line of a room written by hand: label, middle and edge lengths. */
export interface PlainThing {
  readonly id: string;
  readonly label?: string;
  readonly at: Vec3;
  readonly size: Vec3;
  readonly yaw?: number;
  readonly orientation?: Quat;
  readonly kind?: EntityKind;
  readonly name?: string;
  readonly facing?: Vec3;
}

/** The label is the id without a number at its end, unless given: `chair1` is a chair. */
export function plainEntity(thing: PlainThing): SceneEntity {
  const [x, y, z] = thing.size;
  return {
    id: thing.id,
    kind: thing.kind ?? "object",
    semanticLabel: thing.label ?? thing.id.replace(/\d+$/, "").replaceAll("-", " "),
    ...(thing.name === undefined ? {} : { name: thing.name }),
    pose: { position: thing.at, orientation: thing.orientation ?? fromYaw(thing.yaw ?? 0) },
    bounds: { min: [-x / 2, -y / 2, -z / 2], max: [x / 2, y / 2, z / 2] },
    contentHash: thing.id,
    firstSeenMs: 0,
    lastSeenMs: 0,
    confidence: 1,
    source: "app",
    affordances: [],
    ...(thing.facing === undefined ? {} : { facing: thing.facing }),
  };
}

export function plainSnapshot(things: readonly PlainThing[], changes: SceneSnapshot["changes"] = []): SceneSnapshot {
  const entities = things.map(plainEntity);
  return { version: 1, entities, byId: new Map(entities.map((entity) => [entity.id, entity])), changes };
}

export interface PlainView {
  readonly at?: Vec3;
  /** Radians about Y, positive to the left; 0 looks along -Z. */
  readonly yaw?: number;
  readonly orientation?: Quat;
  readonly attention?: readonly Partial<AttentionTarget>[];
  readonly changes?: SceneSnapshot["changes"];
  readonly atMs?: number;
  readonly isTracked?: boolean;
  readonly sessionId?: string;
}

/** A frozen context of someone who stands in the room, at the origin with eyes 1.6 m high unless told. */
export function plainContext(things: readonly PlainThing[], view: PlainView = {}): XRContext {
  const position = view.at ?? [0, 1.6, 0];
  return {
    ...NO_CONTEXT,
    sessionId: view.sessionId ?? "s1",
    atMs: view.atMs ?? 0,
    scene: plainSnapshot(things, view.changes),
    attention: (view.attention ?? []).map((target) => ({
      entityId: "",
      source: "head-gaze",
      angleRad: 0,
      distanceM: 1,
      dwellMs: 500,
      isOccluded: false,
      confidence: 0.9,
      ...target,
    })),
    viewer: {
      ...NO_CONTEXT.viewer,
      isTracked: view.isTracked ?? true,
      pose: { position, orientation: view.orientation ?? fromYaw(view.yaw ?? 0) },
    },
  };
}
