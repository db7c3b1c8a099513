// Triangles of a room: they arrive apart from the nodes they belong to, which may be told anew without them.
import type { SceneUpdateMessage } from "@fovea/protocol";
import { coarsenMesh, isSceneNode, LOD_ERROR_CM } from "@fovea/protocol";
import { GatewayError } from "../errors/gateway-error.ts";
import { TriangleMesh } from "../geometry/triangle-mesh.ts";
import type { Consent } from "../model/privacy.ts";
import type { EntityDescription, SceneDelta } from "../scene/scene-graph.ts";
import type { SceneGraph } from "../scene/scene-graph.ts";

/** A decoded mesh packet: positions in the node's own axes. */
export interface ArrivedMesh {
  readonly ref: number;
  readonly level: number;
  readonly errorCm: number;
  readonly positions: Float32Array;
  readonly indices: Uint32Array;
}

export class RoomMeshes {
  readonly #trianglesMax: number;
  readonly #idOf = new Map<number, string>();
  readonly #triangles = new Map<string, number>();

  constructor(trianglesMax: number) {
    this.#trianglesMax = trianglesMax;
  }

  /** Remembers the numbers by which packets name the nodes of an update that was applied. */
  note(message: SceneUpdateMessage): void {
    if (message.full === true) this.#idOf.clear();
    for (const node of [...message.add, ...message.update]) if (isSceneNode(node)) this.#idOf.set(node.ref, node.id);
    for (const id of message.remove) this.#triangles.delete(id);
  }

  /** An update with the triangles of the nodes that have some already: a node that is told anew keeps them. */
  keep(delta: SceneDelta, scene: SceneGraph): SceneDelta {
    const kept = <T extends EntityDescription | { readonly id: string }>(entity: T): T => {
      const surface = scene.get(entity.id)?.surface;
      return surface === undefined || !("kind" in entity) ? entity : { ...entity, surface };
    };
    return { ...delta, add: (delta.add ?? []).map(kept), update: (delta.update ?? []).map(kept) };
  }

  /** Throws `request_invalid` for a number that no node has, `request_too_large` beyond the triangles of a session. */
  fold(mesh: ArrivedMesh, scene: SceneGraph, consent: Consent, atMs: number): void {
    const id = this.#idOf.get(mesh.ref);
    const known = id === undefined ? undefined : scene.get(id);
    if (known === undefined) throw new GatewayError("request_invalid", "no node has this number", { param: "ref" });
    // Coarse enough already, or made so here: this is the trusted place.
    const isFine = consent.room !== "full" && mesh.errorCm < LOD_ERROR_CM;
    const shape = isFine ? coarsenMesh(mesh, LOD_ERROR_CM / 100) : mesh;
    const others = [...this.#triangles].reduce((sum, [other, count]) => (other === known.id ? sum : sum + count), 0);
    const triangles = shape.indices.length / 3;
    if (others + triangles > this.#trianglesMax) {
      const message = `a session holds at most ${this.#trianglesMax} triangles`;
      throw new GatewayError("request_too_large", message, { param: "indexCount" });
    }
    this.#triangles.set(known.id, triangles);
    const { contentHash: _hash, firstSeenMs: _first, lastSeenMs: _last, ...told } = known;
    scene.apply({ update: [{ ...told, surface: new TriangleMesh(shape.positions, shape.indices) }] }, atMs);
  }

  clear(): void {
    this.#triangles.clear();
  }
}
