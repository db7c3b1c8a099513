// Reads a `/v1/responses` body. Wire: OpenAI Responses reference and the types of npm package openai 7.57.
import type {
  ChatRequest,
  ContentPart,
  Message,
  OutputFormat,
  Sampling,
  ToolChoice,
  ToolDefinition,
  Warning,
} from "@fovea/core";
import type { ChatDraft } from "../door-request.ts";
import { mediaKind, readDataUrl, readImageUrl } from "../media-input.ts";
import { Fields, invalid } from "../request-fields.ts";
import { readFunction, readToolChoice } from "./chat-request.ts";
import { definedOf } from "../wire-values.ts";

export interface ResponseDraft extends ChatDraft {
  /** Members of the request that the response object repeats. */
  readonly echo: Readonly<Record<string, unknown>>;
}

const IGNORED = [
  "include",
  "max_tool_calls",
  "metadata",
  "prompt_cache_retention",
  "service_tier",
  "stream_options",
  "top_logprobs",
  "truncation",
];
const STATEFUL = ["background", "conversation", "previous_response_id", "prompt"] as const;

export function parseResponseRequest(body: unknown): ResponseDraft {
  const fields = new Fields(body);
  const warnings: Warning[] = [];
  const model = fields.requiredString("model");
  refuseState(fields, warnings);
  const { system, messages } = readInput(fields, warnings);
  const instructions = fields.string("instructions");
  const fronts = instructions === undefined ? system : [instructions, ...system];
  const tools = (fields.list("tools") ?? []).map((item, index) => readTool(new Fields(item, `tools[${index}]`)));
  const choice = readToolChoice(fields.raw("tool_choice"), "tool_choice");
  const sampling: Sampling = {
    ...definedOf({ temperature: fields.number("temperature", 0, 2), topP: fields.number("top_p", 0, 1) }),
  };
  const output = readFormat(fields.object("text"));
  const chat: Omit<ChatRequest, "model"> = {
    messages,
    sampling,
    ...(fronts.length === 0 ? {} : { system: fronts }),
    ...(tools.length === 0 ? {} : { tools }),
    ...(output === undefined ? {} : { output }),
    ...readLimits(fields, choice),
  };
  const isStream = fields.boolean("stream") ?? false;
  const echo = echoOf(fields, instructions);
  fields.ignored(warnings, IGNORED);
  fields.unknown(warnings);
  return { model, chat, isStream, warnings, echo };
}

/** Nothing is kept between calls: what refers to an earlier one cannot be honoured and must not be ignored. */
function refuseState(fields: Fields, warnings: Warning[]): void {
  for (const name of STATEFUL) {
    const value = fields.raw(name);
    if (value !== undefined && value !== false) {
      throw invalid(name, "is not supported: this gateway keeps no responses; send the whole conversation as input");
    }
  }
  if (fields.boolean("store") === true) warnings.push({ field: "store", message: "responses are not kept" });
}

const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

function readLimits(fields: Fields, toolChoice: ToolChoice | undefined): Partial<ChatRequest> {
  const reasoning = fields.object("reasoning");
  const effort = reasoning?.oneOf("effort", EFFORTS);
  const show = reasoning?.string("summary") !== undefined;
  const key = fields.string("prompt_cache_key");
  const user = fields.string("user");
  return {
    ...definedOf({ maxOutputTokens: fields.integer("max_output_tokens", 1, 10_000_000) }),
    ...definedOf({ parallelTools: fields.boolean("parallel_tool_calls") }),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(reasoning === undefined ? {} : { reasoning: { ...(effort === undefined ? {} : { effort }), show } }),
    ...(key === undefined ? {} : { cacheHints: { key } }),
    ...definedOf({ endUser: fields.string("safety_identifier") ?? user }),
  };
}

function echoOf(fields: Fields, instructions: string | undefined): Readonly<Record<string, unknown>> {
  const reasoning = fields.object("reasoning");
  return {
    instructions: instructions ?? null,
    max_output_tokens: fields.raw("max_output_tokens") ?? null,
    parallel_tool_calls: fields.raw("parallel_tool_calls") ?? true,
    reasoning: { effort: reasoning?.raw("effort") ?? null, summary: reasoning?.raw("summary") ?? null },
    temperature: fields.raw("temperature") ?? 1,
    text: fields.raw("text") ?? { format: { type: "text" } },
    tool_choice: fields.raw("tool_choice") ?? "auto",
    tools: fields.raw("tools") ?? [],
    top_p: fields.raw("top_p") ?? 1,
    metadata: fields.raw("metadata") ?? {},
  };
}

function readTool(tool: Fields): ToolDefinition {
  const type = tool.requiredString("type");
  if (type !== "function") throw invalid(tool.at("type"), `"${type}" tools run at one vendor only; use "function"`);
  return readFunction(tool);
}

