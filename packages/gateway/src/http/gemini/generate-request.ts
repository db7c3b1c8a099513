// Reads a `:generateContent` body. Wire: Gemini API reference and the types of npm package @google/genai 3.1. Google's
// servers take camelCase and snake_case alike, so both are read.
import type {
  ChatRequest,
  ContentPart,
  Message,
  OutputFormat,
  ReasoningEffort,
  Sampling,
  ToolChoice,
  ToolDefinition,
  Warning,
} from "@fovea/core";
import type { ChatDraft } from "../door-request.ts";
import { mediaKind } from "../media-input.ts";
import { assertDepth, decodeBase64, Fields, invalid } from "../request-fields.ts";
import { definedOf } from "../wire-values.ts";
import { toJsonSchema } from "./schema.ts";

export function parseGenerateRequest(body: unknown, model: string, isStream: boolean): ChatDraft {
  const fields = new Fields(camelised(body));
  const warnings: Warning[] = [];
  if (fields.raw("cachedContent") !== undefined) {
    throw invalid("cachedContent", "refers to a vendor's store; send the whole content");
  }
  const system = readSystem(fields);
  const config = fields.object("generationConfig");
  const { tools, toolChoice } = readTools(fields);
  const chat: Omit<ChatRequest, "model"> = {
    messages: readContents(fields),
    ...(system === undefined ? {} : { system: [system] }),
    ...(tools.length === 0 ? {} : { tools }),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(config === undefined ? {} : readConfig(config, warnings)),
  };
  fields.raw("model");
  fields.ignored(warnings, ["safetySettings", "labels", "serviceTier", "store"]);
  fields.unknown(warnings);
  return { model, chat, isStream, warnings };
}

/** Members whose names are the caller's own data keep their names. */
const OPAQUE = new Set(["args", "response", "properties", "parametersJsonSchema", "responseJsonSchema", "labels"]);
const DEPTH_MAX = 80;

export function camelised(value: unknown, depth = 0): unknown {
  if (depth > DEPTH_MAX) throw invalid("body", `is nested deeper than ${DEPTH_MAX} levels`);
  if (Array.isArray(value)) return value.map((item) => camelised(item, depth + 1));
  if (typeof value !== "object" || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const name = key.includes("_")
      ? key.replaceAll(/(?<=[a-z])_([a-z])/g, (_, letter: string) => letter.toUpperCase())
      : key;
    out[name] = OPAQUE.has(name) ? inner : camelised(inner, depth + 1);
  }
  return out;
}

function readSystem(fields: Fields): string | undefined {
  const value = fields.raw("systemInstruction");
  if (value === undefined) return undefined;
  if (typeof value === "string") return value;
  const content = new Fields(value, "systemInstruction");
  const parts = content.list("parts") ?? [];
  return parts
    .map((part, index) => new Fields(part, `systemInstruction.parts[${index}]`).string("text") ?? "")
    .join("\n");
}

interface Reading {
  readonly messages: Message[];
  /** Calls without an answer yet, oldest first: this dialect may leave ids out. */
  readonly waiting: { id: string; name: string }[];
  calls: number;
}

function readContents(fields: Fields): readonly Message[] {
  const value = fields.raw("contents");
  const list: readonly unknown[] | undefined = Array.isArray(value) ? value : value === undefined ? undefined : [value];
  if (list === undefined) throw invalid("contents", "is required");
  if (list.length === 0) throw invalid("contents", "must not be empty");
  const reading: Reading = { messages: [], waiting: [], calls: 0 };
  for (const [index, item] of list.entries()) readContent(new Fields(item, `contents[${index}]`), reading);
  return reading.messages;
}

function readContent(content: Fields, reading: Reading): void {
  const role = content.oneOf("role", ["user", "model", "function"]) ?? "user";
  const list = content.list("parts");
  if (list === undefined || list.length === 0) throw invalid(content.at("parts"), "is required and must not be empty");
  let run: ContentPart[] = [];
  let runRole: Message["role"] | undefined;
  for (const [index, item] of list.entries()) {
    for (const part of readPart(new Fields(item, `${content.at("parts")}[${index}]`), reading)) {
      const partRole = part.type === "tool-result" ? "tool" : role === "model" ? "assistant" : "user";
      if (partRole !== runRole && runRole !== undefined) {
        reading.messages.push({ role: runRole, content: run });
        run = [];
      }
      runRole = partRole;
      run.push(part);
    }
  }
  if (runRole !== undefined) reading.messages.push({ role: runRole, content: run });
}

