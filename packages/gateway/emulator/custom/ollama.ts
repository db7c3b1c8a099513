import { vectorOf, writeScript, type Prompt, type Script } from "../answer-script.ts";
import type { Call, Frame, Reply, Stage } from "../exchange.ts";
import { jsonReply, Refusal } from "../exchange.ts";
import { listOf, numberOf, objectOf, textOf, type Json } from "../json.ts";

const MODELS = ["llama3.2:latest", "nomic-embed-text:latest"];

function readPrompt(body: Json): Prompt {
  const messages =
    body["messages"] === undefined
      ? [{ role: "user", content: body["prompt"], images: body["images"] }]
      : listOf(body["messages"]).map(objectOf);
  const users = (messages as readonly Json[]).filter((message) => message["role"] === "user");
  const last = (messages as readonly Json[]).at(-1);
  const { format } = body;
  const limit = numberOf(objectOf(body["options"])["num_predict"]);
  return {
    lastUserText: textOf(users.at(-1)?.["content"]),
    allText: (messages as readonly Json[]).map((message) => textOf(message["content"])).join(" "),
    imageCount: listOf(users.at(-1)?.["images"]).length,
    tools: listOf(body["tools"])
      .map((tool) => objectOf(objectOf(tool)["function"]))
      .map((tool) => ({ name: textOf(tool["name"]), schema: objectOf(tool["parameters"]) })),
    toolChoice: "auto",
    endsWithToolResult: last?.["role"] === "tool",
    wantsJson: format === "json",
    ...(typeof format === "object" && format !== null ? { schema: objectOf(format) } : {}),
    ...(limit === undefined || limit <= 0 ? {} : { maxTokens: limit }),
  };
}

export function ollamaReply(call: Call, stage: Stage, action: string): Reply {
  const body = objectOf(call.json);
  const names = stage.models.length === 0 ? MODELS : stage.models;
  switch (action) {
    case "version":
      return jsonReply({ version: "0.12.6" });
    case "tags":
      return jsonReply({ models: names.map((name) => ({ name, model: name, size: 1, digest: "0", details: {} })) });
    case "show":
      return jsonReply({ details: { family: "llama" }, model_info: {}, capabilities: ["completion", "tools"] });
    case "embed": {
      const inputs = typeof body["input"] === "string" ? [body["input"]] : listOf(body["input"]).map(textOf);
      const size = stage.answer.dimensions ?? 768;
      const embeddings = inputs.map((text) => [...vectorOf(text, size)]);
      return jsonReply({
        model: body["model"],
        embeddings,
        total_duration: 1,
        load_duration: 1,
        prompt_eval_count: inputs.length,
      });
    }
    case "chat":
    case "generate":
      return answer(body, stage, action);
    default:
      throw new Refusal({ status: 404, message: "404 page not found" });
  }
}

function answer(body: Json, stage: Stage, kind: "chat" | "generate"): Reply {
  if (textOf(body["model"]) === "") throw new Refusal({ status: 400, message: "model is required" });
  const script = writeScript(stage.answer, readPrompt(body), stage.random);
  const head = { model: textOf(body["model"]), created_at: new Date(stage.unixMs).toISOString() };
  const said = (text: string, more: Json = {}): Json =>
    kind === "generate" ? { response: text, ...more } : { message: { role: "assistant", content: text, ...more } };
  const calls = script.toolCalls.map((call) => ({ function: { name: call.name, arguments: argsOf(call.args) } }));
  const text = script.text + (script.refusal ?? "");
  const thinking = script.reasoning.join("");
  if (body["stream"] === false) {
    const more = { ...(thinking === "" ? {} : { thinking }), ...(calls.length === 0 ? {} : { tool_calls: calls }) };
    return jsonReply({ ...head, ...said(text, more), ...tail(script) });
  }
  const put = (kindOf: Frame["kind"], data: Json): Frame => ({
    kind: kindOf,
    data: JSON.stringify({ ...head, ...data }),
  });
  const frames = [
    ...script.reasoning.map((piece) => put("lifecycle", { ...said("", { thinking: piece }), done: false })),
    ...(text === "" ? [] : [...script.tokens, ...(script.refusal === undefined ? [] : [script.refusal])]).map((token) =>
      put("content", { ...said(token), done: false }),
    ),
    ...calls.map((call) => put("content", { ...said("", { tool_calls: [call] }), done: false })),
    put("terminal", { ...said(""), ...tail(script) }),
  ];
  return { status: 200, format: "ndjson", contentType: "application/x-ndjson", frames };
}

function tail(script: Script): Json {
  return {
    done: true,
    done_reason: script.finish ?? (script.outcome === "length" ? "length" : "stop"),
    total_duration: 52_000_000,
    load_duration: 2_000_000,
    prompt_eval_count: script.usage.input,
    prompt_eval_duration: 10_000_000,
    eval_count: script.usage.output,
    eval_duration: 40_000_000,
  };
}

function argsOf(args: string): Json {
  try {
    return objectOf(JSON.parse(args));
  } catch {
    return {};
  }
}
