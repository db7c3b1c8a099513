// The call that a cell gets for a request: which model, which tools and facts, and what of the user's context may leave.
import type { ChatRequest, Message, ToolDefinition } from "../model/chat.ts";
import type { XRContext } from "../model/xr-context.ts";
import type { XRRequest } from "../model/xr-request.ts";
import type { Candidate } from "../providers/catalogue.ts";
import { chooseModalities, manners as mannersFor } from "../responses/modality-choice.ts";
import { SPATIAL_ACTION_TOOLS } from "../responses/spatial-actions.ts";
import type { FactsSource } from "./engine-parts.ts";
import { contextForVendor, isContextFree, messagesForVendor } from "./protect.ts";
import { roomQueryToolsFor } from "./room-queries.ts";
import { MARK_TOOL } from "./sight-marks.ts";

const FACTS_TOKENS_MAX = 1_200;

const SPATIAL_MANNERS =
  "You answer a person who wears a headset and stands in the room described below. Answer in one or two short spoken " +
  "sentences. Use only the facts given for what is in the room, where it is and how far; say so when they do not tell. " +
  "When you speak of an entity, highlight it with the tool and its id. Never invent ids.";
const QUERY_MANNERS =
  "What the facts leave open (how far apart two things are, what stands where, what fits, a way) you ask with the tools " +
  "whose names begin with room_: they measure exactly. Never estimate a length.";

const IMAGE_MANNERS = "The image shows what the user's camera saw when the question was asked.";
const MARK_MANNERS =
  "What you name from the image and the facts do not list, you mark with mark_in_image; for writing you read, give the text.";

/** True where the answer is for a person in a room, so that the engine adds what it knows of the room. */
export function isTurn(request: XRRequest): boolean {
  return request.kind === "turn" || request.kind === "spatial-query";
}

export function chatRequestFor(
  request: XRRequest,
  candidate: Candidate,
  rounds: readonly Message[],
  facts: FactsSource | undefined,
  isLastRound = false,
): ChatRequest {
  const { chat, context } = request;
  const model = candidate.model.id;
  if (!isTurn(request) && isContextFree(context)) return rounds.length === 0 ? { ...chat, model } : withRounds();
  if (candidate.entry.adapter.type === "embedded") {
    // It answers the question itself: what a vendor's model asked before it failed is nothing to go on with.
    if (isTurn(request)) return { ...chat, model, tools: toolsFor(chat.tools, SPATIAL_ACTION_TOOLS), xr: context };
    return { ...withRounds(), xr: context };
  }
  const allowed = contextForVendor(context);
  const call = withRounds();
  const messages = isContextFree(context) ? call.messages : messagesForVendor(call.messages, context.consent);
  if (!isTurn(request)) return { ...call, messages };
  const known = factsFor(allowed, questionOf(request), facts);
  const isAble = candidate.model.features.includes("tools");
  const queries = isAble ? roomQueryToolsFor(allowed) : [];
  const manners = queries.length === 0 ? [SPATIAL_MANNERS] : [`${SPATIAL_MANNERS} ${QUERY_MANNERS}`];
  const canMark = isAble && request.sight !== undefined && candidate.model.features.includes("vision-input");
  if (request.sight !== undefined) manners.push(canMark ? `${IMAGE_MANNERS} ${MARK_MANNERS}` : IMAGE_MANNERS);
  const senses = mannersFor(chooseModalities(context));
  if (senses !== undefined) manners.push(senses);
  const system = [...(chat.system ?? []), ...manners, ...(known === undefined ? [] : [known])];
  const tools = isAble
    ? { tools: toolsFor(chat.tools, [...SPATIAL_ACTION_TOOLS, ...queries, ...(canMark ? [MARK_TOOL] : [])]) }
    : {};
  const choice = isAble && isLastRound ? ({ toolChoice: "none" } as const) : {};
  return { ...call, messages, system, ...tools, ...choice, xr: allowed };

  function withRounds(): ChatRequest {
    return { ...chat, model, messages: rounds.length === 0 ? chat.messages : [...chat.messages, ...rounds] };
  }
}

/** An application's tool with the name of one of Fovea's goes first: it is the application's room. */
function toolsFor(
  own: readonly ToolDefinition[] | undefined,
  added: readonly ToolDefinition[],
): readonly ToolDefinition[] {
  if (own === undefined || own.length === 0) return added;
  const names = new Set(own.map((definition) => definition.name));
  return [...own, ...added.filter((definition) => !names.has(definition.name))];
}

/** Without the head or without positions, distances would be told from nowhere: then only what there is, and how many. */
function factsFor(allowed: XRContext, question: string, facts: FactsSource | undefined): string | undefined {
  const { consent, scene } = allowed;
  if (consent.room === "none") return undefined;
  if (consent.head && consent.room !== "labels") return facts?.(allowed, FACTS_TOKENS_MAX, question);
  const ids = new Map<string, string[]>();
  for (const entity of scene.entities.slice(0, 200)) {
    const known = ids.get(entity.semanticLabel);
    if (known === undefined) ids.set(entity.semanticLabel, [entity.id]);
    else known.push(entity.id);
  }
  const things = [...ids].map(([label, list]) => `${list.length} ${label} (${list.slice(0, 5).join(", ")})`);
  return `In the room: ${things.join("; ")}. Where they are is not shared: do not say anything about places or distances.`;
}

function questionOf(request: XRRequest): string {
  const last = request.chat.messages.findLast((message) => message.role === "user");
  return (last?.content ?? []).map((part) => (part.type === "text" ? part.text : "")).join(" ");
}
