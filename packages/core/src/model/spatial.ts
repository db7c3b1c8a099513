import type { Bounds } from "../geometry/bounds.ts";
import type { Pose } from "../geometry/pose.ts";
import type { Ray } from "../geometry/ray.ts";
import type { TriangleMesh } from "../geometry/triangle-mesh.ts";
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
  /** Unit direction, in the entity's own axes, in which it faces (a seat, a screen), where the source knows it. */
  readonly facing?: Vec3;
  /** Its triangles, in its own axes, where a client sent them. Shared between versions of the room, never changed. */
  readonly surface?: TriangleMesh;
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
  | "around"
  | "supporting"
  | "containing"
  | "near"
  | "far-from"
  | "nearest-to"
  | "farthest-from"
  | "across-from"
  | "middle-of"
  | "corner-of"
  | "end-of"
  | "floor";

/** A property that orders things: `big` is size +1, `lowest` is elevation -1 and a superlative. */
export interface EntityAttribute {
  readonly dimension:
    | "size"
    | "height"
    | "width"
    | "length"
    | "depth"
    | "elevation"
    | "lateral"
    | "nearness"
    | "centrality"
    | "slenderness";
  /** +1 more of it is meant, -1 less of it. `lateral` +1 is to the right. */
  readonly direction: 1 | -1;
  readonly isSuperlative: boolean;
}

/** A relation to other things; with no anchors, to the room or to the other candidates. */
export interface EntityRelation {
  readonly relation: SpatialRelation;
  readonly anchors: readonly EntitySelector[];
  readonly isNegated?: boolean;
  readonly frame?: ReferenceFrame;
}

/**
 * Which entities a question is about. Everything given must hold: ids, a label or free words for the class, a region,
 * attributes, relations to other things, a place in an order. An empty selector means all.
 */
export interface EntitySelector {
  readonly ids?: readonly string[];
  readonly label?: string;
  readonly description?: string;
  readonly region?: Bounds;
  /** Words that name colour, material or use; matched against `name` and `description` of the entity. */
  readonly words?: readonly string[];
  readonly attributes?: readonly EntityAttribute[];
  readonly relations?: readonly EntityRelation[];
  /** 1 is the first, -1 the last, 0 the middle one in the order. */
  readonly ordinal?: {
    readonly position: number;
    readonly order: "left-to-right" | "right-to-left" | "near-to-far" | "bottom-to-top" | "top-to-bottom";
  };
  /** Several classes any of which will do: "the lamp or the plant". */
  readonly anyOf?: readonly EntitySelector[];
  /** Only these are in question. */
  readonly among?: readonly string[];
  /** Words that refer back: filled in from the dialogue or from attention before evaluation. */
  readonly reference?: "it" | "that" | "there" | "viewer" | "hand";
  /** "all", "the chairs": more than one is meant. */
  readonly isPlural?: boolean;
  /** "a table", or a question that yes or no answers: whichever of them it is. */
  readonly isAny?: boolean;
  /** Where view-dependent words are read from: standing so that this is ahead. */
  readonly facing?: EntitySelector;
  /** Where the observer stands while reading view-dependent words. */
  readonly standingAt?: EntitySelector;
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
  | {
      readonly kind: "direction";
      readonly to: EntitySelector;
      readonly frame?: ReferenceFrame;
      readonly standingAt?: EntitySelector;
      readonly facing?: EntitySelector;
    }
  | {
      readonly kind: "relation";
      readonly relation: SpatialRelation;
      readonly target?: EntitySelector;
      readonly anchors: readonly EntitySelector[];
      readonly frame?: ReferenceFrame;
    }
  | { readonly kind: "count"; readonly target: EntitySelector; readonly versus?: EntitySelector }
  | { readonly kind: "visible"; readonly target?: EntitySelector; readonly clock?: number }
  | { readonly kind: "line-of-sight"; readonly from?: EntitySelector; readonly to: EntitySelector }
  | { readonly kind: "size"; readonly target: EntitySelector }
  | { readonly kind: "fits"; readonly size: Vec3; readonly where?: EntitySelector }
  | { readonly kind: "free-space"; readonly near?: EntitySelector; readonly areaM2?: number }
  | { readonly kind: "path"; readonly to: EntitySelector; readonly from?: EntitySelector; readonly widthM?: number }
  | { readonly kind: "region-contents"; readonly region: Bounds }
  | { readonly kind: "changed-since"; readonly sinceMs: number }
  | { readonly kind: "describe"; readonly about?: EntitySelector }
  | { readonly kind: "room-size" }
  | { readonly kind: "text"; readonly text: string };

export interface SpatialValue {
  readonly name: string;
  readonly value: number;
  readonly unit: "m" | "m2" | "deg" | "clock" | "count" | "ms" | "truth";
  /** Which entity the value is about, where several are listed. */
  readonly entityId?: string;
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
  /** Why there is no entity: nothing of that class, nothing in that relation, no viewer, no target. */
  readonly problem?:
    | "nothing-matches"
    | "class-unknown"
    | "relation-empty"
    | "anchor-unknown"
    | "no-viewer"
    | "no-target"
    | "needs-floor";
  /** Of things compared, the one that was named first. */
  readonly firstNamed?: string;
  /** What the problem is about: the class or words as asked. */
  readonly problemWords?: string;
}
