// The session as OpenAI's realtime clients see and change it, and what of it the conversation behind the door needs.
import type { ToolChoice, ToolDefinition } from "@fovea/core";
import {
  EventError,
  isObject,
  listAt,
  numberAt,
  objectAt,
  oneOf,
  optionalNumber,
  optionalObject,
  optionalText,
  shallowEnough,
  textAt,
  type Json,
} from "../doors/json-event.ts";
import type { TurnDetection, VoiceSettings } from "../voice/voice-port.ts";

/** PCM16 at 24 kHz, or telephone audio at 8 kHz. */
export type WireFormat = "pcm" | "mu" | "a";

export const RATE_OF: Readonly<Record<WireFormat, number>> = { pcm: 24_000, mu: 8_000, a: 8_000 };

const TOOLS_MAX = 128;
const INSTRUCTIONS_MAX = 200_000;

export function newSession(id: string, model: string, isTranscription: boolean, expiresAtS: number): Json {
  const format = { type: "audio/pcm", rate: 24_000 };
  const turn_detection = {
    type: "server_vad",
    threshold: 0.5,
    prefix_padding_ms: 300,
    silence_duration_ms: 500,
    idle_timeout_ms: null,
    create_response: true,
    interrupt_response: true,
  };
  const common = { object: "realtime.session", id, expires_at: expiresAtS, include: null };
  if (isTranscription) {
    const input = { format, transcription: { model }, noise_reduction: null, turn_detection };
    return { ...common, type: "transcription", audio: { input } };
  }
  return {
    ...common,
    type: "realtime",
    model,
    output_modalities: ["audio"],
    instructions: "",
    tools: [],
    tool_choice: "auto",
    max_output_tokens: "inf",
    tracing: null,
    truncation: "auto",
    prompt: null,
    audio: {
      input: { format, transcription: null, noise_reduction: null, turn_detection },
      output: { format, voice: "alloy", speed: 1 },
    },
  };
}

/** Kept and told back, without effect here. */
const ECHOED = new Set([
  "tracing",
  "truncation",
  "prompt",
  "include",
  "parallel_tool_calls",
  "reasoning",
  "expires_at",
]);
const READ = new Set([
  "type",
  "model",
  "output_modalities",
  "instructions",
  "tools",
  "tool_choice",
  "max_output_tokens",
  "audio",
  "id",
  "object",
]);

/** The session after a change. Throws `EventError` naming the field; then nothing has changed. */
export function changedSession(session: Json, change: Json): Json {
  const kind = session["type"];
  const type = change["type"] ?? kind;
  if (type !== kind)
    throw new EventError("invalid_value", `'session.type' must stay '${String(kind)}'.`, "session.type");
  const next: Record<string, unknown> = { ...session };
  for (const [key, value] of Object.entries(change)) {
    if (ECHOED.has(key)) {
      shallowEnough(value, `session.${key}`);
      next[key] = value;
    } else if (!READ.has(key))
      throw new EventError("unknown_parameter", `Unknown parameter: 'session.${key}'.`, `session.${key}`);
  }
  // A session keeps its model. Clients that name their own default beside the one of the URL are told which it is.
  optionalText(change["model"], "session.model");
  if (change["output_modalities"] !== undefined)
    next["output_modalities"] = [modalityOf(change["output_modalities"], "session")];
  const instructions = optionalText(change["instructions"], "session.instructions");
  if (instructions !== undefined) next["instructions"] = instructions.slice(0, INSTRUCTIONS_MAX);
  if (change["tools"] !== undefined) next["tools"] = toolsOf(change["tools"], "session.tools").map(({ wire }) => wire);
  if (change["tool_choice"] !== undefined) {
    choiceOf(change["tool_choice"], "session.tool_choice");
    next["tool_choice"] = change["tool_choice"];
  }
  if (change["max_output_tokens"] !== undefined) {
    outputMax(change["max_output_tokens"], "session.max_output_tokens");
    next["max_output_tokens"] = change["max_output_tokens"];
  }
  const audio = optionalObject(change["audio"], "session.audio");
  if (audio !== undefined) next["audio"] = changedAudio(objectAt(session["audio"], "session.audio"), audio);
  return next;
}

