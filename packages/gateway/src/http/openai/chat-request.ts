// Reads a `/v1/chat/completions` body. Wire: developers.openai.com, Chat Completions reference.
import type { ChatRequest, OutputFormat, Sampling, ToolChoice, ToolDefinition, Warning } from "@fovea/core";
import type { ChatDraft } from "../door-request.ts";
import { Fields, invalid } from "../request-fields.ts";
import { readMessages } from "./chat-messages.ts";
import { definedOf } from "../wire-values.ts";

export interface OpenAiChatDraft extends ChatDraft {
  readonly wantsUsage: boolean;
}

const IGNORED = [
  "logit_bias",
  "metadata",
  "moderation",
  "prediction",
  "prompt_cache_options",
  "prompt_cache_retention",
  "service_tier",
  "store",
  "verbosity",
  "web_search_options",
];

export function parseChatRequest(body: unknown): OpenAiChatDraft {
  const fields = new Fields(body);
  const warnings: Warning[] = [];
  const model = fields.requiredString("model");
  const read = readMessages(fields, warnings);
  refuseManyAnswers(fields);
  const options = fields.object("stream_options");
  const chat: Omit<ChatRequest, "model"> = {
    ...read,
    ...readTools(fields),
    ...readOutput(fields, warnings),
    sampling: readSampling(fields),
    ...readLimits(fields),
  };
  fields.ignored(warnings, IGNORED);
  const draft = {
    model,
    chat,
    isStream: fields.boolean("stream") ?? false,
    wantsUsage: options?.boolean("include_usage") ?? false,
    warnings,
  };
  fields.unknown(warnings);
  return draft;
}

function refuseManyAnswers(fields: Fields): void {
  if ((fields.integer("n", 1, 128) ?? 1) > 1) {
    throw invalid("n", "only one answer a request is given; send the request again for another");
  }
  if (fields.boolean("logprobs") === true || (fields.integer("top_logprobs", 0, 20) ?? 0) > 0) {
    throw invalid("logprobs", "token probabilities are not available through this gateway");
  }
}

