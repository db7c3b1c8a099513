// Audio 0x02 (up) and 0x12 (down), image 0x03 and depth 0x05. Layouts: docs/reference/wire.md. Payloads are views on the
// packet: who keeps one beyond the call copies it.

import { LIMITS } from "./limits.ts";
import { writePose } from "./packed-pose.ts";
import { PACKET_KIND } from "./packet-kind.ts";
import { PacketReader } from "./packet-reader.ts";
import type { Decoded } from "./protocol-error.ts";

export const AUDIO_HEADER_BYTES = 16;
export const IMAGE_HEADER_BYTES = 58;
export const DEPTH_HEADER_BYTES = 82;

/** Index is the value on the wire. PCM is 16 bit little-endian mono; an Opus packet holds 20 ms. */
export const AUDIO_CODECS = ["pcm16-16k", "pcm16-24k", "opus"] as const;
export type AudioCodec = (typeof AUDIO_CODECS)[number];

export interface AudioPacket {
  readonly codec: AudioCodec;
  readonly streamId: number;
  /** Wraps at 65,536, as `epoch` does. */
  readonly seq: number;
  readonly epoch: number;
  /** Time of the first sample, milliseconds: client clock upwards, session clock downwards. */
  readonly t0: number;
  readonly payload: Uint8Array;
}

export interface ImagePacket {
  readonly format: "jpeg";
  /** Set where the camera's exact values are not known, as on Quest. */
  readonly isIntrinsicsEstimated: boolean;
  /** Set where nobody knows from where it was taken (a webcam on a desk): it can be looked at, and nothing be placed by it. */
  readonly isPoseUnknown?: boolean;
  readonly imageId: number;
  /** Exposure time as well as known, client milliseconds. */
  readonly t: number;
  /** Seven numbers, in the reference space. */
  readonly cameraPose: Float32Array;
  /** fx, fy, cx, cy in pixels. */
  readonly intrinsics: Float32Array;
  readonly width: number;
  readonly height: number;
  /** `depthId` of the depth packet that belongs to the image; 0 for none. */
  readonly depthRef: number;
  readonly payload: Uint8Array;
}

export interface DepthPacket {
  readonly format: "uint16" | "float16";
  readonly depthId: number;
  readonly t: number;
  readonly sensorPose: Float32Array;
  /** `normDepthBufferFromNormView` as 2-D affine: matrix elements 0, 1, 4, 5, 12, 13. */
  readonly normDepthBufferFromNormView: Float32Array;
  /** Elements 0, 5, 8, 9 of the depth view's projection matrix. */
  readonly projection: Float32Array;
  readonly rawValueToMeters: number;
  readonly width: number;
  readonly height: number;
  /** Row-major, two bytes a cell, 0 = not known. Distance to the camera plane, not along the ray. */
  readonly payload: Uint8Array;
}

export function decodeAudioPacket(bytes: Uint8Array, direction: "up" | "down"): Decoded<AudioPacket> {
  const reader = new PacketReader(bytes, direction === "up" ? "audioUp" : "audioDown", AUDIO_HEADER_BYTES);
  const codec = AUDIO_CODECS[reader.u8(1, "codec", AUDIO_CODECS.length - 1)] ?? "pcm16-16k";
  const payload = reader.payload(1, LIMITS.audioPayloadBytesMax);
  if (codec !== "opus" && payload.length % 2 !== 0)
    reader.fail("truncated", "payload", "expected whole 16 bit samples");
  return reader.result({
    codec,
    streamId: reader.u16(2, "streamId"),
    seq: reader.u16(4, "seq"),
    epoch: reader.u16(6, "epoch"),
    t0: reader.time(8, "t0"),
    payload,
  });
}