function changedAudio(before: Json, change: Json): Json {
  const input = optionalObject(change["input"], "session.audio.input") ?? {};
  const output = optionalObject(change["output"], "session.audio.output") ?? {};
  const merged: Record<string, unknown> = {
    ...before,
    input: { ...(before["input"] as Json), ...definedOnly(input) },
    ...(before["output"] === undefined ? {} : { output: { ...(before["output"] as Json), ...definedOnly(output) } }),
  };
  const at = "session.audio.input";
  if (input["format"] !== undefined) formatOf(input["format"], `${at}.format`);
  if (input["turn_detection"] !== undefined) {
    const known = turnObject(input["turn_detection"], `${at}.turn_detection`);
    merged["input"] = { ...(merged["input"] as Json), turn_detection: known };
  }
  const transcription = optionalObject(input["transcription"], `${at}.transcription`);
  optionalText(transcription?.["language"], `${at}.transcription.language`);
  if (output["format"] !== undefined) formatOf(output["format"], "session.audio.output.format");
  if (output["voice"] !== undefined) voiceOf(output["voice"]);
  optionalNumber(output["speed"], "session.audio.output.speed", 0.25, 4);
  return merged;
}

function definedOnly(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined));
}

function formatOf(value: unknown, param: string): WireFormat {
  const type = isObject(value) ? value["type"] : value;
  if (isObject(value) && type === "audio/pcm" && value["rate"] !== undefined && value["rate"] !== 24_000) {
    throw new EventError("invalid_value", `'${param}.rate' must be 24000.`, `${param}.rate`);
  }
  const named = oneOf(
    type,
    ["audio/pcm", "audio/pcmu", "audio/pcma", "pcm16", "g711_ulaw", "g711_alaw"],
    `${param}.type`,
  );
  if (named === "audio/pcmu" || named === "g711_ulaw") return "mu";
  return named === "audio/pcma" || named === "g711_alaw" ? "a" : "pcm";
}

function voiceOf(value: unknown): string {
  return isObject(value)
    ? textAt(value["id"], "session.audio.output.voice.id")
    : textAt(value, "session.audio.output.voice");
}

/** Completes a turn detection with its defaults; null is manual. */
function turnObject(value: unknown, param: string): Json | null {
  if (value === null) return null;
  const given = objectAt(value, param);
  const type = oneOf(given["type"] ?? "server_vad", ["server_vad", "semantic_vad"], `${param}.type`);
  const create_response = truthOf(given["create_response"], `${param}.create_response`);
  const interrupt_response = truthOf(given["interrupt_response"], `${param}.interrupt_response`);
  if (type === "semantic_vad") {
    const eagerness = oneOf(given["eagerness"] ?? "auto", ["low", "medium", "high", "auto"], `${param}.eagerness`);
    return { type, eagerness, create_response, interrupt_response };
  }
  return {
    type,
    threshold: optionalNumber(given["threshold"], `${param}.threshold`, 0, 1) ?? 0.5,
    prefix_padding_ms: optionalNumber(given["prefix_padding_ms"], `${param}.prefix_padding_ms`, 0, 5_000) ?? 300,
    silence_duration_ms: optionalNumber(given["silence_duration_ms"], `${param}.silence_duration_ms`, 0, 10_000) ?? 500,
    idle_timeout_ms: optionalNumber(given["idle_timeout_ms"], `${param}.idle_timeout_ms`, 1_000, 600_000) ?? null,
    create_response,
    interrupt_response,
  };
}

function truthOf(value: unknown, param: string): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === "boolean") return value;
  throw new EventError("invalid_type", `'${param}' must be true or false.`, param);
}

export function modalityOf(value: unknown, owner: string): "audio" | "text" {
  const param = `${owner}.output_modalities`;
  const list = listAt(value, param, 2);
  if (list.length !== 1) throw new EventError("invalid_value", `'${param}' must be ['audio'] or ['text'].`, param);
  return oneOf(list[0], ["audio", "text"], `${param}[0]`);
}

export function toolsOf(
  value: unknown,
  param: string,
): readonly { readonly wire: Json; readonly tool: ToolDefinition }[] {
  return listAt(value, param, TOOLS_MAX).map((item, index) => {
    const at = `${param}[${index}]`;
    const wire = objectAt(item, at);
    if (wire["type"] !== "function") {
      const message = `'${at}.type' must be 'function': tools of other kinds are not carried out by this gateway.`;
      throw new EventError("unsupported_tool", message, `${at}.type`);
    }
    const name = textAt(wire["name"], `${at}.name`);
    const schema = optionalObject(wire["parameters"], `${at}.parameters`) ?? { type: "object", properties: {} };
    shallowEnough(schema, `${at}.parameters`);
    const description = optionalText(wire["description"], `${at}.description`);
    return { wire, tool: { name, schema, ...(description === undefined ? {} : { description }) } };
  });
}

