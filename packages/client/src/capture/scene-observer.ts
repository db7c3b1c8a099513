// What the room and the application hold, as nodes. It is looked at twice a second, never frame by frame: rooms do not
// move, and reading a mesh of 80,000 triangles is work. What is sent are differences by content; the runtime's own
// `lastChangedTime` is not read, because runtimes set it without change and change without setting it.

import type { SceneNode, SceneSeenMessage, SceneUpdateMessage, WireConsent } from "@fovea/protocol";
import { diffScene, hashNode, isSceneNode, sceneUpdates } from "@fovea/protocol";
import type { Object3DLike } from "../platform/object-3d.ts";
import { fingerprint, MeshShapes } from "./mesh-shapes.ts";
import { isInScene, placeObject } from "./object-node.ts";

export interface ObserveOptions {
  readonly planes?: boolean;
  /**
   * `boxes`: meshes as boxes around them. `shape`: with their triangles too, as far as the consent to the room goes (`lod`:
   * nothing finer than 4 cm, `full`: as they are).
   */
  readonly meshes?: "boxes" | "shape" | false;
  readonly anchors?: boolean;
}

/** What an application says of one of its objects. */
export interface ObjectDescription {
  readonly label: string;
  readonly name?: string;
  readonly role?: string;
  readonly affordances?: readonly string[];
  readonly description?: string;
  readonly text?: string;
}

interface AddedObject {
  readonly id: string;
  readonly object: Object3DLike;
  readonly description: ObjectDescription;
  /** An object that was never in a scene may still be on its way there. */
  wasInScene: boolean;
}

type NodeContent = Omit<SceneNode, "hash" | "id" | "ref">;

const WALLS: Readonly<Record<string, string>> = { horizontal: "other", vertical: "wall" };

export class SceneObserver {
  #options: ObserveOptions = {};
  readonly #objects = new Map<string, AddedObject>();
  readonly #ids = new WeakMap<object, string>();
  readonly #refs = new Map<string, number>();
  readonly #meshBounds = new WeakMap<object, { key: string; bounds: NonNullable<SceneNode["bounds"]> }>();
  #sent = new Map<string, SceneNode>();
  #seen = new Map<string, SceneNode>();
  readonly #byCamera = new Map<string, SceneNode>();
  readonly #shapes = new MeshShapes();
  #count = 0;
  // A session begins with an empty room on both sides; only what comes later has to say "forget".
  #isFull = false;

  observe(options: ObserveOptions): void {
    this.#options = options;
  }

  add(object: Object3DLike, description: ObjectDescription): string {
    const known = this.#ids.get(object);
    const id = known ?? `object-${++this.#count}`;
    this.#ids.set(object, id);
    this.#objects.set(id, { id, object, description, wasInScene: isInScene(object) });
    return id;
  }

  remove(which: string | Object3DLike): boolean {
    const id = typeof which === "string" ? which : this.#ids.get(which);
    return id !== undefined && this.#objects.delete(id);
  }

  /** The application's object of an id, for whoever draws. */
  objectOf(id: string): Object3DLike | undefined {
    return this.#objects.get(id)?.object;
  }

  /** The node as it was last seen: where it is now, not where it was when it was sent. */
  find(id: string): SceneNode | undefined {
    return this.#seen.get(id) ?? this.#byCamera.get(id);
  }

  /** What the gateway found in camera images: answers may name it, and it is never sent back. */
  foldSeen({ full, add, remove }: Pick<SceneSeenMessage, "full" | "add" | "remove">): void {
    if (full === true) this.#byCamera.clear();
    for (const id of remove) this.#byCamera.delete(id);
    for (const { id, semanticLabel, pose, bounds, text } of add) {
      const words = text === undefined ? {} : { text };
      this.#byCamera.set(id, { id, ref: 0, kind: "object", semanticLabel, pose, bounds, hash: "", ...words });
    }
  }

  nodes(): IterableIterator<SceneNode> {
    return this.#seen.values();
  }

  /** The next messages tell everything anew: the session is another one, or the reference space moved. */
  resend(): void {
    this.#isFull = true;
    this.#sent = new Map();
    this.#shapes.resend();
  }

  /** The next mesh whose triangles have to be told, as a packet; `onSent` when it has left. Undefined for none. */
  nextShape(
    consent: WireConsent,
  ): { readonly packet: Uint8Array<ArrayBuffer>; readonly onSent: () => void } | undefined {
    return this.#shapes.next(consent, (id) => (this.#sent.has(id) ? this.#refs.get(id) : undefined));
  }

