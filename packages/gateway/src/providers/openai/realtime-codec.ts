// OpenAI Realtime from the client's side, under the names of the general release. Sources: the types of the official
// client and the vendor's guide; traps in docs/spec/realtime.md.
import type { Message, ToolChoice, ToolDefinition } from "@fovea/core";
import { countOf, parseJson, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import { toBase64 } from "../base64.ts";
import type { LiveAnswerOptions, LiveCodec, LiveEntry, LiveEvent, LiveSettings, LiveStart } from "../live-codec.ts";
import { isGoogleVoice } from "../live-voices.ts";
import { itemsOf } from "./realtime-items.ts";
import { usageOfRealtime } from "./realtime-usage.ts";

const RATE_HZ = 24_000;
/** What the user says must be known as text: it is the history that another vendor is told when this one fails. */
const TRANSCRIBER = "gpt-4o-mini-transcribe";
/** Named, so that a refusal can be told from refusals of other events. */
const ANSWER_EVENT = "fovea-answer";

export function openAiLiveCodec(): LiveCodec {
  return new OpenAiLiveCodec();
}

const say = (type: string, fields: object = {}): string => JSON.stringify({ type, ...fields });

class OpenAiLiveCodec implements LiveCodec {
  readonly inputRateHz = RATE_HZ;
  readonly outputRateHz = RATE_HZ;
  /** The vendor's item of the newest spoken answer, for truncation. */
  #spokenItem: string | undefined;
  #isAnswering = false;
  #isReady = false;
  readonly #heard = new Map<string, string>();

  open({ settings, history }: LiveStart): readonly string[] {
    const items = history.flatMap((entry) => this.add(entry));
    return [say("session.update", { session: sessionOf(settings) }), ...items];
  }

  update(settings: LiveSettings): readonly string[] {
    return [say("session.update", { session: sessionOf(settings) })];
  }

  audio(pcm: Uint8Array): readonly string[] {
    return [`{"type":"input_audio_buffer.append","audio":"${toBase64(pcm)}"}`];
  }

  commit(): readonly string[] {
    return [say("input_audio_buffer.commit")];
  }

  clear(): readonly string[] {
    return [say("input_audio_buffer.clear")];
  }

  add({ id, message }: LiveEntry): readonly string[] {
    return itemsOf(message).map((item, index) =>
      say("conversation.item.create", { item: { ...item, id: index === 0 ? wireId(id) : wireId(`${id}_${index}`) } }),
    );
  }

  remove(id: string): readonly string[] {
    return [say("conversation.item.delete", { item_id: wireId(id) })];
  }

  toolResult(result: { readonly id: string; readonly text: string }): readonly string[] {
    const item = { type: "function_call_output", call_id: result.id, output: result.text };
    return [say("conversation.item.create", { item })];
  }

  answer(options: LiveAnswerOptions): readonly string[] {
    const response = responseOf(options);
    // From here on there is something to cancel, whether the vendor has begun or not.
    this.#isAnswering = true;
    return [
      say("response.create", { event_id: ANSWER_EVENT, ...(Object.keys(response).length === 0 ? {} : { response }) }),
    ];
  }

  /** Only while one is active: a cancel without an answer is an error of the vendor. */
  cancel(): readonly string[] {
    return this.#isAnswering ? [say("response.cancel")] : [];
  }

  truncate(audioMs: number): readonly string[] {
    if (this.#spokenItem === undefined) return [];
    const audio_end_ms = Math.max(0, Math.floor(audioMs));
    return [say("conversation.item.truncate", { item_id: this.#spokenItem, content_index: 0, audio_end_ms })];
  }

  decode(text: string): readonly LiveEvent[] {
    const event = recordOf(parseJson(text));
    const decode = DECODERS[stringOf(event?.["type"]) ?? ""];
    return event === undefined || decode === undefined ? [] : decode(this.#memory, event);
  }

  readonly #memory: Memory = {
    spoken: (itemId) => (this.#spokenItem = itemId),
    answering: (isAnswering) => (this.#isAnswering = isAnswering),
    becomesReady: () => {
      const isFirst = !this.#isReady;
      this.#isReady = true;
      return isFirst;
    },
    heard: (key, delta) => {
      const text = (this.#heard.get(key) ?? "") + delta;
      this.#heard.set(key, text);
      return text;
    },
    forget: (key) => void this.#heard.delete(key),
  };
}

interface Memory {
  spoken(itemId: string): void;
  answering(isAnswering: boolean): void;
  becomesReady(): boolean;
  heard(key: string, delta: string): string;
  forget(key: string): void;
}

type Decoder = (memory: Memory, event: JsonRecord) => readonly LiveEvent[];

const keyOf = (event: JsonRecord): string => stringOf(event["item_id"]) ?? "";

const words: Decoder = (_memory, event) => [{ type: "text", text: stringOf(event["delta"]) ?? "" }];

const DECODERS: Readonly<Record<string, Decoder | undefined>> = {
  __proto__: null as never,
  // The first update is the proof that the session takes its settings.
  "session.updated": (memory) => (memory.becomesReady() ? [{ type: "ready" }] : []),
  "input_audio_buffer.speech_started": (_memory, event) => [
    { type: "speech-started", key: keyOf(event), audioMs: countOf(event["audio_start_ms"]) ?? 0 },
  ],
  "input_audio_buffer.speech_stopped": (_memory, event) => [
    { type: "speech-stopped", key: keyOf(event), audioMs: countOf(event["audio_end_ms"]) ?? 0 },
  ],
  "input_audio_buffer.committed": (_memory, event) => [{ type: "committed", key: keyOf(event) }],
  "conversation.item.input_audio_transcription.delta": (memory, event) => {
    const text = memory.heard(keyOf(event), stringOf(event["delta"]) ?? "");
    return [{ type: "heard", key: keyOf(event), text, isFinal: false }];
  },
  "conversation.item.input_audio_transcription.completed": (memory, event) => {
    memory.forget(keyOf(event));
    return [{ type: "heard", key: keyOf(event), text: stringOf(event["transcript"]) ?? "", isFinal: true }];
  },
  "conversation.item.input_audio_transcription.failed": (memory, event) => {
    memory.forget(keyOf(event));
    const error = recordOf(event["error"]);
    const code = stringOf(error?.["code"]) ?? "transcription_failed";
    return [{ type: "unheard", key: keyOf(event), code, message: stringOf(error?.["message"]) ?? "" }];
  },
  "response.created": (memory) => {
    memory.answering(true);
    return [{ type: "answer-started" }];
  },
  "response.output_text.delta": words,
  "response.output_audio_transcript.delta": words,
  "response.output_audio.delta": (memory, event) => {
    memory.spoken(keyOf(event));
    return [{ type: "audio", pcm: Buffer.from(stringOf(event["delta"]) ?? "", "base64") }];
  },
  "response.function_call_arguments.done": () => [],
  "response.output_item.done": (_memory, event) => {
    const item = recordOf(event["item"]);
    if (item?.["type"] !== "function_call" || item["status"] === "incomplete") return [];
    const id = stringOf(item["call_id"]) ?? "";
    return [{ type: "tool-call", id, name: stringOf(item["name"]) ?? "", args: stringOf(item["arguments"]) ?? "{}" }];
  },
  "response.done": (memory, event) => {
    memory.answering(false);
    return [answerEnded(recordOf(event["response"]))];
  },
  error: (memory, event) => {
    const error = recordOf(event["error"]);
    const isAnswer = error?.["event_id"] === ANSWER_EVENT;
    if (isAnswer) memory.answering(false);
    const code = stringOf(error?.["code"]) ?? stringOf(error?.["type"]) ?? "error";
    const isFatal = code === "session_expired" || code === "invalid_api_key" || code === "insufficient_quota";
    return [{ type: "failed", code, message: (stringOf(error?.["message"]) ?? "").slice(0, 500), isFatal, isAnswer }];
  },
};

function answerEnded(response: JsonRecord | undefined): LiveEvent {
  const status = stringOf(response?.["status"]);
  const details = recordOf(response?.["status_details"]);
  const error = recordOf(details?.["error"]);
  const reason = stringOf(details?.["reason"]) ?? stringOf(error?.["code"]);
  const message = stringOf(error?.["message"]);
  const usage = usageOfRealtime(recordOf(response?.["usage"]));
  const known = status === "cancelled" || status === "failed" || status === "incomplete" ? status : "completed";
  return {
    type: "answer-ended",
    status: known,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message: message.slice(0, 500) }),
    ...(usage === undefined ? {} : { usage }),
  };
}

function sessionOf(settings: LiveSettings): object {
  const { instructions, tools, toolChoice, voice, language, maxOutputTokens, speed, turns } = settings;
  const format = { type: "audio/pcm", rate: RATE_HZ };
  const transcription = { model: TRANSCRIBER, ...(language === undefined ? {} : { language }) };
  return {
    type: "realtime",
    output_modalities: [settings.speaks ? "audio" : "text"],
    ...(instructions === undefined ? {} : { instructions }),
    tools: tools.map(toolOf),
    tool_choice: toolChoice === undefined ? "auto" : choiceOf(toolChoice),
    ...(maxOutputTokens === undefined ? {} : { max_output_tokens: Math.min(4_096, maxOutputTokens) }),
    audio: {
      input: { format, transcription, turn_detection: turnsOf(turns) },
      output: {
        format,
        ...(voice === undefined || voice === "" || isGoogleVoice(voice) ? {} : { voice }),
        ...(speed === undefined ? {} : { speed: Math.min(1.5, Math.max(0.25, speed)) }),
      },
    },
  };
}

/** Without a stated silence the vendor judges by meaning. */
function turnsOf(turns: LiveSettings["turns"]): object | null {
  if (turns.kind === "manual") return null;
  const common = { create_response: turns.createsResponse, interrupt_response: turns.interruptsResponse };
  if (turns.silenceMs === undefined) return { type: "semantic_vad", ...common };
  return {
    type: "server_vad",
    silence_duration_ms: turns.silenceMs,
    prefix_padding_ms: turns.prerollMs ?? 300,
    ...common,
  };
}

function responseOf(options: LiveAnswerOptions): Record<string, unknown> {
  const { instructions, tools, toolChoice, speaks, maxOutputTokens, messages, isKept } = options;
  return {
    ...(instructions === undefined ? {} : { instructions }),
    ...(tools === undefined ? {} : { tools: tools.map(toolOf) }),
    ...(toolChoice === undefined ? {} : { tool_choice: choiceOf(toolChoice) }),
    ...(speaks === undefined ? {} : { output_modalities: [speaks ? "audio" : "text"] }),
    ...(maxOutputTokens === undefined ? {} : { max_output_tokens: Math.min(4_096, maxOutputTokens) }),
    ...(messages === undefined ? {} : { input: messages.flatMap((message: Message) => itemsOf(message)) }),
    ...(isKept === false ? { conversation: "none" } : {}),
  };
}

function toolOf({ name, description, schema }: ToolDefinition): object {
  return { type: "function", name, ...(description === undefined ? {} : { description }), parameters: schema };
}

function choiceOf(choice: ToolChoice): unknown {
  return typeof choice === "string" ? choice : { type: "function", name: choice.name };
}

/** The vendor takes names of at most 32 characters. */
function wireId(id: string): string {
  return id.slice(0, 32);
}
