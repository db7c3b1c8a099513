import type { FeedbackModality, HapticFeedbackEvent } from "../model/xr-event.ts";
import type { Handedness, XRContext } from "../model/xr-context.ts";

/** One lost pulse may be chance; two in a row say that nothing on that side shakes. */
const LOSSES_TO_SWITCH = 2;

/** What receipts have taught about a session's devices: decides how the next feedback is made noticeable. */
export class DeliveryMemory {
  readonly #lossesBySide = new Map<string, Map<Handedness | "both", number>>();

  record(event: HapticFeedbackEvent): void {
    const sides = this.#lossesBySide.get(event.sessionId) ?? new Map<Handedness | "both", number>();
    this.#lossesBySide.set(event.sessionId, sides);
    sides.set(event.handedness, event.delivered ? 0 : (sides.get(event.handedness) ?? 0) + 1);
  }

  /**
   * Haptic while it arrives; otherwise sound, unless the user hears nothing of it (no audio consent means no open
   * microphone, not a muted speaker, so it does not count) or is speaking; otherwise something to see.
   */
  modalityFor(context: XRContext, handedness: Handedness | "both"): FeedbackModality {
    if (this.#canFeel(context, handedness)) return "haptic";
    return context.audio.speaking ? "visual" : "sound";
  }

  endSession(sessionId: string): void {
    this.#lossesBySide.delete(sessionId);
  }

  #canFeel(context: XRContext, handedness: Handedness | "both"): boolean {
    const sides = context.inputSources.filter((source) => handedness === "both" || source.handedness === handedness);
    const hasActuator = sides.some((source) => source.haptics.actuators > 0);
    const losses = this.#lossesBySide.get(context.sessionId)?.get(handedness) ?? 0;
    return hasActuator && losses < LOSSES_TO_SWITCH;
  }
}
