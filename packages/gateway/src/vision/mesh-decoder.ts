// Mesh packets to triangles. Sizes are checked before anything is allocated for them: a client decides what arrives here.
import type { ArrivedMesh } from "@fovea/core";
import type { MeshPacket } from "@fovea/protocol";
import { dequantizeVertices } from "@fovea/protocol";
import { MeshoptDecoder } from "meshoptimizer/decoder";

const VERTEX_BYTES = 8;
const INDEX_BYTES = 4;

/** The decoder is WebAssembly and has to be compiled once; packets before that wait for nobody. */
export const meshDecoderReady: Promise<void> = MeshoptDecoder.ready;

/** Undefined for streams that cannot be read. */
export function decodeMesh(packet: MeshPacket): ArrivedMesh | undefined {
  const { ref, level, errorCm, min, max, vertexCount, indexCount, isPlain } = packet;
  const vertices = isPlain ? packet.vertexBytes : decoded(packet.vertexBytes, vertexCount, VERTEX_BYTES, "vertices");
  const indexBytes = isPlain ? packet.indexBytes : decoded(packet.indexBytes, indexCount, INDEX_BYTES, "indices");
  if (vertices === undefined || indexBytes === undefined) return undefined;
  const positions = dequantizeVertices(vertices, min, max);
  // Copied: the packet lies in the socket's buffer, at any offset.
  const indices = new Uint32Array(indexBytes.slice().buffer);
  return { ref, level, errorCm, positions, indices };
}

function decoded(bytes: Uint8Array, count: number, size: number, kind: "vertices" | "indices"): Uint8Array | undefined {
  const target = new Uint8Array(count * size);
  try {
    if (kind === "vertices") MeshoptDecoder.decodeVertexBuffer(target, count, size, bytes);
    else MeshoptDecoder.decodeIndexBuffer(target, count, size, bytes);
    return target;
  } catch {
    return undefined;
  }
}
