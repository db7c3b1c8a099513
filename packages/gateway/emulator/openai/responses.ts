import { writeScript, type Prompt, type Script } from "../answer-script.ts";
import type { Call, Frame, Reply, Stage } from "../exchange.ts";
import { jsonReply } from "../exchange.ts";
import { listOf, numberOf, objectOf, textOf, type Json } from "../json.ts";
import { invalid, readContent } from "./prompt.ts";

export function responsesReply(call: Call, stage: Stage): Reply {
  const body = objectOf(call.json);
  const script = writeScript(stage.answer, readPrompt(body), stage.random);
  const draft = buildDraft(body, script, stage);
  if (body["stream"] !== true) return jsonReply(response(draft, statusOf(script), draft.items));
  return { status: 200, format: "sse", contentType: "text/event-stream; charset=utf-8", frames: frames(draft) };
}

function readPrompt(body: Json): Prompt {
  if (textOf(body["model"]) === "") throw invalid("you must provide a model parameter", "model");
  const { input } = body;
  const items = typeof input === "string" ? [{ role: "user", content: input }] : listOf(input).map(objectOf);
  if (items.length === 0) throw invalid("Missing required parameter: 'input'.", "input");
  let lastUserText = "";
  let allText = textOf(body["instructions"]);
  let imageCount = 0;
  for (const item of items as readonly Json[]) {
    const read = readContent(item["content"]);
    allText += ` ${read.text}`;
    if (item["role"] !== "user") continue;
    lastUserText = read.text;
    imageCount = read.imageCount;
  }
  const format = objectOf(objectOf(body["text"])["format"]);
  const choice = body["tool_choice"];
  const named = objectOf(choice)["name"];
  const limit = numberOf(body["max_output_tokens"]);
  const last = items.at(-1) as Json | undefined;
  return {
    lastUserText,
    allText,
    imageCount,
    tools: listOf(body["tools"])
      .map(objectOf)
      .map((tool) => ({ name: textOf(tool["name"]), schema: objectOf(tool["parameters"]) })),
    toolChoice:
      typeof named === "string" ? { name: named } : choice === "none" || choice === "required" ? choice : "auto",
    endsWithToolResult: last?.["type"] === "function_call_output",
    wantsJson: format["type"] === "json_object",
    ...(format["type"] === "json_schema" ? { schema: objectOf(format["schema"]) } : {}),
    ...(limit === undefined ? {} : { maxTokens: limit }),
  };
}

interface Draft {
  readonly id: string;
  readonly model: string;
  readonly createdS: number;
  readonly script: Script;
  readonly items: readonly Json[];
  readonly tools: unknown;
}

function buildDraft(body: Json, script: Script, stage: Stage): Draft {
  const id = stage.nextId("resp_");
  const said = script.refusal ?? script.text;
  const part =
    script.refusal === undefined
      ? { type: "output_text", text: said, annotations: [], logprobs: [] }
      : { type: "refusal", refusal: said };
  const reasoning = script.reasoning.join("");
  const items: Json[] = [];
  if (reasoning !== "") {
    items.push({ id: stage.nextId("rs_"), type: "reasoning", summary: [{ type: "summary_text", text: reasoning }] });
  }
  if (said !== "") {
    items.push({ id: stage.nextId("msg_"), type: "message", status: "completed", role: "assistant", content: [part] });
  }
  for (const call of script.toolCalls) {
    const callId = call.id ?? stage.nextId("call_");
    const head = { id: stage.nextId("fc_"), type: "function_call", status: "completed" };
    items.push({ ...head, call_id: callId, name: call.name, arguments: call.args });
  }
  const model = textOf(body["model"]);
  return { id, model, createdS: Math.floor(stage.unixMs / 1000), script, items, tools: body["tools"] ?? [] };
}

function statusOf(script: Script): string {
  return script.outcome === "length" || script.outcome === "filter" ? "incomplete" : "completed";
}

