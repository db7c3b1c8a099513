// From what a dialect's parser understood to the engine's request. The same for every door.
import type { ChatRequest, ContentPart, LatencyClass, RequestNeeds, Warning, XRRequest } from "@fovea/core";
import { NO_CONTEXT } from "@fovea/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { DoorParts } from "./door-parts.ts";
import { DOOR_DEADLINES } from "./door-parts.ts";
import { headerText } from "./error-response.ts";
import { invalid } from "./request-fields.ts";

/** What a chat parser returns. */
export interface ChatDraft {
  readonly model: string;
  readonly chat: Omit<ChatRequest, "model">;
  readonly isStream: boolean;
  readonly warnings: readonly Warning[];
}

export function requestIdOf(reply: FastifyReply): string {
  return String(reply.getHeader("x-request-id") ?? "");
}

export function buildRequest(
  draft: ChatDraft,
  request: FastifyRequest,
  reply: FastifyReply,
  parts: DoorParts,
): XRRequest {
  return {
    requestId: requestIdOf(reply),
    kind: "chat",
    model: draft.model,
    chat: draft.chat,
    context: NO_CONTEXT,
    needs: needsOf(draft.chat),
    deadlineMs: deadlineOf(request, "chat", parts),
    latencyClass: latencyOf(request),
    principal: parts.principalOf(request),
    ...budgetOf(request),
    commit: commitOf(request),
    ...traceOf(request),
    delivery: draft.isStream ? "parts" : "whole",
  };
}

/** The caller's own limit where its client states one, so that nobody works for a caller who has gone. */
export function deadlineOf(request: FastifyRequest, operation: keyof typeof DOOR_DEADLINES, parts: DoorParts): number {
  const ownMs = parts.deadlinesMs?.[operation] ?? DOOR_DEADLINES[operation];
  const statedMs = Math.min(statedMsOf(request, "x-stainless-timeout"), statedMsOf(request, "x-server-timeout"));
  return parts.clock.monotonicMs() + Math.min(ownMs, statedMs);
}

function statedMsOf(request: FastifyRequest, header: string): number {
  const seconds = Number(headerOf(request, header));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : Infinity;
}

/** W3C trace context: goes on to the providers that the operator allows it for, as it came or not at all. */
export function traceOf(request: FastifyRequest): { readonly traceparent?: string } {
  const traceparent = headerOf(request, "traceparent");
  return traceparent !== undefined && TRACEPARENT.test(traceparent) ? { traceparent } : {};
}

const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

function commitOf(request: FastifyRequest): XRRequest["commit"] {
  const value = headerOf(request, "x-fovea-commit") ?? "token";
  if (value === "token" || value === "raw" || value === "sentence") return value;
  throw invalid("x-fovea-commit", "must be token, raw or sentence");
}

/** What the caller would pay for this answer at most. */
function budgetOf(request: FastifyRequest): Pick<XRRequest, "budget"> {
  const value = headerOf(request, "x-fovea-cost-max-usd");
  if (value === undefined) return {};
  const dollars = Number(value);
  if (!Number.isFinite(dollars) || dollars <= 0) throw invalid("x-fovea-cost-max-usd", "must be a number above 0");
  return { budget: { costMicroUsdMax: dollars * 1e6 } };
}

const LATENCY_CLASSES: readonly LatencyClass[] = ["interactive", "conversational", "background"];

function latencyOf(request: FastifyRequest): LatencyClass {
  const value = headerOf(request, "x-fovea-latency") ?? "conversational";
  const found = LATENCY_CLASSES.find((name) => name === value);
  if (found === undefined) throw invalid("x-fovea-latency", `must be one of ${LATENCY_CLASSES.join(", ")}`);
  return found;
}

export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** English text has about four characters a token; an image counts as the largest tile set the vendors bill. */
const CHARACTERS_PER_TOKEN = 4;
const IMAGE_TOKENS = 1100;

export function needsOf(chat: Omit<ChatRequest, "model">): RequestNeeds {
  let characters = 0;
  let images = 0;
  let hasAudio = false;
  const visit = (part: ContentPart): void => {
    if (part.type === "text") characters += part.text.length;
    else if (part.type === "tool-call") characters += part.args.length;
    else if (part.type === "tool-result") for (const inner of part.content) visit(inner);
    else if (part.type === "media" && part.kind === "audio") hasAudio = true;
    else if (part.type === "media" && (part.kind === "image" || part.kind === "video")) images++;
  };
  for (const text of chat.system ?? []) characters += text.length;
  for (const message of chat.messages) for (const part of message.content) visit(part);
  return {
    modalities: chat.modalities ?? ["text"],
    tools: (chat.tools?.length ?? 0) > 0,
    structuredOutput: chat.output !== undefined && chat.output.kind !== "text",
    vision: images > 0,
    audioInput: hasAudio,
    contextTokensMin:
      Math.ceil(characters / CHARACTERS_PER_TOKEN) + images * IMAGE_TOKENS + (chat.maxOutputTokens ?? 0),
  };
}

/** Names what had no effect: the parameters alone for programs, with the reasons for people. */
export function warnAbout(reply: FastifyReply, warnings: readonly Warning[]): void {
  if (warnings.length === 0) return;
  reply.header("x-fovea-dropped", headerText([...new Set(warnings.map((warning) => warning.field))].join(", ")));
  reply.header("x-fovea-warnings", headerText(warnings.map(({ field, message }) => `${field}: ${message}`).join("; ")));
}
