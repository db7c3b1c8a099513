// From words to what they feel like. A text is read for what it tells the user (it worked, it failed, look here, be careful,
// a thing was touched ...) and for how urgently; the meaning chooses an effect of the library, the urgency its strength and
// how often it comes. A text without such a meaning is felt as the rhythm of its own speech: a tap for every syllable,
// stronger on the first of a word, with pauses where the voice pauses.

import type { AmplitudeBreakpoint, HapticClip, HapticResponse } from "../model/haptic.ts";
import { parseHapticClip } from "./haptic-clip.ts";
import { hapticDurationS } from "./haptic-envelope.ts";
import type { HapticEffectName } from "./haptic-library.ts";
import { findHapticEffect, hapticEffect } from "./haptic-library.ts";
import { compilePulses } from "./haptic-pulses.ts";

export interface HapticComposition extends HapticResponse {
  /** Name of the library's effect, `speech` for the rhythm of the words, `authored` for a clip given as text. */
  readonly name: string;
  /** 0 to 1. */
  readonly urgency: number;
}

/** First match decides, so what must not be missed stands first. Whole words, English. */
const CUES: readonly (readonly [effect: HapticEffectName, cue: RegExp])[] = [
  [
    "danger",
    /\b(danger(ous)?|stop( now|!)|watch out|look out|collision|you will hit|edge of the (play )?area|boundary|emergency|fire alarm)\b/i,
  ],
  [
    "success",
    /\b(no (problems?|errors?|issues?)|success(ful|fully)?|congratulations|well done|completed?|accomplished|all set|finished|solved|unlocked|you (won|did it)|great job)\b/i,
  ],
  [
    "error",
    /\b(errors?|failed|failure|invalid|denied|refused|impossible|(can ?not|can't|could ?n.t|couldn't|unable to|not able to|not possible|not found|did ?n.t work|didn't work|went wrong)|sorry)\b/i,
  ],
  [
    "warning",
    /\b(warning|careful|caution|beware|attention required|risk|low battery|too (close|hot|fast|heavy)|mind the)\b/i,
  ],
  ["explosion", /\b(explo(des?|sion|ding)|blast|boom|thunder|detonat\w+)\b/i],
  ["engine", /\b(engine|motor|machine is running|rumbl\w+|vibrat\w+|hum(s|ming)?)\b/i],
  ["rain", /\b(rain(s|ing|drops?)?|drizzle|hail|shower)\b/i],
  ["heartbeat", /\b(heart ?beat|heart|pulse|alive|breath(e|ing))\b/i],
  [
    "impact-soft",
    /\b((soft|gentle|light)(ly)?[\w ]{0,24}\b(touch|hit|land|tap|impact|push)(es|s|ed|ing)?|pillow|cushion|fabric)\b/i,
  ],
  [
    "impact-hard",
    /\b(hit(s|ting)?|impact|crash(es|ed)?|smash(es|ed)?|slam(s|med)?|knock(s|ed)?|bang(s|ed)?|collid\w+|punch(es|ed)?|hammer\w*)\b/i,
  ],
  ["texture-rough", /\b(rough|coarse|gravel|sand(y|paper)?|bark|stone surface|brick|bumpy|scratch\w*)\b/i],
  ["texture-smooth", /\b(smooth|silky?|polished|glassy?|slick)\b/i],
  ["grab", /\b(grab(bed|s)?|pick(ed|s)? (it |that |this )?up|hold(ing)? (it|this|that)|grasp(ed)?)\b/i],
  ["release", /\b(let(ting)? go|release[ds]?|dropp?(ed)?|put (it |that |this )?down|placed)\b/i],
  ["near", /\b(getting (closer|warmer)|approach(es|ing)?|coming closer|almost there|very close)\b/i],
  ["far", /\b(moving away|getting (colder|farther|further)|far(ther)? away|too far)\b/i],
  ["left", /\b(to|on) (the|your) left\b|\bturn left\b/i],
  ["right", /\b(to|on) (the|your) right\b|\bturn right\b/i],
  [
    "attention",
    /\b(look (here|there|at|over)|over (there|here)|here (it )?is|there it is|behind you|above you|in front of you|notice|see (this|that)|find it|i found)\b/i,
  ],
  [
    "notify",
    /\b(message|reminder|notification|incoming|new (mail|email|call)|call(ing)? from|timer|meeting|joined|arrived)\b/i,
  ],
  [
    "thinking",
    /\b(thinking|one moment|please wait|wait a|hold on|let me (see|check|think)|loading|working on|processing|searching)\b/i,
  ],
  ["listening", /\b(listening|go ahead|how can i help|what would you like|say (it|that) again|i'm all ears)\b/i],
  ["cancel", /\b(cancel(l?ed)?|stopped|undone|never mind|aborted|dismissed)\b/i],
  ["select", /\b(selected|chosen|picked|highlighted|focus(ed)?|marked)\b/i],
  [
    "confirm",
    /\b(yes|ok(ay)?|sure|confirmed|done|understood|got it|of course|right away|saved|will do|agreed|correct)\b/i,
  ],
];

const URGENT = /\b(now|immediately|urgent(ly)?|hurry|quick(ly)?|at once|emergency|stop)\b/i;
const CALM = /\b(gently|softly|slowly|calm(ly)?|quiet(ly)?|maybe|perhaps|later|whenever)\b/i;

/** A repeat helps only where the first may be missed. */
const REPEAT_ABOVE = 0.85;
const REPEAT_GAP_S = 0.18;
const REPEATED_S_MAX = 1.5;

const SYLLABLE_S = 0.19;
const SPEECH_S_MAX = 3;

/** What a text feels like. A `.haptic` clip given as JSON text is taken as it is; it throws when the clip is not valid. */
export function composeHaptic(text: string): HapticComposition {
  const trimmed = text.trim();
  if (trimmed.startsWith("{"))
    return finish("authored", "authored by the model", parseHapticClip(trimmed), 0.5, "both");
  const named = findHapticEffect(trimmed.toLowerCase().replace(/[\s_]+/g, "-"));
  const effect = named ?? readMeaning(trimmed);
  const handedness = readHand(trimmed);
  if (effect === undefined) {
    return finish(
      "speech",
      "the rhythm of the spoken words",
      speechRhythm(trimmed),
      urgencyOf(trimmed, 0.3),
      handedness,
    );
  }
  const urgency = named === undefined ? urgencyOf(trimmed, effect.urgency) : effect.urgency;
  const isRepeated =
    urgency > REPEAT_ABOVE && urgency > effect.urgency && hapticDurationS(effect.clip) <= REPEATED_S_MAX / 2;
  const clip = isRepeated ? repeat(effect.clip) : effect.clip;
  return finish(effect.name, effect.meaning, clip, urgency, handedness);
}

/** Strength by where the thing is: full within reach, fading to a third at 4 m; the hand of the side it is on. */
export function placeHaptic(
  rightM: number,
  distanceM: number,
): { readonly handedness: "left" | "right" | "both"; readonly gain: number } {
  const side = distanceM > 0 ? rightM / distanceM : 0;
  const gain = Math.max(0.33, Math.min(1, 1 - (distanceM - 0.7) / 5));
  return { handedness: side > 0.26 ? "right" : side < -0.26 ? "left" : "both", gain };
}

function finish(
  name: string,
  meaning: string,
  clip: HapticClip,
  urgency: number,
  handedness: "left" | "right" | "both",
): HapticComposition {
  const gain = Math.round((0.55 + 0.45 * urgency) * 100) / 100;
  return { name, meaning, clip, urgency, handedness, gain, pulses: compilePulses(clip, { gain }) };
}

function readMeaning(text: string): ReturnType<typeof hapticEffect> | undefined {
  const cue = CUES.find(([, pattern]) => pattern.test(text));
  return cue === undefined ? undefined : hapticEffect(cue[0]);
}

function readHand(text: string): "left" | "right" | "both" {
  const isLeft = /\bleft (hand|controller)\b/i.test(text);
  const isRight = /\bright (hand|controller)\b/i.test(text);
  return isLeft === isRight ? "both" : isLeft ? "left" : "right";
}

function urgencyOf(text: string, base: number): number {
  const calls = (text.match(/!/g) ?? []).length;
  const letters = text.replace(/[^A-Za-z]/g, "");
  const isShouted = letters.length > 3 && letters === letters.toUpperCase();
  const change =
    0.1 * Math.min(2, calls) + (URGENT.test(text) ? 0.2 : 0) + (isShouted ? 0.15 : 0) - (CALM.test(text) ? 0.2 : 0);
  return Math.min(1, Math.max(0, Math.round((base + change) * 100) / 100));
}

function repeat(clip: HapticClip): HapticClip {
  const { amplitude, frequency } = clip.signals.continuous.envelopes;
  const shiftS = hapticDurationS(clip) + REPEAT_GAP_S;
  const later = <P extends { readonly time: number }>(point: P): P => ({ ...point, time: point.time + shiftS });
  const silence: AmplitudeBreakpoint = { time: shiftS - 0.001, amplitude: 0 };
  return {
    ...clip,
    signals: {
      continuous: {
        envelopes: {
          amplitude: [...amplitude, silence, ...amplitude.map(later)],
          ...(frequency === undefined ? {} : { frequency: [...frequency, ...frequency.map(later)] }),
        },
      },
    },
  };
}

function speechRhythm(text: string): HapticClip {
  const amplitude: AmplitudeBreakpoint[] = [{ time: 0, amplitude: 0 }];
  let timeS = 0.02;
  for (const word of text.split(/\s+/)) {
    if (!/[\p{L}\p{N}]/u.test(word)) continue;
    const syllables = Math.max(
      1,
      (
        word
          .toLowerCase()
          .replace(/(?<!l)e\b/, "")
          .match(/[aeiouyà-ü]+/g) ?? []
      ).length,
    );
    for (let i = 0; i < syllables && timeS < SPEECH_S_MAX; i++) {
      const strength = i === 0 ? 0.5 : 0.3;
      amplitude.push(
        { time: timeS, amplitude: strength },
        { time: timeS + 0.05, amplitude: strength * 0.4 },
        { time: timeS + 0.09, amplitude: 0 },
      );
      timeS += SYLLABLE_S;
    }
    timeS += /[.!?…]$/.test(word) ? 0.35 : /[,;:]$/.test(word) ? 0.2 : 0.05;
    if (timeS >= SPEECH_S_MAX) break;
  }
  const rounded = amplitude.map((point) => ({ ...point, time: Math.round(point.time * 1_000) / 1_000 }));
  return {
    version: { major: 1, minor: 0, patch: 0 },
    signals: { continuous: { envelopes: { amplitude: rounded, frequency: [{ time: 0, frequency: 0.4 }] } } },
  };
}
