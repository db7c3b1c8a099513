import type { ChatRequest, ContentPart, Warning } from "@fovea/core";
import { toBase64 } from "../base64.ts";
import { parseJson, recordOf } from "../json-body.ts";
import type { EncodedCall } from "../vendor-wire.ts";
import { outputTokensDefault, reasonsAdaptively, refusesSampling } from "./models.ts";
import { unsealed, type Sealed } from "./opaque.ts";

type Json = Record<string, unknown>;
type Warn = (field: string, message: string) => void;

const RESERVED: ReadonlySet<string> = new Set(["model", "messages", "stream"]);
const IMAGE_TYPES: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

export function encodeMessages(request: ChatRequest, isStreamed: boolean): EncodedCall {
  const warnings: Warning[] = [];
  const warn: Warn = (field, message) => void warnings.push({ field, message });
  const body: Json = {
    model: request.model,
    max_tokens: request.maxOutputTokens ?? outputTokensDefault(request.model),
    messages: encodeTurns(request, warn),
  };
  if (isStreamed) body["stream"] = true;
  const system = (request.system ?? []).filter((text) => text !== "");
  if (system.length > 0)
    body["system"] = marked(
      system.map((text) => ({ type: "text", text })),
      request,
      "system",
    );
  addTools(body, request);
  addThinking(body, request, warn);
  addSampling(body, request, warn);
  addOutput(body, request, warn);
  if (request.endUser !== undefined) body["metadata"] = { user_id: request.endUser };
  for (const [name, value] of Object.entries(request.providerOptions?.anthropic ?? {})) {
    if (RESERVED.has(name)) warn(`providerOptions.anthropic.${name}`, "is set by the gateway");
    else body[name] = value;
  }
  return { path: "/v1/messages", body: JSON.stringify(body), warnings };
}

function encodeTurns(request: ChatRequest, warn: Warn): Json[] {
  const turns: { role: string; content: Json[] }[] = [];
  const breakpoints = new Set(request.cacheHints?.breakpoints);
  request.messages.forEach((message, index) => {
    const role = message.role === "assistant" ? "assistant" : "user";
    const content = message.content.flatMap((part, position) =>
      encodePart(part, `messages[${index}].content[${position}]`, warn),
    );
    const last = content.at(-1);
    if (breakpoints.has(index) && last !== undefined && canBeMarked(last)) last["cache_control"] = markOf(request);
    const open = turns.at(-1);
    if (open?.role === role) open.content.push(...content);
    else turns.push({ role, content });
  });
  for (const turn of turns) if (turn.role === "user") turn.content.sort(resultsFirst);
  trimEnd(turns.at(-1));
  // The API refuses empty turns, except as the last one it never gets.
  return turns.filter((turn) => turn.content.length > 0);
}

/** Thinking cannot be marked itself; it is cached with what follows. */
function canBeMarked(block: Json): boolean {
  return block["type"] !== "thinking" && block["type"] !== "redacted_thinking";
}

function markOf(request: ChatRequest): Json {
  const ttl = request.cacheHints?.ttl;
  return { type: "ephemeral", ...(ttl === undefined ? {} : { ttl }) };
}

/** The mark stands on the last of them: everything before it is cached with it. */
function marked(blocks: Json[], request: ChatRequest, what: "system" | "tools"): Json[] {
  const last = blocks.at(-1);
  if (request.cacheHints?.[what] === true && last !== undefined) last["cache_control"] = markOf(request);
  return blocks;
}

/** Tool results must open the user turn that follows the calls. */
function resultsFirst(a: Json, b: Json): number {
  return Number(b["type"] === "tool_result") - Number(a["type"] === "tool_result");
}

/** A final assistant text must not end in white space. */
function trimEnd(turn: { role: string; content: Json[] } | undefined): void {
  const last = turn?.role === "assistant" ? turn.content.at(-1) : undefined;
  if (last?.["type"] === "text") last["text"] = String(last["text"]).trimEnd();
}

