// A voice conversation that a vendor holds: the door sees the same calls and events as with the gateway's own recogniser,
// model and voice. The gateway keeps the conversation, so that it goes on elsewhere when the vendor is lost.
import type { Cancel, Candidate, Ids, Message } from "@fovea/core";
import type { LiveAnswerOptions, LiveEvent, LiveSettings, LiveStart } from "../../providers/live-codec.ts";
import { GatewayError, Resampler } from "@fovea/core";
import type {
  ConversationItem,
  CreateResponseOptions,
  VoiceHandle,
  VoiceOutputPort,
  VoiceSettings,
} from "../voice/voice-port.ts";
import { VOICE_SETTINGS } from "../voice/voice-port.ts";
import type { BookedAnswer, BridgeAccount } from "./bridge-account.ts";
import { BridgedLog } from "./bridged-log.ts";
import { InputRing } from "./input-ring.ts";
import { LiveLink, type Linked, type LinkHost, type LinkParts } from "./live-link.ts";
import { PacedAudio } from "./paced-audio.ts";

export interface BridgeOptions extends LinkParts {
  readonly ids: Ids;
  readonly settings: Partial<VoiceSettings>;
  readonly output: VoiceOutputPort;
  /** Without one nothing is booked. */
  readonly account?: BridgeAccount;
  readonly answerLimits?: Partial<AnswerLimits>;
}

export interface AnswerLimits {
  /** From asking for an answer to its first content, and between two contents, before the vendor is left. */
  readonly firstMs: number;
  readonly silenceMs: number;
}

export const ANSWER_LIMITS: AnswerLimits = { firstMs: 8_000, silenceMs: 10_000 };

interface Turn {
  readonly turnId: string;
  readonly itemId: string;
  readonly speaks: boolean;
  readonly isKept: boolean;
  readonly options: LiveAnswerOptions;
  text: string;
  soundMs: number;
  hasCalls: boolean;
  /** What of it the client may have: anything at all. */
  hasContent: boolean;
  booked: BookedAnswer | undefined;
  /** Why its end, once it comes, is no completion. */
  cutBy: "turn_detected" | undefined;
}

interface Call {
  readonly name: string;
  readonly turnId: string;
  readonly connection: number;
}

/** The newest item with sound: what an interruption is about. */
interface Spoken {
  readonly turnId: string;
  readonly itemId: string;
  durationMs: number;
  firstAtMs: number | undefined;
  playedMs: number;
  /** Cut here already, towards the vendor. */
  cutMs: number;
}

export function openBridge(options: BridgeOptions): VoiceHandle {
  return new BridgedVoice(options);
}

