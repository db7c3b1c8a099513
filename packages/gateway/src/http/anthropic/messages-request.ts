// Reads a `/v1/messages` body. Wire: Anthropic Messages reference and the types of npm package @anthropic-ai/sdk 1.12.
import type {
  ChatRequest,
  ContentPart,
  Message,
  ProviderType,
  ReasoningEffort,
  Sampling,
  ToolChoice,
  ToolDefinition,
  Warning,
} from "@fovea/core";
import { PROVIDER_TYPES } from "@fovea/core";
import type { ChatDraft } from "../door-request.ts";
import { readImageUrl } from "../media-input.ts";
import { decodeBase64, Fields, invalid } from "../request-fields.ts";
import { definedOf } from "../wire-values.ts";

export interface MessagesDraft extends ChatDraft {
  /** Whether the caller asked to see thinking, and so can take thinking blocks. */
  readonly wantsThinking: boolean;
}

const IGNORED = ["container", "context_management", "inference_geo", "mcp_servers", "service_tier", "speed"];

export function parseMessagesRequest(body: unknown, isCount = false): MessagesDraft {
  const fields = new Fields(body);
  const cache: CacheMarks = { messages: new Set(), system: false, tools: false, ttls: new Set() };
  const reading: Reading = { system: [], messages: [], callNames: new Map(), warnings: [], cache };
  const model = fields.requiredString("model");
  readSystem(fields.raw("system"), "system", reading);
  readMessages(fields, reading);
  const tools = (fields.list("tools") ?? []).map((item, index) =>
    readTool(new Fields(item, `tools[${index}]`), reading),
  );
  const { warnings } = reading;
  // Said of the whole request, it means the last block that can be cached.
  if (readMark(fields, reading)) cache.messages.add(reading.messages.length - 1);
  const maxOutputTokens = fields.integer("max_tokens", 1, 10_000_000);
  if (maxOutputTokens === undefined && !isCount) throw invalid("max_tokens", "is required");
  const thinking = readThinking(fields);
  const chat: Omit<ChatRequest, "model"> = {
    messages: reading.messages,
    sampling: readSampling(fields),
    ...(reading.system.length === 0 ? {} : { system: reading.system }),
    ...(tools.length === 0 ? {} : { tools }),
    ...readToolChoice(fields.object("tool_choice"), tools),
    ...definedOf({ maxOutputTokens, endUser: fields.object("metadata")?.string("user_id") }),
    ...thinking.chat,
    ...cacheHintsOf(cache),
  };
  const isStream = fields.boolean("stream") ?? false;
  fields.ignored(warnings, IGNORED);
  fields.unknown(warnings);
  return { model, chat, isStream, warnings, wantsThinking: thinking.isAsked };
}

interface Reading {
  readonly system: string[];
  readonly messages: Message[];
  readonly callNames: Map<string, string>;
  readonly warnings: Warning[];
  readonly cache: CacheMarks;
  /** A block of the message being read has a mark. */
  marked?: boolean;
}

/** Where the caller put `cache_control`. Marks inside a message count for the whole of it. */
interface CacheMarks {
  readonly messages: Set<number>;
  system: boolean;
  tools: boolean;
  readonly ttls: Set<string>;
}

function readMark(fields: Fields, reading: Reading): boolean {
  const mark = fields.object("cache_control");
  if (mark === undefined) return false;
  mark.oneOf("type", ["ephemeral"]);
  reading.cache.ttls.add(mark.oneOf("ttl", ["5m", "1h"]) ?? "5m");
  return true;
}

/** One lifetime for all marks: the longer one only where nothing else was asked for, because it costs more. */
function cacheHintsOf({ messages, system, tools, ttls }: CacheMarks): Pick<ChatRequest, "cacheHints"> {
  if (messages.size === 0 && !system && !tools) return {};
  return {
    cacheHints: {
      ...(messages.size === 0 ? {} : { breakpoints: [...messages].sort((a, b) => a - b) }),
      ...(system ? { system } : {}),
      ...(tools ? { tools } : {}),
      ...(ttls.size === 1 && ttls.has("1h") ? { ttl: "1h" as const } : {}),
    },
  };
}

function readSampling(fields: Fields): Sampling {
  const numbers = {
    temperature: fields.number("temperature", 0, 1),
    topP: fields.number("top_p", 0, 1),
    topK: fields.integer("top_k", 0, 100_000),
  };
  return { ...definedOf(numbers), ...definedOf({ stop: fields.strings("stop_sequences", 64) }) };
}

const EFFORTS: readonly ReasoningEffort[] = ["low", "medium", "high", "xhigh", "max"];

