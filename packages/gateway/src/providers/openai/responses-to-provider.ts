import type { ChatRequest, ContentPart, Message, Warning } from "@fovea/core";
import { dataUrl } from "../base64.ts";
import type { EncodedCall } from "../vendor-wire.ts";
import type { OpenAiProfile } from "./profile.ts";

type Json = Record<string, unknown>;
type Warn = (field: string, message: string) => void;

const RESERVED: ReadonlySet<string> = new Set(["model", "input", "stream"]);

/** Canonical request to POST /responses. Nothing is stored at the vendor: the history is the gateway's. */
export function encodeResponses(request: ChatRequest, isStreamed: boolean, profile: OpenAiProfile): EncodedCall {
  const warnings: Warning[] = [];
  const warn: Warn = (field, message) => void warnings.push({ field, message });
  const isReasoning = profile.isReasoningModel(request.model);
  const input = request.messages.flatMap((message, index) => encodeMessage(message, `messages[${index}]`, warn));
  const body: Json = { model: request.model, input, store: false };
  if (isStreamed) body["stream"] = true;
  if (isStreamed) body["stream_options"] = { include_obfuscation: false };
  const system = (request.system ?? []).join("\n\n");
  if (system !== "") body["instructions"] = system;
  if (request.maxOutputTokens !== undefined) body["max_output_tokens"] = request.maxOutputTokens;
  addTools(body, request);
  addReasoning(body, request, isReasoning, warn);
  addSampling(body, request, isReasoning, warn);
  addOutput(body, request, warn);
  if (request.cacheHints?.key !== undefined) body["prompt_cache_key"] = request.cacheHints.key;
  if (request.endUser !== undefined) body["safety_identifier"] = request.endUser;
  for (const [name, value] of Object.entries(request.providerOptions?.[profile.type] ?? {})) {
    if (RESERVED.has(name)) warn(`providerOptions.${profile.type}.${name}`, "is set by the gateway");
    else body[name] = value;
  }
  return { path: "/responses", body: JSON.stringify(body), warnings };
}

/** Calls, results and reasoning are items of their own; what was said around them stays in order. */
function encodeMessage(message: Message, at: string, warn: Warn): Json[] {
  const items: Json[] = [];
  const isAssistant = message.role === "assistant";
  let said: Json[] = [];
  const flush = (): void => {
    if (said.length > 0) items.push({ role: isAssistant ? "assistant" : "user", content: said });
    said = [];
  };
  message.content.forEach((part, index) => {
    const where = `${at}.content[${index}]`;
    const item = itemOf(part, where, warn);
    if (item !== undefined) {
      flush();
      items.push(item);
      return;
    }
    const content = contentOf(part, isAssistant);
    if (content !== undefined) said.push(content);
    else if (part.type === "media") warn(where, `${part.kind} is not sent to this provider`);
  });
  flush();
  return items;
}

function itemOf(part: ContentPart, where: string, warn: Warn): Json | undefined {
  if (part.type === "tool-call") {
    return { type: "function_call", call_id: part.id, name: part.name, arguments: part.args };
  }
  if (part.type === "tool-result") {
    if (part.content.some((piece) => piece.type !== "text")) warn(where, "only the text of a tool result is sent");
    const output = part.content.map((piece) => (piece.type === "text" ? piece.text : "")).join("");
    return { type: "function_call_output", call_id: part.id, output };
  }
  if (part.type !== "reasoning" || part.opaque?.provider !== "openai") return undefined;
  const summary = part.text === undefined ? [] : [{ type: "summary_text", text: part.text }];
  return { type: "reasoning", summary, encrypted_content: part.opaque.value };
}

function contentOf(part: ContentPart, isAssistant: boolean): Json | undefined {
  if (part.type === "text") return { type: isAssistant ? "output_text" : "input_text", text: part.text };
  if (part.type !== "media" || isAssistant) return undefined;
  const { data, kind, mime } = part;
  if (kind === "image") {
    const detail = { detail: part.detail ?? "auto" };
    if ("ref" in data) return { type: "input_image", file_id: data.ref, ...detail };
    return { type: "input_image", image_url: "url" in data ? data.url : dataUrl(mime, data.bytes), ...detail };
  }
  if (kind !== "file") return undefined;
  if ("ref" in data) return { type: "input_file", file_id: data.ref };
  if ("url" in data) return { type: "input_file", file_url: data.url };
  return { type: "input_file", filename: part.name ?? "file", file_data: dataUrl(mime, data.bytes) };
}

function addTools(body: Json, request: ChatRequest): void {
  const tools = request.tools ?? [];
  if (tools.length === 0) return;
  body["tools"] = tools.map((tool) => ({
    type: "function",
    name: tool.name,
    ...(tool.description === undefined ? {} : { description: tool.description }),
    parameters: tool.schema,
    // The default here is strict, which refuses most schemas: absence must stay what it is elsewhere.
    strict: tool.strict ?? false,
  }));
  const choice = request.toolChoice;
  if (choice !== undefined)
    body["tool_choice"] = typeof choice === "string" ? choice : { type: "function", name: choice.name };
  if (request.parallelTools !== undefined) body["parallel_tool_calls"] = request.parallelTools;
}

function addReasoning(body: Json, request: ChatRequest, isReasoning: boolean, warn: Warn): void {
  const { reasoning } = request;
  // Without storage the reasoning must travel with the history, sealed.
  if (isReasoning) body["include"] = ["reasoning.encrypted_content"];
  if (reasoning?.budgetTokens !== undefined) warn("reasoning.budgetTokens", "is not sent to this provider");
  if (reasoning === undefined) return;
  if (!isReasoning) {
    if (reasoning.effort !== undefined) warn("reasoning.effort", `${request.model} takes no reasoning effort`);
    return;
  }
  body["reasoning"] = {
    ...(reasoning.effort === undefined ? {} : { effort: reasoning.effort }),
    ...(reasoning.show === true ? { summary: "auto" } : {}),
  };
}

function addSampling(body: Json, request: ChatRequest, isReasoning: boolean, warn: Warn): void {
  const { temperature, topP, ...others } = request.sampling ?? {};
  const canSample = !isReasoning || request.reasoning?.effort === "none";
  for (const [name, wireName, value] of [
    ["temperature", "temperature", temperature],
    ["topP", "top_p", topP],
  ] as const) {
    if (value === undefined) continue;
    if (canSample) body[wireName] = value;
    else warn(`sampling.${name}`, `${request.model} takes no ${wireName}`);
  }
  for (const name of Object.keys(others)) warn(`sampling.${name}`, "is not sent to this provider");
}

function addOutput(body: Json, request: ChatRequest, warn: Warn): void {
  const { output } = request;
  if (output?.kind === "json") body["text"] = { format: { type: "json_object" } };
  if (output?.kind === "schema") {
    const { name, schema, strict } = output;
    body["text"] = { format: { type: "json_schema", name, schema, strict } };
  }
  if (request.modalities?.includes("audio") === true) warn("modalities", "this interface answers in text");
}
