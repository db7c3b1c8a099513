import { writeScript, type Prompt, type Script } from "../answer-script.ts";
import type { Call, Frame, Reply, Stage } from "../exchange.ts";
import { jsonReply, Refusal } from "../exchange.ts";
import { listOf, numberOf, objectOf, textOf, type Json } from "../json.ts";

export function messagesReply(call: Call, stage: Stage): Reply {
  const body = objectOf(call.json);
  const prompt = readPrompt(body);
  if (numberOf(body["max_tokens"]) === undefined) throw invalid("max_tokens: Field required");
  const thinks = ["enabled", "adaptive"].includes(textOf(objectOf(body["thinking"])["type"]));
  const script = writeScript(stage.answer, prompt, stage.random);
  const message: Draft = { id: stage.nextId("msg_"), model: textOf(body["model"]), script, thinks, stage };
  if (body["stream"] !== true) return jsonReply(whole(message));
  return { status: 200, format: "sse", contentType: "text/event-stream; charset=utf-8", frames: frames(message) };
}

export function countReply(call: Call, stage: Stage): Reply {
  const prompt = readPrompt(objectOf(call.json));
  return jsonReply({ input_tokens: writeScript(stage.answer, prompt, stage.random).usage.input });
}

interface Draft {
  readonly id: string;
  readonly model: string;
  readonly script: Script;
  readonly thinks: boolean;
  readonly stage: Stage;
}

export function invalid(message: string): Refusal {
  return new Refusal({ status: 400, kind: "invalid_request_error", message });
}

function readPrompt(body: Json): Prompt {
  if (textOf(body["model"]) === "") throw invalid("model: Field required");
  const messages = body["messages"];
  if (!Array.isArray(messages)) throw invalid("messages: Field required");
  if (messages.length === 0) throw invalid("messages: at least one message is required");
  let lastUserText = "";
  let allText = blocksText(body["system"]).text;
  let imageCount = 0;
  let endsWithToolResult = false;
  for (const [index, item] of messages.entries()) {
    const message = objectOf(item);
    const role = textOf(message["role"]);
    if (role !== "user" && role !== "assistant" && role !== "system") {
      throw invalid(`messages.${index}.role: Input should be 'user' or 'assistant'`);
    }
    const read = blocksText(message["content"]);
    if (read.text === "" && read.kinds.size === 0) throw invalid(`messages.${index}: content must not be empty`);
    allText += ` ${read.text}`;
    if (role !== "user") continue;
    endsWithToolResult = read.kinds.has("tool_result");
    if (!endsWithToolResult || read.text !== "") lastUserText = read.text;
    imageCount = read.imageCount;
  }
  const tools = listOf(body["tools"]).map((tool) => objectOf(tool));
  const format = objectOf(objectOf(body["output_config"])["format"]);
  const schema = format["type"] === "json_schema" ? objectOf(format["schema"]) : undefined;
  const limit = numberOf(body["max_tokens"]);
  return {
    lastUserText,
    allText,
    imageCount,
    tools: tools.map((tool) => ({ name: textOf(tool["name"]), schema: objectOf(tool["input_schema"]) })),
    toolChoice: readChoice(objectOf(body["tool_choice"])),
    endsWithToolResult,
    ...(schema === undefined ? {} : { schema }),
    ...(limit === undefined ? {} : { maxTokens: limit }),
  };
}

function readChoice(choice: Json): Prompt["toolChoice"] {
  if (choice["type"] === "tool") return { name: textOf(choice["name"]) };
  if (choice["type"] === "any") return "required";
  return choice["type"] === "none" ? "none" : "auto";
}

function blocksText(content: unknown): { text: string; imageCount: number; kinds: ReadonlySet<string> } {
  if (typeof content === "string") return { text: content, imageCount: 0, kinds: new Set(["text"]) };
  const kinds = new Set<string>();
  let text = "";
  let imageCount = 0;
  for (const item of listOf(content)) {
    const block = objectOf(item);
    const kind = textOf(block["type"]);
    kinds.add(kind);
    if (kind === "text") text += textOf(block["text"]);
    if (kind === "image") imageCount++;
  }
  return { text, imageCount, kinds };
}

