import type { ChatRequest, ContentPart, Message, Warning } from "@fovea/core";
import type { EncodedCall } from "../vendor-wire.ts";
import { dataUrl } from "../base64.ts";
import type { OpenAiProfile } from "./profile.ts";

type Json = Record<string, unknown>;

/** Members the canonical request owns: provider options cannot replace them. */
const RESERVED: ReadonlySet<string> = new Set(["model", "messages", "stream", "stream_options"]);

/** Canonical request to a chat completions body. `model` is the first member, so a router need not read the images. */
export function encodeChat(request: ChatRequest, isStreamed: boolean, profile: OpenAiProfile): EncodedCall {
  const warnings: Warning[] = [];
  const warn = (field: string, message: string): void => void warnings.push({ field, message });
  const isReasoning = profile.isReasoningModel(request.model);
  const body: Json = { model: request.model, messages: encodeMessages(request, profile, isReasoning, warn) };
  if (isStreamed) {
    body["stream"] = true;
    if (profile.streamOptions !== undefined) body["stream_options"] = profile.streamOptions;
  }
  addTools(body, request);
  addOutput(body, request, warn);
  addSampling(body, request, profile, isReasoning, warn);
  addExtras(body, request, profile, warn);
  for (const [name, value] of Object.entries(request.providerOptions?.[profile.type] ?? {})) {
    if (RESERVED.has(name)) warn(`providerOptions.${profile.type}.${name}`, "is set by the gateway");
    else body[name] = value;
  }
  return { path: profile.chatPath, body: JSON.stringify(body), warnings };
}

type Warn = (field: string, message: string) => void;

function encodeMessages(request: ChatRequest, profile: OpenAiProfile, isReasoning: boolean, warn: Warn): Json[] {
  const messages: Json[] = [];
  const system = (request.system ?? []).join("\n\n");
  if (system !== "") messages.push({ role: isReasoning ? profile.reasoningSystemRole : "system", content: system });
  request.messages.forEach((message, index) => {
    const at = `messages[${index}]`;
    if (message.role === "assistant") merge(messages, encodeAssistant(message, at, warn));
    else for (const piece of encodeTurn(message, at, profile, warn)) merge(messages, piece);
  });
  return messages;
}

/** Consecutive turns of one role become one: several vendors refuse them. Tool results stay single. */
function merge(messages: Json[], next: Json): void {
  const last = messages.at(-1);
  const isSame = last?.["role"] === next["role"] && next["role"] !== "tool" && last?.["name"] === next["name"];
  if (last === undefined || !isSame || last["tool_calls"] !== undefined || last["role"] === "system") {
    messages.push(next);
    return;
  }
  last["content"] = joined(last["content"], next["content"]);
  if (next["tool_calls"] !== undefined) last["tool_calls"] = next["tool_calls"];
}

function joined(first: unknown, second: unknown): unknown {
  if (first === null || first === undefined) return second;
  if (second === null || second === undefined) return first;
  if (typeof first === "string" && typeof second === "string") return `${first}\n\n${second}`;
  const parts = (content: unknown): unknown[] =>
    typeof content === "string" ? [{ type: "text", text: content }] : (content as unknown[]);
  return [...parts(first), ...parts(second)];
}

