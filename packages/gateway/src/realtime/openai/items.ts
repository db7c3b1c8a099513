// Items of the conversation between OpenAI's realtime wire and the gateway's messages.
import type { ContentPart, Message } from "@fovea/core";
import { base64At, EventError, isObject, listAt, objectAt, oneOf, textAt, type Json } from "../doors/json-event.ts";

const PARTS_MAX = 64;
export const AUDIO_BYTES_MAX = 15 * 1024 * 1024;
const IMAGE_BYTES_MAX = 12 * 1024 * 1024;

/** What an item from a client means. `output` answers a call. */
export type GivenItem =
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "output"; readonly callId: string; readonly text: string };

export function readItem(item: Json, at = "item"): GivenItem {
  const type = oneOf(item["type"] ?? "message", ["message", "function_call", "function_call_output"], `${at}.type`);
  if (type === "message") return { kind: "message", message: messageOf(item, at) };
  const callId = textAt(item["call_id"], `${at}.call_id`);
  if (type === "function_call_output") {
    const { output } = item;
    if (typeof output !== "string")
      throw new EventError("invalid_type", `'${at}.output' must be a string.`, `${at}.output`);
    return { kind: "output", callId, text: output };
  }
  const name = textAt(item["name"], `${at}.name`);
  const args = typeof item["arguments"] === "string" ? item["arguments"] : "{}";
  return { kind: "message", message: { role: "assistant", content: [{ type: "tool-call", id: callId, name, args }] } };
}

export function toolResultMessage(callId: string, name: string, text: string): Message {
  return { role: "tool", content: [{ type: "tool-result", id: callId, name, content: [{ type: "text", text }] }] };
}

/** Notes of the application are told as the user's: models know no system turn in mid-conversation. */
function messageOf(item: Json, at: string): Message {
  const role = oneOf(item["role"], ["user", "assistant", "system"], `${at}.role`);
  const content = listAt(item["content"] ?? [], `${at}.content`, PARTS_MAX).map((part, index) =>
    partOf(objectAt(part, `${at}.content[${index}]`), role, `${at}.content[${index}]`),
  );
  if (role !== "system") return { role, content };
  return { role: "user", content: [{ type: "text", text: "[note from the application]" }, ...content] };
}

const KINDS = {
  user: ["input_text", "input_audio", "input_image"],
  system: ["input_text"],
  assistant: ["output_text", "output_audio", "text"],
} as const;

function partOf(part: Json, role: keyof typeof KINDS, at: string): ContentPart {
  const type = oneOf<string>(part["type"], KINDS[role], `${at}.type`);
  switch (type) {
    case "input_audio": {
      if (typeof part["transcript"] === "string" && part["audio"] === undefined)
        return { type: "text", text: part["transcript"] };
      const bytes = base64At(part["audio"], `${at}.audio`, AUDIO_BYTES_MAX);
      return { type: "media", kind: "audio", mime: "audio/pcm;rate=24000", data: { bytes } };
    }
    case "input_image":
      return imageOf(part["image_url"], `${at}.image_url`);
    case "output_audio":
      return { type: "text", text: textOf(part["transcript"] ?? "", `${at}.transcript`) };
    default:
      return { type: "text", text: textOf(part["text"], `${at}.text`) };
  }
}

function textOf(value: unknown, at: string): string {
  if (typeof value === "string") return value;
  const code = value === undefined ? "missing_required_parameter" : "invalid_type";
  throw new EventError(code, `'${at}' must be a string.`, at);
}

function imageOf(value: unknown, at: string): ContentPart {
  const match = /^data:(image\/(?:png|jpeg|webp));base64,(.*)$/s.exec(typeof value === "string" ? value : "");
  if (match === null)
    throw new EventError("invalid_value", `'${at}' must be a data URI of a PNG, JPEG or WebP image.`, at);
  const bytes = base64At(match[2], at, IMAGE_BYTES_MAX);
  return { type: "media", kind: "image", mime: match[1] ?? "image/png", data: { bytes } };
}

/** The item as it is told back: complete, without the sound of it. */
export function toldItem(item: Json, id: string): Json {
  const status = { object: "realtime.item", status: "completed" };
  if (item["type"] !== undefined && item["type"] !== "message") return { ...status, ...item, id };
  const content = Array.isArray(item["content"]) ? item["content"] : [];
  const told = content.map((part: unknown) => {
    if (!isObject(part)) return part;
    const { audio: _audio, image_url: _image, ...rest } = part;
    return rest["type"] === "input_audio" ? { transcript: null, ...rest } : rest;
  });
  return { ...status, type: "message", ...item, content: told, id };
}
