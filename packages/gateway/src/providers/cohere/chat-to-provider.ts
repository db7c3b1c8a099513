import type { ChatRequest, ContentPart, Message, Warning } from "@fovea/core";
import { dataUrl } from "../base64.ts";
import type { EncodedCall } from "../vendor-wire.ts";

type Json = Record<string, unknown>;
type Warn = (field: string, message: string) => void;

const RESERVED: ReadonlySet<string> = new Set(["model", "messages", "stream"]);

export function encodeChat(request: ChatRequest, isStreamed: boolean): EncodedCall {
  const warnings: Warning[] = [];
  const warn: Warn = (field, message) => void warnings.push({ field, message });
  const documents: Json[] = [];
  const body: Json = { model: request.model, messages: encodeMessages(request, documents, warn), stream: isStreamed };
  if (documents.length > 0) body["documents"] = documents;
  addTools(body, request, warn);
  const { output } = request;
  if (output?.kind === "json") body["response_format"] = { type: "json_object" };
  if (output?.kind === "schema") body["response_format"] = { type: "json_object", json_schema: output.schema };
  addSampling(body, request);
  addReasoning(body, request);
  warnUnsent(request, warn);
  for (const [name, value] of Object.entries(request.providerOptions?.cohere ?? {})) {
    if (RESERVED.has(name)) warn(`providerOptions.cohere.${name}`, "is set by the gateway");
    else body[name] = value;
  }
  return { path: "/v2/chat", body: JSON.stringify(body), warnings };
}

function encodeMessages(request: ChatRequest, documents: Json[], warn: Warn): Json[] {
  const messages: Json[] = [];
  const system = (request.system ?? []).join("\n\n");
  if (system !== "") messages.push({ role: "system", content: system });
  request.messages.forEach((message, index) => {
    const at = `messages[${index}]`;
    if (message.role === "assistant") messages.push(encodeAssistant(message, at, warn));
    else messages.push(...encodeTurn(message, at, documents, warn));
  });
  return messages;
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
  if (calls.length === 0) return { role: "assistant", content: text };
  // Beside calls Cohere takes no content: what was said is the plan.
  return { role: "assistant", tool_calls: calls, ...(text === "" ? {} : { tool_plan: text }) };
}

function encodeTurn(message: Message, at: string, documents: Json[], warn: Warn): Json[] {
  const messages: Json[] = [];
  const said: Json[] = [];
  message.content.forEach((part, index) => {
    const where = `${at}.content[${index}]`;
    if (part.type === "tool-result") {
      messages.push({ role: "tool", tool_call_id: part.id, content: resultText(part.content, where, warn) });
    } else if (part.type === "text") said.push({ type: "text", text: part.text });
    else if (part.type === "media") addMedia(part, said, documents, where, warn);
    else warn(where, `${part.type} is not sent to this provider`);
  });
  const only = said[0];
  const content = said.length === 1 && only?.["type"] === "text" ? only["text"] : said;
  if (said.length > 0 || messages.length === 0)
    messages.push({ role: "user", content: said.length === 0 ? "" : content });
  return messages;
}

function resultText(content: readonly ContentPart[], where: string, warn: Warn): string {
  if (content.some((part) => part.type !== "text")) warn(where, "only the text of a tool result is sent");
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** Images stay in the message; text files go beside it, where answers can cite them. */
function addMedia(
  part: ContentPart & { type: "media" },
  said: Json[],
  documents: Json[],
  where: string,
  warn: Warn,
): void {
  const { data, kind, mime } = part;
  if (kind === "image" && !("ref" in data)) {
    const url = "url" in data ? data.url : dataUrl(mime, data.bytes);
    said.push({ type: "image_url", image_url: { url, ...(part.detail === undefined ? {} : { detail: part.detail }) } });
  } else if (kind === "file" && "bytes" in data && /^text\/|json$/.test(mime)) {
    const text = new TextDecoder().decode(data.bytes);
    documents.push({ data: { text, ...(part.name === undefined ? {} : { title: part.name }) } });
  } else warn(where, `${kind} of type ${mime} is not sent to this provider`);
}

/** `auto` is the absence of a choice; a named tool is that tool alone, required. */
function addTools(body: Json, request: ChatRequest, warn: Warn): void {
  const choice = request.toolChoice;
  const name = typeof choice === "object" ? choice.name : undefined;
  const tools = (request.tools ?? []).filter((tool) => name === undefined || tool.name === name);
  if (tools.length === 0) return;
  body["tools"] = tools.map((tool) => ({
    type: "function",
    function: {
      name: tool.name,
      ...(tool.description === undefined ? {} : { description: tool.description }),
      parameters: tool.schema,
    },
  }));
  if (tools.every((tool) => tool.strict === true)) body["strict_tools"] = true;
  if (choice === "none") body["tool_choice"] = "NONE";
  else if (choice !== undefined && choice !== "auto") body["tool_choice"] = "REQUIRED";
  if (request.parallelTools === false) warn("parallelTools", "cannot be switched off at this provider");
}

function addSampling(body: Json, request: ChatRequest): void {
  const { temperature, topP, topK, seed, stop, presencePenalty, frequencyPenalty } = request.sampling ?? {};
  const fields = {
    temperature,
    p: topP,
    k: topK,
    seed,
    stop_sequences: stop,
    presence_penalty: presencePenalty,
    frequency_penalty: frequencyPenalty,
    max_tokens: request.maxOutputTokens,
  };
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) body[name] = value;
}

function addReasoning(body: Json, request: ChatRequest): void {
  const { reasoning } = request;
  if (reasoning?.effort === "none") body["thinking"] = { type: "disabled" };
  else if (reasoning?.budgetTokens !== undefined)
    body["thinking"] = { type: "enabled", token_budget: reasoning.budgetTokens };
  else if (reasoning?.effort !== undefined) body["thinking"] = { type: "enabled" };
}

function warnUnsent(request: ChatRequest, warn: Warn): void {
  if (request.modalities?.includes("audio") === true) warn("modalities", "this provider speaks text only");
  if (request.cacheHints !== undefined) warn("cacheHints", "are not sent to this provider");
  if (request.endUser !== undefined) warn("endUser", "is not sent to this provider");
}