function readFormat(text: Fields | undefined): OutputFormat | undefined {
  const format = text?.object("format");
  if (format === undefined) return undefined;
  const type = format.oneOf("type", ["text", "json_object", "json_schema"]);
  if (type === "text" || type === undefined) return { kind: "text" };
  if (type === "json_object") return { kind: "json" };
  const schema = format.data("schema");
  if (schema === undefined) throw invalid(format.at("schema"), "is required");
  return { kind: "schema", name: format.requiredString("name"), schema, strict: format.boolean("strict") ?? false };
}

interface Reading {
  readonly system: string[];
  readonly messages: Message[];
  readonly callNames: Map<string, string>;
  readonly warnings: Warning[];
}

function readInput(fields: Fields, warnings: Warning[]): Pick<Reading, "system" | "messages"> {
  const value = fields.raw("input");
  if (typeof value === "string")
    return { system: [], messages: [{ role: "user", content: [{ type: "text", text: value }] }] };
  const list = fields.list("input");
  if (list === undefined) throw invalid("input", "is required");
  if (list.length === 0) throw invalid("input", "must not be empty");
  const reading: Reading = { system: [], messages: [], callNames: new Map(), warnings };
  for (const [index, item] of list.entries()) readItem(new Fields(item, `input[${index}]`), reading);
  return reading;
}

function readItem(item: Fields, reading: Reading): void {
  const type = item.string("type") ?? "message";
  switch (type) {
    case "message":
      return readMessage(item, reading);
    case "function_call": {
      const name = item.requiredString("name");
      const id = item.requiredString("call_id");
      reading.callNames.set(id, name);
      const args = item.string("arguments") ?? "";
      return pushAssistant(reading, { type: "tool-call", id, name, args: args.trim() === "" ? "{}" : args });
    }
    case "function_call_output":
      return readOutput(item, reading);
    case "reasoning":
      // The vendor's own thoughts mean nothing to another vendor; a summary is worth no tokens.
      reading.warnings.push({ field: item.path, message: "reasoning items are not passed on" });
      return;
    default:
      throw invalid(item.at("type"), `"${type}" items are not supported`);
  }
}

/** Calls of one turn stand in one assistant message, as every vendor wants them. */
function pushAssistant(reading: Reading, part: ContentPart): void {
  const last = reading.messages.at(-1);
  if (last?.role === "assistant")
    reading.messages[reading.messages.length - 1] = { ...last, content: [...last.content, part] };
  else reading.messages.push({ role: "assistant", content: [part] });
}

function readOutput(item: Fields, reading: Reading): void {
  const id = item.requiredString("call_id");
  const name = reading.callNames.get(id);
  if (name === undefined) throw invalid(item.at("call_id"), "answers no function call of an earlier item");
  const content = readContent(item, "output");
  reading.messages.push({ role: "tool", content: [{ type: "tool-result", id, name, content }] });
}

function readMessage(item: Fields, reading: Reading): void {
  const role = item.oneOf("role", ["user", "assistant", "system", "developer"]);
  if (role === undefined) throw invalid(item.at("role"), "is required");
  const content = readContent(item, "content");
  if (role === "user" || role === "assistant") {
    reading.messages.push({ role, content });
    return;
  }
  reading.system.push(content.map((part) => (part.type === "text" ? part.text : "")).join("\n"));
}

function readContent(item: Fields, name: string): readonly ContentPart[] {
  const value = item.raw(name);
  if (typeof value === "string") return [{ type: "text", text: value }];
  const list = item.list(name);
  if (list === undefined) throw invalid(item.at(name), "is required");
  return list.map((part, index) => readPart(new Fields(part, `${item.at(name)}[${index}]`)));
}

function readPart(part: Fields): ContentPart {
  const type = part.oneOf("type", ["input_text", "output_text", "refusal", "input_image", "input_file"]);
  if (type === undefined) throw invalid(part.at("type"), "is required");
  if (part.raw("file_id") !== undefined) {
    throw invalid(part.at("file_id"), "uploaded files belong to one vendor; send the data instead");
  }
  if (type === "input_image") {
    return readImageUrl(part.requiredString("image_url"), part.at("image_url"), part.string("detail"));
  }
  if (type === "input_file") {
    const { mime, bytes } = readDataUrl(part.requiredString("file_data"), part.at("file_data"));
    return {
      type: "media",
      kind: mediaKind(mime),
      mime,
      data: { bytes },
      ...definedOf({ name: part.string("filename") }),
    };
  }
  const text = part.string(type === "refusal" ? "refusal" : "text");
  if (text === undefined) throw invalid(part.at("text"), "is required");
  return { type: "text", text };
}
