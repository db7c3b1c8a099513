import { LIMITS } from "./limits.ts";
import { PACKET_KIND } from "./packet-kind.ts";
import { PacketReader } from "./packet-reader.ts";
import type { Decoded } from "./protocol-error.ts";

export const MESH_HEADER_BYTES = 52;

/**
 * One level of detail of a mesh, kind 0x04: vertices of four u16 (stride 8, position quantised between `min` and `max`),
 * then u32 indices. Both streams are meshopt's, and stay opaque here, unless `isPlain`: then they are the numbers
 * themselves, little-endian, for clients that ship no encoder. They are views on the packet.
 */
export interface MeshPacket {
  /** 0 is the full mesh. */
  readonly level: number;
  /** The number the entity was given in `scene.update`. */
  readonly ref: number;
  /** Metres, in mesh space. */
  readonly min: Float32Array;
  readonly max: Float32Array;
  readonly errorCm: number;
  readonly isPlain: boolean;
  readonly vertexCount: number;
  readonly indexCount: number;
  readonly vertexBytes: Uint8Array;
  readonly indexBytes: Uint8Array;
}

export function decodeMeshPacket(bytes: Uint8Array): Decoded<MeshPacket> {
  const reader = new PacketReader(bytes, "mesh", MESH_HEADER_BYTES);
  const isPlain = (reader.u16(2, "flags", 0, 1) & 1) !== 0;
  const min = reader.floats(8, 3, "min", LIMITS.positionMaxM);
  const max = reader.floats(20, 3, "max", LIMITS.positionMaxM);
  for (let axis = 0; axis < 3; axis++) {
    if ((min[axis] ?? 0) > (max[axis] ?? 0))
      reader.fail("out_of_range", "min", "expected min to be at most max on every axis");
  }
  const indexCount = reader.u32(40, "indexCount", 3, LIMITS.meshIndicesMax);
  if (indexCount % 3 !== 0) reader.fail("out_of_range", "indexCount", "expected whole triangles");
  const vertexSize = reader.u32(44, "vertexBytes", 1, LIMITS.meshPayloadBytesMax);
  const indexSize = reader.u32(48, "indexBytes", 1, LIMITS.meshPayloadBytesMax);
  const vertexCount = reader.u32(36, "vertexCount", 3, LIMITS.meshVerticesMax);
  if (isPlain && reader.error === undefined) {
    if (vertexSize !== vertexCount * 8) reader.fail("truncated", "vertexBytes", "expected eight bytes a vertex");
    if (indexSize !== indexCount * 4) reader.fail("truncated", "indexBytes", "expected four bytes an index");
  }
  const payloadSize = reader.error === undefined ? vertexSize + indexSize : 0;
  const payload = reader.payload(payloadSize, Math.min(payloadSize, LIMITS.meshPayloadBytesMax));
  return reader.result({
    level: reader.u8(1, "level", 255),
    ref: reader.u32(4, "ref"),
    min,
    max,
    errorCm: reader.f32(32, "errorCm", 0, LIMITS.positionMaxM),
    isPlain,
    vertexCount,
    indexCount,
    vertexBytes: payload.subarray(0, vertexSize),
    indexBytes: payload.subarray(vertexSize, vertexSize + indexSize),
  });
}

export function encodeMeshPacket(packet: MeshPacket): Uint8Array {
  const bytes = new Uint8Array(MESH_HEADER_BYTES + packet.vertexBytes.length + packet.indexBytes.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = PACKET_KIND.mesh;
  bytes[1] = packet.level;
  view.setUint16(2, packet.isPlain ? 1 : 0, true);
  view.setUint32(4, packet.ref, true);
  for (let axis = 0; axis < 3; axis++) {
    view.setFloat32(8 + axis * 4, packet.min[axis] ?? 0, true);
    view.setFloat32(20 + axis * 4, packet.max[axis] ?? 0, true);
  }
  view.setFloat32(32, packet.errorCm, true);
  view.setUint32(36, packet.vertexCount, true);
  view.setUint32(40, packet.indexCount, true);
  view.setUint32(44, packet.vertexBytes.length, true);
  view.setUint32(48, packet.indexBytes.length, true);
  bytes.set(packet.vertexBytes, MESH_HEADER_BYTES);
  bytes.set(packet.indexBytes, MESH_HEADER_BYTES + packet.vertexBytes.length);
  return bytes;
}
