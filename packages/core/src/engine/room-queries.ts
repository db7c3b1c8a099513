// Questions that a vendor's model asks about the room while it answers: Fovea measures, within the turn. They are put to
// the room as the vendor may know it, so a tool can never tell what protect.ts withholds from the call itself.
import type { ToolCall, ToolDefinition } from "../model/chat.ts";
import type { XRContext } from "../model/xr-context.ts";
import type { SpatialToolName } from "../spatial/spatial-tools.ts";
import { isSpatialQueryTool, performSpatialTool, SPATIAL_QUERY_TOOLS } from "../spatial/spatial-tools.ts";

/** Answers of one round; a model that asks for more at once is told to choose. */
const QUERIES_PER_ROUND_MAX = 16;

/** Meaningless without the user's own place. */
const FROM_THE_USER: ReadonlySet<SpatialToolName> = new Set(["room_visible", "room_path"]);

/**
 * The tools that make sense with what the user shares: none without places, and nothing that starts from the user
 * without the head. `allowed` is the context as the vendor may know it.
 */
export function roomQueryToolsFor(allowed: XRContext): readonly ToolDefinition[] {
  return SPATIAL_QUERY_TOOLS.filter(({ name }) => isSpatialQueryTool(name) && isOffered(name, allowed));
}

function isOffered(name: SpatialToolName, { consent, scene }: XRContext): boolean {
  if (consent.room === "none" || consent.room === "labels" || scene.entities.length === 0) return false;
  return consent.head || !FROM_THE_USER.has(name);
}

export interface RoomReply {
  readonly text: string;
  readonly isError: boolean;
}

/** The queries of one turn, counted by round. */
export class RoomQueries {
  readonly #allowed: XRContext;
  #asked = 0;

  constructor(allowed: XRContext) {
    this.#allowed = allowed;
  }

  /** Undefined where the call is not one of these tools. Never throws. */
  reply(call: ToolCall): RoomReply | undefined {
    const { name, args } = call;
    if (!isSpatialQueryTool(name)) return undefined;
    if (!isOffered(name, this.#allowed)) return { text: "the user does not share what this needs", isError: true };
    if (++this.#asked > QUERIES_PER_ROUND_MAX)
      return { text: `at most ${QUERIES_PER_ROUND_MAX} questions at once`, isError: true };
    const { content, isError } = performSpatialTool(name, args, this.#allowed);
    return { text: content, isError };
  }

  nextRound(): void {
    this.#asked = 0;
  }
}
