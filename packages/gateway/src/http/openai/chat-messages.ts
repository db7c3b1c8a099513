import type { ContentPart, Message, Warning } from "@fovea/core";
import { mediaKind, readDataUrl, readImageUrl } from "../media-input.ts";
import { decodeBase64, Fields, invalid } from "../request-fields.ts";

const MESSAGES_MAX = 10_000;
const ROLES = ["developer", "system", "user", "assistant", "tool", "function"] as const;

interface Reading {
  readonly system: string[];
  readonly messages: Message[];
  /** Which tool a later result answers. */
  readonly callNames: Map<string, string>;
  readonly warnings: Warning[];
  lastFunctionCall: string | undefined;
}

export function readMessages(
  fields: Fields,
  warnings: Warning[],
): { readonly system?: readonly string[]; readonly messages: readonly Message[] } {
  const list = fields.list("messages");
  if (list === undefined) throw invalid("messages", "is required");
  if (list.length === 0) throw invalid("messages", "must not be empty");
  if (list.length > MESSAGES_MAX) throw invalid("messages", `takes at most ${MESSAGES_MAX} messages`);
  const reading: Reading = { system: [], messages: [], callNames: new Map(), warnings, lastFunctionCall: undefined };
  for (const [index, item] of list.entries()) readMessage(new Fields(item, `messages[${index}]`), reading);
  return {
    messages: reading.messages,
    ...(reading.system.length === 0 ? {} : { system: reading.system }),
  };
}

function readMessage(message: Fields, reading: Reading): void {
  const role = message.oneOf("role", ROLES);
  if (role === undefined) throw invalid(message.at("role"), "is required");
  const name = message.string("name");
  const named = name === undefined ? {} : { name };
  switch (role) {
    case "developer":
    case "system":
      return readSystem(message, reading);
    case "user":
      reading.messages.push({ role, content: readContent(message, true), ...named });
      return;
    case "assistant":
      reading.messages.push({ role, content: readAssistant(message, reading), ...named });
      return;
    case "tool":
      return readToolResult(message, reading);
    case "function":
      return readFunctionResult(message, reading);
  }
}

function readSystem(message: Fields, reading: Reading): void {
  const texts = readContent(message, true).map((part) => {
    if (part.type === "text") return part.text;
    throw invalid(message.at("content"), "of a system message takes text only");
  });
  if (reading.messages.length > 0) {
    reading.warnings.push({ field: message.path, message: "a later system message; moved to the front" });
  }
  reading.system.push(texts.join("\n"));
}

function readAssistant(message: Fields, reading: Reading): readonly ContentPart[] {
  const content: ContentPart[] = [...readContent(message, false)];
  const reasoning = message.string("reasoning_content") ?? message.string("reasoning");
  if (reasoning !== undefined && reasoning !== "") content.unshift({ type: "reasoning", text: reasoning });
  const refusal = message.string("refusal");
  if (refusal !== undefined && refusal !== "") content.push({ type: "text", text: refusal });
  for (const [index, item] of (message.list("tool_calls") ?? []).entries()) {
    const call = new Fields(item, `${message.at("tool_calls")}[${index}]`);
    const inner = call.object("function");
    if (inner === undefined) throw invalid(call.at("function"), "is required");
    content.push(readCall(inner, call.requiredString("id"), reading));
  }
  const older = message.object("function_call");
  if (older !== undefined) {
    const id = `call_${reading.callNames.size}`;
    reading.lastFunctionCall = id;
    content.push(readCall(older, id, reading));
  }
  if (content.length === 0 && message.raw("content") === undefined && message.raw("audio") === undefined) {
    throw invalid(message.at("content"), "is required unless the message has tool calls");
  }
  return content;
}

function readCall(inner: Fields, id: string, reading: Reading): ContentPart {
  const name = inner.requiredString("name");
  reading.callNames.set(id, name);
  const args = inner.string("arguments") ?? "";
  return { type: "tool-call", id, name, args: args.trim() === "" ? "{}" : args };
}

function readToolResult(message: Fields, reading: Reading): void {
  const id = message.requiredString("tool_call_id");
  const name = reading.callNames.get(id);
  if (name === undefined) {
    throw invalid(message.at("tool_call_id"), "answers no tool call of an earlier assistant message");
  }
  const content = readContent(message, true);
  reading.messages.push({ role: "tool", content: [{ type: "tool-result", id, name, content }] });
}

function readFunctionResult(message: Fields, reading: Reading): void {
  const name = message.requiredString("name");
  const id = reading.lastFunctionCall;
  if (id === undefined) throw invalid(message.at("role"), "answers no function call of an earlier assistant message");
  const content = readContent(message, true);
  reading.messages.push({ role: "tool", content: [{ type: "tool-result", id, name, content }] });
}

function readContent(message: Fields, isRequired: boolean): readonly ContentPart[] {
  const value = message.raw("content");
  const path = message.at("content");
  if (value === undefined) {
    if (isRequired) throw invalid(path, "is required");
    return [];
  }
  if (typeof value === "string") return value === "" && !isRequired ? [] : [{ type: "text", text: value }];
  if (!Array.isArray(value)) throw invalid(path, "must be a string or an array of parts");
  if (value.length === 0 && isRequired) throw invalid(path, "must not be empty");
  return value.map((item, index) => readPart(new Fields(item, `${path}[${index}]`)));
}

const PART_TYPES = ["text", "refusal", "image_url", "input_audio", "file"] as const;

function readPart(part: Fields): ContentPart {
  const type = part.oneOf("type", PART_TYPES);
  if (type === undefined) throw invalid(part.at("type"), "is required");
  if (type === "text" || type === "refusal") {
    const text = part.string(type);
    if (text === undefined) throw invalid(part.at(type), "is required");
    return { type: "text", text };
  }
  if (type === "image_url") {
    const image = typeof part.raw(type) === "string" ? part : part.object(type);
    if (image === undefined) throw invalid(part.at(type), "is required");
    const field = image === part ? type : "url";
    return readImageUrl(image.requiredString(field), image.at(field), image.string("detail"));
  }
  return type === "input_audio" ? readAudio(part) : readFile(part);
}

function readAudio(part: Fields): ContentPart {
  const audio = part.object("input_audio");
  if (audio === undefined) throw invalid(part.at("input_audio"), "is required");
  const format = audio.oneOf("format", ["wav", "mp3"]);
  if (format === undefined) throw invalid(audio.at("format"), "is required");
  const bytes = decodeBase64(audio.requiredString("data"), audio.at("data"));
  return { type: "media", kind: "audio", mime: format === "wav" ? "audio/wav" : "audio/mpeg", data: { bytes } };
}

function readFile(part: Fields): ContentPart {
  const file = part.object("file");
  if (file === undefined) throw invalid(part.at("file"), "is required");
  if (file.string("file_id") !== undefined) {
    throw invalid(file.at("file_id"), "uploaded files belong to one vendor; send file_data instead");
  }
  const { mime, bytes } = readDataUrl(file.requiredString("file_data"), file.at("file_data"));
  const name = file.string("filename");
  return { type: "media", kind: mediaKind(mime), mime, data: { bytes }, ...(name === undefined ? {} : { name }) };
}
