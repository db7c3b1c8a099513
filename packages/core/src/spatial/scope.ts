import type { Vec3 } from "../geometry/vec3.ts";
import { IDENTITY } from "../geometry/quat.ts";
import type { AttentionTarget, XRContext } from "../model/xr-context.ts";
import type { Room } from "./room.ts";
import { roomOf } from "./room.ts";
import type { Solid } from "./solid.ts";
import { buildSolid } from "./solid.ts";
import type { Viewpoint } from "./viewpoint.ts";
import { viewpointOf } from "./viewpoint.ts";

/** What a question is answered from: the prepared room, where the viewer stands, what they attend to. */
export interface Scope {
  readonly context: XRContext;
  readonly room: Room;
  readonly view: Viewpoint;
  /** The viewer as a small solid at the eyes, so that they can be an anchor like any thing. */
  readonly viewer: Solid;
  readonly attention: readonly AttentionTarget[];
}

export const VIEWER_ID = "viewer";

export function scopeOf(context: XRContext): Scope {
  const room = roomOf(context.scene);
  const view = viewpointOf(context, room);
  return { context, room, view, viewer: viewerSolid(view.position, view.forward), attention: context.attention };
}

export function viewerSolid(position: Vec3, forward: Vec3): Solid {
  return buildSolid(
    {
      id: VIEWER_ID,
      kind: "person",
      semanticLabel: "viewer",
      pose: { position, orientation: IDENTITY },
      bounds: { min: [0, 0, 0], max: [0, 0, 0] },
      contentHash: "",
      firstSeenMs: 0,
      lastSeenMs: 0,
      confidence: 1,
      source: "device",
      affordances: [],
      facing: forward,
    },
    -1,
  );
}
