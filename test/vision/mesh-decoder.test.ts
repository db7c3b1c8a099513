// Rule VS13 of docs/spec/vision.md.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadScannedMesh } from "@fovea/core/testing";
import { decodeMeshPacket, encodeMeshPacket, quantizeVertices } from "@fovea/protocol";
import type { MeshPacket } from "@fovea/protocol";
import { MeshoptEncoder } from "meshoptimizer/encoder";
import { decodeMesh, meshDecoderReady } from "../../packages/gateway/src/vision/mesh-decoder.ts";

function overTheWire(packet: MeshPacket): MeshPacket {
  const decoded = decodeMeshPacket(encodeMeshPacket(packet));
  assert.ok(decoded.outcome === "packet", JSON.stringify(decoded));
  return decoded.packet;
}

test("[VS13] meshopt or plain numbers: the same triangles; rubbish is refused", async () => {
  await Promise.all([meshDecoderReady, MeshoptEncoder.ready]);
  const { positions, indices } = loadScannedMesh("office_small");
  const { min, max, vertexBytes } = quantizeVertices(positions);
  const common = {
    level: 0,
    ref: 3,
    min,
    max,
    errorCm: 0,
    vertexCount: positions.length / 3,
    indexCount: indices.length,
  };
  const plain = decodeMesh(
    overTheWire({ ...common, isPlain: true, vertexBytes, indexBytes: new Uint8Array(indices.slice().buffer) }),
  );
  const packed: MeshPacket = {
    ...common,
    isPlain: false,
    vertexBytes: MeshoptEncoder.encodeVertexBuffer(vertexBytes, common.vertexCount, 8),
    indexBytes: MeshoptEncoder.encodeIndexBuffer(new Uint8Array(indices.slice().buffer), indices.length, 4),
  };
  const unpacked = decodeMesh(overTheWire(packed));
  assert.ok(plain !== undefined && unpacked !== undefined);
  assert.ok(packed.vertexBytes.length + packed.indexBytes.length < 20_000);
  assert.deepEqual(unpacked.positions, plain.positions);
  let worstM = 0;
  for (let at = 0; at < positions.length; at++)
    worstM = Math.max(worstM, Math.abs((positions[at] as number) - (plain.positions[at] as number)));
  assert.ok(worstM < 0.0001, `${worstM}`);
  // meshopt may turn a triangle round within itself, but keeps it.
  const triangles = (list: Uint32Array): string[] =>
    Array.from({ length: list.length / 3 }, (_, at) =>
      [...list.subarray(at * 3, at * 3 + 3)].sort((a, b) => a - b).join(),
    );
  assert.deepEqual(triangles(unpacked.indices).sort(), triangles(plain.indices).sort());
  assert.equal(decodeMesh({ ...packed, vertexBytes: packed.vertexBytes.slice(0, 40) }), undefined);
  assert.equal(decodeMesh({ ...packed, indexBytes: Uint8Array.of(1, 2, 3) }), undefined);
});