function encodePart(part: ContentPart, where: string, warn: Warn): Json[] {
  switch (part.type) {
    case "text":
      // Empty text blocks are refused.
      return part.text === "" ? [] : [{ type: "text", text: part.text }];
    case "reasoning":
      return encodeReasoning(part, where, warn);
    case "tool-call":
      return [{ type: "tool_use", id: part.id, name: part.name, input: inputOf(part.args, where, warn) }];
    case "tool-result":
      return [encodeResult(part, where, warn)];
    case "media":
      return encodeMedia(part, where, warn);
    case "citation":
      return [];
  }
}

/** Thinking goes back only to the vendor that sealed it; changed or foreign blocks are answered with 400. */
function encodeReasoning(part: ContentPart & { type: "reasoning" }, where: string, warn: Warn): Json[] {
  const seal =
    part.opaque?.provider === "anthropic" ? (unsealed(part.opaque.value) ?? bare(part, part.opaque.value)) : undefined;
  if (seal === undefined) {
    warn(where, "reasoning of another provider is not sent");
    return [];
  }
  if (seal.kind === "redacted") return [{ type: "redacted_thinking", data: seal.value }];
  return [{ type: "thinking", thinking: part.text ?? "", signature: seal.value }];
}

/** A history that began before Fovea has the vendor's own signatures: over a text they sign, without one they are the block. */
function bare(part: ContentPart & { type: "reasoning" }, value: string): Sealed {
  return { kind: part.text === undefined ? "redacted" : "signature", value };
}

function inputOf(args: string, where: string, warn: Warn): unknown {
  try {
    const input = recordOf(parseJson(args));
    if (input !== undefined) return input;
  } catch {
    // Falls through to the warning: history may hold what another model wrote.
  }
  warn(where, "arguments that are not a JSON object are sent as {}");
  return {};
}

function encodeResult(part: ContentPart & { type: "tool-result" }, where: string, warn: Warn): Json {
  const content = part.content.flatMap((piece, index) => encodePart(piece, `${where}.content[${index}]`, warn));
  return {
    type: "tool_result",
    tool_use_id: part.id,
    ...(content.length === 0 ? {} : { content }),
    ...(part.isError === true ? { is_error: true } : {}),
  };
}

function encodeMedia(part: ContentPart & { type: "media" }, where: string, warn: Warn): Json[] {
  const { data, kind, mime } = part;
  const block = kind === "image" ? "image" : kind === "file" ? "document" : undefined;
  if (block === undefined || (block === "image" && "bytes" in data && !IMAGE_TYPES.has(mime))) {
    warn(where, `${kind} of type ${mime} is not sent to this provider`);
    return [];
  }
  const title = block === "document" && part.name !== undefined ? { title: part.name } : {};
  if ("url" in data) return [{ type: block, source: { type: "url", url: data.url }, ...title }];
  if ("ref" in data) return [{ type: block, source: { type: "file", file_id: data.ref }, ...title }];
  if (block === "document" && mime.startsWith("text/")) {
    const text = new TextDecoder().decode(data.bytes);
    return [{ type: block, source: { type: "text", media_type: "text/plain", data: text }, ...title }];
  }
  return [{ type: block, source: { type: "base64", media_type: mime, data: toBase64(data.bytes) }, ...title }];
}

function addTools(body: Json, request: ChatRequest): void {
  const tools = request.tools ?? [];
  if (tools.length === 0) return;
  const definitions = tools.map((tool): Json => ({
    name: tool.name,
    ...(tool.description === undefined ? {} : { description: tool.description }),
    input_schema: { type: "object", ...tool.schema },
    ...(tool.strict === true ? { strict: true } : {}),
  }));
  body["tools"] = marked(definitions, request, "tools");
  const choice = request.toolChoice;
  const single = request.parallelTools === false ? { disable_parallel_tool_use: true } : {};
  if (choice === undefined && request.parallelTools !== false) return;
  if (choice === "none") body["tool_choice"] = { type: "none" };
  else if (choice === "required") body["tool_choice"] = { type: "any", ...single };
  else if (choice === undefined || choice === "auto") body["tool_choice"] = { type: "auto", ...single };
  else body["tool_choice"] = { type: "tool", name: choice.name, ...single };
}

