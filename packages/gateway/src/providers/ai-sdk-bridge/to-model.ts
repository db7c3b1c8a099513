import type { ChatRequest, ContentPart, MediaData, Warning } from "@fovea/core";
import { parseJson, recordOf } from "../json-body.ts";
import type { ModelCall, ModelMessage } from "./language-model.ts";

type Json = Readonly<Record<string, unknown>>;
type Warn = (field: string, message: string) => void;

export function toModelCall(request: ChatRequest): { readonly call: ModelCall; readonly warnings: readonly Warning[] } {
  const warnings: Warning[] = [];
  const warn: Warn = (field, message) => void warnings.push({ field, message });
  const { sampling = {}, output, tools = [], toolChoice, reasoning } = request;
  const { stop, ...numbers } = sampling;
  const system = (request.system ?? []).join("\n\n");
  const prompt: ModelMessage[] = system === "" ? [] : [{ role: "system", content: system }];
  request.messages.forEach((message, index) => prompt.push(...messagesOf(message, `messages[${index}]`, warn)));
  if (reasoning?.budgetTokens !== undefined) warn("reasoning.budgetTokens", "is not sent through the bridge");
  if (request.modalities?.includes("audio") === true) warn("modalities", "the bridge carries text only");
  if (request.parallelTools === false) warn("parallelTools", "is not sent through the bridge");
  const call: ModelCall = {
    prompt,
    ...numbers,
    ...(stop === undefined ? {} : { stopSequences: [...stop] }),
    ...(request.maxOutputTokens === undefined ? {} : { maxOutputTokens: request.maxOutputTokens }),
    ...(reasoning?.effort === undefined ? {} : { reasoning: reasoning.effort === "max" ? "xhigh" : reasoning.effort }),
    ...(output?.kind === "json" ? { responseFormat: { type: "json" as const } } : {}),
    ...(output?.kind === "schema"
      ? { responseFormat: { type: "json" as const, schema: output.schema, name: output.name } }
      : {}),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map((tool) => ({
            type: "function" as const,
            name: tool.name,
            inputSchema: tool.schema,
            ...(tool.description === undefined ? {} : { description: tool.description }),
          })),
        }),
    ...(toolChoice === undefined
      ? {}
      : {
          toolChoice:
            typeof toolChoice === "string"
              ? { type: toolChoice }
              : { type: "tool" as const, toolName: toolChoice.name },
        }),
    ...(request.providerOptions?.custom === undefined ? {} : { providerOptions: request.providerOptions.custom }),
  };
  return { call, warnings };
}

/** Tool results are a message of their own role; what the user said beside them follows. */
function messagesOf(message: ChatRequest["messages"][number], at: string, warn: Warn): ModelMessage[] {
  const results: Json[] = [];
  const said: Json[] = [];
  message.content.forEach((part, index) => {
    if (part.type === "tool-result") results.push(resultOf(part));
    else {
      const encoded = partOf(part);
      if (encoded !== undefined) said.push(encoded);
      else if (part.type !== "citation") warn(`${at}.content[${index}]`, `${part.type} is not sent through the bridge`);
    }
  });
  const role = message.role === "assistant" ? "assistant" : "user";
  return [
    ...(results.length === 0 ? [] : [{ role: "tool" as const, content: results }]),
    ...(said.length === 0 ? [] : [{ role, content: said } as const]),
  ];
}

function resultOf(part: ContentPart & { type: "tool-result" }): Json {
  const value = part.content.map((piece) => (piece.type === "text" ? piece.text : "")).join("");
  return {
    type: "tool-result",
    toolCallId: part.id,
    toolName: part.name,
    output: { type: part.isError === true ? "error-text" : "text", value },
  };
}

function partOf(part: ContentPart): Json | undefined {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text };
    case "media":
      return {
        type: "file",
        mediaType: part.mime,
        data: dataOf(part.data),
        ...(part.name === undefined ? {} : { filename: part.name }),
      };
    case "tool-call":
      return { type: "tool-call", toolCallId: part.id, toolName: part.name, input: inputOf(part.args) };
    default:
      // Sealed reasoning belongs to the vendor that sealed it, and the bridge does not know which that is.
      return undefined;
  }
}

function dataOf(data: MediaData): Json {
  if ("bytes" in data) return { type: "data", data: data.bytes };
  return "url" in data
    ? { type: "url", url: new URL(data.url) }
    : { type: "reference", reference: { custom: data.ref } };
}

function inputOf(args: string): unknown {
  try {
    return recordOf(parseJson(args)) ?? {};
  } catch {
    return {};
  }
}
