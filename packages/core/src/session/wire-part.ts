// Parts of an answer as the wire says them. Pure: header fields come from the turn.
import type { JsonObject, PartHeader, ServerMessage, WireAction } from "@fovea/protocol";
import type { AnswerPart, SpatialAction } from "../model/answer-part.ts";

/** What the whole answer cost, gathered from its `usage` parts. */
export interface TurnTally {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly microUsd: number | undefined;
  readonly costSource: string;
}

export const NO_TALLY: TurnTally = { inputTokens: 0, outputTokens: 0, microUsd: undefined, costSource: "unpriced" };

/**
 * Undefined for parts that have no place on the native wire: reasoning, raw provider audio, and `usage`, `error` and
 * `end`, which the turn itself gathers into `done`.
 */
export function toWirePart(part: AnswerPart, header: PartHeader): ServerMessage | undefined {
  switch (part.type) {
    case "start":
      return {
        ...header,
        type: "start",
        model: part.model,
        ...(part.captions === undefined ? {} : { captions: part.captions }),
      };
    case "text-delta":
      return { ...header, type: "text.delta", text: part.text };
    case "action":
      return { ...header, type: "action", action: wireAction(part.action) };
    case "haptic":
      return {
        ...header,
        type: "haptic",
        clip: part.clip as unknown as JsonObject,
        name: part.name,
        handedness: part.handedness,
        gain: part.gain,
        ...(part.ways === undefined ? {} : { ways: part.ways }),
        fallbackPulses: part.pulses.map(({ value, durationMs, atMs }) => ({ value, duration: durationMs, at: atMs })),
      };
    case "tool-call":
      return { ...header, type: "tool.call", callId: part.id, name: part.name, args: parseArgs(part.args) };
    case "asset":
      return { ...header, type: "asset", id: part.id, mime: part.mime, levels: part.levels };
    case "replaced":
      return { ...header, type: "replaced", fromUnit: part.fromUnit, text: part.text };
    case "resumed":
      return { ...header, type: "resumed", fromUnit: part.fromUnit, model: part.model };
    default:
      return undefined;
  }
}

function wireAction(action: SpatialAction): WireAction {
  return action.kind === "ui" ? { ...action, data: action.data as JsonObject } : action;
}

/** The engine promises valid JSON text; an object is what the wire promises. */
function parseArgs(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text === "" ? "{}" : text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
  } catch {
    return {};
  }
}

export function addUsage(tally: TurnTally, part: Extract<AnswerPart, { type: "usage" }>): TurnTally {
  const { usage, cost } = part;
  const microUsd = cost.microUsd ?? tally.microUsd;
  return {
    inputTokens: usage.input.total,
    outputTokens: usage.output.total,
    microUsd,
    costSource: cost.source,
  };
}
