import { writeScript, type Script } from "../answer-script.ts";
import type { Call, Frame, Reply, Stage } from "../exchange.ts";
import { jsonReply } from "../exchange.ts";
import { objectOf, textOf, type Json } from "../json.ts";
import { readChatPrompt } from "./prompt.ts";

/** How servers that speak this dialect differ from OpenAI itself. */
export interface ChatDialect {
  readonly idPrefix: string;
  /** Members of every chunk and whole answer. */
  readonly extras: Json;
  /** Members of each streamed delta's choice beside the delta. */
  readonly choiceExtras: (text: string) => Json;
  /** Members of each delta with content. */
  readonly deltaExtras?: (text: string) => Json;
  /** Without refusals, annotations and the details of usage, which only OpenAI always sends. */
  readonly isPlain?: boolean;
  /** The last chunk with a choice carries the usage, and no chunk comes after it. */
  readonly usageInLast?: boolean;
  /** Members of a whole answer beside those of a chunk. */
  readonly wholeExtras?: Json;
  readonly stop: string;
  readonly obfuscates: boolean;
  readonly systemFingerprint: string | undefined;
  /** Where hidden reasoning is shown; OpenAI itself shows none. */
  readonly reasoningField: "reasoning" | "reasoning_content" | undefined;
  /** Usage in the last chunk without being asked for. */
  readonly usageAlways: boolean;
}

export const OPENAI_DIALECT: ChatDialect = {
  idPrefix: "chatcmpl-",
  extras: { service_tier: "default" },
  choiceExtras: () => ({}),
  stop: "stop",
  obfuscates: true,
  systemFingerprint: "fp_emulator01",
  reasoningField: undefined,
  usageAlways: false,
};

interface Wire {
  readonly head: Json;
  readonly dialect: ChatDialect;
  readonly script: Script;
  readonly wantsUsage: boolean;
  readonly wantsObfuscation: boolean;
  readonly stage: Stage;
}

export function chatReply(call: Call, stage: Stage, dialect: ChatDialect = OPENAI_DIALECT): Reply {
  const body = objectOf(call.json);
  const prompt = readChatPrompt(body);
  const script = writeScript(stage.answer, prompt, stage.random);
  const options = objectOf(body["stream_options"]);
  const id = stage.nextId(dialect.idPrefix);
  const head = {
    id,
    created: Math.floor(stage.unixMs / 1000),
    model: textOf(body["model"]),
    ...dialect.extras,
    ...(dialect.systemFingerprint === undefined ? {} : { system_fingerprint: dialect.systemFingerprint }),
  };
  const wire: Wire = {
    head,
    dialect,
    script,
    wantsUsage: options["include_usage"] === true || dialect.usageAlways,
    wantsObfuscation: dialect.obfuscates && options["include_obfuscation"] !== false,
    stage,
  };
  if (body["stream"] !== true) return jsonReply(wholeAnswer(wire));
  return { status: 200, format: "sse", contentType: "text/event-stream; charset=utf-8", frames: chunks(wire) };
}

function finishOf(wire: Wire): string {
  const { script, dialect } = wire;
  if (script.finish !== undefined) return script.finish;
  if (script.outcome === "filter") return "content_filter";
  return script.outcome === "stop" ? dialect.stop : script.outcome;
}