function response(draft: Draft, status: string, output: readonly Json[]): Json {
  const { script } = draft;
  const isOver = status === "completed" || status === "incomplete";
  const reason = script.outcome === "filter" ? "content_filter" : "max_output_tokens";
  const usage = {
    input_tokens: script.usage.input,
    input_tokens_details: { cached_tokens: script.usage.cached },
    output_tokens: script.usage.output,
    output_tokens_details: { reasoning_tokens: script.usage.reasoning },
    total_tokens: script.usage.input + script.usage.output,
  };
  return {
    id: draft.id,
    object: "response",
    created_at: draft.createdS,
    status,
    error: null,
    incomplete_details: status === "incomplete" ? { reason } : null,
    instructions: null,
    metadata: {},
    model: draft.model,
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    service_tier: "default",
    store: false,
    temperature: 1,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: draft.tools,
    top_p: 1,
    truncation: "disabled",
    usage: isOver ? usage : null,
  };
}

function frames(draft: Draft): readonly Frame[] {
  const out: Frame[] = [];
  const put = (kind: Frame["kind"], type: string, members: Json): void => {
    out.push({ kind, event: type, data: JSON.stringify({ type, sequence_number: out.length, ...members }) });
  };
  put("lifecycle", "response.created", { response: response(draft, "in_progress", []) });
  put("lifecycle", "response.in_progress", { response: response(draft, "in_progress", []) });
  for (const [index, item] of draft.items.entries()) {
    const place = { output_index: index };
    const empty = { ...item, status: "in_progress", content: [], summary: [], arguments: "" };
    put("lifecycle", "response.output_item.added", { ...place, item: withOwn(item, empty) });
    if (item["type"] === "message") messageFrames(draft, item, index, put);
    else if (item["type"] === "function_call") callFrames(draft, item, index, put);
    else reasoningFrames(item, index, put);
    put("lifecycle", "response.output_item.done", { ...place, item });
  }
  const status = statusOf(draft.script);
  put("terminal", `response.${status}`, { response: response(draft, status, draft.items) });
  return out;
}

/** The members an item has, with the values of its empty form. */
function withOwn(item: Json, empty: Json): Json {
  return Object.fromEntries(Object.keys(item).map((name) => [name, empty[name]]));
}

type Put = (kind: Frame["kind"], type: string, members: Json) => void;

function messageFrames(draft: Draft, item: Json, index: number, put: Put): void {
  const [part] = listOf(item["content"]).map(objectOf);
  const isText = part?.["type"] === "output_text";
  const place = { item_id: item["id"], output_index: index, content_index: 0 };
  const empty = isText ? { ...part, text: "" } : { ...part, refusal: "" };
  put("lifecycle", "response.content_part.added", { ...place, part: empty });
  const kind = isText ? "output_text" : "refusal";
  const pieces = isText ? draft.script.tokens : [textOf(part?.["refusal"])];
  for (const delta of pieces)
    put("content", `response.${kind}.delta`, { ...place, delta, ...(isText ? { logprobs: [] } : {}) });
  const done = isText ? { text: part?.["text"], logprobs: [] } : { refusal: part?.["refusal"] };
  put("lifecycle", `response.${kind}.done`, { ...place, ...done });
  put("lifecycle", "response.content_part.done", { ...place, part });
}

function callFrames(draft: Draft, item: Json, index: number, put: Put): void {
  const place = { item_id: item["id"], output_index: index };
  const args = textOf(item["arguments"]);
  const call = draft.script.toolCalls.find((candidate) => candidate.args === args && candidate.name === item["name"]);
  for (const delta of call?.pieces ?? [args])
    put("content", "response.function_call_arguments.delta", { ...place, delta });
  put("lifecycle", "response.function_call_arguments.done", { ...place, name: item["name"], arguments: args });
}

function reasoningFrames(item: Json, index: number, put: Put): void {
  const [part] = listOf(item["summary"]).map(objectOf);
  const place = { item_id: item["id"], output_index: index, summary_index: 0 };
  const text = textOf(part?.["text"]);
  put("lifecycle", "response.reasoning_summary_part.added", { ...place, part: { type: "summary_text", text: "" } });
  put("lifecycle", "response.reasoning_summary_text.delta", { ...place, delta: text });
  put("lifecycle", "response.reasoning_summary_text.done", { ...place, text });
  put("lifecycle", "response.reasoning_summary_part.done", { ...place, part });
}
