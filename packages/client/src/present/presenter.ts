import type { SceneNode, WireAction } from "@fovea/protocol";
import type { Object3DLike } from "../platform/object-3d.ts";

/** What a presenter may ask about the room. */
export interface SceneLookup {
  /** The node as it stands now. */
  find(id: string): SceneNode | undefined;
  /** The application's own object, where the node is one. */
  objectOf(id: string): Object3DLike | undefined;
}

/** Draws the actions of answers. `@fovea/client/three` has one; an application may bring its own. */
export interface ActionPresenter {
  /** True when it will be seen: the receipt says so. */
  present(action: WireAction, scene: SceneLookup): boolean;
  /** Takes everything away: the user has interrupted, or the answer was withdrawn. */
  clear(): void;
  close(): void;
}
