import type { HapticFeedbackEvent } from "../../model/xr-event.ts";
import type { XRContext } from "../../model/xr-context.ts";
import type { Handling, IXREventHandler } from "../event-handler.ts";
import { handled } from "../event-handler.ts";
import { feedbackInstead } from "../feedback-modality.ts";

/** Receipts. A pulse that reached nobody is made noticeable another way at once. */
export class HapticFeedbackHandler implements IXREventHandler<HapticFeedbackEvent> {
  readonly name = "haptic-feedback";

  process(event: HapticFeedbackEvent, context: XRContext): Handling {
    if (event.delivered) return handled();
    const { hapticId: name, handedness } = event;
    return handled({ kind: "feedback", name, handedness, modality: feedbackInstead(context) });
  }
}
