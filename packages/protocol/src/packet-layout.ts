// Where every field of the binary packets lies. docs/reference/wire.md is written from this table, and a test reads each
// fixed offset back from packets that the codecs made, so table, page and code cannot drift apart.

export type FieldType = "u8" | "u16" | "u32" | "f32" | "f64" | "pose18" | "bytes";

export interface PacketField {
  /** From the start of the packet; undefined after the first field of variable size. */
  readonly offset?: number;
  readonly type: FieldType | "per source";
  readonly count?: number;
  readonly field: string;
  readonly meaning: string;
}

export interface PacketLayout {
  readonly kind: number;
  readonly name: string;
  readonly direction: "client to gateway" | "gateway to client";
  readonly headerBytes: number;
  readonly fields: readonly PacketField[];
}

const AUDIO_FIELDS: readonly PacketField[] = [
  { offset: 0, type: "u8", field: "kind", meaning: "`0x02` up, `0x12` down" },
  { offset: 1, type: "u8", field: "codec", meaning: "0 PCM16LE 16 kHz, 1 PCM16LE 24 kHz, 2 Opus 20 ms; always mono" },
  { offset: 2, type: "u16", field: "streamId", meaning: "named by `ask.audioStreamId` or the `audio` part" },
  { offset: 4, type: "u16", field: "seq", meaning: "wraps" },
  { offset: 6, type: "u16", field: "epoch", meaning: "wraps; older epochs are dropped" },
  { offset: 8, type: "f64", field: "t0", meaning: "ms, time of the first sample" },
  { offset: 16, type: "bytes", field: "payload", meaning: "samples or one Opus packet" },
];