function encodeAssistant(message: Message, at: string, warn: Warn): Json {
  let text = "";
  const calls: Json[] = [];
  message.content.forEach((part, index) => {
    if (part.type === "text") text += part.text;
    else if (part.type === "tool-call") {
      calls.push({ id: part.id, type: "function", function: { name: part.name, arguments: part.args } });
    } else if (part.type !== "citation") warn(`${at}.content[${index}]`, `${part.type} is not sent to this provider`);
  });
  return {
    role: "assistant",
    content: text === "" && calls.length > 0 ? null : text,
    ...(message.name === undefined ? {} : { name: message.name }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

/** A user or tool message: its tool results, each a message of its own, then what the user said. */
function encodeTurn(message: Message, at: string, profile: OpenAiProfile, warn: Warn): Json[] {
  const results: Json[] = [];
  const said: Json[] = [];
  message.content.forEach((part, index) => {
    const where = `${at}.content[${index}]`;
    if (part.type === "tool-result") {
      results.push({ role: "tool", tool_call_id: part.id, content: resultText(part.content, where, warn) });
      return;
    }
    const encoded = encodePart(part, profile);
    if (encoded === undefined) warn(where, `${describe(part)} is not sent to this provider`);
    else said.push(encoded);
  });
  const only = said[0];
  const content = said.length === 1 && only?.["type"] === "text" ? only["text"] : said;
  const name = message.name === undefined ? {} : { name: message.name };
  if (said.length > 0 || results.length === 0)
    results.push({ role: "user", ...name, content: said.length === 0 ? "" : content });
  return results;
}

function resultText(content: readonly ContentPart[], where: string, warn: Warn): string {
  if (content.some((part) => part.type !== "text")) warn(where, "only the text of a tool result is sent");
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function describe(part: ContentPart): string {
  return part.type === "media" ? part.kind : part.type;
}

function encodePart(part: ContentPart, profile: OpenAiProfile): Json | undefined {
  if (part.type === "text") return { type: "text", text: part.text };
  if (part.type !== "media") return undefined;
  const { data, mime, kind } = part;
  if (kind === "audio") return encodeAudio(part);
  if (kind === "video" && !profile.takesVideo) return undefined;
  if (kind === "file" || "ref" in data) {
    if ("ref" in data) return { type: "file", file: { file_id: data.ref } };
    if ("url" in data) return undefined;
    return { type: "file", file: { filename: part.name ?? "file", file_data: dataUrl(mime, data.bytes) } };
  }
  const url = "url" in data ? data.url : dataUrl(mime, data.bytes);
  if (kind === "video") return { type: "video_url", video_url: { url } };
  return { type: "image_url", image_url: { url, ...(part.detail === undefined ? {} : { detail: part.detail }) } };
}

function encodeAudio(part: ContentPart & { type: "media" }): Json | undefined {
  if (!("bytes" in part.data)) return undefined;
  const format = /wav/.test(part.mime) ? "wav" : /mpeg|mp3/.test(part.mime) ? "mp3" : undefined;
  if (format === undefined) return undefined;
  return { type: "input_audio", input_audio: { data: Buffer.from(part.data.bytes).toString("base64"), format } };
}

function addTools(body: Json, request: ChatRequest): void {
  const tools = request.tools ?? [];
  // An empty list is refused by several vendors.
  if (tools.length === 0) return;
  body["tools"] = tools.map((tool) => ({
    type: "function",
    function: {
      name: tool.name,
      ...(tool.description === undefined ? {} : { description: tool.description }),
      parameters: tool.schema,
      ...(tool.strict === undefined ? {} : { strict: tool.strict }),
    },
  }));
  const choice = request.toolChoice;
  if (choice !== undefined)
    body["tool_choice"] = typeof choice === "string" ? choice : { type: "function", function: choice };
  if (request.parallelTools !== undefined) body["parallel_tool_calls"] = request.parallelTools;
}

function addOutput(body: Json, request: ChatRequest, warn: Warn): void {
  const { output } = request;
  if (output?.kind === "json") body["response_format"] = { type: "json_object" };
  if (output?.kind === "schema") {
    const { name, schema, strict } = output;
    body["response_format"] = { type: "json_schema", json_schema: { name, schema, strict } };
  }
  if (request.modalities?.includes("audio") !== true) return;
  body["modalities"] = [...request.modalities];
  if (request.voice === undefined) warn("voice", "audio output needs a voice");
  else body["audio"] = { voice: request.voice.id, format: request.voice.format };
}

function addSampling(body: Json, request: ChatRequest, profile: OpenAiProfile, isReasoning: boolean, warn: Warn): void {
  const sampling = request.sampling ?? {};
  const canSample = !isReasoning || request.reasoning?.effort === "none";
  const fields = [
    ["temperature", "temperature", canSample],
    ["topP", "top_p", canSample],
    ["presencePenalty", "presence_penalty", !isReasoning],
    ["frequencyPenalty", "frequency_penalty", !isReasoning],
    ["topK", "top_k", profile.takesTopK],
    ["seed", "seed", true],
    ["stop", "stop", true],
  ] as const;
  for (const [name, wireName, isTaken] of fields) {
    const value = sampling[name];
    if (value === undefined) continue;
    if (isTaken) body[wireName] = value;
    else warn(`sampling.${name}`, `${request.model} takes no ${wireName}`);
  }
  if (request.maxOutputTokens !== undefined) {
    body[isReasoning ? "max_completion_tokens" : profile.tokenLimitName] = request.maxOutputTokens;
  }
}

function addExtras(body: Json, request: ChatRequest, profile: OpenAiProfile, warn: Warn): void {
  const { reasoning, cacheHints } = request;
  if (reasoning?.effort !== undefined) {
    if (profile.takesReasoningEffort(request.model)) body["reasoning_effort"] = reasoning.effort;
    else warn("reasoning.effort", `${request.model} takes no reasoning effort`);
  }
  if (reasoning?.budgetTokens !== undefined) warn("reasoning.budgetTokens", "is not sent to this provider");
  if (cacheHints?.key !== undefined) {
    if (profile.takesCacheKey) body["prompt_cache_key"] = cacheHints.key;
    else warn("cacheHints.key", "is not sent to this provider");
  }
  // These vendors find what repeats by themselves.
  if (cacheHints?.breakpoints !== undefined || cacheHints?.system === true || cacheHints?.tools === true) {
    warn("cacheHints.breakpoints", "is not sent: this provider caches by itself");
  }
  if (request.endUser !== undefined && profile.endUserName !== undefined) body[profile.endUserName] = request.endUser;
}
