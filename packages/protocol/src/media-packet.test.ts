// Rules WM1..WM4 of docs/spec/wire.md. A case plants bytes in a valid packet; the result is "ok" or "code at field".
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeAudioPacket,
  decodeDepthPacket,
  decodeImagePacket,
  encodeAudioPacket,
  encodeDepthPacket,
  encodeImagePacket,
} from "./media-packet.ts";
import { decodeMeshPacket, encodeMeshPacket } from "./mesh-packet.ts";
import type { Decoded } from "./protocol-error.ts";

const POSE = new Float32Array([0, 1.5, 0, 0, 0, 0, 1]);
const audio = (): Uint8Array =>
  encodeAudioPacket({ codec: "pcm16-16k", streamId: 1, seq: 2, epoch: 3, t0: 4, payload: new Uint8Array(640) }, "up");
const image = (): Uint8Array =>
  encodeImagePacket({
    format: "jpeg",
    isIntrinsicsEstimated: false,
    imageId: 1,
    t: 2,
    cameraPose: POSE,
    intrinsics: new Float32Array([800, 800, 640, 360]),
    width: 1280,
    height: 720,
    depthRef: 0,
    payload: new Uint8Array([0xff, 0xd8, 1, 2, 3]),
  });
const depth = (): Uint8Array =>
  encodeDepthPacket({
    format: "float16",
    depthId: 5,
    t: 1,
    sensorPose: POSE,
    normDepthBufferFromNormView: new Float32Array([1, 0, 0, 1, 0, 0]),
    projection: new Float32Array([1, 1, 0, 0]),
    rawValueToMeters: 0.001,
    width: 4,
    height: 3,
    payload: new Uint8Array(24),
  });
const mesh = (): Uint8Array =>
  encodeMeshPacket({
    level: 1,
    ref: 2,
    min: new Float32Array([0, 0, 0]),
    max: new Float32Array([1, 1, 1]),
    errorCm: 4,
    isPlain: false,
    vertexCount: 3,
    indexCount: 3,
    vertexBytes: new Uint8Array(10),
    indexBytes: new Uint8Array(6),
  });

function check<T>(
  decode: (bytes: Uint8Array) => Decoded<T>,
  bytes: Uint8Array,
  plant?: (view: DataView) => void,
): string {
  plant?.(new DataView(bytes.buffer));
  const result = decode(bytes);
  return result.outcome === "packet" ? "ok" : `${result.error.code} at ${result.error.field}`;
}

const up = (bytes: Uint8Array): ReturnType<typeof decodeAudioPacket> => decodeAudioPacket(bytes, "up");

test("[WM1] 20 ms of PCM take 656 bytes at 16 kHz and 976 at 24 kHz; a 200 x 150 depth grid 60,082", () => {
  const pcm = (samples: number): number =>
    encodeAudioPacket(
      { codec: "pcm16-24k", streamId: 0, seq: 0, epoch: 0, t0: 0, payload: new Uint8Array(samples * 2) },
      "down",
    ).length;
  assert.deepEqual([pcm(320), pcm(480)], [656, 976]);
  assert.equal(depth().length - 24 + 200 * 150 * 2, 60_082);
});

test("[WM2] media packets cut at any byte of their header are refused as truncated", () => {
  const cases: [(bytes: Uint8Array) => Decoded<unknown>, Uint8Array, number][] = [
    [up, audio(), 17],
    [decodeImagePacket, image(), 60],
    [decodeDepthPacket, depth(), 106],
    [decodeMeshPacket, mesh(), 68],
  ];
  for (const [decode, bytes, shortest] of cases)
    for (let length = 0; length < shortest; length++)
      assert.match(check(decode, bytes.slice(0, length)), /^truncated at /, `length ${length}`);
});

test("[WM3] fields out of range are refused with their name", () => {
  assert.equal(
    check(up, audio(), (view) => view.setUint8(1, 3)),
    "out_of_range at codec",
  );
  assert.equal(check(up, audio().slice(0, -1)), "truncated at payload");
  assert.equal(
    check(up, audio(), (view) => view.setFloat64(8, Number.NaN, true)),
    "not_finite at t0",
  );
  assert.equal(check(up, new Uint8Array([...audio(), ...new Uint8Array(65_536)])), "too_large at payload");
  assert.equal(
    check(decodeImagePacket, image(), (view) => view.setUint16(50, 0)),
    "out_of_range at width",
  );
  assert.equal(
    check(decodeImagePacket, image(), (view) => view.setUint8(58, 0x89)),
    "not_allowed at payload",
  );
  assert.equal(
    check(decodeImagePacket, image(), (view) => view.setFloat32(34, -1, true)),
    "out_of_range at intrinsics",
  );
  assert.equal(
    check(decodeImagePacket, image(), (view) => view.setFloat32(20, Number.NaN, true)),
    "not_finite at cameraPose",
  );
  assert.equal(
    check(decodeDepthPacket, depth(), (view) => view.setUint16(78, 5, true)),
    "truncated at payload",
  );
  assert.equal(
    check(decodeDepthPacket, depth(), (view) => view.setUint16(78, 3, true)),
    "too_large at payload",
  );
  assert.equal(
    check(decodeDepthPacket, depth(), (view) => view.setFloat32(74, 0)),
    "out_of_range at rawValueToMeters",
  );
  assert.equal(
    check(decodeMeshPacket, mesh(), (view) => view.setUint32(40, 4, true)),
    "out_of_range at indexCount",
  );
  assert.equal(
    check(decodeMeshPacket, mesh(), (view) => view.setUint32(36, 4e9, true)),
    "out_of_range at vertexCount",
  );
  assert.equal(
    check(decodeMeshPacket, mesh(), (view) => view.setUint32(44, 11, true)),
    "truncated at payload",
  );
  assert.equal(
    check(decodeMeshPacket, mesh(), (view) => view.setUint32(44, 9, true)),
    "too_large at payload",
  );
  assert.equal(
    check(decodeMeshPacket, mesh(), (view) => view.setFloat32(8, 2, true)),
    "out_of_range at min",
  );
});

test("[WM4] payloads are views on the packet, not copies", () => {
  const bytes = audio();
  const result = up(bytes);
  assert.equal(result.outcome === "packet" && result.packet.payload.buffer === bytes.buffer, true);
});
