// Scenes as plain boxes, for batch use and measurements: what a dataset or another program can write without an SDK.
import { fromYaw, rotateInverse } from "../geometry/quat.ts";
import type { Quat } from "../geometry/quat.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import { cross, dot, normalize, scale } from "../geometry/vec3.ts";
import type { SceneEntity, SceneSnapshot } from "../model/spatial.ts";

export type UpAxis = "y" | "z";

/** A labelled box, metres. Without `yaw` and `axes` it is parallel to the room's axes. */
export interface PlainObject {
  readonly id: string;
  readonly label: string;
  readonly center: Vec3;
  /** Edge lengths along x, y, z of the scene's axes, or along `axes` where given. */
  readonly size: Vec3;
  /** Radians about the up axis, counter-clockwise seen from above. */
  readonly yaw?: number;
  /** Three unit vectors: the box's own axes in the scene's axes. */
  readonly axes?: readonly [Vec3, Vec3, Vec3];
  /** A point in front of the object. */
  readonly front?: Vec3;
  readonly name?: string;
  readonly description?: string;
}

/** Up z to up y: (x, y, z) becomes (x, z, -y), a rotation about x, so that left stays left. */
export function toUpY(point: Vec3, up: UpAxis): Vec3 {
  return up === "y" ? point : [point[0], point[2], -point[1]];
}

export function buildPlainScene(objects: readonly PlainObject[], up: UpAxis): SceneSnapshot {
  const entities = objects.map((object) => buildEntity(object, up));
  return { version: 1, entities, byId: new Map(entities.map((entity) => [entity.id, entity])), changes: [] };
}

function buildEntity(object: PlainObject, up: UpAxis): SceneEntity {
  const center = toUpY(object.center, up);
  const orientation = orientationOf(object, up);
  const size: Vec3 =
    object.axes === undefined && up === "z" ? [object.size[0], object.size[2], object.size[1]] : object.size;
  const half = scale(size, 0.5);
  const facing = object.front === undefined ? undefined : frontOf(object, up, center, orientation);
  return {
    id: object.id,
    kind: "object",
    semanticLabel: object.label,
    ...(object.name === undefined ? {} : { name: object.name }),
    ...(object.description === undefined ? {} : { description: object.description }),
    pose: { position: center, orientation },
    bounds: { min: scale(half, -1), max: half },
    contentHash: `${object.label}:${center.join(",")}:${size.join(",")}`,
    firstSeenMs: 0,
    lastSeenMs: 0,
    confidence: 1,
    source: "app",
    affordances: [],
    ...(facing === undefined ? {} : { facing }),
  };
}

function orientationOf(object: PlainObject, up: UpAxis): Quat {
  // A yaw counter-clockwise from above is positive about the up axis in both conventions.
  if (object.axes === undefined) return object.yaw === undefined ? [0, 0, 0, 1] : fromYaw(object.yaw);
  const x = normalize(toUpY(object.axes[0], up));
  const y = normalize(toUpY(object.axes[1], up));
  const z = normalize(toUpY(object.axes[2], up));
  // A box is the same box with one axis reversed; a rotation needs right-handed axes.
  return fromAxes(x, y, dot(cross(x, y), z) < 0 ? scale(z, -1) : z);
}

/** Quaternion of the rotation whose columns are the three axes (Shepperd's method). */
function fromAxes(x: Vec3, y: Vec3, z: Vec3): Quat {
  const trace = x[0] + y[1] + z[2];
  if (trace > 0) {
    const s = 2 * Math.sqrt(trace + 1);
    return [(y[2] - z[1]) / s, (z[0] - x[2]) / s, (x[1] - y[0]) / s, s / 4];
  }
  if (x[0] > y[1] && x[0] > z[2]) {
    const s = 2 * Math.sqrt(1 + x[0] - y[1] - z[2]);
    return [s / 4, (y[0] + x[1]) / s, (z[0] + x[2]) / s, (y[2] - z[1]) / s];
  }
  if (y[1] > z[2]) {
    const s = 2 * Math.sqrt(1 + y[1] - x[0] - z[2]);
    return [(y[0] + x[1]) / s, s / 4, (z[1] + y[2]) / s, (z[0] - x[2]) / s];
  }
  const s = 2 * Math.sqrt(1 + z[2] - x[0] - y[1]);
  return [(z[0] + x[2]) / s, (z[1] + y[2]) / s, s / 4, (x[1] - y[0]) / s];
}

function frontOf(object: PlainObject, up: UpAxis, center: Vec3, orientation: Quat): Vec3 | undefined {
  const front = toUpY(object.front as Vec3, up);
  const direction: Vec3 = [front[0] - center[0], 0, front[2] - center[2]];
  if (Math.hypot(direction[0], direction[2]) < 1e-6) return undefined;
  return rotateInverse(orientation, normalize(direction));
}
