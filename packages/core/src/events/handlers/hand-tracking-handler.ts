import type { HandTrackingEvent } from "../../model/xr-event.ts";
import type { AttentionTarget, XRContext } from "../../model/xr-context.ts";
import { feedbackModality } from "../feedback-modality.ts";
import type { Handling, IXREventHandler } from "../event-handler.ts";
import { handled, ignored } from "../event-handler.ts";

/** Below this a gesture is shown to applications, but nothing of ours follows from it. */
const CONFIDENCE_MIN = 0.6;
const HIGHLIGHT_MS = 1_500;

/** Gestures that mean something everywhere: stop, yes, no, and pinching what one attends to. */
export class HandTrackingHandler implements IXREventHandler<HandTrackingEvent> {
  readonly name = "hand-tracking";

  process(event: HandTrackingEvent, context: XRContext): Handling {
    if (event.phase !== "start") return ignored("only the start of a gesture acts");
    if (event.confidence < CONFIDENCE_MIN) return ignored("the gesture is not certain enough");
    switch (event.gesture) {
      case "open-palm":
        return handled({ kind: "cancel-turn" });
      case "thumbs-up":
      case "nod":
        return handled({ kind: "reply", answer: "yes" });
      case "thumbs-down":
      case "shake":
        return handled({ kind: "reply", answer: "no" });
      case "pinch":
        return this.#select(event, context);
      default:
        return ignored("this gesture has no meaning of its own");
    }
  }

  #select(event: HandTrackingEvent, context: XRContext): Handling {
    const target = attendedBy(event.handedness, context);
    if (target === undefined) return ignored("nothing is attended to");
    const modality = feedbackModality(context, event.handedness);
    return handled(
      { kind: "action", action: { kind: "highlight", target: target.entityId, style: "outline", ttlMs: HIGHLIGHT_MS } },
      { kind: "feedback", name: "select", handedness: event.handedness, modality },
    );
  }
}

/** The hand's own pointing first: who pinches with the right hand means what the right hand points at. */
function attendedBy(handedness: HandTrackingEvent["handedness"], context: XRContext): AttentionTarget | undefined {
  const visible = context.attention.filter((target) => !target.isOccluded);
  return visible.find((target) => target.handedness === handedness) ?? visible[0];
}