function readSampling(fields: Fields): Sampling {
  const numbers: Record<string, number | undefined> = {
    temperature: fields.number("temperature", 0, 2),
    topP: fields.number("top_p", 0, 1),
    topK: fields.integer("top_k", 0, 100_000),
    seed: fields.integer("seed", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    presencePenalty: fields.number("presence_penalty", -2, 2),
    frequencyPenalty: fields.number("frequency_penalty", -2, 2),
  };
  const stop = fields.strings("stop", 4);
  return { ...definedOf(numbers), ...(stop === undefined ? {} : { stop }) };
}

const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
const TOKENS_MAX = 10_000_000;

function readLimits(fields: Fields): Partial<ChatRequest> {
  const modern = fields.integer("max_completion_tokens", 1, TOKENS_MAX);
  const older = fields.integer("max_tokens", 1, TOKENS_MAX);
  const maxOutputTokens = modern ?? older;
  const effort = fields.oneOf("reasoning_effort", EFFORTS);
  const cacheKey = fields.string("prompt_cache_key");
  const endUser = fields.string("safety_identifier") ?? fields.string("user");
  fields.raw("user");
  return {
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(effort === undefined ? {} : { reasoning: { effort } }),
    ...(cacheKey === undefined ? {} : { cacheHints: { key: cacheKey } }),
    ...(endUser === undefined ? {} : { endUser }),
  };
}

function readOutput(fields: Fields, warnings: Warning[]): Partial<ChatRequest> {
  const modalities = fields.strings("modalities", 2)?.map((name, index) => {
    if (name === "text" || name === "audio") return name;
    throw invalid(`modalities[${index}]`, "must be text or audio");
  });
  const audio = fields.object("audio");
  const voice = audio === undefined ? undefined : readVoice(audio);
  const output = readFormat(fields.object("response_format"), warnings);
  return {
    ...(modalities === undefined ? {} : { modalities }),
    ...(voice === undefined ? {} : { voice }),
    ...(output === undefined ? {} : { output }),
  };
}

function readVoice(audio: Fields): { id: string; format: string } {
  const voice = audio.raw("voice");
  const id =
    typeof voice === "object"
      ? new Fields(voice, audio.at("voice")).requiredString("id")
      : audio.requiredString("voice");
  return { id, format: audio.requiredString("format") };
}

function readFormat(format: Fields | undefined, warnings: Warning[]): OutputFormat | undefined {
  if (format === undefined) return undefined;
  const type = format.oneOf("type", ["text", "json_object", "json_schema"]);
  if (type === undefined) throw invalid(format.at("type"), "is required");
  if (type === "text") return { kind: "text" };
  if (type === "json_object") return { kind: "json" };
  const named = format.object("json_schema");
  if (named === undefined) throw invalid(format.at("json_schema"), "is required");
  const schema = named.data("schema");
  if (schema === undefined) throw invalid(named.at("schema"), "is required");
  const name = named.requiredString("name");
  if (named.string("description") !== undefined) {
    warnings.push({ field: named.at("description"), message: "not passed on" });
  }
  return { kind: "schema", name, schema, strict: named.boolean("strict") ?? false };
}

const TOOLS_MAX = 512;

function readTools(fields: Fields): Partial<ChatRequest> {
  const list = fields.list("tools");
  const older = fields.list("functions");
  if ((list?.length ?? 0) > TOOLS_MAX) throw invalid("tools", `takes at most ${TOOLS_MAX} tools`);
  const tools = [
    ...(list ?? []).map((item, index) => readTool(new Fields(item, `tools[${index}]`))),
    ...(older ?? []).map((item, index) => readFunction(new Fields(item, `functions[${index}]`))),
  ];
  const choice =
    readToolChoice(fields.raw("tool_choice"), "tool_choice") ??
    readToolChoice(fields.raw("function_call"), "function_call");
  if (typeof choice === "object" && !tools.some((tool) => tool.name === choice.name)) {
    throw invalid("tool_choice", `names "${choice.name}", which is not among the tools`);
  }
  const parallelTools = fields.boolean("parallel_tool_calls");
  return {
    ...(tools.length === 0 ? {} : { tools }),
    ...(choice === undefined ? {} : { toolChoice: choice }),
    ...(parallelTools === undefined ? {} : { parallelTools }),
  };
}

function readTool(tool: Fields): ToolDefinition {
  const type = tool.string("type") ?? "function";
  if (type !== "function") throw invalid(tool.at("type"), `"${type}" tools are not supported; use "function"`);
  const definition = tool.object("function");
  if (definition === undefined) throw invalid(tool.at("function"), "is required");
  return readFunction(definition);
}

export function readFunction(definition: Fields): ToolDefinition {
  const name = definition.requiredString("name");
  if (!/^[\w.-]{1,128}$/.test(name)) throw invalid(definition.at("name"), "may hold letters, digits, _ . and - only");
  const description = definition.string("description");
  const strict = definition.boolean("strict");
  return {
    name,
    schema: definition.data("parameters") ?? { type: "object", properties: {} },
    ...(description === undefined ? {} : { description }),
    ...(strict === undefined ? {} : { strict }),
  };
}

export function readToolChoice(value: unknown, path: string): ToolChoice | undefined {
  if (value === undefined) return undefined;
  if (value === "auto" || value === "none" || value === "required") return value;
  if (typeof value === "string") throw invalid(path, "must be auto, none, required or name a function");
  const fields = new Fields(value, path);
  const type = fields.string("type") ?? "function";
  if (type !== "function") throw invalid(fields.at("type"), `"${type}" is not supported; use "function"`);
  const inner = fields.object("function");
  return { name: (inner ?? fields).requiredString("name") };
}
