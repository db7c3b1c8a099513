import type { JsonSchema } from "../model/modality.ts";
import { HAPTIC_EFFECTS } from "./haptic-library.ts";

const unit = { type: "number", minimum: 0, maximum: 1 } as const;
const seconds = { type: "number", minimum: 0, maximum: 10 } as const;

/**
 * What a model may send to make something felt, as the parameters of a tool: a named effect, or an own clip in the form of
 * `.haptic` envelopes. `parseHapticClip` checks what comes back; the schema only tells the model.
 */
export const HAPTIC_TOOL_SCHEMA: JsonSchema = {
  type: "object",
  additionalProperties: false,
  properties: {
    effect: {
      type: "string",
      enum: HAPTIC_EFFECTS.map((effect) => effect.name),
      description: HAPTIC_EFFECTS.map((effect) => `${effect.name}: ${effect.meaning}`).join("; "),
    },
    amplitude: {
      type: "array",
      minItems: 1,
      maxItems: 64,
      description: "Instead of an effect: strength over time in seconds; an emphasis is a short click",
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
      maxItems: 64,
      items: {
        type: "object",
        additionalProperties: false,
        required: ["time", "frequency"],
        properties: { time: seconds, frequency: unit },
      },
    },
    handedness: { type: "string", enum: ["left", "right", "both"] },
  },
};
