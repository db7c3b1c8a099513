// What the conversation behind the door says, as events of OpenAI's realtime wire.
import type { Cancel, Clock } from "@fovea/core";
import type { Json } from "../doors/json-event.ts";
import { xrEventOf } from "../doors/xr-extension.ts";
import type { VoiceOutputPort } from "../voice/voice-port.ts";
import type { ItemList } from "./item-list.ts";
import type { MediaOutput } from "./media-output.ts";
import type { RateLimitLine } from "./rate-limits.ts";
import { ResponseWriter, type ResponseEnd } from "./response-writer.ts";
import { idleTimeoutMs, outputFormat, wantsTranscripts } from "./session-object.ts";

export interface OutputHost {
  readonly clock: Clock;
  readonly items: ItemList;
  readonly media?: MediaOutput;
  nextId(prefix: string): string;
  emit(type: string, fields: Json): void;
  session(): Json;
  limits(): readonly RateLimitLine[];
  /** Whether the client takes events beyond its protocol. */
  takesXR(): boolean;
  called(callId: string, name: string): void;
  /** Nobody has spoken for as long as the session says. */
  idle(): void;
}

interface Wish {
  readonly metadata: unknown;
  readonly maxOutputTokens: unknown;
}

/** A turn that waits for the application may still name another call within this time; then its response is over. */
const MORE_CALLS_MS = 40;

const NO_WISH: Wish = { metadata: undefined, maxOutputTokens: undefined };

export class SessionOutput {
  readonly port: VoiceOutputPort;
  readonly #host: OutputHost;
  readonly conversationId: string;
  /** Sound of the client since the last commit. */
  bufferedMs = 0;
  #response: ResponseWriter | undefined;
  #turnId: string | undefined;
  #speaks = true;
  #isKept = true;
  #expected: { readonly wish: Wish; readonly isKept: boolean } | undefined;
  /** Calls of the open turn, and the results that wait for the client to ask for an answer. */
  readonly #openCalls = new Set<string>();
  readonly #held = new Map<string, string>();
  #cancelCalls: Cancel | undefined;
  #cancelIdle: Cancel | undefined;
  #pendingSpeech: { readonly utteranceId: string; readonly audioMs: number } | undefined;
  #soundUntilMs = -Infinity;
  #heardMs = 0;
  readonly #transcripts = new Map<string, string>();

  constructor(host: OutputHost) {
    this.#host = host;
    this.conversationId = host.nextId("conv");
    this.port = this.#buildPort();
  }

  get activeId(): string | undefined {
    return this.#response?.id;
  }

  /** The next answer is the one that the client has asked for. */
  expect(wish: Wish | undefined, isKept: boolean): void {
    this.#expected = wish === undefined ? undefined : { wish, isKept };
  }

