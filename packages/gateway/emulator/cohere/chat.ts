import { writeScript, type Prompt, type Script } from "../answer-script.ts";
import type { Call, Frame, Reply, Stage } from "../exchange.ts";
import { jsonReply, Refusal } from "../exchange.ts";
import { listOf, numberOf, objectOf, textOf, type Json } from "../json.ts";
import { readContent } from "../openai/prompt.ts";

export function invalid(message: string): Refusal {
  return new Refusal({ status: 400, message });
}

const ROLES = new Set(["system", "user", "assistant", "tool"]);

function readPrompt(body: Json): Prompt {
  if (textOf(body["model"]) === "") throw invalid("invalid request: model is required");
  const messages = listOf(body["messages"]).map(objectOf);
  if (messages.length === 0) throw invalid("invalid request: messages must contain at least one message");
  let lastUserText = "";
  let allText = "";
  let imageCount = 0;
  for (const message of messages) {
    const role = textOf(message["role"]);
    if (!ROLES.has(role)) throw invalid(`invalid request: invalid role '${role}'`);
    const read = readContent(message["content"]);
    allText += ` ${read.text}`;
    if (role !== "user") continue;
    lastUserText = read.text;
    imageCount = read.imageCount;
  }
  const tools = listOf(body["tools"]).map((tool) => objectOf(objectOf(tool)["function"]));
  const choice = body["tool_choice"];
  if (choice !== undefined && choice !== "REQUIRED" && choice !== "NONE") {
    throw invalid("invalid request: tool_choice must be REQUIRED or NONE");
  }
  const format = objectOf(body["response_format"]);
  const schema = format["json_schema"] ?? format["schema"];
  const limit = numberOf(body["max_tokens"]);
  return {
    lastUserText,
    allText,
    imageCount,
    tools: tools.map((tool) => ({ name: textOf(tool["name"]), schema: objectOf(tool["parameters"]) })),
    toolChoice: choice === "REQUIRED" ? "required" : choice === "NONE" ? "none" : "auto",
    endsWithToolResult: messages.at(-1)?.["role"] === "tool",
    wantsJson: format["type"] === "json_object",
    ...(schema === undefined ? {} : { schema: objectOf(schema) }),
    ...(limit === undefined ? {} : { maxTokens: limit }),
  };
}

function finishOf(script: Script): string {
  if (script.finish !== undefined) return script.finish;
  if (script.outcome === "tool_calls") return "TOOL_CALL";
  if (script.outcome === "filter") return "ERROR";
  return script.outcome === "length" ? "MAX_TOKENS" : "COMPLETE";
}

function usageOf(script: Script): Json {
  const { usage } = script;
  return {
    billed_units: { input_tokens: Math.max(0, usage.input - 2), output_tokens: usage.output },
    tokens: { input_tokens: usage.input, output_tokens: usage.output },
    cached_tokens: usage.cached,
  };
}

interface NamedCall {
  readonly id: string;
  readonly name: string;
  readonly args: string;
  readonly pieces: readonly string[];
}

export function chatReply(call: Call, stage: Stage): Reply {
  const body = objectOf(call.json);
  const script = writeScript(stage.answer, readPrompt(body), stage.random);
  const id = stage.nextId("");
  const calls = script.toolCalls.map(({ id: given, name, args, pieces }) => ({
    id: given ?? stage.nextId(`${name}_`),
    name,
    args,
    pieces,
  }));
  const headers = { num_chars: String(Buffer.byteLength(script.text)), num_tokens: String(script.usage.output) };
  if (body["stream"] === true) {
    const frames = chatFrames(id, script, calls);
    return { status: 200, headers, format: "sse", contentType: "text/event-stream", frames };
  }
  const said = script.text + (script.refusal ?? "");
  const thinking = script.reasoning.join("");
  const content = [
    ...(thinking === "" ? [] : [{ type: "thinking", thinking }]),
    ...(said === "" ? [] : [{ type: "text", text: said }]),
  ];
  const message = {
    role: "assistant",
    ...(content.length === 0 ? {} : { content }),
    ...(calls.length === 0
      ? {}
      : {
          tool_plan: "I will use a tool.",
          tool_calls: calls.map((item) => ({
            id: item.id,
            type: "function",
            function: { name: item.name, arguments: item.args },
          })),
        }),
  };
  return jsonReply({ id, message, finish_reason: finishOf(script), usage: usageOf(script) }, 200, headers);
}

function chatFrames(id: string, script: Script, calls: readonly NamedCall[]): readonly Frame[] {
  const empty = { role: "assistant", content: [], tool_plan: "", tool_calls: [], citations: [] };
  const out: Frame[] = [frame("lifecycle", { type: "message-start", id, delta: { message: empty } })];
  let index = 0;
  const block = (kind: Frame["kind"], start: Json, deltas: readonly Json[]): void => {
    out.push(frame("lifecycle", { type: "content-start", index, delta: { message: { content: start } } }));
    for (const content of deltas)
      out.push(frame(kind, { type: "content-delta", index, delta: { message: { content } } }));
    out.push(frame("lifecycle", { type: "content-end", index }));
    index++;
  };
  if (script.reasoning.length > 0) {
    block(
      "lifecycle",
      { type: "thinking", thinking: "" },
      script.reasoning.map((thinking) => ({ thinking })),
    );
  }
  const said = [...script.tokens, ...(script.refusal === undefined ? [] : [script.refusal])];
  if (said.length > 0)
    block(
      "content",
      { type: "text", text: "" },
      said.map((text) => ({ text })),
    );
  if (calls.length > 0) {
    out.push(frame("lifecycle", { type: "tool-plan-delta", delta: { message: { tool_plan: "I will use a tool." } } }));
  }
  for (const [place, item] of calls.entries()) out.push(...callFrames(place, item));
  const failed = finishOf(script) === "ERROR" ? { error: "the model failed" } : {};
  const delta = { finish_reason: finishOf(script), ...failed, usage: usageOf(script) };
  out.push(frame("terminal", { type: "message-end", delta }));
  return [...out, { kind: "marker", data: "[DONE]" }];
}

function callFrames(index: number, item: NamedCall): readonly Frame[] {
  const start = { id: item.id, type: "function", function: { name: item.name, arguments: "" } };
  const delta = (piece: string): Json => ({ message: { tool_calls: { function: { arguments: piece } } } });
  return [
    frame("content", { type: "tool-call-start", index, delta: { message: { tool_calls: start } } }),
    ...item.pieces.map((piece) => frame("content", { type: "tool-call-delta", index, delta: delta(piece) })),
    frame("lifecycle", { type: "tool-call-end", index }),
  ];
}

function frame(kind: Frame["kind"], data: Json & { readonly type: string }): Frame {
  return { kind, event: data.type, data: JSON.stringify(data) };
}