function readThinking(fields: Fields): { readonly isAsked: boolean; readonly chat: Partial<ChatRequest> } {
  const thinking = fields.object("thinking");
  const type = thinking?.oneOf("type", ["enabled", "disabled", "adaptive", "between_tools"]);
  const budgetTokens = thinking?.integer("budget_tokens", 1, 10_000_000);
  if (type === "enabled" && budgetTokens === undefined) throw invalid("thinking.budget_tokens", "is required");
  const config = fields.object("output_config");
  const effort = config?.oneOf("effort", EFFORTS);
  const isAsked = type !== undefined && type !== "disabled";
  // Thinking that finds its own length, with nothing said of the effort, is the API's own default effort.
  const isOpen = type === "adaptive" || type === "between_tools";
  const schema = config?.object("format");
  const reasoning = {
    ...(type === "disabled" ? { effort: "none" as const } : {}),
    ...definedOf({ effort: effort ?? (isOpen ? ("high" as const) : undefined), budgetTokens }),
    ...(isAsked ? { show: true } : {}),
  };
  const output = schema === undefined ? {} : { output: readSchema(schema) };
  return { isAsked, chat: { ...output, ...(Object.keys(reasoning).length === 0 ? {} : { reasoning }) } };
}

function readSchema(format: Fields): NonNullable<ChatRequest["output"]> {
  const type = format.requiredString("type");
  const schema = format.data("schema");
  if (type !== "json_schema" || schema === undefined)
    throw invalid(format.at("schema"), "is required, with type json_schema");
  return { kind: "schema", name: "answer", schema, strict: true };
}

function readTool(tool: Fields, reading: Reading): ToolDefinition {
  const type = tool.string("type") ?? "custom";
  if (type !== "custom") throw invalid(tool.at("type"), `"${type}" runs at one vendor only; define a tool of your own`);
  if (readMark(tool, reading)) reading.cache.tools = true;
  const schema = tool.data("input_schema");
  if (schema === undefined) throw invalid(tool.at("input_schema"), "is required");
  const name = tool.requiredString("name");
  if (!/^[\w.-]{1,128}$/.test(name)) throw invalid(tool.at("name"), "may hold letters, digits, _ . and - only");
  return { name, schema, ...definedOf({ description: tool.string("description"), strict: tool.boolean("strict") }) };
}

const CHOICES = { auto: "auto", any: "required", none: "none" } as const;

function readToolChoice(choice: Fields | undefined, tools: readonly ToolDefinition[]): Partial<ChatRequest> {
  if (choice === undefined) return {};
  const type = choice.oneOf("type", ["auto", "any", "none", "tool"]);
  if (type === undefined) throw invalid(choice.at("type"), "is required");
  const single = choice.boolean("disable_parallel_tool_use");
  const parallel = single === undefined ? {} : { parallelTools: !single };
  if (type !== "tool") return { toolChoice: CHOICES[type], ...parallel };
  const name = choice.requiredString("name");
  if (!tools.some((tool) => tool.name === name)) throw invalid(choice.at("name"), "is not among the tools");
  const toolChoice: ToolChoice = { name };
  return { toolChoice, ...parallel };
}

function readSystem(value: unknown, path: string, reading: Reading): void {
  if (value === undefined) return;
  if (typeof value === "string") {
    reading.system.push(value);
    return;
  }
  if (!Array.isArray(value)) throw invalid(path, "must be a string or an array of text blocks");
  for (const [index, item] of value.entries()) {
    const block = new Fields(item, `${path}[${index}]`);
    if (block.oneOf("type", ["text"]) === undefined) throw invalid(block.at("type"), "is required");
    if (readMark(block, reading)) reading.cache.system = true;
    reading.system.push(block.requiredString("text"));
  }
}

function readMessages(fields: Fields, reading: Reading): void {
  const list = fields.list("messages");
  if (list === undefined) throw invalid("messages", "is required");
  if (list.length === 0) throw invalid("messages", "must not be empty");
  for (const [index, item] of list.entries()) {
    const message = new Fields(item, `messages[${index}]`);
    const role = message.oneOf("role", ["user", "assistant", "system"]);
    if (role === undefined) throw invalid(message.at("role"), "is required");
    if (role === "system") readSystem(message.raw("content"), message.at("content"), reading);
    else readTurn(message, role, reading);
  }
}

