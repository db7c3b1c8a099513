import type { ChatRequest, ContentPart, Message, Warning } from "@fovea/core";
import { toBase64 } from "../base64.ts";
import { parseJson, recordOf } from "../json-body.ts";
import type { EncodedCall } from "../vendor-wire.ts";

type Json = Record<string, unknown>;
type Warn = (field: string, message: string) => void;

const RESERVED: ReadonlySet<string> = new Set(["model", "messages", "stream"]);

/** POST /api/chat. Source: docs/api.md of ollama/ollama. */
export function encodeChat(request: ChatRequest, isStreamed: boolean): EncodedCall {
  const warnings: Warning[] = [];
  const warn: Warn = (field, message) => void warnings.push({ field, message });
  const body: Json = { model: request.model, messages: encodeMessages(request, warn), stream: isStreamed };
  addTools(body, request, warn);
  const { output } = request;
  if (output?.kind === "json") body["format"] = "json";
  if (output?.kind === "schema") body["format"] = output.schema;
  const options = optionsOf(request);
  const think = thinkOf(request, warn);
  if (think !== undefined) body["think"] = think;
  if (request.modalities?.includes("audio") === true) warn("modalities", "this server answers in text");
  if (request.cacheHints !== undefined) warn("cacheHints", "are not sent to this provider");
  if (request.endUser !== undefined) warn("endUser", "is not sent to this provider");
  const { options: moreOptions, ...more } = request.providerOptions?.custom ?? {};
  for (const [name, value] of Object.entries(more)) {
    if (RESERVED.has(name)) warn(`providerOptions.custom.${name}`, "is set by the gateway");
    else body[name] = value;
  }
  Object.assign(options, recordOf(moreOptions));
  if (Object.keys(options).length > 0) body["options"] = options;
  return {
    path: "/api/chat",
    body: JSON.stringify(body),
    headers: { accept: "application/x-ndjson, application/json" },
    warnings,
  };
}

function encodeMessages(request: ChatRequest, warn: Warn): Json[] {
  const system = (request.system ?? []).join("\n\n");
  const messages: Json[] = system === "" ? [] : [{ role: "system", content: system }];
  request.messages.forEach((message, index) => messages.push(...encodeMessage(message, `messages[${index}]`, warn)));
  return messages;
}

/** Results are messages of their own; text, images, thinking and calls of one turn are one. */
function encodeMessage(message: Message, at: string, warn: Warn): Json[] {
  const results: Json[] = [];
  const said = { text: "", thinking: "", images: [] as string[], calls: [] as Json[] };
  message.content.forEach((part, index) => {
    const where = `${at}.content[${index}]`;
    if (part.type === "text") said.text += part.text;
    else if (part.type === "tool-result") results.push(encodeResult(part, where, warn));
    else if (part.type === "tool-call") {
      said.calls.push({ function: { name: part.name, arguments: argsOf(part.args, where, warn) } });
    } else if (part.type === "reasoning") said.thinking += part.text ?? "";
    else if (part.type === "media") addMedia(part, said.images, where, warn);
  });
  const { text, thinking, images, calls } = said;
  const isEmpty = text === "" && thinking === "" && images.length === 0 && calls.length === 0;
  if (isEmpty && results.length > 0) return results;
  const turn = {
    role: message.role === "assistant" ? "assistant" : "user",
    content: text,
    ...(thinking === "" ? {} : { thinking }),
    ...(images.length === 0 ? {} : { images }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  return [...results, turn];
}

function encodeResult(part: ContentPart & { type: "tool-result" }, where: string, warn: Warn): Json {
  if (part.content.some((piece) => piece.type !== "text")) warn(where, "only the text of a tool result is sent");
  const content = part.content.map((piece) => (piece.type === "text" ? piece.text : "")).join("");
  return { role: "tool", content, tool_name: part.name, tool_call_id: part.id };
}

function argsOf(args: string, where: string, warn: Warn): unknown {
  try {
    const value = recordOf(parseJson(args));
    if (value !== undefined) return value;
  } catch {
    // History may hold what another model wrote.
  }
  warn(where, "arguments that are not a JSON object are sent as {}");
  return {};
}

/** Bare base64; the server fetches nothing. */
function addMedia(part: ContentPart & { type: "media" }, images: string[], where: string, warn: Warn): void {
  if (part.kind === "image" && "bytes" in part.data) images.push(toBase64(part.data.bytes));
  else warn(where, `${part.kind} ${"bytes" in part.data ? "" : "by address "}is not sent to this provider`);
}

/** There is no choice on this wire: `none` is no tools, a named tool is that tool alone. */
function addTools(body: Json, request: ChatRequest, warn: Warn): void {
  const choice = request.toolChoice;
  const name = typeof choice === "object" ? choice.name : undefined;
  const tools = (request.tools ?? []).filter((tool) => name === undefined || tool.name === name);
  if (tools.length === 0 || choice === "none") return;
  body["tools"] = tools.map((tool) => ({
    type: "function",
    function: { name: tool.name, description: tool.description ?? "", parameters: tool.schema },
  }));
  if (choice === "required" || name !== undefined) warn("toolChoice", "this server cannot be made to call a tool");
  if (request.parallelTools === false) warn("parallelTools", "cannot be switched off at this provider");
}

function optionsOf(request: ChatRequest): Json {
  const { temperature, topP, topK, seed, stop, presencePenalty, frequencyPenalty } = request.sampling ?? {};
  const fields = {
    temperature,
    top_p: topP,
    top_k: topK,
    seed,
    stop,
    presence_penalty: presencePenalty,
    frequency_penalty: frequencyPenalty,
    num_predict: request.maxOutputTokens,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Only gpt-oss thinks in levels; every other model that thinks takes yes or no. */
function thinkOf(request: ChatRequest, warn: Warn): boolean | string | undefined {
  const { reasoning } = request;
  if (reasoning === undefined) return undefined;
  if (reasoning.budgetTokens !== undefined) warn("reasoning.budgetTokens", "is not sent to this provider");
  if (reasoning.effort === "none") return false;
  if (reasoning.effort !== undefined && /gpt-oss/.test(request.model)) return LEVELS[reasoning.effort];
  return reasoning.effort !== undefined || reasoning.show === true ? true : undefined;
}

const LEVELS = { minimal: "low", low: "low", medium: "medium", high: "high", xhigh: "high", max: "high" } as const;