function wholeAnswer(wire: Wire): Json {
  const { script, dialect, stage } = wire;
  const calls = script.toolCalls.map((toolCall) => ({
    id: toolCall.id ?? stage.nextId("call_"),
    type: "function",
    function: { name: toolCall.name, arguments: toolCall.args },
  }));
  const message = {
    role: "assistant",
    content: script.text === "" && calls.length > 0 ? null : script.refusal === undefined ? script.text : null,
    ...(dialect.isPlain === true && script.refusal === undefined
      ? {}
      : { refusal: script.refusal ?? null, annotations: [] }),
    ...(dialect.reasoningField !== undefined && script.reasoning.length > 0
      ? { [dialect.reasoningField]: script.reasoning.join("") }
      : {}),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  const choice = { index: 0, message, logprobs: null, finish_reason: finishOf(wire) };
  const extras = dialect.wholeExtras ?? {};
  return { ...wire.head, object: "chat.completion", ...extras, choices: [choice], usage: usageOf(wire) };
}

function usageOf(wire: Wire): Json {
  const usage = chatUsage(wire.script);
  const { cached, reasoning } = wire.script.usage;
  if (wire.dialect.isPlain !== true || cached > 0 || reasoning > 0) return usage;
  const { prompt_tokens_details: _input, completion_tokens_details: _output, ...plain } = usage;
  return plain;
}

export function chatUsage(script: Script): Json {
  const { usage } = script;
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cached, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

function chunks(wire: Wire): readonly Frame[] {
  const { script, dialect } = wire;
  const refusal = dialect.isPlain === true ? {} : { refusal: null };
  const frames: Frame[] = [chunk(wire, "lifecycle", { role: "assistant", content: "", ...refusal })];
  const { reasoningField } = dialect;
  if (reasoningField !== undefined) {
    for (const piece of script.reasoning) frames.push(chunk(wire, "lifecycle", { [reasoningField]: piece }));
  }
  const extras = dialect.deltaExtras ?? (() => ({}));
  for (const token of script.tokens) {
    frames.push(chunk(wire, "content", { ...extras(token), content: token }, token));
  }
  if (script.refusal !== undefined) {
    for (const piece of script.refusal.split(/(?<= )/)) frames.push(chunk(wire, "content", { refusal: piece }));
  }
  frames.push(...toolChunks(wire));
  frames.push(ending(wire));
  if (wire.wantsUsage && dialect.usageInLast !== true) frames.push(usageChunk(wire));
  frames.push({ kind: "marker", data: "[DONE]" });
  return frames;
}

function toolChunks(wire: Wire): readonly Frame[] {
  return wire.script.toolCalls.flatMap((toolCall, index) => {
    const id = toolCall.id ?? wire.stage.nextId("call_");
    const isWhole = toolCall.pieces.length === 1;
    const first = {
      index,
      id,
      type: "function",
      function: { name: toolCall.name, arguments: isWhole ? toolCall.args : "" },
    };
    const rest = isWhole ? [] : toolCall.pieces;
    return [
      chunk(wire, "content", { tool_calls: [first] }),
      ...rest.map((piece) => chunk(wire, "content", { tool_calls: [{ index, function: { arguments: piece } }] })),
    ];
  });
}

function chunk(wire: Wire, kind: Frame["kind"], delta: Json, text = ""): Frame {
  const choice = { index: 0, delta, logprobs: null, finish_reason: null, ...wire.dialect.choiceExtras(text) };
  return frame(wire, kind, [choice]);
}

function ending(wire: Wire): Frame {
  const choice = {
    index: 0,
    delta: wire.dialect.deltaExtras === undefined ? {} : { ...wire.dialect.deltaExtras(""), content: "" },
    logprobs: null,
    finish_reason: finishOf(wire),
    ...wire.dialect.choiceExtras(""),
  };
  const usage = wire.dialect.usageInLast === true ? usageOf(wire) : null;
  return frame(wire, "terminal", [choice], usage);
}

function frame(wire: Wire, kind: Frame["kind"], choices: readonly unknown[], counted: Json | null = null): Frame {
  const padding = wire.wantsObfuscation ? { obfuscation: "x".repeat(1 + wire.stage.random.integer(12)) } : {};
  const usage = wire.wantsUsage ? { usage: counted } : {};
  const data = JSON.stringify({ ...wire.head, object: "chat.completion.chunk", choices, ...usage, ...padding });
  return { kind, data };
}

function usageChunk(wire: Wire): Frame {
  const body = { ...wire.head, object: "chat.completion.chunk", choices: [], usage: usageOf(wire) };
  return { kind: "usage", data: JSON.stringify(body) };
}
