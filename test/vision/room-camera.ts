// A client that has a camera, and a small room it stands in, for the tests of this folder: images and depth go over a real
// socket as packets of the wire.
import { sceneNode } from "@fovea/core/testing";
import type { SceneNode, ServerMessage } from "@fovea/protocol";
import { encodeDepthPacket, encodeImagePacket, encodeMeshPacket, quantizeVertices } from "@fovea/protocol";
import type { XRClient } from "../realtime/xr-client.ts";

export const WIDTH = 640;
export const HEIGHT = 480;
export const FOCAL = 500;

/** A JPEG as far as its header: what vendors' codecs read of it is its size. */
export function jpegOf(width = WIDTH, height = HEIGHT, bytes = 4_000): Uint8Array<ArrayBuffer> {
  const head = [0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, height >> 8, height & 255, width >> 8, width & 255, 3];
  const image = new Uint8Array(bytes).fill(7);
  image.set([...head, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
  image.set([0xff, 0xd9], bytes - 2);
  return image;
}

const outline = (x: number, z: number): (readonly [number, number])[] => [
  [-x, -z],
  [x, -z],
  [x, z],
  [-x, z],
];

export const TABLE: SceneNode = sceneNode("table-1", [0, 0.74, -2], {
  kind: "plane",
  semanticLabel: "table",
  polygon: outline(0.8, 0.5),
  bounds: { min: [-0.8, 0, -0.5], max: [0.8, 0, 0.5] },
  orientation: "horizontal",
});

export const WALL: SceneNode = sceneNode("wall-1", [0, 1.25, -4], {
  ref: 2,
  kind: "plane",
  semanticLabel: "wall",
  pose: { position: [0, 1.25, -4], orientation: [Math.SQRT1_2, 0, 0, Math.SQRT1_2] },
  polygon: outline(3, 1.25),
  bounds: { min: [-3, 0, -1.25], max: [3, 0, 1.25] },
  orientation: "vertical",
});

/** The head's pose when the pictures are taken: at the origin, looking along -Z. */
export const TAKEN_AT = [0, 1.6, 0, 0, 0, 0, 1] as const;

let images = 0;

export function sendImage(
  client: XRClient,
  more: {
    readonly depthRef?: number;
    readonly pose?: readonly number[];
    readonly jpeg?: Uint8Array;
    readonly isPoseUnknown?: boolean;
  } = {},
): number {
  const { depthRef = 0, pose = TAKEN_AT, jpeg = jpegOf(), isPoseUnknown = false } = more;
  client.socket.send(
    encodeImagePacket({
      format: "jpeg",
      isIntrinsicsEstimated: false,
      isPoseUnknown,
      imageId: ++images,
      t: performance.now(),
      cameraPose: Float32Array.from(pose),
      intrinsics: Float32Array.of(FOCAL, FOCAL, WIDTH / 2, HEIGHT / 2),
      width: WIDTH,
      height: HEIGHT,
      depthRef,
      payload: jpeg,
    }),
  );
  return images;
}

/** Depth of 64 by 48 cells over the whole image. */
export function sendDepth(client: XRClient, depthId: number, metres: (x: number, y: number) => number): void {
  const payload = new Uint8Array(64 * 48 * 2);
  const cells = new DataView(payload.buffer);
  for (let y = 0; y < 48; y++)
    for (let x = 0; x < 64; x++)
      cells.setUint16((y * 64 + x) * 2, Math.round(metres((x + 0.5) / 64, (y + 0.5) / 48) * 1_000), true);
  client.socket.send(
    encodeDepthPacket({
      format: "uint16",
      depthId,
      t: performance.now(),
      sensorPose: Float32Array.from(TAKEN_AT),
      normDepthBufferFromNormView: Float32Array.of(1, 0, 0, 1, 0, 0),
      projection: Float32Array.of((2 * FOCAL) / WIDTH, (2 * FOCAL) / HEIGHT, 0, 0),
      rawValueToMeters: 0.001,
      width: 64,
      height: 48,
      payload,
    }),
  );
}

export function sendMesh(
  client: XRClient,
  ref: number,
  positions: Float32Array,
  indices: Uint32Array,
  more: { readonly errorCm?: number } = {},
): void {
  client.socket.send(
    encodeMeshPacket({
      level: 0,
      ref,
      ...quantizeVertices(positions),
      errorCm: more.errorCm ?? 0,
      isPlain: true,
      vertexCount: positions.length / 3,
      indexCount: indices.length,
      indexBytes: new Uint8Array(indices.slice().buffer),
    }),
  );
}

/** Thousandths of the image for a point of the room, as seen from `TAKEN_AT`. */
export function boxAround(point: readonly [number, number, number], halfM: number): [number, number, number, number] {
  const depth = -(point[2] - TAKEN_AT[2]);
  const x = WIDTH / 2 + (FOCAL * (point[0] - TAKEN_AT[0])) / depth;
  const y = HEIGHT / 2 - (FOCAL * (point[1] - TAKEN_AT[1])) / depth;
  const half = (FOCAL * halfM) / depth;
  const yx = [y - half, x - half, y + half, x + half] as const;
  return yx.map((value, index) => Math.round((value / (index % 2 === 0 ? HEIGHT : WIDTH)) * 1_000)) as [
    number,
    number,
    number,
    number,
  ];
}

export function isAction(message: ServerMessage): message is Extract<ServerMessage, { type: "action" }> {
  return message.type === "action";
}

export function textOf(messages: readonly ServerMessage[]): string {
  return messages.map((message) => (message.type === "text.delta" ? message.text : "")).join("");
}