  /** True where the call's turn is open: the result is given with the next `takeHeld`. */
  holdResult(callId: string, text: string): boolean {
    if (!this.#openCalls.has(callId)) return false;
    this.#held.set(callId, text);
    return true;
  }

  takeHeld(wish: Wish): readonly { readonly callId: string; readonly text: string }[] {
    const held = [...this.#held].map(([callId, text]) => ({ callId, text }));
    this.#held.clear();
    for (const { callId } of held) this.#openCalls.delete(callId);
    if (held.length > 0) this.#begin(wish, this.#isKept);
    return held;
  }

  clearSound(): void {
    if (this.#host.media?.clear() === true) {
      this.#host.emit("output_audio_buffer.cleared", { response_id: this.#lastResponseId });
    }
    this.#soundUntilMs = -Infinity;
  }

  close(): void {
    this.#cancelCalls?.();
    this.#cancelIdle?.();
  }

  #lastResponseId = "";

  #buildPort(): VoiceOutputPort {
    const { items, emit } = { items: this.#host.items, emit: this.#host.emit.bind(this.#host) };
    return {
      speechStarted: (event) => {
        this.#cancelIdle?.();
        // Clients drop the answer at this event, so it waits until the interruption is meant.
        if (this.#isSounding()) this.#pendingSpeech = event;
        else this.#speechStarted(event);
      },
      speechStopped: ({ utteranceId, audioMs }) => {
        this.#heardMs = audioMs;
        if (this.#pendingSpeech?.utteranceId === utteranceId) return;
        emit("input_audio_buffer.speech_stopped", { audio_end_ms: Math.round(audioMs), item_id: utteranceId });
      },
      committed: ({ utteranceId }) => this.#committed(utteranceId),
      transcriptPart: ({ utteranceId, text }) => this.#transcriptPart(utteranceId, text),
      transcriptDone: ({ utteranceId, text, durationMs }) => this.#transcriptDone(utteranceId, text, durationMs),
      transcriptFailed: ({ utteranceId, code, message }) => {
        const error = { type: "transcription_error", code, message, param: null };
        emit("conversation.item.input_audio_transcription.failed", { item_id: utteranceId, content_index: 0, error });
      },
      answerStarted: ({ turnId, speaks }) => {
        this.#cancelIdle?.();
        this.#turnId = turnId;
        this.#speaks = speaks;
        const { wish, isKept } = this.#expected ?? { wish: NO_WISH, isKept: true };
        this.#expected = undefined;
        this.#begin(wish, isKept);
      },
      answerText: ({ itemId, text }) => this.#current().text(itemId, text),
      answerPart: ({ part }) => {
        const event = xrEventOf(part);
        if (event !== undefined) this.#tellXR(event.type, { response_id: this.#lastResponseId, ...event.fields });
      },
      wordMark: ({ itemId, words }) => this.#tellXR("fovea.words", { item_id: itemId, words }),
      audio: (sound) => {
        const { itemId, pcm, sampleRateHz } = sound;
        const ms = (pcm.length / sampleRateHz) * 1000;
        items.sounded(itemId, ms);
        const nowMs = this.#host.clock.monotonicMs();
        this.#soundUntilMs = Math.max(nowMs, this.#soundUntilMs) + ms;
        const response = this.#current();
        response.audio(itemId, pcm, this.#host.media === undefined);
        this.#host.media?.audio(sound, response.id);
      },
      audioDone: () => {
        this.#response?.audioDone();
        this.#host.media?.finish();
      },
      duck: ({ gainDb, rampMs }) => this.#tellXR("fovea.duck", { gain_db: gainDb, ramp_ms: rampMs }),
      unduck: ({ rampMs }) => {
        this.#pendingSpeech = undefined;
        this.#tellXR("fovea.unduck", { ramp_ms: rampMs });
      },
      flush: ({ itemId, heardMs, heardText }) => {
        this.#soundUntilMs = -Infinity;
        const item = itemId === undefined ? undefined : items.get(itemId);
        if (itemId !== undefined && item !== undefined) {
          const content = [{ type: "output_audio", transcript: heardText }];
          items.set(itemId, { ...item, status: "incomplete", content });
        }
        this.#tellXR("fovea.flush", { item_id: itemId ?? null, heard_ms: Math.round(heardMs) });
        this.#tellSpeech();
        this.clearSound();
      },
      filler: () => this.#tellXR("fovea.filler", {}),
      toolCall: ({ callId, name, args }) => {
        this.#host.called(callId, name);
        this.#openCalls.add(callId);
        this.#current().call({ itemId: this.#host.nextId("item"), callId, name, args });
        this.#cancelCalls?.();
        this.#cancelCalls = this.#host.clock.schedule(MORE_CALLS_MS, () =>
          this.#end({ status: "completed", details: null }),
        );
      },
      turnDone: (event) => this.#turnDone(event),
      degraded: ({ from, to, reason, isNoticeable }) => {
        if (isNoticeable) this.#tellXR("fovea.degraded", { from, to, reason });
      },
      error: ({ code, message, turnId }) => {
        this.#failure = { type: "server_error", code, message };
        // The failure of an answer is told with its end.
        if (turnId === undefined) emit("error", { error: { ...this.#failure, param: null, event_id: null } });
      },
    };
  }

  #failure: { readonly type: string; readonly code: string; readonly message: string } | undefined;

  #begin(wish: Wish, isKept: boolean): ResponseWriter {
    const session = this.#host.session();
    const audio = session["audio"] as { readonly output?: { readonly voice?: unknown } } | undefined;
    this.#isKept = isKept;
    const response = new ResponseWriter(
      {
        id: this.#host.nextId("resp"),
        conversationId: isKept ? this.conversationId : null,
        speaks: this.#speaks,
        format: outputFormat(session),
        voice: audio?.output?.voice ?? null,
        metadata: wish.metadata,
        maxOutputTokens: wish.maxOutputTokens ?? session["max_output_tokens"] ?? "inf",
      },
      this.#host,
    );
    this.#response = response;
    this.#lastResponseId = response.id;
    const rate_limits = this.#host.limits();
    if (rate_limits.length > 0) this.#host.emit("rate_limits.updated", { rate_limits });
    return response;
  }

  /** A turn that goes on after its calls were answered speaks in a response of its own. */
  #current(): ResponseWriter {
    return this.#response ?? this.#begin(NO_WISH, this.#isKept);
  }

  #end(end: ResponseEnd): void {
    this.#cancelCalls?.();
    this.#cancelCalls = undefined;
    const response = this.#response;
    this.#response = undefined;
    response?.end(end);
  }

  #turnDone(event: Parameters<VoiceOutputPort["turnDone"]>[0]): void {
    if (this.#turnId !== undefined && event.turnId !== this.#turnId) return;
    this.#turnId = undefined;
    this.#openCalls.clear();
    this.#held.clear();
    this.#host.media?.finish();
    const spent = event.usage === undefined ? {} : { usage: event.usage };
    if (this.#response !== undefined) this.#end({ ...endOf(event, this.#failure), ...spent });
    this.#failure = undefined;
    this.#armIdle();
  }

  #armIdle(): void {
    const idleMs = idleTimeoutMs(this.#host.session());
    this.#cancelIdle?.();
    if (idleMs === undefined) return;
    const playingMs = Math.max(0, this.#soundUntilMs - this.#host.clock.monotonicMs());
    this.#cancelIdle = this.#host.clock.schedule(playingMs + idleMs, () => {
      if (this.#response !== undefined) return;
      const item_id = this.#host.nextId("item");
      const audio_start_ms = Math.round(this.#heardMs);
      this.#host.emit("input_audio_buffer.timeout_triggered", {
        item_id,
        audio_start_ms,
        audio_end_ms: audio_start_ms + idleMs,
      });
      this.#host.idle();
    });
  }

  #isSounding(): boolean {
    return this.#response !== undefined || this.#soundUntilMs > this.#host.clock.monotonicMs();
  }

  #tellXR(type: string, fields: Json): void {
    if (this.#host.takesXR()) this.#host.emit(type, fields);
  }

  #speechStarted({ utteranceId, audioMs }: { readonly utteranceId: string; readonly audioMs: number }): void {
    this.#host.emit("input_audio_buffer.speech_started", { audio_start_ms: Math.round(audioMs), item_id: utteranceId });
  }

  #tellSpeech(): void {
    const pending = this.#pendingSpeech;
    this.#pendingSpeech = undefined;
    if (pending !== undefined) this.#speechStarted(pending);
  }

  #committed(itemId: string): void {
    const pending = this.#pendingSpeech;
    if (pending?.utteranceId === itemId) {
      this.#tellSpeech();
      const audio_end_ms = Math.round(this.#heardMs);
      this.#host.emit("input_audio_buffer.speech_stopped", { audio_end_ms, item_id: itemId });
    }
    this.bufferedMs = 0;
    const content = [{ type: "input_audio", transcript: null }];
    const item = { id: itemId, object: "realtime.item", type: "message", status: "completed", role: "user", content };
    const previous_item_id = this.#host.items.add(itemId, item);
    this.#host.emit("input_audio_buffer.committed", { previous_item_id, item_id: itemId });
    this.#host.emit("conversation.item.added", { previous_item_id, item });
    this.#host.emit("conversation.item.done", { previous_item_id, item });
  }

  /** The wire knows only what is added: a guess that is taken back stays untold until the end. */
  #transcriptPart(itemId: string, text: string): void {
    if (!wantsTranscripts(this.#host.session())) return;
    const told = this.#transcripts.get(itemId) ?? "";
    if (!text.startsWith(told) || text === told) return;
    this.#transcripts.set(itemId, text);
    const delta = text.slice(told.length);
    this.#host.emit("conversation.item.input_audio_transcription.delta", { item_id: itemId, content_index: 0, delta });
  }

  #transcriptDone(itemId: string, transcript: string, durationMs: number): void {
    this.#transcriptPart(itemId, transcript);
    this.#transcripts.delete(itemId);
    const item = this.#host.items.get(itemId);
    if (item !== undefined) this.#host.items.set(itemId, { ...item, content: [{ type: "input_audio", transcript }] });
    if (!wantsTranscripts(this.#host.session())) return;
    const usage = { type: "duration", seconds: Math.round(durationMs) / 1000 };
    const name = "conversation.item.input_audio_transcription.completed";
    this.#host.emit(name, { item_id: itemId, content_index: 0, transcript, usage });
  }
}

function endOf(
  event: Parameters<VoiceOutputPort["turnDone"]>[0],
  failure: { readonly type: string; readonly code: string; readonly message: string } | undefined,
): ResponseEnd {
  if (event.status === "failed") {
    const error = failure ?? { type: "server_error", code: "answer_broken", message: "The answer failed." };
    return { status: "failed", details: { type: "failed", error } };
  }
  if (event.status === "cancelled") {
    const reason = event.reason === "turn_detected" ? "turn_detected" : "client_cancelled";
    return { status: "cancelled", details: { type: "cancelled", reason } };
  }
  if (event.finishReason === "length" || event.finishReason === "max_output_tokens") {
    return { status: "incomplete", details: { type: "incomplete", reason: "max_output_tokens" } };
  }
  if (event.finishReason === "content_filter") {
    return { status: "incomplete", details: { type: "incomplete", reason: "content_filter" } };
  }
  return { status: "completed", details: null };
}
