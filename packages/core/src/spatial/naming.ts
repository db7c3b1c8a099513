import type { ThingNames } from "../language/thing-names.ts";
import { singular } from "../language/nouns.ts";
import type { Room } from "./room.ts";
import { VIEWER_ID } from "./scope.ts";

/** Names as the scene gives them, in the singular and in lower case unless the application chose a name. */
export function thingNames(room: Room): ThingNames {
  const noun = (id: string): string => {
    const solid = room.byId.get(id);
    if (id === VIEWER_ID) return "viewer";
    if (solid === undefined) return "thing";
    const { name, semanticLabel } = solid.entity;
    const label = name !== undefined && name !== "" ? name : semanticLabel;
    return label.includes(" ") || label.toLowerCase() !== label ? readable(label) : singularLabel(label);
  };
  return { noun, isOnlyOne: (id) => (room.byLabel.get(room.byId.get(id)?.label ?? "")?.length ?? 0) === 1 };
}

function readable(label: string): string {
  return label.replace(/[_-]+/g, " ").trim();
}

function singularLabel(label: string): string {
  const words = readable(label).split(" ");
  const last = words.pop() ?? "";
  return [...words, singular(last)].join(" ");
}