class BridgedVoice implements VoiceHandle, LinkHost {
  readonly #options: BridgeOptions;
  readonly #output: VoiceOutputPort;
  readonly #limits: AnswerLimits;
  readonly #link: LiveLink;
  readonly #log = new BridgedLog();
  readonly #ring = new InputRing();
  readonly #paced: PacedAudio;
  readonly #utterances = new Map<string, string>();
  readonly #calls = new Map<string, Call>();
  #settings: VoiceSettings;
  #epoch = 1;
  #turn: Turn | undefined;
  #spoken: Spoken | undefined;
  #utteranceId: string | undefined;
  #hasManualAudio = false;
  #isOpen = false;
  #isClosed = false;
  #isOwed = false;
  /** The vendor still talks about an answer that the client has cancelled. */
  #isDropping = false;
  #connection = 0;
  /** Entries of the log that the connection knows. */
  #known = new Set<string>();
  #handleKnown = new Set<string>();
  /** Those of them that it knows by their names here; what it made itself has names of its own there. */
  #named = new Set<string>();
  #cancelWatch: Cancel | undefined;
  #cancelGoAway: Cancel | undefined;
  #downsampler: Resampler | undefined;
  #isGoingAway = false;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#output = options.output;
    this.#limits = { ...ANSWER_LIMITS, ...options.answerLimits };
    this.#settings = { ...VOICE_SETTINGS, ...options.settings };
    this.#link = new LiveLink(options, this);
    const { outputRateHz, leadMs } = this.#settings;
    this.#paced = new PacedAudio(options.clock, outputRateHz, leadMs, (piece) => {
      const spoken = this.#spoken;
      if (spoken?.itemId === piece.itemId) spoken.firstAtMs ??= options.clock.monotonicMs();
      this.#output.audio({ ...piece, sampleRateHz: outputRateHz });
    });
    // Where settings can follow, the connection is made while the client is still setting up.
    if (this.#link.takesUpdates) this.#touch();
  }

  get epoch(): number {
    return this.#epoch;
  }

  get items(): readonly ConversationItem[] {
    return this.#log.items;
  }

  pushAudio(pcm16: Int16Array, sampleRateHz: number): void {
    this.#touch();
    this.#hasManualAudio = true;
    this.#ring.push(pcm16, sampleRateHz);
    const codec = this.#link.codec;
    if (codec === undefined) return;
    this.#link.send(codec.audio(this.#ring.convert(pcm16, sampleRateHz, codec.inputRateHz)));
  }

  commit(): { readonly utteranceId: string } | undefined {
    if (!this.#hasManualAudio) return undefined;
    this.#hasManualAudio = false;
    this.#touch();
    const utteranceId = this.#options.ids.next("item");
    this.#utteranceId = utteranceId;
    const codec = this.#link.codec;
    const durationMs = this.#ring.lengthMs;
    if (codec !== undefined) this.#link.send(codec.commit());
    this.#log.utter(utteranceId, "");
    this.#known.add(utteranceId);
    this.#output.committed({ utteranceId, durationMs });
    return { utteranceId };
  }

  clear(): void {
    this.#ring.clear();
    this.#hasManualAudio = false;
    const codec = this.#link.codec;
    if (codec !== undefined) this.#link.send(codec.clear());
  }

  createResponse(options: CreateResponseOptions = {}): string | undefined {
    if (this.#turn !== undefined || this.#isClosed) return undefined;
    this.#touch();
    const turn = this.#begin(options);
    // What may not be spent is not asked for; the turn has ended by then.
    if (this.#isOpenTurn(turn)) this.#ask(turn.options);
    return turn.turnId;
  }

  say(text: string): string {
    const instructions = `Say this and nothing else: ${JSON.stringify(text)}`;
    return this.createResponse({ instructions }) ?? this.#turn?.turnId ?? "";
  }

  cancel(): void {
    const turn = this.#turn;
    if (turn === undefined) {
      this.#stopSound();
      return;
    }
    const codec = this.#link.codec;
    const texts = codec?.cancel() ?? [];
    this.#isDropping = texts.length > 0;
    this.#stopSound();
    this.#link.send(texts);
    this.#isOwed = false;
    this.#finish(turn, { status: "cancelled", reason: "client_cancelled" });
  }

  played(mark: { readonly epoch: number; readonly itemId: string; readonly audioMs: number }): void {
    if (mark.epoch !== this.#epoch || this.#spoken?.itemId !== mark.itemId) return;
    this.#spoken.playedMs = Math.max(this.#spoken.playedMs, mark.audioMs);
    this.#log.played(mark.itemId, mark.audioMs);
  }

  truncate(itemId: string, audioMs: number): string | undefined {
    const spoken = this.#spoken;
    if (spoken?.itemId !== itemId) return this.#log.cut(itemId, audioMs, Infinity);
    const heardMs = Math.min(audioMs, spoken.durationMs);
    this.#tellCut(spoken, heardMs);
    if (this.#turn?.itemId === itemId) {
      spoken.playedMs = heardMs;
      return this.#turn.text;
    }
    return this.#log.cut(itemId, heardMs, spoken.durationMs);
  }

  toolResult(callId: string, text: string, isError = false): boolean {
    const call = this.#calls.get(callId);
    if (call === undefined) return false;
    this.#calls.delete(callId);
    const message: Message = {
      role: "tool",
      content: [{ type: "tool-result", id: callId, name: call.name, content: [{ type: "text", text }], isError }],
    };
    const id = this.#options.ids.next("item");
    this.#log.add({ id, message });
    const codec = this.#link.codec;
    const waits = this.#turn?.turnId === call.turnId && this.#calls.size === 0;
    if (codec === undefined) {
      this.#isOwed ||= waits;
      return true;
    }
    this.#known.add(id);
    // An answer that the same connection waits with goes on by itself; a new connection has only heard of the call.
    if (call.connection === this.#connection) {
      this.#link.send(codec.toolResult({ id: callId, name: call.name, text, isError }));
      if (this.#turn?.turnId === call.turnId) this.#watch(this.#limits.firstMs);
      return true;
    }
    this.#link.send(codec.add({ id, message }));
    if (waits && this.#turn !== undefined) this.#ask(this.#turn.options);
    return true;
  }

  addItem(item: ConversationItem, afterId?: string): void {
    this.#touch();
    this.#log.add(item, afterId);
    const codec = this.#link.codec;
    if (codec === undefined) return;
    this.#known.add(item.id);
    this.#named.add(item.id);
    this.#link.send(codec.add(item));
  }

  removeItem(itemId: string): boolean {
    const codec = this.#link.codec;
    const wasThere = this.#log.remove(itemId);
    this.#known.delete(itemId);
    if (wasThere && codec !== undefined && this.#named.delete(itemId)) this.#link.send(codec.remove(itemId));
    return wasThere;
  }

  update(settings: Partial<VoiceSettings>): void {
    const before = JSON.stringify(this.#live());
    this.#settings = { ...this.#settings, ...settings };
    this.#paced.leadMs = this.#settings.leadMs;
    if (!this.#isOpen) {
      this.#touch();
      return;
    }
    const codec = this.#link.codec;
    if (codec === undefined || JSON.stringify(this.#live()) === before) return;
    const texts = codec.update(this.#live());
    if (texts === undefined) this.#link.reopen();
    else this.#link.send(texts);
  }

  cue(): void {
    // The vendor decides on turns, and its wire knows no gaze.
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelWatch?.();
    this.#cancelGoAway?.();
    this.#paced.close();
    this.#link.close();
  }

  // What the link asks and tells.

  start(candidate: Candidate, handle: string | undefined): LiveStart {
    const known = handle === undefined ? new Set<string>() : this.#handleKnown;
    const history = this.#log.told.filter(({ id }) => !known.has(id));
    const told = history.map(({ id }) => id);
    this.#known = new Set([...known, ...told]);
    this.#named = new Set(told);
    const settings = { ...this.#live(), model: candidate.cell.model };
    return { settings, history, ...(handle === undefined ? {} : { handle }) };
  }

  linked({ candidate, before, isResumed, codec }: Linked): void {
    this.#connection++;
    this.#isDropping = false;
    this.#isGoingAway = false;
    for (const item of this.#log.told) {
      if (this.#known.has(item.id)) continue;
      this.#known.add(item.id);
      this.#named.add(item.id);
      this.#link.send(codec.add(item));
    }
    for (const pcm of this.#ring.replay(codec.inputRateHz)) this.#link.send(codec.audio(pcm));
    if (this.#utteranceId !== undefined && this.#ring.lengthMs > 0) this.#link.send(codec.commit());
    const { cell } = candidate;
    this.#options.meter.count("xr.realtime.linked", {
      provider: cell.providerId,
      how: howLinked(before, candidate, isResumed),
    });
    if (before !== undefined && before !== candidate) {
      const from = before.cell.providerId;
      // Whoever has heard the first voice notices the second.
      const isNoticeable = this.#spoken !== undefined || this.#turn?.hasContent === true;
      this.#output.degraded?.({ from, to: cell.providerId, reason: "the vendor was lost", isNoticeable });
    }
    if (!this.#isOwed) return;
    const turn = this.#turn ?? this.#begin({});
    if (this.#isOpenTurn(turn)) this.#ask(turn.options);
  }

  lost(): void {
    this.#cancelWatch?.();
    this.#isDropping = false;
    const turn = this.#turn;
    if (turn === undefined) return;
    // A call that waits for its result is not lost: the result is told to whoever takes over.
    this.#isOwed = !this.#hasOpenCalls(turn);
    if (!turn.hasContent) return;
    this.#stopSound();
    this.#finish(turn, { status: "cancelled", reason: "superseded" });
  }

  gone(error: GatewayError): void {
    const turn = this.#turn;
    const event = { code: error.code, message: error.message };
    this.#output.error(turn === undefined ? event : { ...event, turnId: turn.turnId });
    if (turn !== undefined) this.#finish(turn, { status: "failed", reason: "failed" });
    this.#isOwed = false;
    this.#isOpen = false;
  }

  event(event: LiveEvent): void {
    if (this.#isClosed) return;
    switch (event.type) {
      case "speech-started":
        this.#speechStarted(event.key, event.audioMs);
        return;
      case "speech-stopped":
        this.#output.speechStopped({ utteranceId: this.#utterance(event.key), audioMs: event.audioMs });
        return;
      case "committed":
        this.#committed(event.key);
        return;
      case "heard":
        this.#heard(event.key, event.text, event.isFinal);
        return;
      case "unheard":
        this.#output.transcriptFailed({
          utteranceId: this.#utterance(event.key),
          code: event.code,
          message: event.message,
        });
        return;
      case "handle":
        this.#handleKnown = new Set(this.#known);
        return;
      case "going-away":
        this.#goAway(event.inMs);
        return;
      case "failed":
        this.#failed(event);
        return;
      default:
        this.#answerEvent(event);
    }
  }

  #answerEvent(event: Extract<LiveEvent, { type: string }>): void {
    if (this.#isDropping) {
      if (event.type === "answer-ended") this.#isDropping = false;
      return;
    }
    if (event.type === "answer-started") {
      this.#isOwed = true;
      const turn = this.#turn ?? this.#begin({});
      if (this.#isOpenTurn(turn)) this.#watch(this.#limits.firstMs);
      else this.#drop();
      return;
    }
    const turn = this.#turn;
    if (event.type === "interrupted") this.#interrupt();
    if (turn === undefined) return;
    if (event.type === "text") this.#text(turn, event.text);
    else if (event.type === "audio") this.#sound(turn, event.pcm);
    else if (event.type === "tool-call") this.#toolCall(turn, event);
    else if (event.type === "tools-cancelled") for (const id of event.ids) this.#calls.delete(id);
    else if (event.type === "answer-ended") this.#answerEnded(turn, event);
  }

  #speechStarted(key: string, audioMs: number): void {
    const { turnDetection } = this.#settings;
    this.#output.speechStarted({ utteranceId: this.#utterance(key), audioMs });
    if (turnDetection.kind === "server" && turnDetection.interruptsResponse) this.#interrupt();
  }

  /** The user speaks over an answer: what was not heard is dropped everywhere. The vendor ends the answer itself. */
  #interrupt(): void {
    if (this.#turn !== undefined) this.#turn.cutBy = "turn_detected";
    this.#stopSound();
  }

  #stopSound(): void {
    const spoken = this.#spoken;
    const remainingMs = this.#paced.remainingMs;
    const isSounding = spoken !== undefined && (remainingMs > 0 || this.#turn?.itemId === spoken.itemId);
    if (!isSounding && this.#turn === undefined) return;
    this.#epoch++;
    const heardMs = spoken === undefined ? 0 : this.#heardMs(spoken);
    let heardText = "";
    if (spoken !== undefined) {
      spoken.playedMs = heardMs;
      this.#tellCut(spoken, heardMs);
      const text = this.#turn?.itemId === spoken.itemId ? this.#turn.text : undefined;
      const sound = { durationMs: spoken.durationMs, heardMs };
      heardText =
        text === undefined
          ? (this.#log.cut(spoken.itemId, heardMs, spoken.durationMs) ?? "")
          : this.#log.keep(spoken.itemId, text, sound);
    }
    const item = spoken === undefined ? {} : { itemId: spoken.itemId };
    this.#output.flush({ epoch: this.#epoch, ...item, heardMs, heardText });
    this.#paced.flush();
  }

  #heardMs(spoken: Spoken): number {
    if (this.#settings.playback === "reported" && spoken.playedMs > 0)
      return Math.min(spoken.playedMs, spoken.durationMs);
    if (spoken.firstAtMs === undefined) return 0;
    return Math.min(this.#options.clock.monotonicMs() - spoken.firstAtMs, spoken.durationMs);
  }

  /** The vendor must not believe that it has said more than was heard, and takes no cut past the end. */
  #tellCut(spoken: Spoken, heardMs: number): void {
    const codec = this.#link.codec;
    if (codec === undefined || heardMs >= spoken.cutMs || heardMs >= spoken.durationMs) return;
    spoken.cutMs = heardMs;
    this.#link.send(codec.truncate(heardMs));
  }

  #committed(key: string): void {
    const utteranceId = this.#utterance(key);
    const durationMs = this.#ring.lengthMs;
    this.#ring.clear();
    const { turnDetection } = this.#settings;
    if (turnDetection.kind === "server") {
      this.#isOwed ||= turnDetection.createsResponse;
      this.#hasManualAudio = false;
    }
    const wasTold = this.#log.has(utteranceId);
    if (!wasTold) {
      this.#log.utter(utteranceId, "");
      this.#output.committed({ utteranceId, durationMs });
    }
    this.#known.add(utteranceId);
    this.#utteranceId = undefined;
  }

  #heard(key: string, text: string, isFinal: boolean): void {
    const utteranceId = this.#utterance(key);
    if (!isFinal) {
      this.#output.transcriptPart({ utteranceId, text });
      return;
    }
    this.#log.utter(utteranceId, text);
    this.#known.add(utteranceId);
    this.#utterances.delete(key);
    this.#output.transcriptDone({ utteranceId, text, words: [], durationMs: 0 });
  }

  #utterance(key: string): string {
    const known = this.#utterances.get(key);
    if (known !== undefined) return known;
    const utteranceId = this.#utteranceId ?? this.#options.ids.next("item");
    this.#utterances.set(key, utteranceId);
    return utteranceId;
  }

  #begin(options: CreateResponseOptions): Turn {
    const { ids } = this.#options;
    const { isKept = true, speaks = this.#settings.speaks, temperature: _temperature, ...rest } = options;
    const isPlain = Object.keys(options).length === 0;
    const turn: Turn = {
      turnId: ids.next("resp"),
      itemId: ids.next("item"),
      speaks,
      isKept,
      options: isPlain ? {} : { ...rest, speaks, isKept },
      text: "",
      soundMs: 0,
      hasCalls: false,
      hasContent: false,
      booked: undefined,
      cutBy: undefined,
    };
    this.#turn = turn;
    this.#isOwed = true;
    this.#output.answerStarted({ turnId: turn.turnId, itemId: turn.itemId, epoch: this.#epoch, speaks });
    try {
      turn.booked = this.#options.account?.begin();
    } catch (error) {
      if (!GatewayError.is(error)) throw error;
      this.#output.error({ code: error.code, message: error.message, turnId: turn.turnId });
      this.#finish(turn, { status: "failed", reason: "failed" });
    }
    return turn;
  }

  /** False for a turn that has ended while it began: it may not be paid for. */
  #isOpenTurn(turn: Turn): boolean {
    return this.#turn === turn;
  }

  /** The vendor answers, and nobody may hear it. */
  #drop(): void {
    const texts = this.#link.codec?.cancel() ?? [];
    this.#isDropping = texts.length > 0;
    this.#link.send(texts);
  }

  #ask(options: LiveAnswerOptions): void {
    const codec = this.#link.codec;
    if (codec === undefined) return;
    this.#link.send(codec.answer(options));
    this.#watch(this.#limits.firstMs);
  }

  #text(turn: Turn, text: string): void {
    turn.text += text;
    turn.hasContent = true;
    this.#log.say(turn.itemId, text);
    this.#output.answerText({ turnId: turn.turnId, itemId: turn.itemId, text });
    this.#watch(this.#limits.silenceMs);
  }

  #sound(turn: Turn, bytes: Uint8Array): void {
    const pcm = this.#atOutputRate(bytes);
    const { outputRateHz } = this.#settings;
    turn.hasContent = true;
    if (this.#spoken?.itemId !== turn.itemId) {
      const { turnId, itemId } = turn;
      this.#spoken = { turnId, itemId, durationMs: 0, firstAtMs: undefined, playedMs: 0, cutMs: Infinity };
    }
    const piece = { turnId: turn.turnId, itemId: turn.itemId, epoch: this.#epoch, pcm, startMs: turn.soundMs };
    turn.soundMs += (pcm.length / outputRateHz) * 1000;
    if (this.#spoken !== undefined) this.#spoken.durationMs = turn.soundMs;
    if (turn.cutBy === undefined && !this.#paced.push(piece)) this.#link.abandon("more sound than anybody can hear");
    this.#watch(this.#limits.silenceMs);
  }

  #atOutputRate(bytes: Uint8Array): Int16Array {
    const whole = bytes.byteOffset % 2 === 0 ? bytes : Uint8Array.from(bytes);
    const pcm = new Int16Array(whole.buffer, whole.byteOffset, whole.byteLength >> 1);
    const fromHz = this.#link.codec?.outputRateHz ?? 24_000;
    const toHz = this.#settings.outputRateHz;
    if (fromHz === toHz) return pcm;
    this.#downsampler ??= new Resampler({ fromHz, toHz, tapsPerSide: 16 });
    return this.#downsampler.process(pcm);
  }

  #toolCall(turn: Turn, call: Extract<LiveEvent, { type: "tool-call" }>): void {
    turn.hasCalls = true;
    const { id, name, args } = call;
    this.#calls.set(id, { name, turnId: turn.turnId, connection: this.#connection });
    const message: Message = { role: "assistant", content: [{ type: "tool-call", id, name, args }] };
    const entry = { id: this.#options.ids.next("item"), message };
    this.#log.add(entry);
    this.#known.add(entry.id);
    this.#output.toolCall({ turnId: turn.turnId, callId: id, name, args });
    // The application may take its time.
    this.#cancelWatch?.();
  }

  #answerEnded(turn: Turn, end: Extract<LiveEvent, { type: "answer-ended" }>): void {
    const { status, usage } = end;
    const spent = usage === undefined ? {} : { usage };
    if (status === "failed" && !turn.hasContent) {
      // Nothing was said: another vendor may say it instead, and nobody notices.
      this.#link.abandon(end.reason ?? "the answer failed");
      return;
    }
    if (status === "failed") {
      this.#output.error({ code: "provider_failed", message: end.message ?? "the vendor failed", turnId: turn.turnId });
    }
    const wasCut = turn.cutBy !== undefined || status === "cancelled";
    if (status === "failed") this.#finish(turn, { status: "failed", reason: "failed", ...spent });
    else if (wasCut) this.#finish(turn, { status: "cancelled", reason: turn.cutBy ?? "turn_detected", ...spent });
    else {
      const finish = status === "incomplete" ? { finishReason: end.reason ?? "length" } : {};
      this.#finish(turn, { status: "completed", reason: "finished", ...spent, ...finish });
    }
    if (this.#isGoingAway) this.#link.reopen();
  }

  #finish(turn: Turn, end: Omit<Parameters<VoiceOutputPort["turnDone"]>[0], "turnId" | "itemId" | "text">): void {
    this.#cancelWatch?.();
    const { turnId, itemId, text, soundMs } = turn;
    const outcome = end.status === "completed" ? "ok" : end.status;
    const cost = turn.booked?.end(this.#link.candidate, end.usage, outcome);
    this.#turn = undefined;
    this.#isOwed = end.reason === "superseded";
    if (turn.isKept && end.status === "completed") {
      this.#log.keep(itemId, text, undefined);
      this.#known.add(itemId);
    } else if (turn.isKept && soundMs === 0) this.#log.keep(itemId, text, undefined);
    if (soundMs > 0) {
      const done = { turnId, itemId, durationMs: Math.round(soundMs) };
      this.#paced.after(() => this.#output.audioDone(done));
    }
    this.#paced.after(() =>
      this.#output.turnDone({ turnId, itemId, text, ...end, ...(cost === undefined ? {} : { cost }) }),
    );
  }

  #goAway(inMs: number): void {
    if (this.#turn === undefined) {
      this.#link.reopen();
      return;
    }
    this.#isGoingAway = true;
    this.#cancelGoAway = this.#options.clock.schedule(Math.max(0, inMs - 500), () => {
      if (this.#isGoingAway) this.#link.abandon("the vendor goes away");
    });
  }

  #failed(event: Extract<LiveEvent, { type: "failed" }>): void {
    if (event.isFatal) return;
    const turn = this.#turn;
    if (event.isAnswer === true) this.#isDropping = false;
    this.#options.log.write("info", "a realtime vendor refused a message", { code: event.code });
    if (event.isAnswer !== true || turn === undefined || turn.hasContent) return;
    // What was asked for was refused, and no answer will come.
    this.#output.error({ code: "provider_rejected", message: event.message, turnId: turn.turnId });
    this.#finish(turn, { status: "failed", reason: "failed" });
  }

  #hasOpenCalls(turn: Turn): boolean {
    return [...this.#calls.values()].some((call) => call.turnId === turn.turnId);
  }

  #watch(limitMs: number): void {
    this.#cancelWatch?.();
    this.#cancelWatch = this.#options.clock.schedule(limitMs, () => {
      const turn = this.#turn;
      if (turn === undefined || this.#hasOpenCalls(turn)) return;
      this.#link.abandon("no answer in time");
    });
  }

  #touch(): void {
    if (this.#isOpen || this.#isClosed) return;
    this.#isOpen = true;
    this.#link.open();
  }

  #live(): LiveSettings {
    const { turnDetection, instructions, toolChoice, language, speed, maxOutputTokens, temperature } = this.#settings;
    const turns =
      turnDetection.kind === "manual"
        ? turnDetection
        : {
            kind: "server" as const,
            ...(turnDetection.silenceMs === undefined ? {} : { silenceMs: turnDetection.silenceMs }),
            ...(turnDetection.prerollMs === undefined ? {} : { prerollMs: turnDetection.prerollMs }),
            createsResponse: turnDetection.createsResponse,
            interruptsResponse: turnDetection.interruptsResponse,
          };
    return {
      model: this.#settings.model,
      tools: this.#settings.tools,
      voice: this.#settings.voice,
      speaks: this.#settings.speaks,
      turns,
      ...(instructions === undefined ? {} : { instructions }),
      ...(toolChoice === undefined ? {} : { toolChoice }),
      ...(language === undefined ? {} : { language }),
      ...(speed === undefined ? {} : { speed }),
      ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
      ...(temperature === undefined ? {} : { temperature }),
    };
  }
}

function howLinked(before: Candidate | undefined, now: Candidate, isResumed: boolean): string {
  if (before === undefined) return "first";
  if (isResumed) return "resumed";
  return before === now ? "again" : "replayed";
}
