import type { FeedbackModality } from "../model/xr-event.ts";
import type { Handedness, XRContext } from "../model/xr-context.ts";
import { chooseTouch } from "../responses/modality-choice.ts";

/** The first way in which a touch for this hand will be noticed; something to see where nothing else is known. */
export function feedbackModality(context: XRContext, handedness: Handedness | "both"): FeedbackModality {
  const [way] = chooseTouch(context, handedness).ways;
  return way === "touch" ? "haptic" : way === "sound" ? "sound" : "visual";
}

/** For a touch that did not arrive. */
export function feedbackInstead(context: XRContext): FeedbackModality {
  return chooseTouch(context, "both").ways.includes("sound") ? "sound" : "visual";
}
