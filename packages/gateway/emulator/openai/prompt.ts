import type { JsonSchema } from "@fovea/core";
import type { Prompt } from "../answer-script.ts";
import { Refusal } from "../exchange.ts";
import { listOf, objectOf, textOf, type Json } from "../json.ts";

const ROLES = new Set(["developer", "system", "user", "assistant", "tool", "function"]);

/** Reads `/chat/completions` and refuses what the API refuses. */
export function readChatPrompt(body: Json): Prompt {
  if (typeof body["model"] !== "string") throw invalid("you must provide a model parameter", "model");
  const messages = body["messages"];
  if (!Array.isArray(messages)) throw invalid("Missing required parameter: 'messages'.", "messages");
  if (messages.length === 0) throw invalid("Invalid 'messages': empty array.", "messages");
  let allText = "";
  let lastUserText = "";
  let imageCount = 0;
  for (const [index, item] of messages.entries()) {
    const message = objectOf(item);
    const role = textOf(message["role"]);
    if (!ROLES.has(role)) throw invalid(`Invalid value: '${role}'.`, `messages[${index}].role`);
    if (role === "tool" && typeof message["tool_call_id"] !== "string") {
      throw invalid("Missing required parameter", `messages[${index}].tool_call_id`);
    }
    const read = readContent(message["content"]);
    allText += ` ${read.text}`;
    if (role === "user") {
      lastUserText = read.text;
      imageCount = read.imageCount;
    }
  }
  const last = objectOf(messages.at(-1));
  const tools = listOf(body["tools"]).map((tool) => objectOf(objectOf(tool)["function"]));
  if (Array.isArray(body["tools"]) && tools.length === 0) {
    throw invalid("Invalid 'tools': empty array. Expected an array with minimum length 1.", "tools");
  }
  const format = objectOf(body["response_format"]);
  const schema = format["type"] === "json_schema" ? objectOf(objectOf(format["json_schema"])["schema"]) : undefined;
  const limit = body["max_completion_tokens"] ?? body["max_tokens"];
  return {
    lastUserText,
    allText,
    imageCount,
    tools: tools.map((tool) => ({ name: textOf(tool["name"]), schema: objectOf(tool["parameters"]) as JsonSchema })),
    toolChoice: readToolChoice(body["tool_choice"]),
    endsWithToolResult: last["role"] === "tool" || last["role"] === "function",
    wantsJson: format["type"] === "json_object",
    ...(schema === undefined ? {} : { schema }),
    ...(typeof limit === "number" ? { maxTokens: limit } : {}),
  };
}

function readToolChoice(value: unknown): Prompt["toolChoice"] {
  if (value === "none" || value === "required") return value;
  const name = objectOf(objectOf(value)["function"])["name"];
  return typeof name === "string" ? { name } : "auto";
}

export function readContent(content: unknown): { readonly text: string; readonly imageCount: number } {
  if (typeof content === "string") return { text: content, imageCount: 0 };
  let text = "";
  let imageCount = 0;
  for (const item of listOf(content)) {
    const part = objectOf(item);
    const kind = textOf(part["type"]);
    if (kind === "text" || kind === "input_text" || kind === "output_text") text += textOf(part["text"]);
    else if (kind.includes("image")) imageCount++;
  }
  return { text, imageCount };
}

export function invalid(message: string, param?: string): Refusal {
  return new Refusal({
    status: 400,
    kind: "invalid_request_error",
    message,
    ...(param === undefined ? {} : { param }),
  });
}
