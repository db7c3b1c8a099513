import type { ContentPart, Message } from "@fovea/core";
import { toBase64 } from "../base64.ts";

type Json = Record<string, unknown>;

/** A message of the conversation as items of OpenAI Realtime: calls and results are items of their own. */
export function itemsOf(message: Message): Json[] {
  const items: Json[] = [];
  let content: Json[] = [];
  const close = (): void => {
    if (content.length > 0)
      items.push({ type: "message", role: message.role === "tool" ? "user" : message.role, content });
    content = [];
  };
  for (const part of message.content) {
    const own = ownItem(part);
    if (own !== undefined) {
      close();
      items.push(own);
      continue;
    }
    const piece = pieceOf(part, message.role === "assistant");
    if (piece !== undefined) content.push(piece);
  }
  close();
  return items;
}

function ownItem(part: ContentPart): Json | undefined {
  if (part.type === "tool-call")
    return { type: "function_call", call_id: part.id, name: part.name, arguments: part.args };
  if (part.type !== "tool-result") return undefined;
  const output = part.content.map((inner) => (inner.type === "text" ? inner.text : "")).join("");
  return { type: "function_call_output", call_id: part.id, output };
}

function pieceOf(part: ContentPart, isAssistant: boolean): Json | undefined {
  if (part.type === "text") return { type: isAssistant ? "output_text" : "input_text", text: part.text };
  if (part.type !== "media" || isAssistant) return undefined;
  if (part.kind === "image") {
    const url = "bytes" in part.data ? `data:${part.mime};base64,${toBase64(part.data.bytes)}` : undefined;
    return url === undefined ? undefined : { type: "input_image", image_url: url };
  }
  if (part.kind === "audio" && "bytes" in part.data && part.mime.startsWith("audio/pcm")) {
    return { type: "input_audio", audio: toBase64(part.data.bytes) };
  }
  return undefined;
}
