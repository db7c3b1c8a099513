// What the conversation behind the door says, as RTVI messages.
import type { Clock } from "@fovea/core";
import type { Json } from "../doors/json-event.ts";
import { xrEventOf } from "../doors/xr-extension.ts";
import type { VoiceOutputPort } from "../voice/voice-port.ts";

export interface RtviOutputHost {
  readonly clock: Clock;
  readonly userId: string;
  send(type: string, data?: Json): void;
  sound(pcm: Int16Array): void;
  /** All calls of a turn were answered before it ended: the model has yet to see the results. */
  goOn(): void;
}

const SENTENCE = /^[\s\S]*?[.!?…](?=\s|$)/;

export class RtviOutput {
  readonly port: VoiceOutputPort;
  readonly #host: RtviOutputHost;
  readonly #calls = new Map<string, string>();
  #isTurnOpen = false;
  #isThinking = false;
  #speaks = false;
  #isSpeaking = false;
  #hasHeldSpeech = false;
  #hasToldSpeech = false;
  #text = "";
  #told = "";
  #segment = 0;
  #askedMs = 0;

  constructor(host: RtviOutputHost) {
    this.#host = host;
    this.port = this.#buildPort();
  }

  get isTurnOpen(): boolean {
    return this.#isTurnOpen;
  }

  get isSpeaking(): boolean {
    return this.#isSpeaking;
  }

  get openCalls(): number {
    return this.#calls.size;
  }

  /** False where nobody waits for the result any more. */
  answered(callId: string, result: unknown): boolean {
    const name = this.#calls.get(callId);
    if (name === undefined) return false;
    this.#calls.delete(callId);
    const data = { tool_call_id: callId, function_name: name, cancelled: false, result };
    this.#host.send("llm-function-call-stopped", data);
    return true;
  }

  close(): void {
    this.#calls.clear();
  }

