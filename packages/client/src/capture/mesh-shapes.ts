// Triangles of the room's meshes, told once for each shape and consent. A packet that could not be sent is made again.
import type { WireConsent } from "@fovea/protocol";
import { coarsenMesh, encodeMeshPacket, LIMITS, LOD_ERROR_CM, quantizeVertices } from "@fovea/protocol";

interface Shape {
  readonly vertices: Float32Array;
  readonly indices: Uint32Array;
  readonly key: string;
}

export class MeshShapes {
  readonly #shapes = new Map<string, Shape>();
  /** What of each mesh has left: its fingerprint and the level it was sent at. */
  readonly #sent = new Map<string, string>();

  /** The runtime's arrays are read when the packet is made. */
  note(id: string, vertices: Float32Array, indices: Uint32Array): void {
    const key = fingerprint(vertices);
    if (this.#shapes.get(id)?.key !== key) this.#shapes.set(id, { vertices, indices, key });
  }

  resend(): void {
    this.#sent.clear();
  }

  /** `refOf`: the number of a node that the gateway knows. */
  next(
    { room }: WireConsent,
    refOf: (id: string) => number | undefined,
  ): { readonly packet: Uint8Array<ArrayBuffer>; readonly onSent: () => void } | undefined {
    if (room !== "lod" && room !== "full") return undefined;
    for (const [id, shape] of this.#shapes) {
      const level = `${room} ${shape.key}`;
      const ref = refOf(id);
      if (ref === undefined || this.#sent.get(id) === level) continue;
      const onSent = (): void => void this.#sent.set(id, level);
      const packet = packetOf(shape, ref, room === "lod");
      if (packet !== undefined) return { packet, onSent };
      onSent();
    }
    return undefined;
  }
}

/** Undefined where the mesh is larger than the wire allows, or nothing is left of it. */
function packetOf({ vertices, indices }: Shape, ref: number, isCoarse: boolean): Uint8Array<ArrayBuffer> | undefined {
  const shape = isCoarse
    ? coarsenMesh({ positions: vertices, indices }, LOD_ERROR_CM / 100)
    : { positions: vertices, indices };
  const vertexCount = Math.floor(shape.positions.length / 3);
  const indexCount = Math.floor(shape.indices.length / 3) * 3;
  const bytes = vertexCount * 8 + indexCount * 4;
  if (indexCount === 0 || vertexCount < 3 || bytes > LIMITS.meshPayloadBytesMax) return undefined;
  const indexBytes = new Uint8Array(Uint32Array.from(shape.indices.subarray(0, indexCount)).buffer);
  return encodeMeshPacket({
    level: isCoarse ? 1 : 0,
    ref,
    ...quantizeVertices(shape.positions.subarray(0, vertexCount * 3)),
    errorCm: isCoarse ? LOD_ERROR_CM : 0,
    isPlain: true,
    vertexCount,
    indexCount,
    indexBytes,
  }) as Uint8Array<ArrayBuffer>;
}

/** Length and 64 numbers spread over the vertices: a mesh that changed without moving one of them does not occur. */
export function fingerprint(vertices: Float32Array): string {
  const step = Math.max(1, Math.floor(vertices.length / 64));
  let key = String(vertices.length);
  for (let i = 0; i < vertices.length; i += step) key += `,${vertices[i]}`;
  return key;
}
