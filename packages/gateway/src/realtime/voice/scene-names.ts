import type { SceneSnapshot } from "@fovea/core";

/** A grammar of more names than this is slow, and no room has them. */
const NAMES_MAX = 300;

/** What the things of a room may be called. */
export function sceneNames({ entities }: SceneSnapshot): readonly string[] {
  const names = new Set<string>();
  for (const { semanticLabel, name } of entities) {
    if (names.size >= NAMES_MAX) break;
    names.add(semanticLabel);
    if (name !== undefined) names.add(name);
  }
  return [...names];
}
