import type { XRRequest } from "../model/xr-request.ts";

/** Specification: RequestCharacteristics. All but the latency are 0 to 1. */
export interface RequestCharacteristics {
  /** How hard the request is for a model: length, reasoning words, pictures, spatial depth. A rule, not a model. */
  readonly complexity: number;
  /** Milliseconds to the first useful output that this class of request bears. */
  readonly latencyRequirement: number;
  readonly costSensitivity: number;
  readonly reliabilityRequirement: number;
}

const REASONING =
  /\b(why|prove|derive|compare|analy[sz]e|explain|plan|debug|refactor|optimi[sz]e|step by step|trade-?offs?|warum|erkläre|vergleiche)\b/i;
const SPATIAL = /\b(between|behind|left of|right of|under|above|fits?|room for|path|route|distance|far|near(est)?)\b/i;
const CODE = /```|\bfunction\b|=>|\bclass\s+\w+|\bdef\s+\w+\(|\bSELECT\b|[{};]\s*\n/;

/** From the last user message and the size of the rest; about a microsecond for ordinary requests. */
export function complexityOf(request: XRRequest): number {
  const { messages, tools, output } = request.chat;
  const last = messages.at(-1);
  let text = "";
  let media = 0;
  for (const part of last?.content ?? []) {
    if (part.type === "text" && text.length < 4_000) text += part.text.slice(0, 4_000);
    else if (part.type === "media") media += 1;
  }
  let complexity = 0.1 + Math.min(0.3, text.length / 6_000) + Math.min(0.1, messages.length / 200);
  if (REASONING.test(text)) complexity += 0.25;
  if (CODE.test(text)) complexity += 0.2;
  if (request.context.sessionId !== "" && SPATIAL.test(text)) complexity += 0.1;
  if (media > 0) complexity += 0.1;
  if ((tools?.length ?? 0) > 0) complexity += 0.05;
  if (output !== undefined && output.kind === "schema") complexity += 0.05;
  const effort = request.chat.reasoning?.effort;
  if (effort === "high" || effort === "xhigh" || effort === "max") complexity += 0.3;
  return Math.min(1, complexity);
}

export function latencyRequirementOf(request: XRRequest): number {
  if (request.latencyClass === "interactive") return 1_000;
  return request.latencyClass === "conversational" ? 3_000 : 30_000;
}

/** A budget makes price count; a background task has time to look for the cheap one. */
export function costSensitivityOf(request: XRRequest): number {
  if (request.budget?.costMicroUsdMax !== undefined) return 0.8;
  if (request.latencyClass === "interactive") return 0.2;
  return request.latencyClass === "conversational" ? 0.3 : 0.7;
}

/** Somebody who stands in a room and waits for a voice cannot press "retry". */
export function reliabilityRequirementOf(request: XRRequest): number {
  if (request.latencyClass === "interactive") return 0.95;
  return request.latencyClass === "conversational" ? 0.8 : 0.5;
}