/** A signature over a text is a part of its own in the canonical form. */
function readPart(part: Fields, reading: Reading): readonly ContentPart[] {
  const text = part.string("text");
  const signature = part.string("thoughtSignature");
  const opaque = signature === undefined ? {} : { opaque: { provider: "google" as const, value: signature } };
  if (text !== undefined) {
    if (part.boolean("thought") === true) return [{ type: "reasoning", text, ...opaque }];
    const seal: ContentPart[] = signature === undefined ? [] : [{ type: "reasoning", ...opaque }];
    return text === "" && signature !== undefined ? seal : [{ type: "text", text }, ...seal];
  }
  const inline = part.object("inlineData");
  if (inline !== undefined) {
    const mime = inline.requiredString("mimeType");
    const bytes = decodeBase64(inline.requiredString("data"), inline.at("data"));
    return [{ type: "media", kind: mediaKind(mime), mime, data: { bytes } }];
  }
  const file = part.object("fileData");
  if (file !== undefined) {
    const url = file.requiredString("fileUri");
    if (!/^https?:\/\//.test(url)) throw invalid(file.at("fileUri"), "must be an https address");
    const mime = file.string("mimeType") ?? "application/octet-stream";
    return [{ type: "media", kind: mediaKind(mime), mime, data: { url } }];
  }
  const call = part.object("functionCall");
  if (call !== undefined) {
    const name = call.requiredString("name");
    const id = call.string("id") ?? `call_${reading.calls}`;
    reading.calls++;
    reading.waiting.push({ id, name });
    return [{ type: "tool-call", id, name, args: JSON.stringify(call.data("args") ?? {}), ...opaque }];
  }
  const result = part.object("functionResponse");
  if (result !== undefined) return [readResult(result, reading)];
  if (signature !== undefined) return [{ type: "reasoning", ...opaque }];
  throw invalid(part.path, "must hold text, inlineData, fileData, functionCall or functionResponse");
}

function readResult(result: Fields, reading: Reading): ContentPart {
  const name = result.requiredString("name");
  const id = result.string("id");
  const at = reading.waiting.findIndex((call) => (id === undefined ? call.name === name : call.id === id));
  const [call] = at < 0 ? [] : reading.waiting.splice(at, 1);
  if (call === undefined) throw invalid(result.at("name"), "answers no functionCall of an earlier content");
  const response = result.data("response") ?? {};
  const text = typeof response["output"] === "string" ? response["output"] : JSON.stringify(response);
  return {
    type: "tool-result",
    id: call.id,
    name,
    content: [{ type: "text", text }],
    ...("error" in response ? { isError: true } : {}),
  };
}

const MODES: Readonly<Record<string, ToolChoice>> = { AUTO: "auto", ANY: "required", NONE: "none", VALIDATED: "auto" };

function readTools(fields: Fields): { readonly tools: readonly ToolDefinition[]; readonly toolChoice?: ToolChoice } {
  const tools: ToolDefinition[] = [];
  for (const [index, item] of (fields.list("tools") ?? []).entries()) {
    const tool = new Fields(item, `tools[${index}]`);
    const declarations = tool.list("functionDeclarations");
    const [foreign] = Object.keys(item as object).filter((name) => name !== "functionDeclarations");
    if (foreign !== undefined) throw invalid(tool.at(foreign), "runs at one vendor only; declare a function instead");
    for (const [place, declaration] of (declarations ?? []).entries()) {
      tools.push(readDeclaration(new Fields(declaration, `${tool.at("functionDeclarations")}[${place}]`)));
    }
  }
  const calling = fields.object("toolConfig")?.object("functionCallingConfig");
  if (calling === undefined) return { tools };
  const mode = calling.oneOf("mode", Object.keys(MODES)) ?? "AUTO";
  const allowed = calling.strings("allowedFunctionNames", 512) ?? [];
  for (const [index, name] of allowed.entries()) {
    if (!tools.some((tool) => tool.name === name)) {
      throw invalid(`${calling.at("allowedFunctionNames")}[${index}]`, "is not among the declared functions");
    }
  }
  const [only] = allowed;
  if (mode === "ANY" && only !== undefined && allowed.length === 1) return { tools, toolChoice: { name: only } };
  const kept = allowed.length === 0 ? tools : tools.filter((tool) => allowed.includes(tool.name));
  const toolChoice = MODES[mode];
  return { tools: kept, ...(toolChoice === undefined ? {} : { toolChoice }) };
}

function readDeclaration(declaration: Fields): ToolDefinition {
  const schema = declaration.data("parametersJsonSchema") ?? declaration.data("parameters");
  return {
    name: declaration.requiredString("name"),
    schema: schema === undefined ? { type: "object", properties: {} } : toJsonSchema(schema),
    ...definedOf({ description: declaration.string("description") }),
  };
}

const CONFIG_IGNORED = [
  "audioTimestamp",
  "enableEnhancedCivicAnswers",
  "imageConfig",
  "mediaResolution",
  "modelSelectionConfig",
  "routingConfig",
];

function readConfig(config: Fields, warnings: Warning[]): Partial<ChatRequest> {
  if ((config.integer("candidateCount", 1, 8) ?? 1) > 1) {
    throw invalid(config.at("candidateCount"), "only one candidate a request is given");
  }
  if (config.boolean("responseLogprobs") === true || config.raw("logprobs") !== undefined) {
    throw invalid(config.at("responseLogprobs"), "token probabilities are not available through this gateway");
  }
  const sampling: Sampling = {
    ...definedOf({
      temperature: config.number("temperature", 0, 2),
      topP: config.number("topP", 0, 1),
      topK: config.number("topK", 0, 100_000),
      seed: config.integer("seed", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
      presencePenalty: config.number("presencePenalty", -2, 2),
      frequencyPenalty: config.number("frequencyPenalty", -2, 2),
    }),
    ...definedOf({ stop: config.strings("stopSequences", 16) }),
  };
  const out: Partial<ChatRequest> = {
    sampling,
    ...definedOf({ maxOutputTokens: config.integer("maxOutputTokens", 1, 10_000_000) }),
    ...definedOf({ output: readOutput(config), reasoning: readThinking(config.object("thinkingConfig")) }),
    ...readModalities(config, warnings),
  };
  config.ignored(warnings, CONFIG_IGNORED);
  config.unknown(warnings);
  return out;
}

function readOutput(config: Fields): OutputFormat | undefined {
  const mime = config.string("responseMimeType");
  const raw = config.raw("responseJsonSchema") ?? config.raw("_responseJsonSchema") ?? config.raw("responseSchema");
  config.raw("_responseJsonSchema");
  config.raw("responseSchema");
  if (raw !== undefined) {
    assertDepth(raw, config.at("responseSchema"));
    return { kind: "schema", name: "answer", schema: toJsonSchema(raw), strict: true };
  }
  if (mime === undefined || mime === "text/plain") return undefined;
  if (mime === "application/json") return { kind: "json" };
  throw invalid(config.at("responseMimeType"), "must be text/plain or application/json");
}

const LEVELS: Readonly<Record<string, ReasoningEffort>> = {
  MINIMAL: "minimal",
  LOW: "low",
  MEDIUM: "medium",
  HIGH: "high",
};

function readThinking(thinking: Fields | undefined): ChatRequest["reasoning"] | undefined {
  if (thinking === undefined) return undefined;
  const level = thinking.string("thinkingLevel")?.toUpperCase();
  const effort = level === undefined ? undefined : LEVELS[level];
  if (level !== undefined && level !== "THINKING_LEVEL_UNSPECIFIED" && effort === undefined) {
    throw invalid(thinking.at("thinkingLevel"), `must be one of ${Object.keys(LEVELS).join(", ")}`);
  }
  // -1 leaves the budget to the model, 0 turns thinking off.
  const budget = thinking.integer("thinkingBudget", -1, 10_000_000);
  return {
    ...definedOf({ effort: budget === 0 ? ("none" as const) : effort }),
    ...(budget === undefined || budget <= 0 ? {} : { budgetTokens: budget }),
    ...definedOf({ show: thinking.boolean("includeThoughts") }),
  };
}

function readModalities(config: Fields, warnings: Warning[]): Partial<ChatRequest> {
  const names = config.strings("responseModalities", 3);
  const speech = config.object("speechConfig");
  const voice = speech?.object("voiceConfig")?.object("prebuiltVoiceConfig")?.string("voiceName");
  const modalities: ("text" | "audio")[] = [];
  for (const [index, name] of (names ?? []).entries()) {
    const lower = name.toLowerCase();
    if (lower === "text" || lower === "audio") modalities.push(lower);
    else warnings.push({ field: `${config.at("responseModalities")}[${index}]`, message: `${name} is not supported` });
  }
  return {
    ...(modalities.length === 0 ? {} : { modalities }),
    ...(voice === undefined ? {} : { voice: { id: voice, format: "pcm16" } }),
  };
}
