// Reads `/api/chat` and `/api/generate` bodies. Wire: docs/api.md of ollama/ollama.
import type {
  ChatRequest,
  ContentPart,
  Message,
  OutputFormat,
  ReasoningEffort,
  Sampling,
  ToolDefinition,
  Warning,
} from "@fovea/core";
import type { ChatDraft } from "../door-request.ts";
import { sniffImage } from "../media-input.ts";
import { decodeBase64, Fields, invalid } from "../request-fields.ts";
import { definedOf } from "../wire-values.ts";

export interface OllamaDraft extends ChatDraft {
  /** Empty requests load or unload a model; there is nothing to do here, but clients wait for the answer. */
  readonly loads: "load" | "unload" | undefined;
}

export function parseOllamaChat(body: unknown): OllamaDraft {
  const fields = new Fields(body);
  const warnings: Warning[] = [];
  const { system, messages } = readMessages(fields);
  const tools = (fields.list("tools") ?? []).map((item, index) => readTool(new Fields(item, `tools[${index}]`)));
  const more = { messages, ...(tools.length === 0 ? {} : { tools }), ...(system.length === 0 ? {} : { system }) };
  return finish(fields, more, warnings);
}

export function parseOllamaGenerate(body: unknown): OllamaDraft {
  const fields = new Fields(body);
  const warnings: Warning[] = [];
  const system = fields.string("system");
  const images = (fields.strings("images", 64) ?? []).map((image, index) => readImage(image, `images[${index}]`));
  const prompt = fields.string("prompt") ?? "";
  const content: ContentPart[] = prompt === "" ? images : [{ type: "text", text: prompt }, ...images];
  if ((fields.string("suffix") ?? "") !== "") throw invalid("suffix", "insertion is not supported");
  fields.ignored(warnings, ["context", "raw", "template"]);
  const messages: Message[] = content.length === 0 ? [] : [{ role: "user", content }];
  return finish(fields, { messages, ...(system === undefined || system === "" ? {} : { system: [system] }) }, warnings);
}

function finish(fields: Fields, chat: Omit<ChatRequest, "model">, warnings: Warning[]): OllamaDraft {
  const options = fields.object("options");
  const draft = {
    model: fields.requiredString("model"),
    chat: {
      ...chat,
      ...(options === undefined ? {} : readOptions(options, warnings)),
      ...definedOf({ output: readFormat(fields), reasoning: readThink(fields) }),
    },
    // Absent means streamed: that is the dialect's default on the wire.
    isStream: fields.boolean("stream") ?? true,
    loads: chat.messages.length > 0 ? undefined : loadKind(fields.raw("keep_alive")),
    warnings,
  };
  fields.raw("keep_alive");
  fields.unknown(warnings);
  return draft;
}

function loadKind(keepAlive: unknown): "load" | "unload" {
  return keepAlive === 0 || keepAlive === "0" ? "unload" : "load";
}

const OPTIONS = new Set([
  "temperature",
  "top_p",
  "top_k",
  "seed",
  "stop",
  "num_predict",
  "presence_penalty",
  "frequency_penalty",
]);