export const PACKET_LAYOUTS: readonly PacketLayout[] = [
  {
    kind: 0x01,
    name: "pose",
    direction: "client to gateway",
    headerBytes: 31,
    fields: [
      { offset: 0, type: "u8", field: "kind", meaning: "`0x01`" },
      {
        offset: 1,
        type: "u8",
        field: "flags",
        meaning:
          "bit 0 emulatedPosition, bit 1 velocities follow, bit 2 joint orientations follow every hand, bit 3 tracking lost (the viewer pose is the last known); bits 4-7 zero",
      },
      { offset: 2, type: "f64", field: "t", meaning: "ms, client clock" },
      { offset: 10, type: "u16", field: "seq", meaning: "wraps" },
      { offset: 12, type: "pose18", field: "viewer", meaning: "head in the reference space" },
      {
        offset: 30,
        type: "f32",
        count: 6,
        field: "velocities",
        meaning: "only with flag bit 1: linear m/s, angular rad/s",
      },
      { type: "u8", field: "sourceCount", meaning: "0 to 8; at 30, or at 54 with velocities" },
      { type: "per source", field: "id", meaning: "u8, described by `hello` or `inputs`" },
      { type: "per source", field: "present", meaning: "u8: bit 0 target ray, bit 1 grip, bit 2 hand; bits 3-7 zero" },
      { type: "per source", field: "targetRay", meaning: "pose18, if bit 0" },
      { type: "per source", field: "grip", meaning: "pose18, if bit 1" },
      {
        type: "per source",
        field: "hand",
        meaning:
          "if bit 2: pose18 of the wrist, then joints 1-24 as 3 x i16 each, offset from the wrist in the wrist's own axes, unit 10 um, clamped to +-0.32767 m",
      },
      {
        type: "per source",
        field: "jointOrientations",
        meaning: "if bit 2 and flag bit 2: 24 x 6 bytes, smallest three, in the reference space",
      },
      { type: "per source", field: "pressed", meaning: "u16, bit i is button i" },
      { type: "per source", field: "touched", meaning: "u16, bit i is button i" },
      { type: "per source", field: "values", meaning: "u8 x min(buttons, 2): analog value of buttons 0 and 1, 0-255" },
      { type: "per source", field: "axes", meaning: "i8 x axes: axis x 127" },
    ],
  },
  { kind: 0x02, name: "audio", direction: "client to gateway", headerBytes: 16, fields: AUDIO_FIELDS },
  { kind: 0x12, name: "audio", direction: "gateway to client", headerBytes: 16, fields: AUDIO_FIELDS },
  {
    kind: 0x03,
    name: "image",
    direction: "client to gateway",
    headerBytes: 58,
    fields: [
      { offset: 0, type: "u8", field: "kind", meaning: "`0x03`" },
      { offset: 1, type: "u8", field: "format", meaning: "0 JPEG" },
      {
        offset: 2,
        type: "u16",
        field: "flags",
        meaning: "bit 0: the intrinsics are estimates, bit 1: the pose is not known; others zero",
      },
      { offset: 4, type: "u32", field: "imageId", meaning: "" },
      { offset: 8, type: "f64", field: "t", meaning: "ms, exposure time as well as known" },
      { offset: 16, type: "pose18", field: "cameraPose", meaning: "in the reference space" },
      { offset: 34, type: "f32", count: 4, field: "intrinsics", meaning: "fx, fy, cx, cy, pixels" },
      { offset: 50, type: "u16", field: "width", meaning: "pixels" },
      { offset: 52, type: "u16", field: "height", meaning: "pixels" },
      {
        offset: 54,
        type: "u32",
        field: "depthRef",
        meaning: "`depthId` of the depth packet of this image, 0 for none",
      },
      { offset: 58, type: "bytes", field: "payload", meaning: "JPEG" },
    ],
  },
  {
    kind: 0x05,
    name: "depth",
    direction: "client to gateway",
    headerBytes: 82,
    fields: [
      { offset: 0, type: "u8", field: "kind", meaning: "`0x05`" },
      { offset: 1, type: "u8", field: "format", meaning: "0 uint16, 1 float16" },
      { offset: 2, type: "u16", field: "flags", meaning: "zero" },
      { offset: 4, type: "u32", field: "depthId", meaning: "not zero" },
      { offset: 8, type: "f64", field: "t", meaning: "ms" },
      { offset: 16, type: "pose18", field: "sensorPose", meaning: "in the reference space" },
      {
        offset: 34,
        type: "f32",
        count: 6,
        field: "normDepthBufferFromNormView",
        meaning: "2-D affine: matrix elements 0, 1, 4, 5, 12, 13",
      },
      { offset: 58, type: "f32", count: 4, field: "projection", meaning: "elements 0, 5, 8, 9 of the depth view" },
      { offset: 74, type: "f32", field: "rawValueToMeters", meaning: "" },
      { offset: 78, type: "u16", field: "width", meaning: "cells" },
      { offset: 80, type: "u16", field: "height", meaning: "cells" },
      { offset: 82, type: "bytes", field: "payload", meaning: "row-major, 2 bytes a cell, 0 = not known" },
    ],
  },
  {
    kind: 0x04,
    name: "mesh",
    direction: "client to gateway",
    headerBytes: 52,
    fields: [
      { offset: 0, type: "u8", field: "kind", meaning: "`0x04`" },
      { offset: 1, type: "u8", field: "level", meaning: "0 = full" },
      {
        offset: 2,
        type: "u16",
        field: "flags",
        meaning: "bit 0: the streams are the plain numbers, not encoded by meshopt; others zero",
      },
      { offset: 4, type: "u32", field: "ref", meaning: "number given to the entity in `scene.update`" },
      { offset: 8, type: "f32", count: 3, field: "min", meaning: "of the positions, metres, mesh space" },
      { offset: 20, type: "f32", count: 3, field: "max", meaning: "" },
      { offset: 32, type: "f32", field: "errorCm", meaning: "against the full mesh, cm" },
      { offset: 36, type: "u32", field: "vertexCount", meaning: "" },
      { offset: 40, type: "u32", field: "indexCount", meaning: "multiple of 3" },
      { offset: 44, type: "u32", field: "vertexBytes", meaning: "size of the vertex stream" },
      { offset: 48, type: "u32", field: "indexBytes", meaning: "size of the index stream" },
      {
        offset: 52,
        type: "bytes",
        field: "payload",
        meaning:
          "vertex stream (4 x u16, stride 8, quantised between min and max), then index stream (u32), both meshopt unless plain",
      },
    ],
  },
];
