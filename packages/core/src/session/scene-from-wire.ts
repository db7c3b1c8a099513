import type { SceneMove, SceneNode, SceneUpdateMessage } from "@fovea/protocol";
import { isSceneMove } from "@fovea/protocol";
import type { Bounds } from "../geometry/bounds.ts";
import type { Consent } from "../model/privacy.ts";
import type { EntityDescription, EntityMove, SceneDelta } from "../scene/scene-graph.ts";
import { maskEntity } from "./consent-mask.ts";

/** The room's changes as the engine understands them, without what the user did not agree to. */
export function sceneDeltaFrom(message: SceneUpdateMessage, consent: Consent): SceneDelta {
  const add = message.add.flatMap((node) => maskEntity(entityFrom(node), consent) ?? []);
  const update = message.update.flatMap((node): readonly (EntityDescription | EntityMove)[] => {
    if (isSceneMove(node)) return [moveFrom(node)];
    const entity = maskEntity(entityFrom(node), consent);
    return entity === undefined ? [] : [entity];
  });
  return { isFull: message.full === true, add, update, remove: message.remove };
}

function moveFrom({ id, pose }: SceneMove): EntityMove {
  return { id, pose };
}

function entityFrom(node: SceneNode): EntityDescription {
  const { id, kind, semanticLabel, name, pose, polygon, orientation } = node;
  const description = [node.description, node.text].filter((text) => text !== undefined && text !== "").join("; ");
  return {
    id,
    kind,
    semanticLabel,
    ...(name === undefined ? {} : { name }),
    ...(description === "" ? {} : { description }),
    pose,
    bounds: node.bounds ?? outlineBounds(polygon ?? []),
    ...(polygon === undefined ? {} : { polygon }),
    ...(orientation === undefined ? {} : { orientation }),
    confidence: 1,
    source: kind === "object" ? "app" : "device",
    affordances: node.affordances ?? [],
  };
}

/** The flat box around an outline on the x-z axes; a point where there is none (anchors). */
function outlineBounds(polygon: readonly (readonly [x: number, z: number])[]): Bounds {
  if (polygon.length === 0) return { min: [0, 0, 0], max: [0, 0, 0] };
  const xs = polygon.map(([x]) => x);
  const zs = polygon.map(([, z]) => z);
  return { min: [Math.min(...xs), 0, Math.min(...zs)], max: [Math.max(...xs), 0, Math.max(...zs)] };
}
