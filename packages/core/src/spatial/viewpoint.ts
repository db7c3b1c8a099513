// Directions as a person says them. The viewer's frame is the heading of the head on the floor: tilting the head moves no
// "left". Clock face: twelve is straight ahead, three is to the right.
import type { Vec3 } from "../geometry/vec3.ts";
import { forwardOf } from "../geometry/pose.ts";
import { rotate } from "../geometry/quat.ts";
import type { XRContext } from "../model/xr-context.ts";
import type { Room } from "./room.ts";
import type { Solid } from "./solid.ts";

/** Where someone stands and which way they look on the floor. `forward` and `right` are of unit length, y = 0. */
export interface Viewpoint {
  readonly position: Vec3;
  readonly forward: Vec3;
  readonly right: Vec3;
  /** False when it is assumed: no tracked viewer and no words that say where to stand. */
  readonly isKnown: boolean;
}

export function viewpointOf(context: XRContext, room: Room): Viewpoint {
  if (!context.viewer.isTracked) return assumedViewpoint(room);
  const forward = forwardOf(context.viewer.pose);
  let x = forward[0];
  let z = forward[2];
  // Looking straight up or down leaves no heading; the top of the head shows where the face was turned from.
  if (Math.hypot(x, z) < 1e-3) {
    const top = rotate(context.viewer.pose.orientation, [0, 1, 0]);
    const sign = forward[1] > 0 ? -1 : 1;
    x = top[0] * sign;
    z = top[2] * sign;
  }
  return viewpoint(context.viewer.pose.position, [x, 0, z], true);
}

/** The middle of the room, looking along -Z, at eye height. */
function assumedViewpoint(room: Room): Viewpoint {
  return viewpoint([room.center[0], room.floorY + 1.6, room.center[2]], [0, 0, -1], false);
}

export function viewpoint(position: Vec3, direction: Vec3, isKnown: boolean): Viewpoint {
  const size = Math.hypot(direction[0], direction[2]);
  const forward: Vec3 = size < 1e-9 ? [0, 0, -1] : [direction[0] / size, 0, direction[2] / size];
  return { position, forward, right: [-forward[2], 0, forward[0]], isKnown };
}

/** Angle on the floor from straight ahead to a point, radians, positive to the right, -pi to pi. */
export function bearingRad(view: Viewpoint, point: Vec3): number {
  const x = point[0] - view.position[0];
  const z = point[2] - view.position[2];
  const ahead = x * view.forward[0] + z * view.forward[2];
  const aside = x * view.right[0] + z * view.right[2];
  return ahead === 0 && aside === 0 ? 0 : Math.atan2(aside, ahead);
}

/** 1 to 12. */
export function clockHour(bearing: number): number {
  const hour = (Math.round((bearing * 6) / Math.PI) + 12) % 12;
  return hour === 0 ? 12 : hour;
}

/** How one stands to look at the front of a thing: in front of it when its front is known, else in the middle of the room. */
export function facingView(solid: Solid, room: Room, view: Viewpoint): Viewpoint {
  const { facing, center } = solid;
  if (facing !== undefined) {
    const position: Vec3 = [center[0] + facing[0] * 2, view.position[1], center[2] + facing[2] * 2];
    return viewpoint(position, [-facing[0], 0, -facing[2]], true);
  }
  const from = view.isKnown ? view.position : room.center;
  const direction: Vec3 = [center[0] - from[0], 0, center[2] - from[2]];
  return viewpoint(from, direction, view.isKnown);
}
