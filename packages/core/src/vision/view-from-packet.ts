import type { ImagePacket } from "@fovea/protocol";
import type { Pose } from "../geometry/pose.ts";
import type { DepthField } from "../model/sight.ts";
import type { ImageView } from "../model/sight.ts";

/** The eye of an image as the wire tells it. `atMs` is its exposure on the session clock. */
export function viewFromPacket(packet: ImagePacket, atMs: number, depth?: DepthField): ImageView {
  const [fx = 1, fy = 1, cx = 0, cy = 0] = packet.intrinsics;
  return {
    imageId: packet.imageId,
    atMs,
    pose: poseFrom(packet.cameraPose),
    fx,
    fy,
    cx,
    cy,
    widthPx: packet.width,
    heightPx: packet.height,
    isEstimated: packet.isIntrinsicsEstimated,
    ...(depth === undefined ? {} : { depth }),
  };
}

/** Seven numbers of the wire. */
export function poseFrom(numbers: ArrayLike<number>): Pose {
  const [x = 0, y = 0, z = 0, qx = 0, qy = 0, qz = 0, qw = 1] = Array.from(numbers);
  return { position: [x, y, z], orientation: [qx, qy, qz, qw] };
}