function stopReason(script: Script): string {
  if (script.finish !== undefined) return script.finish;
  if (script.refusal !== undefined || script.outcome === "filter") return "refusal";
  if (script.outcome === "tool_calls") return "tool_use";
  return script.outcome === "length" ? "max_tokens" : "end_turn";
}

/** The vendor counts cached tokens beside the input. At the end of a stream it repeats the counts alone. */
function countsOf(script: Script, output: number): Json {
  const { usage } = script;
  return {
    input_tokens: Math.max(0, usage.input - usage.cached - usage.cacheWrite),
    cache_creation_input_tokens: usage.cacheWrite,
    cache_read_input_tokens: usage.cached,
    output_tokens: output,
  };
}

function usageMember(script: Script, output: number): Json {
  const { cacheWrite } = script.usage;
  return {
    ...countsOf(script, output),
    cache_creation: { ephemeral_5m_input_tokens: cacheWrite, ephemeral_1h_input_tokens: 0 },
    service_tier: "standard",
  };
}

function whole(draft: Draft): Json {
  const { script, stage } = draft;
  const said = script.text + (script.refusal ?? "");
  const content = [
    ...(draft.thinks && script.reasoning.length > 0
      ? [{ type: "thinking", thinking: script.reasoning.join(""), signature: signatureOf(draft) }]
      : []),
    ...(said === "" ? [] : [{ type: "text", text: said }]),
    ...script.toolCalls.map((toolCall) => ({
      type: "tool_use",
      id: toolCall.id ?? stage.nextId("toolu_"),
      name: toolCall.name,
      input: inputOf(toolCall.args),
    })),
  ];
  return {
    id: draft.id,
    type: "message",
    role: "assistant",
    model: draft.model,
    content,
    stop_reason: stopReason(script),
    stop_sequence: null,
    usage: usageMember(script, script.usage.output),
  };
}

function signatureOf(draft: Draft): string {
  return Buffer.from(`signed ${draft.id}`).toString("base64");
}

function inputOf(args: string): unknown {
  try {
    return JSON.parse(args);
  } catch {
    return {};
  }
}

function frames(draft: Draft): readonly Frame[] {
  const { script, stage } = draft;
  const message = {
    id: draft.id,
    type: "message",
    role: "assistant",
    model: draft.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: usageMember(script, 1),
  };
  const out: Frame[] = [frame("lifecycle", { type: "message_start", message })];
  let index = 0;
  const block = (start: Json, kind: Frame["kind"], deltas: readonly Json[]): void => {
    out.push(frame("lifecycle", { type: "content_block_start", index, content_block: start }));
    if (index === 0) out.push(frame("lifecycle", { type: "ping" }));
    for (const delta of deltas) out.push(frame(kind, { type: "content_block_delta", index, delta }));
    out.push(frame("lifecycle", { type: "content_block_stop", index }));
    index++;
  };
  if (draft.thinks && script.reasoning.length > 0) {
    const thoughts = script.reasoning.map((thinking) => ({ type: "thinking_delta", thinking }));
    const signed = { type: "signature_delta", signature: signatureOf(draft) };
    block({ type: "thinking", thinking: "", signature: "" }, "lifecycle", [...thoughts, signed]);
  }
  const said = [...script.tokens, ...(script.refusal === undefined ? [] : [script.refusal])];
  if (said.length > 0)
    block(
      { type: "text", text: "" },
      "content",
      said.map((text) => ({ type: "text_delta", text })),
    );
  for (const toolCall of script.toolCalls) {
    const isWhole = toolCall.pieces.length === 1;
    const input = isWhole ? inputOf(toolCall.args) : {};
    const start = { type: "tool_use", id: toolCall.id ?? stage.nextId("toolu_"), name: toolCall.name, input };
    const pieces = isWhole ? [] : ["", ...toolCall.pieces];
    block(
      start,
      "content",
      pieces.map((piece) => ({ type: "input_json_delta", partial_json: piece })),
    );
  }
  const delta = { stop_reason: stopReason(script), stop_sequence: null };
  out.push(frame("lifecycle", { type: "message_delta", delta, usage: countsOf(script, script.usage.output) }));
  out.push(frame("terminal", { type: "message_stop" }));
  return out;
}

function frame(kind: Frame["kind"], data: Json & { readonly type: string }): Frame {
  return { kind, event: data.type, data: JSON.stringify(data) };
}
