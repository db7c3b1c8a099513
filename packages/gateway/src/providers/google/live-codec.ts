// Gemini Live from the client's side. The wire has no names for answers and utterances, takes its settings once, and has
// no way to cut an answer at what was heard. Sources: the types of the official client; traps in docs/spec/realtime.md.
import type { Message, ToolDefinition } from "@fovea/core";
import { toBase64 } from "../base64.ts";
import { arrayOf, parseJson, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import type { LiveAnswerOptions, LiveCodec, LiveEntry, LiveEvent, LiveSettings, LiveStart } from "../live-codec.ts";
import { isOpenAiVoice } from "../live-voices.ts";
import { turnsOf, usageOfLive } from "./live-turns.ts";

const INPUT_HZ = 16_000;
const OUTPUT_HZ = 24_000;

export function googleLiveCodec(): LiveCodec {
  return new GoogleLiveCodec();
}

class GoogleLiveCodec implements LiveCodec {
  readonly inputRateHz = INPUT_HZ;
  readonly outputRateHz = OUTPUT_HZ;
  #isManual = false;
  /** Manual turns: the user is speaking as far as the vendor knows. */
  #isActive = false;
  #hasCommitted = false;
  #hasTurns = false;
  #isAnswering = false;
  /** Output of an answer that was cut off by us is passed over until its end. */
  #isMuted = false;
  #utterances = 0;
  #heard = "";
  #isHearing = false;
  #sentMs = 0;

  open({ settings, history, handle }: LiveStart): readonly string[] {
    const { turns } = settings;
    this.#isManual = turns.kind === "manual";
    const setup = JSON.stringify({ setup: setupOf(settings, handle) });
    if (history.length === 0) return [setup];
    this.#hasTurns = true;
    return [
      setup,
      content(
        history.map((entry) => entry.message),
        false,
      ),
    ];
  }

  update(): undefined {
    return undefined;
  }

  audio(pcm: Uint8Array): readonly string[] {
    this.#sentMs += pcm.length / ((INPUT_HZ / 1000) * 2);
    const blob = `{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=${INPUT_HZ}","data":"${toBase64(pcm)}"}}}`;
    if (!this.#isManual || this.#isActive) return [blob];
    this.#isActive = true;
    return [`{"realtimeInput":{"activityStart":{}}}`, blob];
  }

  /** The end of the user's activity starts the answer, so it waits for `answer`. */
  commit(): readonly string[] {
    if (!this.#isManual) return [`{"realtimeInput":{"audioStreamEnd":true}}`];
    this.#hasCommitted = this.#isActive;
    return [];
  }

  clear(): readonly string[] {
    return [];
  }

  add({ message }: LiveEntry): readonly string[] {
    this.#hasTurns = true;
    return [content([message], false)];
  }

  remove(): readonly string[] {
    return [];
  }

  toolResult(result: {
    readonly id: string;
    readonly name: string;
    readonly text: string;
    readonly isError: boolean;
  }): readonly string[] {
    const { id, name, text, isError } = result;
    const response = isError ? { error: text } : objectFrom(text);
    return [JSON.stringify({ toolResponse: { functionResponses: [{ id, name, response }] } })];
  }

  answer(options: LiveAnswerOptions): readonly string[] {
    this.#isMuted = false;
    if (this.#hasCommitted) {
      this.#hasCommitted = false;
      this.#isActive = false;
      return [`{"realtimeInput":{"activityEnd":{}}}`];
    }
    const extra = [
      ...(options.messages ?? []),
      ...(options.instructions === undefined ? [] : [user(options.instructions)]),
    ];
    const isEmpty = extra.length === 0 && !this.#hasTurns;
    return [content(isEmpty ? [user(" ")] : extra, true)];
  }

  /** Any content from the client stops the answer. */
  cancel(): readonly string[] {
    if (!this.#isAnswering) return [];
    this.#isMuted = true;
    return [content([], false)];
  }

  truncate(): readonly string[] {
    return [];
  }

  decode(text: string): readonly LiveEvent[] {
    const message = recordOf(parseJson(text));
    if (message === undefined) return [];
    const events: LiveEvent[] = [];
    if (message["setupComplete"] !== undefined) events.push({ type: "ready" });
    const served = recordOf(message["serverContent"]);
    const usage = usageOfLive(recordOf(message["usageMetadata"]));
    if (served !== undefined) this.#content(served, usage, events);
    const calls = arrayOf(recordOf(message["toolCall"])?.["functionCalls"]);
    if (calls.length > 0) this.#calls(calls, events);
    const cancelled = recordOf(message["toolCallCancellation"]);
    if (cancelled !== undefined) {
      const ids = arrayOf(cancelled["ids"]).flatMap((id) => (typeof id === "string" ? [id] : []));
      events.push({ type: "tools-cancelled", ids });
    }
    this.#activity(recordOf(message["voiceActivity"]), events);
    const update = recordOf(message["sessionResumptionUpdate"]);
    if (update !== undefined) {
      const isGood = update["resumable"] === true;
      events.push({ type: "handle", handle: isGood ? stringOf(update["newHandle"]) : undefined });
    }
    const goAway = recordOf(message["goAway"]);
    if (goAway !== undefined) events.push({ type: "going-away", inMs: durationMs(stringOf(goAway["timeLeft"])) });
    return events;
  }

  #content(served: JsonRecord, usage: ReturnType<typeof usageOfLive>, events: LiveEvent[]): void {
    this.#hear(recordOf(served["inputTranscription"]), events);
    const parts = arrayOf(recordOf(served["modelTurn"])?.["parts"]);
    const said = stringOf(recordOf(served["outputTranscription"])?.["text"]);
    if (!this.#isMuted && (parts.length > 0 || said !== undefined)) {
      this.#beginAnswer(events);
      for (const part of parts) this.#part(recordOf(part), events);
      if (said !== undefined) events.push({ type: "text", text: said });
    }
    if (served["interrupted"] === true && this.#isAnswering && !this.#isMuted) events.push({ type: "interrupted" });
    if (served["turnComplete"] !== true) return;
    const wasCut = this.#isMuted;
    const isOpen = this.#isAnswering;
    this.#isMuted = false;
    this.#isAnswering = false;
    if (!isOpen) return;
    const spent = usage === undefined ? {} : { usage };
    if (wasCut) events.push({ type: "answer-ended", status: "cancelled", reason: "client_cancelled", ...spent });
    else events.push({ type: "answer-ended", status: "completed", ...spent });
  }

  #part(part: JsonRecord | undefined, events: LiveEvent[]): void {
    const blob = recordOf(part?.["inlineData"]);
    const data = stringOf(blob?.["data"]);
    if (data !== undefined && stringOf(blob?.["mimeType"])?.startsWith("audio/pcm") === true) {
      events.push({ type: "audio", pcm: Buffer.from(data, "base64") });
    }
    const text = stringOf(part?.["text"]);
    if (text !== undefined && part?.["thought"] !== true) events.push({ type: "text", text });
  }

  #calls(calls: readonly unknown[], events: LiveEvent[]): void {
    this.#beginAnswer(events);
    for (const item of calls) {
      const call = recordOf(item);
      const name = stringOf(call?.["name"]) ?? "";
      const args = JSON.stringify(recordOf(call?.["args"]) ?? {});
      events.push({ type: "tool-call", id: stringOf(call?.["id"]) ?? name, name, args });
    }
  }

  #beginAnswer(events: LiveEvent[]): void {
    if (this.#isAnswering) return;
    this.#endHearing(events);
    this.#isAnswering = true;
    events.push({ type: "answer-started" });
  }

  /** Where no activity is reported, the first words of a transcript show that somebody has spoken. */
  #hear(transcription: JsonRecord | undefined, events: LiveEvent[]): void {
    const text = stringOf(transcription?.["text"]);
    if (text === undefined) return;
    this.#beginHearing(events);
    this.#heard += text;
    events.push({ type: "heard", key: this.#key(), text: this.#heard, isFinal: false });
    if (transcription?.["finished"] === true) this.#endHearing(events);
  }

  #beginHearing(events: LiveEvent[]): void {
    if (this.#isHearing) return;
    this.#isHearing = true;
    this.#utterances++;
    events.push({ type: "speech-started", key: this.#key(), audioMs: Math.round(this.#sentMs) });
  }

  #endHearing(events: LiveEvent[]): void {
    if (!this.#isHearing) return;
    this.#isHearing = false;
    const key = this.#key();
    events.push({ type: "speech-stopped", key, audioMs: Math.round(this.#sentMs) }, { type: "committed", key });
    events.push({ type: "heard", key, text: this.#heard, isFinal: true });
    this.#heard = "";
  }

  #activity(activity: JsonRecord | undefined, events: LiveEvent[]): void {
    if (activity?.["voiceActivityType"] === "ACTIVITY_START") this.#beginHearing(events);
  }

  #key(): string {
    return `utterance-${this.#utterances}`;
  }
}

function content(messages: readonly Message[], turnComplete: boolean): string {
  return JSON.stringify({ clientContent: { turns: turnsOf(messages), turnComplete } });
}

function user(text: string): Message {
  return { role: "user", content: [{ type: "text", text }] };
}

/** Function responses are objects on this wire. */
function objectFrom(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (recordOf(value) !== undefined) return value as object;
  } catch {
    // Plain words are wrapped below.
  }
  return { output: text };
}

/** `10s`, `1.5s`. */
function durationMs(text: string | undefined): number {
  const seconds = Number(/^([\d.]+)s$/.exec(text ?? "")?.[1]);
  return Number.isFinite(seconds) ? seconds * 1000 : 5_000;
}

function setupOf(settings: LiveSettings, handle: string | undefined): object {
  const { model, instructions, tools, voice, language, maxOutputTokens, temperature, turns } = settings;
  const speech = {
    ...(voice === undefined || voice === "" || isOpenAiVoice(voice)
      ? {}
      : { voiceConfig: { prebuiltVoiceConfig: { voiceName: voice } } }),
    ...(language === undefined ? {} : { languageCode: language }),
  };
  return {
    model: `models/${model.replace(/^models\//, "")}`,
    generationConfig: {
      responseModalities: [settings.speaks ? "AUDIO" : "TEXT"],
      ...(Object.keys(speech).length === 0 ? {} : { speechConfig: speech }),
      ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
      ...(temperature === undefined ? {} : { temperature }),
    },
    ...(instructions === undefined || instructions === ""
      ? {}
      : { systemInstruction: { parts: [{ text: instructions }] } }),
    ...(tools.length === 0 ? {} : { tools: [{ functionDeclarations: tools.map(declarationOf) }] }),
    realtimeInputConfig: inputOf(turns),
    inputAudioTranscription: {},
    ...(settings.speaks ? { outputAudioTranscription: {} } : {}),
    sessionResumption: handle === undefined ? {} : { handle },
    contextWindowCompression: { slidingWindow: {} },
  };
}

function inputOf(turns: LiveSettings["turns"]): object {
  if (turns.kind === "manual") return { automaticActivityDetection: { disabled: true } };
  return {
    automaticActivityDetection: {
      ...(turns.silenceMs === undefined ? {} : { silenceDurationMs: turns.silenceMs }),
      ...(turns.prerollMs === undefined ? {} : { prefixPaddingMs: turns.prerollMs }),
    },
    activityHandling: turns.interruptsResponse ? "START_OF_ACTIVITY_INTERRUPTS" : "NO_INTERRUPTION",
  };
}

function declarationOf({ name, description, schema }: ToolDefinition): object {
  return { name, ...(description === undefined ? {} : { description }), parametersJsonSchema: schema };
}
