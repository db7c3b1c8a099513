import { IDENTITY } from "../../geometry/quat.ts";
import type { SpatialInteractionEvent } from "../../model/xr-event.ts";
import type { Handedness, XRContext } from "../../model/xr-context.ts";
import { feedbackModality } from "../feedback-modality.ts";
import type { Handling, IXREventHandler } from "../event-handler.ts";
import { handled, ignored } from "../event-handler.ts";

const HIGHLIGHT_MS = 1_500;

/** Selecting, grabbing and placing things, entering and leaving zones. Remembers what each hand holds. */
export class SpatialInteractionHandler implements IXREventHandler<SpatialInteractionEvent> {
  readonly name = "spatial-interaction";
  readonly #held = new Map<string, Map<Handedness, string>>();

  process(event: SpatialInteractionEvent, context: XRContext): Handling {
    const entity = event.entityId === undefined ? undefined : context.scene.byId.get(event.entityId);
    switch (event.interaction) {
      case "select":
        if (entity === undefined) return ignored("the room has no such entity");
        return handled(
          { kind: "action", action: { kind: "highlight", target: entity.id, style: "outline", ttlMs: HIGHLIGHT_MS } },
          this.#feedback(event, context, "select"),
        );
      case "grab":
        if (entity === undefined) return ignored("the room has no such entity");
        if (!entity.affordances.includes("grab")) return ignored(`${entity.semanticLabel} cannot be grabbed`);
        this.#hands(event.sessionId).set(event.handedness, entity.id);
        return handled(this.#feedback(event, context, "impact-soft"));
      case "place":
        return this.#place(event, context);
      case "enter-zone":
        return handled(this.#feedback(event, context, "near"));
      case "leave-zone":
        return handled(this.#feedback(event, context, "far"));
    }
  }

  /** What the hand holds, if anything. */
  heldBy(sessionId: string, handedness: Handedness): string | undefined {
    return this.#held.get(sessionId)?.get(handedness);
  }

  endSession(sessionId: string): void {
    this.#held.delete(sessionId);
  }

  #place(event: SpatialInteractionEvent, context: XRContext): Handling {
    const hands = this.#held.get(event.sessionId);
    const id = hands?.get(event.handedness) ?? event.entityId;
    const entity = id === undefined ? undefined : context.scene.byId.get(id);
    if (entity === undefined || event.position === undefined) return ignored("nothing is held, or no place is given");
    hands?.delete(event.handedness);
    const orientation = entity.pose.orientation ?? IDENTITY;
    return handled(
      { kind: "action", action: { kind: "move", target: entity.id, pose: { position: event.position, orientation } } },
      this.#feedback(event, context, "impact-soft"),
    );
  }

  #hands(sessionId: string): Map<Handedness, string> {
    const hands = this.#held.get(sessionId) ?? new Map<Handedness, string>();
    this.#held.set(sessionId, hands);
    return hands;
  }

  #feedback(event: SpatialInteractionEvent, context: XRContext, name: string) {
    const modality = feedbackModality(context, event.handedness);
    return { kind: "feedback", name, handedness: event.handedness, modality } as const;
  }
}
