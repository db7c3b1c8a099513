// Items and sessions of the emulated OpenAI Realtime API: their shapes and what it refuses.
import { objectOf, textOf } from "../json.ts";

export type Json = Readonly<Record<string, unknown>>;

export class EventRefusal extends Error {
  readonly code: string;
  readonly param: string | undefined;

  constructor(code: string, message: string, param?: string) {
    super(message);
    this.name = "EventRefusal";
    this.code = code;
    this.param = param;
  }
}

export function newSession(id: string, model: string, isTranscription: boolean): Json {
  const transcription = isTranscription ? { model: "gpt-4o-transcribe", language: null, prompt: "" } : null;
  const input = { format: { type: "audio/pcm", rate: 24_000 }, transcription, noise_reduction: null };
  const turn_detection = {
    type: "server_vad",
    threshold: 0.5,
    prefix_padding_ms: 300,
    silence_duration_ms: 500,
    idle_timeout_ms: null,
    create_response: true,
    interrupt_response: true,
  };
  const common = { object: "realtime.session", id, expires_at: 1_893_456_000 };
  if (isTranscription) return { ...common, type: "transcription", audio: { input: { ...input, turn_detection } } };
  return {
    ...common,
    type: "realtime",
    model,
    output_modalities: ["audio"],
    instructions: "Your knowledge cutoff is 2023-10.",
    tools: [],
    tool_choice: "auto",
    max_output_tokens: "inf",
    tracing: null,
    truncation: "auto",
    prompt: null,
    include: null,
    audio: {
      input: { ...input, turn_detection },
      output: { format: { type: "audio/pcm", rate: 24_000 }, voice: "marin", speed: 1 },
    },
  };
}

const SESSION_KEYS = new Set(
  "type model output_modalities instructions tools tool_choice max_output_tokens tracing truncation prompt include audio id object expires_at".split(
    " ",
  ),
);

/** A field that is named replaces what was there; `audio` merges one level deeper, as the API does. */
export function updatedSession(session: Json, change: Json): Json {
  if (change["type"] === undefined) {
    throw new EventRefusal("missing_required_parameter", "Missing required parameter: 'session.type'.", "session.type");
  }
  for (const key of Object.keys(change)) {
    if (!SESSION_KEYS.has(key)) {
      throw new EventRefusal("unknown_parameter", `Unknown parameter: 'session.${key}'.`, `session.${key}`);
    }
  }
  const modalities = change["output_modalities"];
  if (Array.isArray(modalities) && modalities.length !== 1) {
    const message = "Invalid value: expected either ['audio'] or ['text'].";
    throw new EventRefusal("invalid_value", message, "session.output_modalities");
  }
  const audio = objectOf(change["audio"]);
  const before = objectOf(session["audio"]);
  return {
    ...session,
    ...change,
    audio: {
      input: { ...objectOf(before["input"]), ...objectOf(audio["input"]) },
      ...(before["output"] === undefined
        ? {}
        : { output: { ...objectOf(before["output"]), ...objectOf(audio["output"]) } }),
    },
  };
}

export function checkItem(item: Json): void {
  const { type } = item;
  if (type === "message") {
    const kinds: Readonly<Record<string, readonly string[]>> = {
      user: ["input_text", "input_audio", "input_image"],
      system: ["input_text"],
      assistant: ["output_text", "output_audio"],
    };
    const allowed = kinds[textOf(item["role"])];
    if (allowed === undefined) throw new EventRefusal("invalid_value", "Invalid value: 'item.role'.", "item.role");
    for (const [index, part] of (Array.isArray(item["content"]) ? item["content"] : []).entries()) {
      const kind = textOf(objectOf(part)["type"]);
      if (allowed.includes(kind)) continue;
      const message = `Invalid value: '${kind}'. Supported values are: ${allowed.map((name) => `'${name}'`).join(", ")}.`;
      throw new EventRefusal("invalid_value", message, `item.content[${index}].type`);
    }
    return;
  }
  if (type === "function_call_output" || type === "function_call") {
    if (textOf(item["call_id"]) !== "") return;
    throw new EventRefusal("missing_required_parameter", "Missing required parameter: 'item.call_id'.", "item.call_id");
  }
  throw new EventRefusal("invalid_value", `Invalid value: '${String(type)}'.`, "item.type");
}

/** The words an item holds, spoken ones as their transcript. */
export function textOfItem(item: Json): string {
  if (item["type"] === "function_call_output") return textOf(item["output"]);
  const content = Array.isArray(item["content"]) ? item["content"].map(objectOf) : [];
  return content.map((part) => textOf(part["text"]) || textOf(part["transcript"])).join(" ");
}