export function encodeAudioPacket(packet: AudioPacket, direction: "up" | "down"): Uint8Array {
  const bytes = new Uint8Array(AUDIO_HEADER_BYTES + packet.payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = direction === "up" ? PACKET_KIND.audioUp : PACKET_KIND.audioDown;
  bytes[1] = AUDIO_CODECS.indexOf(packet.codec);
  view.setUint16(2, packet.streamId, true);
  view.setUint16(4, packet.seq & 0xffff, true);
  view.setUint16(6, packet.epoch & 0xffff, true);
  view.setFloat64(8, packet.t0, true);
  bytes.set(packet.payload, AUDIO_HEADER_BYTES);
  return bytes;
}

export function decodeImagePacket(bytes: Uint8Array): Decoded<ImagePacket> {
  const reader = new PacketReader(bytes, "image", IMAGE_HEADER_BYTES);
  reader.u8(1, "format", 0);
  const flags = reader.u16(2, "flags", 0, 3);
  const payload = reader.payload(2, LIMITS.imagePayloadBytesMax);
  if (payload[0] !== 0xff || payload[1] !== 0xd8) reader.fail("not_allowed", "payload", "expected a JPEG image");
  const intrinsics = reader.floats(34, 4, "intrinsics", 1e6);
  if (!((intrinsics[0] ?? 0) > 0 && (intrinsics[1] ?? 0) > 0))
    reader.fail("out_of_range", "intrinsics", "expected positive focal lengths");
  return reader.result({
    format: "jpeg",
    isIntrinsicsEstimated: (flags & 1) !== 0,
    isPoseUnknown: (flags & 2) !== 0,
    imageId: reader.u32(4, "imageId"),
    t: reader.time(8, "t"),
    cameraPose: reader.pose(16, "cameraPose"),
    intrinsics,
    width: reader.u16(50, "width", 1, LIMITS.imageSideMax),
    height: reader.u16(52, "height", 1, LIMITS.imageSideMax),
    depthRef: reader.u32(54, "depthRef"),
    payload,
  });
}

export function encodeImagePacket(packet: ImagePacket): Uint8Array {
  const bytes = new Uint8Array(IMAGE_HEADER_BYTES + packet.payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = PACKET_KIND.image;
  view.setUint16(2, (packet.isIntrinsicsEstimated ? 1 : 0) | (packet.isPoseUnknown === true ? 2 : 0), true);
  view.setUint32(4, packet.imageId, true);
  view.setFloat64(8, packet.t, true);
  writePose(view, 16, packet.cameraPose);
  writeFloats(view, 34, packet.intrinsics);
  view.setUint16(50, packet.width, true);
  view.setUint16(52, packet.height, true);
  view.setUint32(54, packet.depthRef, true);
  bytes.set(packet.payload, IMAGE_HEADER_BYTES);
  return bytes;
}

export function decodeDepthPacket(bytes: Uint8Array): Decoded<DepthPacket> {
  const reader = new PacketReader(bytes, "depth", DEPTH_HEADER_BYTES);
  const format = reader.u8(1, "format", 1) === 0 ? "uint16" : "float16";
  reader.u16(2, "flags", 0, 0);
  const width = reader.u16(78, "width", 1, LIMITS.depthSideMax);
  const height = reader.u16(80, "height", 1, LIMITS.depthSideMax);
  const size = reader.error === undefined ? width * height * 2 : 0;
  return reader.result({
    format,
    depthId: reader.u32(4, "depthId", 1),
    t: reader.time(8, "t"),
    sensorPose: reader.pose(16, "sensorPose"),
    normDepthBufferFromNormView: reader.floats(34, 6, "normDepthBufferFromNormView", 1e3),
    projection: reader.floats(58, 4, "projection", 1e6),
    rawValueToMeters: reader.f32(74, "rawValueToMeters", 1e-9, 1e3),
    width,
    height,
    payload: reader.payload(size, size),
  });
}

export function encodeDepthPacket(packet: DepthPacket): Uint8Array {
  const bytes = new Uint8Array(DEPTH_HEADER_BYTES + packet.payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = PACKET_KIND.depth;
  bytes[1] = packet.format === "uint16" ? 0 : 1;
  view.setUint32(4, packet.depthId, true);
  view.setFloat64(8, packet.t, true);
  writePose(view, 16, packet.sensorPose);
  writeFloats(view, 34, packet.normDepthBufferFromNormView);
  writeFloats(view, 58, packet.projection);
  view.setFloat32(74, packet.rawValueToMeters, true);
  view.setUint16(78, packet.width, true);
  view.setUint16(80, packet.height, true);
  bytes.set(packet.payload, DEPTH_HEADER_BYTES);
  return bytes;
}

function writeFloats(view: DataView, at: number, numbers: Float32Array): void {
  for (let i = 0; i < numbers.length; i++) view.setFloat32(at + i * 4, numbers[i] ?? 0, true);
}