function readOptions(options: Fields, warnings: Warning[]): Partial<ChatRequest> {
  // -1 and -2 mean "no limit" there.
  const predict = options.integer("num_predict", -2, 10_000_000);
  const sampling: Sampling = definedOf({
    temperature: options.number("temperature", 0, 5),
    topP: options.number("top_p", 0, 1),
    topK: options.integer("top_k", 0, 100_000),
    seed: options.integer("seed", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    presencePenalty: options.number("presence_penalty", -2, 2),
    frequencyPenalty: options.number("frequency_penalty", -2, 2),
    stop: options.strings("stop", 16),
  });
  for (const name of OPTIONS) options.raw(name);
  options.unknown(warnings);
  return { sampling, ...(predict === undefined || predict <= 0 ? {} : { maxOutputTokens: predict }) };
}

function readFormat(fields: Fields): OutputFormat | undefined {
  const value = fields.raw("format");
  if (value === undefined || value === "") return undefined;
  if (value === "json") return { kind: "json" };
  if (typeof value === "string") throw invalid("format", "must be json or a JSON Schema");
  return { kind: "schema", name: "answer", schema: fields.data("format") ?? {}, strict: false };
}

const EFFORTS: readonly ReasoningEffort[] = ["low", "medium", "high"];

function readThink(fields: Fields): ChatRequest["reasoning"] | undefined {
  const value = fields.raw("think");
  if (value === undefined) return undefined;
  if (value === false) return { effort: "none", show: false };
  if (value === true) return { show: true };
  const effort = EFFORTS.find((name) => name === value);
  if (effort === undefined) throw invalid("think", "must be true, false, low, medium or high");
  return { effort, show: true };
}

interface Reading {
  readonly system: string[];
  readonly messages: Message[];
  /** Calls without a result, oldest first: this dialect has no ids. */
  readonly waiting: { id: string; name: string }[];
  calls: number;
}

function readMessages(fields: Fields): Pick<Reading, "system" | "messages"> {
  const reading: Reading = { system: [], messages: [], waiting: [], calls: 0 };
  for (const [index, item] of (fields.list("messages") ?? []).entries()) {
    readMessage(new Fields(item, `messages[${index}]`), reading);
  }
  return reading;
}

function readMessage(message: Fields, reading: Reading): void {
  const role = message.oneOf("role", ["system", "user", "assistant", "tool"]);
  if (role === undefined) throw invalid(message.at("role"), "is required");
  const text = message.string("content") ?? "";
  if (role === "system") {
    reading.system.push(text);
    return;
  }
  if (role === "tool") return readResult(message, text, reading);
  const content: ContentPart[] = text === "" ? [] : [{ type: "text", text }];
  for (const [index, image] of (message.strings("images", 64) ?? []).entries()) {
    content.push(readImage(image, `${message.at("images")}[${index}]`));
  }
  const thinking = message.string("thinking");
  if (thinking !== undefined && thinking !== "") content.unshift({ type: "reasoning", text: thinking });
  for (const [index, item] of (message.list("tool_calls") ?? []).entries()) {
    const inner = new Fields(item, `${message.at("tool_calls")}[${index}]`).object("function");
    if (inner === undefined) throw invalid(`${message.at("tool_calls")}[${index}].function`, "is required");
    const call = { id: `call_${reading.calls++}`, name: inner.requiredString("name") };
    reading.waiting.push(call);
    content.push({ type: "tool-call", ...call, args: JSON.stringify(inner.data("arguments") ?? {}) });
  }
  reading.messages.push({ role, content: content.length === 0 ? [{ type: "text", text: "" }] : content });
}

function readResult(message: Fields, text: string, reading: Reading): void {
  const name = message.string("tool_name") ?? message.string("name");
  const at = name === undefined ? 0 : reading.waiting.findIndex((call) => call.name === name);
  const [call] = at < 0 ? [] : reading.waiting.splice(at, 1);
  if (call === undefined) {
    throw invalid(message.at(name === undefined ? "role" : "tool_name"), "answers no tool call of an earlier message");
  }
  reading.messages.push({
    role: "tool",
    content: [{ type: "tool-result", ...call, content: [{ type: "text", text }] }],
  });
}

function readImage(image: string, path: string): ContentPart {
  const bytes = decodeBase64(image, path);
  const mime = sniffImage(bytes);
  if (mime === undefined) throw invalid(path, "is not a PNG, JPEG, GIF or WebP image");
  return { type: "media", kind: "image", mime, data: { bytes } };
}

function readTool(tool: Fields): ToolDefinition {
  const definition = tool.object("function");
  if (definition === undefined) throw invalid(tool.at("function"), "is required");
  return {
    name: definition.requiredString("name"),
    schema: definition.data("parameters") ?? { type: "object", properties: {} },
    ...definedOf({ description: definition.string("description") }),
  };
}