/** Tokens to think with, for models that take a budget instead of an effort. */
const BUDGETS = { minimal: 1_024, low: 2_048, medium: 8_192, high: 16_384, xhigh: 32_768, max: 49_152 } as const;
const EFFORTS = { minimal: "low", low: "low", medium: "medium", high: "high", xhigh: "max", max: "max" } as const;

function addThinking(body: Json, request: ChatRequest, warn: Warn): void {
  const { reasoning, model } = request;
  if (reasoning?.effort === "none") {
    if (reasonsAdaptively(model)) body["thinking"] = { type: "disabled" };
    return;
  }
  if (reasoning === undefined || (reasoning.effort === undefined && reasoning.budgetTokens === undefined)) return;
  if (reasoning.effort !== undefined && reasoning.budgetTokens === undefined && reasonsAdaptively(model)) {
    body["thinking"] = { type: "adaptive" };
    body["output_config"] = { effort: EFFORTS[reasoning.effort] };
    return;
  }
  if (!/claude-(?:3-7|(?:opus|sonnet|haiku|fable|mythos)-[4-9])/.test(model)) {
    warn("reasoning", `${model} does not reason`);
    return;
  }
  const budget = Math.max(1_024, reasoning.budgetTokens ?? BUDGETS[reasoning.effort ?? "medium"]);
  body["thinking"] = { type: "enabled", budget_tokens: budget };
  // The limit counts thinking too, and must lie above the budget.
  if (Number(body["max_tokens"]) <= budget) body["max_tokens"] = budget + Number(body["max_tokens"]);
}

function addSampling(body: Json, request: ChatRequest, warn: Warn): void {
  const { temperature, topP, topK, stop, ...others } = request.sampling ?? {};
  for (const name of Object.keys(others)) warn(`sampling.${name}`, "is not sent to this provider");
  if (stop !== undefined && stop.length > 0) body["stop_sequences"] = stop;
  const thinks = recordOf(body["thinking"]);
  const isThinking = thinks !== undefined && thinks["type"] !== "disabled";
  const refusal = isThinking ? "is not sent while the model reasons" : "is refused by this model";
  const canSample = !isThinking && !refusesSampling(request.model);
  const send = (name: string, wireName: string, value: number | undefined, isTaken: boolean, why: string): void => {
    if (value === undefined) return;
    if (isTaken) body[wireName] = value;
    else warn(`sampling.${name}`, why);
  };
  if (temperature !== undefined && temperature > 1 && canSample) warn("sampling.temperature", "above 1 is sent as 1");
  send(
    "temperature",
    "temperature",
    temperature === undefined ? undefined : Math.min(1, temperature),
    canSample,
    refusal,
  );
  const isAlone = canSample && temperature === undefined;
  send("topP", "top_p", topP, isAlone, canSample ? "is not sent together with temperature" : refusal);
  send("topK", "top_k", topK, canSample, refusal);
}

function addOutput(body: Json, request: ChatRequest, warn: Warn): void {
  const { output } = request;
  if (output?.kind === "json") warn("output", "JSON without a schema cannot be asked of this provider");
  if (output?.kind === "schema") {
    body["output_config"] = {
      ...recordOf(body["output_config"]),
      format: { type: "json_schema", schema: output.schema },
    };
  }
  if (request.modalities?.includes("audio") === true) warn("modalities", "this provider speaks text only");
  if (request.cacheHints?.key !== undefined) warn("cacheHints.key", "is not sent to this provider");
}
