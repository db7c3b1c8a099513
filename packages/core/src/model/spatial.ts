import type { Bounds } from "../geometry/bounds.ts";
import type { Pose } from "../geometry/pose.ts";
import type { Ray } from "../geometry/ray.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import type { Basis } from "./modality.ts";

export type EntityKind = "plane" | "box" | "mesh" | "object" | "anchor" | "person";

/** One thing in the room. `bounds` are in the entity's own axes; the box in the room is `pose` applied to them. */
export interface SceneEntity {
  readonly id: string;
  readonly kind: EntityKind;
  /** WebXR or vendor label, lower case: "table", "wall art", "screen". */
  readonly semanticLabel: string;
  readonly name?: string;
  readonly description?: string;
  readonly pose: Pose;
  readonly bounds: Bounds;
  /** For planes: corners on the plane's own x-z axes, y = 0. */
  readonly polygon?: readonly (readonly [x: number, z: number])[];
  readonly orientation?: "horizontal" | "vertical";
  readonly contentHash: string;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly confidence: number;
  readonly source: "device" | "app" | "vision";
  readonly affordances: readonly string[];
}

/** A version of the room that no longer changes. `byId` holds the same entities as `entities`. */
export interface SceneSnapshot {
  readonly version: number;
  readonly entities: readonly SceneEntity[];
  readonly byId: ReadonlyMap<string, SceneEntity>;
  /** Most recent last, bounded. */
  readonly changes: readonly SceneChange[];
}

export interface SceneChange {
  readonly atMs: number;
  readonly change: "added" | "updated" | "moved" | "removed";
  readonly entityId: string;
  readonly label: string;
  readonly from?: Vec3;
  readonly to?: Vec3;
}

export type SpatialRelation =
  | "on"
  | "under"
  | "above"
  | "below"
  | "inside"
  | "next-to"
  | "between"
  | "left-of"
  | "right-of"
  | "in-front-of"
  | "behind"
  | "against"
  | "facing"
  | "around";

/** Which entities a question is about: ids, a label, free words, or all. */
export interface EntitySelector {
  readonly ids?: readonly string[];
  readonly label?: string;
  readonly description?: string;
  readonly region?: Bounds;
}

/** Where a question is asked from: the viewer's frame, an object's own frame, or the room's axes. */
export type ReferenceFrame = "viewer" | "object" | "room";

export type SpatialQuery =
  | { readonly kind: "attended" }
  | { readonly kind: "pointed-at"; readonly ray?: Ray; readonly label?: string; readonly sigmaDeg?: number }
  | { readonly kind: "find"; readonly target: EntitySelector }
  | { readonly kind: "nearest"; readonly target: EntitySelector; readonly to?: EntitySelector; readonly count?: number }
  | {
      readonly kind: "farthest";
      readonly target: EntitySelector;
      readonly to?: EntitySelector;
      readonly count?: number;
    }
  | { readonly kind: "distance"; readonly from?: EntitySelector; readonly to: EntitySelector }
  | { readonly kind: "direction"; readonly to: EntitySelector; readonly frame?: ReferenceFrame }
  | {
      readonly kind: "relation";
      readonly relation: SpatialRelation;
      readonly target?: EntitySelector;
      readonly anchors: readonly EntitySelector[];
      readonly frame?: ReferenceFrame;
    }
  | { readonly kind: "count"; readonly target: EntitySelector }
  | { readonly kind: "visible"; readonly target?: EntitySelector }
  | { readonly kind: "line-of-sight"; readonly from?: EntitySelector; readonly to: EntitySelector }
  | { readonly kind: "size"; readonly target: EntitySelector }
  | { readonly kind: "fits"; readonly size: Vec3; readonly where?: EntitySelector }
  | { readonly kind: "free-space"; readonly near?: EntitySelector; readonly areaM2?: number }
  | { readonly kind: "path"; readonly to: EntitySelector; readonly from?: EntitySelector; readonly widthM?: number }
  | { readonly kind: "region-contents"; readonly region: Bounds }
  | { readonly kind: "changed-since"; readonly sinceMs: number }
  | { readonly kind: "text"; readonly text: string };

export interface SpatialValue {
  readonly name: string;
  readonly value: number;
  readonly unit: "m" | "m2" | "deg" | "clock" | "count" | "ms";
}

export interface SpatialQueryResult {
  readonly kind: SpatialQuery["kind"];
  /** Best first. */
  readonly entityIds: readonly string[];
  readonly values: readonly SpatialValue[];
  readonly answer: string;
  /** 0 to 1, calibrated: among answers given with 0.8, four in five are right. */
  readonly confidence: number;
  readonly isAmbiguous: boolean;
  readonly basis: Basis;
  readonly points?: readonly Vec3[];
}
