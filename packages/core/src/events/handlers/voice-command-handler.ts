import type { VoiceCommandEvent } from "../../model/xr-event.ts";
import type { XRContext } from "../../model/xr-context.ts";
import type { Handling, IXREventHandler } from "../event-handler.ts";
import { handled, ignored } from "../event-handler.ts";

/** Under this a transcript is likelier noise than speech. */
const CONFIDENCE_MIN = 0.3;

const STOP = /^(?:please )?(?:stop|cancel|be quiet|quiet|enough|never ?mind|stop talking|shut up)(?: please| now)?$/;
const YES = /^(?:yes|yeah|yep|sure|ok|okay|right|correct|exactly|do it|go ahead)(?: please)?$/;
const NO = /^(?:no|nope|nah|don't|do not|wrong|neither)(?: thanks| thank you)?$/;

/** Words said: short ones steer the turn at once, everything else becomes a question with what was attended to. */
export class VoiceCommandHandler implements IXREventHandler<VoiceCommandEvent> {
  readonly name = "voice-command";

  process(event: VoiceCommandEvent, context: XRContext): Handling {
    const text = event.text.trim();
    const words = text.toLowerCase().replace(/[.!?,;]+$/g, "");
    if (words === "") return ignored("nothing was said");
    // Stopping must not wait for the recogniser to be sure that the sentence is over.
    if (STOP.test(words)) return handled({ kind: "cancel-turn" });
    if (!event.isFinal) return ignored("the transcript may still change");
    if (event.confidence < CONFIDENCE_MIN) return ignored("the transcript is not certain enough");
    if (YES.test(words)) return handled({ kind: "reply", answer: "yes" });
    if (NO.test(words)) return handled({ kind: "reply", answer: "no" });
    return handled({ kind: "ask", text, targets: attendedAt(context, event.atMs) });
  }
}

/** What was attended to when it was said, newest last in the history; the present only where nothing older is known. */
function attendedAt(context: XRContext, atMs: number): readonly string[] {
  const spans = context.attentionHistory.filter((span) => span.fromMs <= atMs && atMs <= span.toMs);
  const targets = spans.length > 0 ? spans.map((span) => span.target) : context.attention;
  return [...new Set(targets.map((target) => target.entityId))];
}
