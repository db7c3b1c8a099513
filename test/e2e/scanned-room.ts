// The truth of the end-to-end test, made without any of Fovea's code: entities from the room's capture file, head poses
// from the recording, and a ray cast of its own.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";

type Vec = [number, number, number];
type Quat = [number, number, number, number];

export interface RoomEntity {
  readonly label: string;
  readonly position: Vec;
  readonly orientation: Quat;
  readonly min: Vec;
  readonly max: Vec;
}

interface Xyz {
  x: number;
  y: number;
  z: number;
}
interface CaptureEntity {
  semanticLabel_META: string;
  locatable_META: { position: Xyz; orientation: Xyz & { w: number } };
  bounded2D_META?: { offset: { x: number; y: number }; extent: { width: number; height: number } };
  bounded3D_META?: { offset: Xyz; extent: { width: number; height: number; depth: number } };
}

/** WebXR's words for the capture's, as the emulator translates them. */
const LABELS: Readonly<Record<string, string>> = {
  WALL_FACE: "wall",
  INNER_WALL_FACE: "wall",
  INVISIBLE_WALL_FACE: "window",
  WINDOW_FRAME: "window",
  DOOR_FRAME: "door",
  WALL_ART: "wall art",
  STORAGE: "shelf",
  CHAIR: "couch",
};

export function readRoom(name: string): RoomEntity[] {
  const folder = dirname(createRequire(import.meta.url).resolve("@iwer/sem/package.json"));
  const capture = JSON.parse(readFileSync(join(folder, `captures/${name}.json`), "utf8")) as {
    spatialEntities: CaptureEntity[];
  };
  return capture.spatialEntities.flatMap((entity): RoomEntity[] => {
    const { position: p, orientation: q } = entity.locatable_META;
    const box = entity.bounded3D_META;
    const plane = entity.bounded2D_META;
    const place = {
      label: LABELS[entity.semanticLabel_META] ?? entity.semanticLabel_META.toLowerCase(),
      position: [p.x, p.y, p.z] as Vec,
      orientation: [q.x, q.y, q.z, q.w] as Quat,
    };
    if (box !== undefined) {
      const { offset: o, extent: e } = box;
      return [{ ...place, min: [o.x, o.y, o.z], max: [o.x + e.width, o.y + e.height, o.z + e.depth] }];
    }
    if (plane === undefined) return [];
    const { offset: o, extent: e } = plane;
    return [{ ...place, min: [o.x, -0.01, o.y], max: [o.x + e.width, 0.01, o.y + e.height] }];
  });
}

export interface Recording {
  readonly schema: unknown;
  readonly frames: readonly (readonly number[])[];
}

export function readRecording(path: string): Recording {
  return JSON.parse(gunzipSync(readFileSync(path)).toString("utf8")) as Recording;
}

/** Head at a time of the recording, milliseconds from its start. */
export function headAt({ frames }: Recording, timeMs: number): { position: Vec; orientation: Quat } {
  const start = frames[0]?.[0] ?? 0;
  const frame = frames.findLast((row) => (row[0] ?? 0) - start <= timeMs) ?? frames[0] ?? [];
  const [, x = 0, y = 0, z = 0, qx = 0, qy = 0, qz = 0, qw = 1] = frame;
  return { position: [x, y, z], orientation: [qx, qy, qz, qw] };
}

export interface Hit {
  readonly entity: RoomEntity;
  readonly distanceM: number;
}

/** Everything the ray meets, nearest first. */
export function castRay(room: readonly RoomEntity[], origin: Vec, direction: Vec): Hit[] {
  const hits: Hit[] = [];
  for (const entity of room) {
    const inverse = conjugate(entity.orientation);
    const from = turned(inverse, minus(origin, entity.position));
    const along = turned(inverse, direction);
    let near = 0;
    let far = Infinity;
    for (let axis = 0; axis < 3; axis++) {
      const slope = along[axis] ?? 0;
      const a = ((entity.min[axis] ?? 0) - (from[axis] ?? 0)) / slope;
      const b = ((entity.max[axis] ?? 0) - (from[axis] ?? 0)) / slope;
      if (Number.isNaN(a) || Number.isNaN(b)) continue;
      near = Math.max(near, Math.min(a, b));
      far = Math.min(far, Math.max(a, b));
    }
    if (near > 0 && near <= far) hits.push({ entity, distanceM: near });
  }
  return hits.sort((a, b) => a.distanceM - b.distanceM);
}

/**
 * What the head points at, where that can be said: undefined when something with another name is within 12 cm behind it,
 * or when a head turned by 2 degrees in any direction would point at something else.
 */
export function certainTarget(room: readonly RoomEntity[], recording: Recording, timeMs: number): Hit | undefined {
  const { position, orientation } = headAt(recording, timeMs);
  const nearest = (yaw: number, pitch: number): Hit | undefined => {
    const local: Vec = [Math.sin(yaw) * Math.cos(pitch), Math.sin(pitch), -Math.cos(yaw) * Math.cos(pitch)];
    const [first, ...others] = castRay(room, position, turned(orientation, local));
    const rival = others.find(({ entity }) => entity.label !== first?.entity.label);
    return first === undefined || (rival?.distanceM ?? Infinity) - first.distanceM < 0.12 ? undefined : first;
  };
  const middle = nearest(0, 0);
  const margin = (2 * Math.PI) / 180;
  const around = [
    [margin, 0],
    [-margin, 0],
    [0, margin],
    [0, -margin],
  ].map(([yaw = 0, pitch = 0]) => nearest(yaw, pitch));
  return around.every((hit) => hit?.entity.label === middle?.entity.label) ? middle : undefined;
}

/** Moments at which the head has pointed at one thing for the whole of the window around them, one for each thing in turn. */
export function certainMoments(
  room: readonly RoomEntity[],
  recording: Recording,
  beforeMs: number,
  afterMs: number,
): { readonly timeMs: number; readonly hit: Hit }[] {
  const { frames } = recording;
  const duration = (frames.at(-1)?.[0] ?? 0) - (frames[0]?.[0] ?? 0);
  const moments: { timeMs: number; hit: Hit }[] = [];
  for (let timeMs = beforeMs; timeMs < duration - afterMs; timeMs += 100) {
    const hit = certainTarget(room, recording, timeMs);
    if (hit === undefined || moments.at(-1)?.hit.entity.label === hit.entity.label) continue;
    let isSteady = true;
    for (let near = timeMs - beforeMs; near <= timeMs + afterMs && isSteady; near += 50)
      isSteady = certainTarget(room, recording, near)?.entity.label === hit.entity.label;
    if (isSteady) moments.push({ timeMs, hit });
  }
  return moments;
}

function conjugate([x, y, z, w]: Quat): Quat {
  return [-x, -y, -z, w];
}

function minus(a: Vec, b: Vec): Vec {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function turned([x, y, z, w]: Quat, v: Vec): Vec {
  const tx = 2 * (y * v[2] - z * v[1]);
  const ty = 2 * (z * v[0] - x * v[2]);
  const tz = 2 * (x * v[1] - y * v[0]);
  return [v[0] + w * tx + y * tz - z * ty, v[1] + w * ty + z * tx - x * tz, v[2] + w * tz + x * ty - y * tx];
}
