// The depth of a frame as a packet. The buffer is only valid inside the frame, so it is copied at once.
import { encodeDepthPacket, LIMITS } from "@fovea/protocol";
import { poseNumbers } from "./camera-source.ts";

/** Beyond it a 16 bit number of millimetres ends. */
const MILLIMETRES_MAX = 65_535;

/** Undefined where the session has no depth for the processor, or none in this frame. */
export function readDepth(
  frame: XRFrame,
  view: XRView,
  depthId: number,
  timeMs: number,
): Uint8Array<ArrayBuffer> | undefined {
  const { session } = frame;
  if (session.depthUsage !== "cpu-optimized" || typeof frame.getDepthInformation !== "function") return undefined;
  let depth: XRCPUDepthInformation | null | undefined;
  try {
    depth = frame.getDepthInformation(view);
  } catch {
    // Runtimes that granted depth may still have none for this view.
    return undefined;
  }
  if (!depth || depth.width > LIMITS.depthSideMax || depth.height > LIMITS.depthSideMax) return undefined;
  const { width, height } = depth;
  const cells = width * height;
  const payload = new Uint8Array(cells * 2);
  const into = new DataView(payload.buffer);
  const isFloat = session.depthDataFormat === "float32";
  if (isFloat) {
    const metres = new Float32Array(depth.data);
    for (let cell = 0; cell < cells; cell++) {
      const millimetres = (metres[cell] ?? 0) * depth.rawValueToMeters * 1_000;
      into.setUint16(cell * 2, millimetres > 0 && millimetres <= MILLIMETRES_MAX ? Math.round(millimetres) : 0, true);
    }
  } else {
    payload.set(new Uint8Array(depth.data, 0, Math.min(depth.data.byteLength, payload.length)));
  }
  const matrix = depth.normDepthBufferFromNormView.matrix;
  const projection = depth.projectionMatrix ?? view.projectionMatrix;
  return encodeDepthPacket({
    format: "uint16",
    depthId,
    t: timeMs,
    sensorPose: poseNumbers(depth.transform ?? view.transform),
    normDepthBufferFromNormView: Float32Array.from([0, 1, 4, 5, 12, 13], (index) => matrix[index] ?? 0),
    projection: Float32Array.from([0, 5, 8, 9], (index) => projection[index] ?? 0),
    rawValueToMeters: isFloat ? 0.001 : depth.rawValueToMeters,
    width,
    height,
    payload,
  }) as Uint8Array<ArrayBuffer>;
}
