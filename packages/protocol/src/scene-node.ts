export type WireVec3 = readonly [x: number, y: number, z: number];
export type WireQuat = readonly [x: number, y: number, z: number, w: number];

/** Metres and a unit quaternion in the session's reference space. */
export interface WirePose {
  readonly position: WireVec3;
  readonly orientation: WireQuat;
}

export const NODE_KINDS = ["plane", "box", "mesh", "object", "anchor"] as const;
export type NodeKind = (typeof NODE_KINDS)[number];

/** One thing in the room as a client reports it. Planes have a polygon on their own x-z axes, everything else bounds. */
export interface SceneNode {
  /** Stable for one `XRPlane`, `XRMesh` or application object as long as it lives. */
  readonly id: string;
  /** Number by which binary mesh packets name the node. */
  readonly ref: number;
  readonly kind: NodeKind;
  /** The finest label the source has, lower case. */
  readonly semanticLabel: string;
  readonly name?: string;
  readonly role?: string;
  readonly description?: string;
  readonly pose: WirePose;
  /** In the node's own axes. */
  readonly bounds?: { readonly min: WireVec3; readonly max: WireVec3 };
  readonly polygon?: readonly (readonly [x: number, z: number])[];
  readonly orientation?: "horizontal" | "vertical";
  /** Level of detail of the mesh that follows, where one does. */
  readonly lod?: number;
  /** Of label and geometry, not of the pose: see `hashNode`. */
  readonly hash: string;
  readonly affordances?: readonly string[];
  /** Text that is written on the thing. */
  readonly text?: string;
}

/** A node that only moved: its content hash is the one sent before. */
export interface SceneMove {
  readonly id: string;
  readonly pose: WirePose;
}

/** Changes of the room since the last update of this session, applied in the order remove, add, update. */
export interface SceneUpdateMessage {
  readonly type: "scene.update";
  readonly frame: "local-floor";
  /** Everything known before is forgotten first: sent after a `reset` of the reference space and in a new session. */
  readonly full?: boolean;
  readonly add: readonly SceneNode[];
  readonly update: readonly (SceneNode | SceneMove)[];
  readonly remove: readonly string[];
}

/** A whole node, as opposed to one that only moved. (Every node is also a move, so the test goes this way round.) */
export function isSceneNode(node: SceneNode | SceneMove): node is SceneNode {
  return "kind" in node;
}

/** The other way round, for readers that only want the move; its negative says nothing about the type. */
export function isSceneMove(node: SceneNode | SceneMove): node is SceneMove {
  return !isSceneNode(node);
}