/** Tool results stand in user messages here; in the canonical form they are messages of their own, in the same order. */
function readTurn(message: Fields, role: "user" | "assistant", reading: Reading): void {
  const value = message.raw("content");
  if (typeof value === "string") {
    if (value === "") throw invalid(message.at("content"), "must not be empty");
    reading.messages.push({ role, content: [{ type: "text", text: value }] });
    return;
  }
  const list = message.list("content");
  if (list === undefined) throw invalid(message.at("content"), "is required");
  if (list.length === 0) throw invalid(message.at("content"), "must not be empty");
  reading.marked = false;
  const parts = list.map((item, index) => readBlock(new Fields(item, `${message.at("content")}[${index}]`), reading));
  let run: ContentPart[] = [];
  let runRole: Message["role"] = role;
  for (const part of parts) {
    const partRole = part.type === "tool-result" ? "tool" : role;
    if (partRole !== runRole && run.length > 0) {
      reading.messages.push({ role: runRole, content: run });
      run = [];
    }
    runRole = partRole;
    run.push(part);
  }
  reading.messages.push({ role: runRole, content: run });
  if (reading.marked) reading.cache.messages.add(reading.messages.length - 1);
}

const BLOCKS = ["text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking"] as const;

function readBlock(block: Fields, reading: Reading): ContentPart {
  const type = block.string("type");
  const known = BLOCKS.find((name) => name === type);
  if (known === undefined) throw invalid(block.at("type"), `must be one of ${BLOCKS.join(", ")}`);
  if (readMark(block, reading)) reading.marked = true;
  switch (known) {
    case "text":
      return { type: "text", text: block.requiredString("text") };
    case "image":
      return readImage(block);
    case "document":
      return readDocument(block);
    case "tool_use":
      return readToolUse(block, reading);
    case "tool_result":
      return readToolResult(block, reading);
    case "thinking":
      return { type: "reasoning", text: block.string("thinking") ?? "", ...opaqueOf(block.string("signature")) };
    case "redacted_thinking":
      return { type: "reasoning", ...opaqueOf(block.requiredString("data")) };
  }
}

/** A signature this door gave out names the vendor that made it; a bare one came from Anthropic itself, before Fovea. */
function opaqueOf(value: string | undefined): { readonly opaque?: { provider: ProviderType; value: string } } {
  if (value === undefined || value === "") return {};
  const dot = value.indexOf(".");
  const provider = PROVIDER_TYPES.find((name) => name === value.slice(0, Math.max(0, dot)));
  if (provider === undefined) return { opaque: { provider: "anthropic", value } };
  return { opaque: { provider, value: value.slice(dot + 1) } };
}

const IMAGE_TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp"] as const;

function sourceOf(block: Fields): Fields {
  const source = block.object("source");
  if (source === undefined) throw invalid(block.at("source"), "is required");
  return source;
}

function readImage(block: Fields): ContentPart {
  const source = sourceOf(block);
  const type = source.oneOf("type", ["base64", "url"]);
  if (type === "url") return readImageUrl(source.requiredString("url"), source.at("url"));
  if (type === undefined) throw invalid(source.at("type"), "is required");
  const mime = source.oneOf("media_type", IMAGE_TYPES);
  if (mime === undefined) throw invalid(source.at("media_type"), "is required");
  const bytes = decodeBase64(source.requiredString("data"), source.at("data"));
  return { type: "media", kind: "image", mime, data: { bytes } };
}

function readDocument(block: Fields): ContentPart {
  const source = sourceOf(block);
  const type = source.oneOf("type", ["base64", "text", "url"]);
  if (type === "text") return { type: "text", text: source.requiredString("data") };
  const more = definedOf({ name: block.string("title") });
  if (type === "url") {
    return {
      type: "media",
      kind: "file",
      mime: "application/pdf",
      data: { url: source.requiredString("url") },
      ...more,
    };
  }
  const bytes = decodeBase64(source.requiredString("data"), source.at("data"));
  return {
    type: "media",
    kind: "file",
    mime: source.string("media_type") ?? "application/pdf",
    data: { bytes },
    ...more,
  };
}

function readToolUse(block: Fields, reading: Reading): ContentPart {
  const id = block.requiredString("id");
  const name = block.requiredString("name");
  reading.callNames.set(id, name);
  return { type: "tool-call", id, name, args: JSON.stringify(block.data("input") ?? {}) };
}

function readToolResult(block: Fields, reading: Reading): ContentPart {
  const id = block.requiredString("tool_use_id");
  const name = reading.callNames.get(id);
  if (name === undefined) throw invalid(block.at("tool_use_id"), "answers no tool_use of an earlier message");
  const value = block.raw("content");
  const content: readonly ContentPart[] =
    value === undefined || typeof value === "string"
      ? [{ type: "text", text: value ?? "" }]
      : (block.list("content") ?? []).map((item, index) => {
          const part = readBlock(new Fields(item, `${block.at("content")}[${index}]`), reading);
          if (part.type === "text" || part.type === "media") return part;
          throw invalid(`${block.at("content")}[${index}].type`, "of a tool result must be text, image or document");
        });
  const isError = block.boolean("is_error");
  return { type: "tool-result", id, name, content, ...(isError === true ? { isError } : {}) };
}