  #buildPort(): VoiceOutputPort {
    const { send } = { send: this.#host.send.bind(this.#host) };
    return {
      speechStarted: () => {
        send("vad-user-started-speaking");
        // The client stops listening to the bot at the next one: it waits until the interruption is meant.
        if (this.#isSpeaking || this.#isTurnOpen) this.#hasHeldSpeech = true;
        else this.#userSpeaks();
      },
      speechStopped: () => {
        send("vad-user-stopped-speaking");
        if (this.#hasToldSpeech) send("user-stopped-speaking");
        this.#hasToldSpeech = false;
      },
      committed: () => {
        this.#askedMs = this.#host.clock.monotonicMs();
        if (!this.#hasHeldSpeech) return;
        this.#userSpeaks();
        send("user-stopped-speaking");
        this.#hasToldSpeech = false;
      },
      transcriptPart: ({ text }) => this.#userSaid(text, false),
      transcriptDone: ({ text }) => {
        if (text === "") return;
        this.#userSaid(text, true);
        send("user-llm-text", { text });
      },
      transcriptFailed: ({ code, message }) => send("error", { error: message, message, code, fatal: false }),
      answerStarted: ({ speaks }) => {
        this.#isTurnOpen = true;
        this.#speaks = speaks;
        this.#text = "";
        this.#told = "";
        this.#isThinking = true;
        if (this.#askedMs === 0) this.#askedMs = this.#host.clock.monotonicMs();
        send("bot-llm-started");
      },
      answerText: ({ text }) => {
        this.#firstContent("answer");
        send("bot-llm-text", { text });
        this.#text += text;
        this.#tellSentences(false);
      },
      answerPart: ({ part }) => {
        const event = xrEventOf(part);
        if (event === undefined) return;
        send("server-message", { type: event.type, ...event.fields });
        // Pages know a highlight of their own protocol.
        if (part.type === "action" && part.action.kind === "highlight") {
          const { target, ttlMs } = part.action;
          send("ui-command", {
            command: "highlight",
            payload: { ref: target ?? null, target_id: target ?? null, duration_ms: ttlMs },
          });
        }
      },
      wordMark: ({ words }) => send("server-message", { type: "fovea.words", words }),
      audio: ({ pcm }) => {
        if (!this.#isSpeaking) {
          this.#isSpeaking = true;
          send("bot-tts-started");
          send("bot-started-speaking");
        }
        this.#host.sound(pcm);
      },
      audioDone: () => {
        this.#output(this.#told, "completed", this.#told);
        this.#stopSpeaking();
      },
      duck: () => {},
      unduck: () => (this.#hasHeldSpeech = false),
      flush: ({ heardText }) => {
        const wasSpeaking = this.#isSpeaking;
        if (this.#hasHeldSpeech) this.#userSpeaks();
        if (!wasSpeaking) return;
        send("bot-interrupted");
        this.#output(this.#told, "in-progress", heardText);
        this.#stopSpeaking();
      },
      filler: () => send("server-message", { type: "fovea.filler" }),
      toolCall: ({ callId, name, args }) => {
        this.#calls.set(callId, name);
        send("llm-function-call-started", { function_name: name });
        send("llm-function-call-in-progress", { tool_call_id: callId, function_name: name, arguments: parsed(args) });
      },
      turnDone: ({ status, answeredCalls }) => {
        this.#isTurnOpen = false;
        this.#tellSentences(true);
        if (this.#isThinking) send("bot-llm-stopped");
        this.#isThinking = false;
        this.#askedMs = 0;
        if (status !== "completed") this.#cancelCalls();
        else if (answeredCalls !== undefined && this.#calls.size === 0) this.#host.goOn();
      },
      degraded: ({ from, to, reason, isNoticeable }) => {
        if (isNoticeable) send("server-message", { type: "fovea.degraded", from, to, reason });
      },
      error: ({ code, message }) => send("error", { error: message, message, code, fatal: false }),
    };
  }

  #userSpeaks(): void {
    this.#hasHeldSpeech = false;
    this.#hasToldSpeech = true;
    this.#host.send("user-started-speaking");
  }

  #userSaid(text: string, final: boolean): void {
    const timestamp = new Date(this.#host.clock.unixMs()).toISOString();
    this.#host.send("user-transcription", { text, user_id: this.#host.userId, timestamp, final });
  }

  #firstContent(processor: string): void {
    if (this.#askedMs === 0) return;
    const seconds = (this.#host.clock.monotonicMs() - this.#askedMs) / 1000;
    this.#askedMs = 0;
    this.#host.send("metrics", { ttfb: [{ processor, value: seconds }] });
  }

  #tellSentences(isEnd: boolean): void {
    for (;;) {
      const rest = this.#text.slice(this.#told.length);
      const sentence = SENTENCE.exec(rest)?.[0] ?? (isEnd && rest.trim() !== "" ? rest : undefined);
      if (sentence === undefined) return;
      this.#told += sentence;
      this.#segment++;
      if (this.#speaks) this.#host.send("bot-tts-text", { text: sentence.trim() });
      this.#output(sentence.trim(), "new", "");
    }
  }

  /** Both shapes: `spoken` is what clients of version 1 read. */
  #output(text: string, spoken_status: "new" | "in-progress" | "completed", heard: string): void {
    if (text === "") return;
    const spoken = this.#speaks;
    this.#host.send("bot-output", {
      text,
      segment_id: String(this.#segment),
      aggregated_by: "sentence",
      will_be_spoken: spoken,
      spoken: spoken && spoken_status !== "new",
      ...(spoken
        ? { spoken_status, spoken_progress: { accumulated_text: heard, remaining_text: text.slice(heard.length) } }
        : {}),
    });
  }

  #stopSpeaking(): void {
    if (!this.#isSpeaking) return;
    this.#isSpeaking = false;
    this.#host.send("bot-tts-stopped");
    this.#host.send("bot-stopped-speaking");
  }

  #cancelCalls(): void {
    for (const [tool_call_id, function_name] of this.#calls) {
      this.#host.send("llm-function-call-stopped", { tool_call_id, function_name, cancelled: true });
    }
    this.#calls.clear();
  }
}

function parsed(args: string): unknown {
  try {
    return JSON.parse(args);
  } catch {
    return {};
  }
}
