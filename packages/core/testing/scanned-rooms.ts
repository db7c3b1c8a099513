import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Pose } from "../src/geometry/pose.ts";
import { TriangleMesh } from "../src/geometry/triangle-mesh.ts";
import type { Vec3 } from "../src/geometry/vec3.ts";
import type { SceneEntity, SceneSnapshot } from "../src/model/spatial.ts";

export const SCANNED_ROOMS = ["office_small", "office_large", "meeting_room", "living_room", "music_room"] as const;

interface Extent {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
}

interface Capture {
  readonly spatialEntities: readonly {
    readonly semanticLabel_META: string;
    readonly locatable_META: {
      readonly position: Record<"x" | "y" | "z", number>;
      readonly orientation: Record<"x" | "y" | "z" | "w", number>;
    };
    readonly bounded2D_META?: {
      readonly offset: { readonly x: number; readonly y: number };
      readonly extent: Omit<Extent, "depth">;
    };
    readonly triangleMesh_META?: { readonly vertices: string; readonly indices: string };
    readonly bounded3D_META?: { readonly offset: Record<"x" | "y" | "z", number>; readonly extent: Extent };
  }[];
}

/** The room's own mesh, in the axes of `pose`. */
export interface ScannedMesh {
  readonly pose: Pose;
  readonly positions: Float32Array;
  readonly indices: Uint32Array;
}

export function loadScannedMesh(name: (typeof SCANNED_ROOMS)[number]): ScannedMesh {
  const item = captureOf(name).spatialEntities.find((entity) => entity.triangleMesh_META !== undefined);
  const mesh = item?.triangleMesh_META;
  if (item === undefined || mesh === undefined) throw new Error(`${name} has no mesh`);
  return {
    pose: poseOf(item),
    positions: new Float32Array(bytesOf(mesh.vertices)),
    indices: new Uint32Array(bytesOf(mesh.indices)),
  };
}

/** As `loadScannedRoom`, with the triangles of the whole room as its global mesh. */
export function loadMeshedRoom(name: (typeof SCANNED_ROOMS)[number]): SceneSnapshot {
  const { pose, positions, indices } = loadScannedMesh(name);
  const surface = new TriangleMesh(positions, indices);
  const mesh: SceneEntity = {
    id: "room-mesh",
    kind: "mesh",
    semanticLabel: "global mesh",
    pose,
    bounds: surface.bounds,
    surface,
    contentHash: "room-mesh",
    firstSeenMs: 0,
    lastSeenMs: 0,
    confidence: 1,
    source: "device",
    affordances: [],
  };
  const { entities } = loadScannedRoom(name);
  const all = [...entities, mesh];
  return { version: 1, entities: all, byId: new Map(all.map((entity) => [entity.id, entity])), changes: [] };
}

function bytesOf(base64: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(base64, "base64")).buffer;
}

function poseOf({ locatable_META: { position, orientation } }: Capture["spatialEntities"][number]): Pose {
  return {
    position: [position.x, position.y, position.z],
    orientation: [orientation.x, orientation.y, orientation.z, orientation.w],
  };
}

function captureOf(name: string): Capture {
  const root = dirname(createRequire(import.meta.url).resolve("@iwer/sem"));
  const path = [join(root, "captures"), join(root, "../captures")]
    .map((folder) => join(folder, `${name}.json`))
    .find((file) => existsSync(file));
  if (path === undefined) throw new Error("@iwer/sem holds no captures");
  return JSON.parse(readFileSync(path, "utf8")) as Capture;
}

/** Quest 3 scans of the npm package @iwer/sem (MIT, Meta). Planes lie on their x-z axes, as in WebXR. */
export function loadScannedRoom(name: (typeof SCANNED_ROOMS)[number]): SceneSnapshot {
  const capture = captureOf(name);
  const counts = new Map<string, number>();
  const entities = capture.spatialEntities.flatMap((item): SceneEntity[] => {
    const box = item.bounded3D_META;
    const plane = item.bounded2D_META;
    if (box === undefined && plane === undefined) return [];
    const label = item.semanticLabel_META
      .toLowerCase()
      .replace(/_(?:frame|face)$/, "")
      .replaceAll("_", " ");
    const number = (counts.get(label) ?? 0) + 1;
    counts.set(label, number);
    const min: Vec3 =
      box === undefined ? [plane?.offset.x ?? 0, 0, plane?.offset.y ?? 0] : [box.offset.x, box.offset.y, box.offset.z];
    const max: Vec3 =
      box === undefined
        ? [min[0] + (plane?.extent.width ?? 0), 0, min[2] + (plane?.extent.height ?? 0)]
        : [min[0] + box.extent.width, min[1] + box.extent.height, min[2] + box.extent.depth];
    return [
      {
        id: `${label.replaceAll(" ", "-")}-${number}`,
        kind: box === undefined ? "plane" : "box",
        semanticLabel: label,
        pose: poseOf(item),
        bounds: { min, max },
        contentHash: `${label}${number}`,
        firstSeenMs: 0,
        lastSeenMs: 0,
        confidence: 1,
        source: "device",
        affordances: [],
      },
    ];
  });
  return { version: 1, entities, byId: new Map(entities.map((entity) => [entity.id, entity])), changes: [] };
}