  /**
   * Looks at everything and returns what has to be told. `frame` is needed for the room, not for application objects.
   * What is returned counts as sent.
   */
  look(consent: WireConsent, frame?: XRFrame, space?: XRReferenceSpace): SceneUpdateMessage[] {
    const seen = new Map<string, SceneNode>();
    if (consent.room !== "none" && frame !== undefined && space !== undefined) this.#lookAtRoom(frame, space, seen);
    else if (consent.room !== "none")
      for (const node of this.#seen.values()) if (node.kind !== "object") seen.set(node.id, node);
    for (const added of this.#objects.values()) this.#lookAtObject(added, seen);
    this.#seen = seen;
    const changes = diffScene(this.#sent, seen.values());
    for (const id of changes.remove) this.#sent.delete(id);
    for (const node of changes.add) this.#sent.set(node.id, node);
    for (const node of changes.update) {
      const before = this.#sent.get(node.id);
      if (isSceneNode(node)) this.#sent.set(node.id, node);
      else if (before !== undefined) this.#sent.set(node.id, { ...before, pose: node.pose });
    }
    const updates = sceneUpdates(changes, { full: this.#isFull });
    this.#isFull = false;
    return updates;
  }

  #lookAtRoom(frame: XRFrame, space: XRReferenceSpace, into: Map<string, SceneNode>): void {
    if (this.#options.planes === true)
      for (const plane of frame.detectedPlanes ?? [])
        this.#keep(plane, "plane", this.#planeNode(plane, frame, space), into);
    if (this.#options.meshes === "boxes" || this.#options.meshes === "shape")
      for (const mesh of frame.detectedMeshes ?? []) {
        const id = this.#keep(mesh, "mesh", this.#meshNode(mesh, frame, space), into);
        if (this.#options.meshes === "shape") this.#shapes.note(id, mesh.vertices, mesh.indices);
      }
    if (this.#options.anchors === true)
      for (const anchor of frame.trackedAnchors ?? [])
        this.#keep(anchor, "anchor", anchorNode(anchor, frame, space), into);
  }

  /** A thing without a pose in this frame stays as it was: tracking comes and goes, tables do not. */
  #keep(key: object, kind: string, content: NodeContent | undefined, into: Map<string, SceneNode>): string {
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = `${kind}-${++this.#count}`;
      this.#ids.set(key, id);
    }
    const before = this.#seen.get(id);
    if (content !== undefined) into.set(id, this.#nodeOf(id, content));
    else if (before !== undefined) into.set(id, before);
    return id;
  }

  #nodeOf(id: string, content: NodeContent): SceneNode {
    let ref = this.#refs.get(id);
    if (ref === undefined) {
      ref = this.#refs.size + 1;
      this.#refs.set(id, ref);
    }
    return { ...content, id, ref, hash: hashNode(content) };
  }

  #planeNode(plane: XRPlane, frame: XRFrame, space: XRReferenceSpace): NodeContent | undefined {
    const pose = poseIn(frame, plane.planeSpace, space);
    const polygon = plane.polygon.map(({ x, z }): [number, number] => [x, z]);
    const first = polygon[0];
    const last = polygon.at(-1);
    // Some runtimes close the polygon by saying the first corner twice.
    if (polygon.length > 3 && first?.[0] === last?.[0] && first?.[1] === last?.[1]) polygon.pop();
    if (pose === undefined || polygon.length < 3) return undefined;
    const orientation =
      plane.orientation === "horizontal" || plane.orientation === "vertical" ? plane.orientation : undefined;
    const label = plane.semanticLabel ?? WALLS[orientation ?? ""] ?? "other";
    return {
      kind: "plane",
      semanticLabel: label.toLowerCase(),
      pose,
      polygon: polygon.slice(0, 256),
      ...(orientation === undefined ? {} : { orientation }),
    };
  }

  #meshNode(mesh: XRMesh, frame: XRFrame, space: XRReferenceSpace): NodeContent | undefined {
    const pose = poseIn(frame, mesh.meshSpace, space);
    if (pose === undefined || mesh.vertices.length < 9) return undefined;
    const label = (mesh.semanticLabel ?? "other").toLowerCase();
    // The mesh of the whole room is a thing to collide with, not to look at: it keeps its kind so that nobody mistakes it.
    return { kind: label === "global mesh" ? "mesh" : "box", semanticLabel: label, pose, bounds: this.#boundsOf(mesh) };
  }

  #boundsOf(mesh: XRMesh): NonNullable<SceneNode["bounds"]> {
    const { vertices } = mesh;
    const key = fingerprint(vertices);
    const known = this.#meshBounds.get(mesh);
    if (known?.key === key) return known.bounds;
    const min: [number, number, number] = [Infinity, Infinity, Infinity];
    const max: [number, number, number] = [-Infinity, -Infinity, -Infinity];
    for (let i = 0; i + 2 < vertices.length; i += 3) {
      for (let axis = 0; axis < 3; axis++) {
        const value = vertices[i + axis] ?? 0;
        if (value < (min[axis] ?? 0)) min[axis] = value;
        if (value > (max[axis] ?? 0)) max[axis] = value;
      }
    }
    const bounds = { min, max };
    this.#meshBounds.set(mesh, { key, bounds });
    return bounds;
  }

  #lookAtObject(added: AddedObject, into: Map<string, SceneNode>): void {
    const isThere = isInScene(added.object);
    if (!isThere && added.wasInScene) {
      this.#objects.delete(added.id);
      return;
    }
    if (!isThere) return;
    added.wasInScene = true;
    const { label, ...words } = added.description;
    const { pose, bounds } = placeObject(added.object);
    const name = words.name ?? (added.object.name === "" ? undefined : added.object.name);
    if (![...pose.position, ...bounds.min, ...bounds.max].every((value) => Math.abs(value) <= 10_000)) return;
    const node = { kind: "object" as const, semanticLabel: label.toLowerCase(), ...words, pose, bounds };
    into.set(added.id, this.#nodeOf(added.id, name === undefined ? node : { ...node, name }));
  }
}

function anchorNode(anchor: XRAnchor, frame: XRFrame, space: XRReferenceSpace): NodeContent | undefined {
  const pose = poseIn(frame, anchor.anchorSpace, space);
  return pose === undefined ? undefined : { kind: "anchor", semanticLabel: "anchor", pose };
}

function poseIn(frame: XRFrame, of: XRSpace, space: XRReferenceSpace): SceneNode["pose"] | undefined {
  const transform = frame.getPose(of, space)?.transform;
  if (transform === undefined) return undefined;
  const { position: p, orientation: q } = transform;
  return { position: [p.x, p.y, p.z], orientation: [q.x, q.y, q.z, q.w] };
}
