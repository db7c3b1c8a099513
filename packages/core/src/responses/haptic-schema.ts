import { GatewayError } from "../errors/gateway-error.ts";
import type { HapticClip, HapticPulse } from "../model/haptic.ts";
import type { JsonSchema } from "../model/modality.ts";
import { parseHapticClip } from "./haptic-clip.ts";
import { hapticDurationS } from "./haptic-envelope.ts";
import { findHapticEffect, HAPTIC_EFFECTS } from "./haptic-library.ts";
import { compilePulses } from "./haptic-pulses.ts";

const AUTHORED_S_MAX = 10;
const AUTHORED_POINTS_MAX = 64;
/** Name under which an authored touch is logged and told. */
const AUTHORED = "authored";

const unit = { type: "number", minimum: 0, maximum: 1 } as const;
const seconds = { type: "number", minimum: 0, maximum: AUTHORED_S_MAX } as const;

/**
 * What a model may send to make something felt, as the parameters of a tool: a named effect, or an own clip in the form of
 * `.haptic` envelopes. The schema tells the model; `readHapticArguments` checks what comes back.
 */
export const HAPTIC_TOOL_SCHEMA: JsonSchema = {
  type: "object",
  additionalProperties: false,
  properties: {
    name: { type: "string", enum: HAPTIC_EFFECTS.map((effect) => effect.name), description: "A named effect." },
    amplitude: {
      type: "array",
      minItems: 1,
      maxItems: AUTHORED_POINTS_MAX,
      description: "Instead of a name: strength over time in seconds, rising times; an emphasis is a short click.",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["time", "amplitude"],
        properties: {
          time: seconds,
          amplitude: unit,
          emphasis: {
            type: "object",
            additionalProperties: false,
            required: ["amplitude", "frequency"],
            properties: { amplitude: unit, frequency: unit },
          },
        },
      },
    },
    frequency: {
      type: "array",
      maxItems: AUTHORED_POINTS_MAX,
      description: "With amplitude: 0 dull to 1 sharp, over time.",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["time", "frequency"],
        properties: { time: seconds, frequency: unit },
      },
    },
    target: {
      type: "string",
      description: "Id of an entity that the touch tells of: felt on the hand of its side, the stronger the nearer.",
    },
    hand: { type: "string", enum: ["left", "right", "both"] },
    gain: unit,
  },
};

export interface HapticDeed {
  readonly name: string;
  readonly clip: HapticClip;
  readonly pulses: readonly HapticPulse[];
  readonly handedness: "left" | "right" | "both";
  readonly gain: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** The touch that the arguments ask for, or, as a text, why there is none. */
export function readHapticArguments(fields: Fields): HapticDeed | string {
  const made = clipOf(fields);
  if (typeof made === "string") return made;
  const hand = fields["hand"] ?? fields["handedness"];
  const handedness = hand === "left" || hand === "right" ? hand : "both";
  const { gain: wanted } = fields;
  const gain = typeof wanted === "number" && wanted >= 0 && wanted <= 1 ? wanted : 1;
  return { ...made, pulses: compilePulses(made.clip, { gain }), handedness, gain };
}

function clipOf(fields: Fields): Pick<HapticDeed, "name" | "clip"> | string {
  const named = fields["name"] ?? fields["effect"];
  const effect = typeof named === "string" ? findHapticEffect(named) : undefined;
  if (effect !== undefined) return { name: effect.name, clip: effect.clip };
  const { amplitude, frequency } = fields;
  if (amplitude === undefined) return `haptic effects are ${HAPTIC_EFFECTS.map((known) => known.name).join(", ")}`;
  const envelopes = { amplitude, ...(frequency === undefined ? {} : { frequency }) };
  try {
    const clip = parseHapticClip({
      version: { major: 1, minor: 0, patch: 0 },
      signals: { continuous: { envelopes } },
    });
    const points = clip.signals.continuous.envelopes.amplitude.length;
    if (points > AUTHORED_POINTS_MAX) return `amplitude has ${points} points; at most ${AUTHORED_POINTS_MAX}`;
    if (hapticDurationS(clip) > AUTHORED_S_MAX) return `a touch lasts at most ${AUTHORED_S_MAX} seconds`;
    return { name: AUTHORED, clip };
  } catch (error) {
    if (!GatewayError.is(error)) throw error;
    const field = error.details.param?.replace("signals.continuous.envelopes.", "") ?? "amplitude";
    return `${field}: ${error.message}`;
  }
}
