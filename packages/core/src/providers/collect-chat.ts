import { ProviderError } from "../errors/provider-failure.ts";
import type { ChatResponse, FinishReason, StreamPart, ToolCall } from "../model/chat.ts";
import type { Usage } from "../model/measure.ts";

/** Makes the batch that `chatStream` yields from the parts of one network read. */
export function toBatch(id: string, model: string, parts: readonly StreamPart[]): ChatResponse {
  let text = "";
  let finishReason: FinishReason | undefined;
  let usage: Usage | undefined;
  let toolCalls: ToolCall[] | undefined;
  for (const part of parts) {
    if (part.type === "text-delta") text += part.text;
    else if (part.type === "finish") finishReason = part.reason;
    else if (part.type === "usage") usage = part.usage;
    else if (part.type === "tool-end") {
      toolCalls ??= [];
      toolCalls.push(...namedCalls(parts, part.index, part.args));
    }
  }
  return {
    id,
    model,
    parts,
    text,
    toolCalls: toolCalls ?? NO_CALLS,
    ...(finishReason === undefined ? {} : { finishReason }),
    ...(usage === undefined ? {} : { usage }),
  };
}

const NO_CALLS: readonly ToolCall[] = [];

/** A batch may hold the end of a call that started in an earlier one: such a call is complete only in `collectChat`. */
function namedCalls(parts: readonly StreamPart[], index: number, args: string): ToolCall[] {
  const start = parts.find((part) => part.type === "tool-start" && part.index === index);
  return start?.type === "tool-start" ? [{ id: start.id, name: start.name, args }] : [];
}

/** Reads a stream to its end. Throws `ProviderError` when it ends in an `error` part, or without a terminal part. */
export async function collectChat(stream: AsyncIterable<ChatResponse>): Promise<ChatResponse> {
  const parts: StreamPart[] = [];
  let id = "";
  let model = "";
  for await (const batch of stream) {
    id = batch.id;
    model = batch.model;
    parts.push(...batch.parts);
  }
  const last = parts.at(-1);
  if (last?.type === "error") throw new ProviderError(last.failure);
  if (last?.type !== "finish") throw new Error("a provider stream ended without a terminal part");
  return { ...toBatch(id, model, parts), toolCalls: callsOf(parts) };
}

function callsOf(parts: readonly StreamPart[]): readonly ToolCall[] {
  const open = new Map<number, { id: string; name: string }>();
  const calls: ToolCall[] = [];
  for (const part of parts) {
    if (part.type === "tool-start") open.set(part.index, part);
    const start = part.type === "tool-end" ? open.get(part.index) : undefined;
    if (part.type !== "tool-end" || start === undefined) continue;
    calls.push({
      id: start.id,
      name: start.name,
      args: part.args,
      ...(part.opaque === undefined ? {} : { opaque: part.opaque }),
    });
  }
  return calls;
}
