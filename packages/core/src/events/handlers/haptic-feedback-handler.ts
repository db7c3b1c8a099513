import type { HapticFeedbackEvent } from "../../model/xr-event.ts";
import type { XRContext } from "../../model/xr-context.ts";
import type { DeliveryMemory } from "../delivery-memory.ts";
import type { Handling, IXREventHandler } from "../event-handler.ts";
import { handled } from "../event-handler.ts";

/** Receipts. A pulse that reached nobody is made noticeable another way at once, and the next choice knows. */
export class HapticFeedbackHandler implements IXREventHandler<HapticFeedbackEvent> {
  readonly name = "haptic-feedback";
  readonly #deliveries: DeliveryMemory;

  constructor(deliveries: DeliveryMemory) {
    this.#deliveries = deliveries;
  }

  process(event: HapticFeedbackEvent, context: XRContext): Handling {
    this.#deliveries.record(event);
    if (event.delivered) return handled();
    const modality = context.audio.speaking ? "visual" : "sound";
    return handled({ kind: "feedback", name: event.hapticId, handedness: event.handedness, modality });
  }

  endSession(sessionId: string): void {
    this.#deliveries.endSession(sessionId);
  }
}