export function choiceOf(value: unknown, param: string): ToolChoice {
  if (isObject(value)) return { name: textAt(value["name"], `${param}.name`) };
  return oneOf<"auto" | "none" | "required">(value, ["auto", "none", "required"], param);
}

export function outputMax(value: unknown, param: string): number | undefined {
  return value === "inf" || value === null ? undefined : numberAt(value, param, 1, 128_000);
}

const input = (session: Json): Json => objectAt(objectAt(session["audio"], "audio")["input"], "audio.input");
const output = (session: Json): Json | undefined =>
  optionalObject(objectAt(session["audio"], "audio")["output"], "audio.output");

export function inputFormat(session: Json): WireFormat {
  return formatOf(input(session)["format"], "session.audio.input.format");
}

export function outputFormat(session: Json): WireFormat {
  return formatOf(output(session)?.["format"] ?? "audio/pcm", "session.audio.output.format");
}

/** Whether the client is told what was understood. */
export function wantsTranscripts(session: Json): boolean {
  const transcription = input(session)["transcription"];
  return transcription !== null && transcription !== undefined;
}

export function idleTimeoutMs(session: Json): number | undefined {
  const detection = input(session)["turn_detection"];
  const idle = isObject(detection) ? detection["idle_timeout_ms"] : undefined;
  return typeof idle === "number" ? idle : undefined;
}

export function isTranscriptionOnly(session: Json): boolean {
  return session["type"] === "transcription";
}

/** Voices that are OpenAI's own names mean "some voice": whoever speaks takes its own, unless it is OpenAI. */
export function voiceSettingsOf(session: Json): Partial<VoiceSettings> {
  const sound = output(session);
  const transcription = optionalObject(input(session)["transcription"], "session.audio.input.transcription");
  const language = optionalText(transcription?.["language"], "language");
  const maxOutputTokens =
    session["max_output_tokens"] === undefined ? undefined : outputMax(session["max_output_tokens"], "max");
  const instructions = optionalText(session["instructions"], "instructions");
  const speed = sound?.["speed"];
  return {
    ...(instructions === undefined || instructions === "" ? {} : { instructions }),
    tools: session["tools"] === undefined ? [] : toolsOf(session["tools"], "session.tools").map(({ tool }) => tool),
    ...(session["tool_choice"] === undefined
      ? {}
      : { toolChoice: choiceOf(session["tool_choice"], "session.tool_choice") }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    speaks: Array.isArray(session["output_modalities"]) && session["output_modalities"][0] === "audio",
    transcribes: true,
    voice: chosenVoice(sound),
    ...(language === undefined ? {} : { language }),
    ...(typeof speed === "number" && speed !== 1 ? { speed } : {}),
    outputRateHz: RATE_OF[outputFormat(session)],
    turnDetection: turnDetectionOf(session),
  };
}

function turnDetectionOf(session: Json): TurnDetection {
  const detection = input(session)["turn_detection"];
  if (!isObject(detection)) return { kind: "manual" };
  const createsResponse = !isTranscriptionOnly(session) && detection["create_response"] !== false;
  const interruptsResponse = detection["interrupt_response"] !== false;
  // Meaning, not a fixed silence, ends a turn there: the profile of the gateway, or the vendor's own.
  if (detection["type"] === "semantic_vad") return { kind: "server", createsResponse, interruptsResponse };
  return {
    kind: "server",
    silenceMs: Number(detection["silence_duration_ms"] ?? 500),
    prerollMs: Number(detection["prefix_padding_ms"] ?? 300),
    createsResponse,
    interruptsResponse,
  };
}

/** The first of OpenAI's voices is what a session has that asks for none: whoever speaks then takes its own. */
function chosenVoice(sound: Json | undefined): string {
  const voice = sound === undefined ? "alloy" : voiceOf(sound["voice"] ?? "alloy");
  return voice === "alloy" ? "" : voice;
}
