// The ear and the voice of one session of the native wire: packets in, a pipeline, packets out. The session itself stays
// the owner of turns, epochs and history; this tells it what was said and heard, and is told what is answered.
import type { AnswerPart, Cancel, Clock, VoiceEvent } from "@fovea/core";
import type { AudioCodec, AudioPacket, MicStateMessage } from "@fovea/protocol";
import { encodeAudioPacket } from "@fovea/protocol";
import { OPUS_EAR_RATE_HZ, OpusEar, OpusVoice } from "../../audio/opus.ts";
import { pcm16 } from "../../audio/wav.ts";
import { SpokenDeeds } from "./spoken-deeds.ts";
import type { RecognizerParts } from "./recognizer.ts";
import type { BeginTurn } from "./voice-pipeline.ts";
import { VoicePipeline } from "./voice-pipeline.ts";
import type { VoiceSettings } from "./voice-port.ts";
import type { RoomQuestion } from "./voice-rooms.ts";

export interface SessionVoicePort {
  tell(event: VoiceEvent): void;
  /** `epoch` of the session at this moment goes into the packet. */
  readonly epoch: number;
  send(bytes: Uint8Array, epoch: number): void;
  /** Parts that were kept back until the sound of the answer was sent. */
  release(turnId: string): void;
  /** Names of things in the room. */
  vocabulary(): readonly string[];
  failed(turnId: string, error: unknown): void;
  /** A deed of a spoken answer, with the moment of its word where it has one. */
  perform(turnId: string, part: AnswerPart, cue: { readonly itemId: string; readonly atMs: number } | undefined): void;
  namesOf(entityId: string): readonly string[];
  /** Whether the question is to be answered now; where several people talk, somebody else may come first. */
  admit(question: RoomQuestion): boolean;
  /** The answer to the last admitted question is over, cut off or not. */
  over(turnId: string): void;
  looksAtAgent(): boolean;
  nextTurnId(): string;
  /** Where a sentence about these things sounds. */
  place(targets: readonly string[]): SpeechPlace;
}

export interface SpeechPlace {
  readonly at?: string;
  readonly gainDb: number;
  readonly occlusion?: number;
}

const HALF_PACKET_MS = 10;

const RATES = { "pcm16-16k": 16_000, "pcm16-24k": 24_000 } as const;
const UNHEARD_MAX = 50;
/** A client that is back reports within a round trip. */
const REATTACH_MS = 400;

export class SessionVoice {
  readonly #port: SessionVoicePort;
  readonly #pipeline: VoicePipeline;
  #settings: VoiceSettings;
  /** The pipeline's names of turns; the session's own may be the client's. */
  readonly #names = new Map<string, string>();
  #asked: string | undefined;
  #guess: BeginTurn | undefined;
  readonly #speaksOpus: boolean;
  readonly #clock: Clock;
  #cancelWait: Cancel | undefined;
  readonly #unheard: { readonly payload: Uint8Array; readonly seq: number; readonly atMs: number }[] = [];
  #ear: OpusEar | undefined;
  #encoder: OpusVoice | undefined;
  #isClosed = false;
  #streamId = 0;
  #seq = 0;
  #itemId = "";
  #isHolding = false;
  #codec: AudioCodec = "pcm16-24k";
  #placed: { readonly itemId: string; readonly at: string | undefined } | undefined;
  /** Sentences that have been made and not yet sent, where they sound from elsewhere perhaps. */
  #moves: { readonly fromMs: number; readonly place: SpeechPlace }[] = [];
  #deeds: SpokenDeeds | undefined;
  /** The session has dropped the turn already, and need not be told. */
  #isCancelling = false;
  /** Answers that were cut off, whose last report of playing may still come. */
  readonly #cut = new Map<string, string>();

  constructor(parts: RecognizerParts, settings: VoiceSettings, port: SessionVoicePort, speaksOpus = true) {
    this.#port = port;
    this.#clock = parts.clock;
    this.#speaksOpus = speaksOpus;
    this.#settings = settings;
    this.#pipeline = new VoicePipeline(parts, settings, {
      speechStarted: () => {
        this.#refresh();
        port.tell({ name: "speech", isSpeaking: true, ...this.#noise() });
      },
      speechStopped: () => port.tell({ name: "speech", isSpeaking: false, ...this.#noise() }),
      committed: () => undefined,
      transcriptPart: ({ text }) => port.tell({ name: "transcript", text, isFinal: false }),
      transcriptFailed: () => undefined,
      transcriptDone: ({ text, language }) => {
        const known = language === undefined ? {} : { language };
        if (text !== "") port.tell({ name: "transcript", text, isFinal: true, ...known });
        else port.tell({ name: "not-understood" });
      },
      // A turn of a session is opened when its question is certain: its context is frozen then, and others are told.
      beginTurn: (turn) => {
        if (turn.isGuess) this.#guess = turn;
        else this.#begin(turn);
      },
      confirmTurn: (turnId) => {
        if (this.#guess?.turnId === turnId) this.#begin(this.#guess);
      },
      dropTurn: () => {
        this.#guess = undefined;
      },
      sentence: ({ turnId, itemId, text, fromMs }) => {
        const targets = this.#deeds?.say(text, fromMs) ?? [];
        this.#arrange(this.#nameOf(turnId), itemId, targets, fromMs);
      },
      wordMark: ({ turnId, itemId, words }) => {
        port.tell({ name: "words", turnId: this.#nameOf(turnId), itemId, words });
        this.#deeds?.words(words);
      },
      audio: ({ turnId, itemId, pcm, startMs }) => this.#sound(this.#nameOf(turnId), itemId, pcm, startMs),
      audioDone: ({ turnId }) => this.#end(this.#nameOf(turnId)),
      duck: ({ gainDb, rampMs }) => port.tell({ name: "duck", gainDb, rampMs }),
      unduck: ({ rampMs }) => port.tell({ name: "unduck", rampMs }),
      filler: ({ turnId }) => port.tell({ name: "filler", turnId: this.#nameOf(turnId) }),
      interrupted: ({ turnId, itemId, heardText }) => {
        if (turnId === undefined) return;
        const name = this.#nameOf(turnId);
        if (!this.#isCancelling) port.tell({ name: "interrupted", turnId: name });
        port.tell({ name: "heard", turnId: name, text: heardText });
        if (itemId !== undefined) this.#remember(itemId, name);
        port.over(name);
      },
      resume: ({ text }) => port.tell({ name: "told", turnId: port.nextTurnId(), text }),
      spoken: ({ turnId }) => {
        const name = this.#nameOf(turnId);
        this.#end(name);
        this.#names.delete(turnId);
        port.over(name);
      },
      speechFailed: ({ turnId, error }) => port.failed(this.#nameOf(turnId), error),
    });
  }

  /** Throws `request_invalid` for a payload that is not what its codec says. */
  hear(packet: AudioPacket, atMs: number): void {
    if (packet.codec === "opus") return this.#hearOpus(packet, atMs);
    this.#pipeline.pushAudio(pcm16(packet.payload), RATES[packet.codec], atMs);
  }

  #hearOpus({ payload, seq }: AudioPacket, atMs: number): void {
    if (this.#ear === undefined) {
      if (this.#unheard.length === 0) void this.#openOpus();
      // The payload lies in the socket's buffer. One second is enough for a module that takes a few milliseconds to load.
      if (this.#unheard.length < UNHEARD_MAX) this.#unheard.push({ payload: payload.slice(), seq, atMs });
      return;
    }
    const heard = this.#ear.decode(payload, seq);
    if (heard === undefined) return;
    this.#pipeline.pushAudio(heard.samples, OPUS_EAR_RATE_HZ, atMs - heard.concealedMs);
  }

  /** Who sends Opus understands it. */
  async #openOpus(): Promise<void> {
    const [ear, voice] = await Promise.all([OpusEar.open(), this.#speaksOpus ? OpusVoice.open() : undefined]);
    if (this.#isClosed) {
      ear.close();
      voice?.close();
      return;
    }
    this.#ear = ear;
    this.#encoder = voice;
    for (const { payload, seq, atMs } of this.#unheard.splice(0)) {
      const heard = ear.decode(payload, seq);
      if (heard !== undefined) this.#pipeline.pushAudio(heard.samples, OPUS_EAR_RATE_HZ, atMs - heard.concealedMs);
    }
  }

  hold(isActive: boolean): void {
    // Whoever presses a button means the agent; the words come after it is let go.
    if (isActive) this.#isHolding = true;
    this.#refresh();
    this.#pipeline.cue("hold", isActive);
  }

  look(isActive: boolean): void {
    this.#pipeline.cue("gaze", isActive);
  }

  mic({ muted, headphones }: MicStateMessage): void {
    this.#refresh();
    if (muted) this.#pipeline.clear();
    if (headphones === true) this.#update({ cancelsEcho: false });
  }

  /** The client is gone; it may come back. */
  detached(): void {
    this.#cancelWait?.();
    this.#pipeline.pauseSpeech();
  }

  /** It is back. Where its player stands it says at once; without that, nothing is sent again. */
  attached(): void {
    this.#cancelWait?.();
    this.#cancelWait = this.#clock.schedule(REATTACH_MS, () => {
      this.#cancelWait = undefined;
      this.#pipeline.resumeSpeech();
    });
  }

  played(itemId: string, playedMs: number, bufferedMs?: number): void {
    this.#pipeline.played(itemId, playedMs);
    // Only who tells what waits in the player tells what was received.
    if (this.#cancelWait !== undefined && bufferedMs !== undefined) {
      this.#cancelWait();
      this.#cancelWait = undefined;
      this.#pipeline.resumeSpeech(itemId, playedMs + bufferedMs);
    }
    const turnId = this.#cut.get(itemId);
    if (turnId !== undefined) this.#port.tell({ name: "heard", turnId, text: this.#pipeline.heardText(itemId) });
  }

  /** The session has opened a turn. True where its answer will be spoken. */
  opened(turnId: string, speaks: boolean): boolean {
    this.#itemId = "";
    this.#deeds = speaks ? this.#newDeeds(turnId) : undefined;
    if (this.#asked !== undefined) {
      this.#names.set(this.#asked, turnId);
      this.#pipeline.openTurn(this.#asked, speaks);
    } else if (speaks || this.#pipeline.turnId !== undefined) this.#pipeline.create(turnId, speaks);
    return speaks;
  }

  fold(turnId: string, part: AnswerPart): void {
    const name = this.#pipelineName(turnId);
    if (part.type === "action" || part.type === "haptic") this.#deeds?.fold(part);
    else if (part.type === "text-delta") this.#pipeline.answerText(name, part.text);
    else if (part.type === "end") {
      this.#port.tell({ name: "answered", turnId });
      if (part.outcome === "error") this.#pipeline.answerFailed(name);
      else this.#pipeline.answerEnded(name);
    }
  }

  failed(turnId: string): void {
    this.#pipeline.answerFailed(this.#pipelineName(turnId));
  }

  /** The session has cancelled the turn itself. */
  cancelled(turnId: string): void {
    if (this.#pipeline.turnId !== this.#pipelineName(turnId)) return;
    this.#isCancelling = true;
    this.#pipeline.cancel();
    this.#isCancelling = false;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelWait?.();
    this.#pipeline.close();
    this.#ear?.close();
    this.#encoder?.close();
  }

  /** The first sentence opens its stream before its words; a later one may sound from elsewhere, once its turn comes. */
  #arrange(turnId: string, itemId: string, targets: readonly string[], fromMs: number): void {
    this.#itemId = itemId;
    const place = this.#port.place(targets);
    if (this.#placed?.itemId !== itemId) {
      this.#moves = [];
      this.#announce(turnId, itemId, place);
    } else this.#moves.push({ fromMs, place });
  }

  /** Sentences are made ahead of their sounding: what waits to be sent still belongs to the one before. */
  #moveTo(turnId: string, itemId: string, startMs: number): void {
    while ((this.#moves[0]?.fromMs ?? Infinity) <= startMs + HALF_PACKET_MS) {
      const move = this.#moves.shift();
      if (move !== undefined && move.place.at !== this.#placed?.at) this.#announce(turnId, itemId, move.place);
    }
  }

  #announce(turnId: string, itemId: string, place: SpeechPlace): void {
    this.#itemId = itemId;
    this.#placed = { itemId, at: place.at };
    this.#streamId = (this.#streamId + 1) & 0xffff;
    this.#seq = 0;
    this.#codec = this.#encoder === undefined ? "pcm16-24k" : "opus";
    this.#port.tell({ name: "sounding", turnId, itemId, streamId: this.#streamId, codec: this.#codec, ...place });
  }

  #begin({ turnId, text, words, fromMs, untilMs }: BeginTurn): void {
    this.#guess = undefined;
    const levelDb = this.#pipeline.levelBetween(fromMs, untilMs);
    const looksAtAgent = this.#isHolding || this.#port.looksAtAgent();
    if (!this.#port.admit({ turnId, text, words, fromMs, untilMs, levelDb, looksAtAgent })) {
      this.#pipeline.decline(turnId);
      this.#port.tell({ name: "not-understood" });
      return;
    }
    this.#isHolding = false;
    this.#asked = turnId;
    this.#port.tell({ name: "asked", turnId, text, words, fromMs, untilMs });
    this.#asked = undefined;
  }

  #newDeeds(turnId: string): SpokenDeeds {
    return new SpokenDeeds({
      namesOf: (entityId) => this.#port.namesOf(entityId),
      perform: (part, atMs) => {
        const hasMoment = atMs !== undefined && this.#itemId !== "";
        this.#port.perform(turnId, part, hasMoment ? { itemId: this.#itemId, atMs: Math.round(atMs) } : undefined);
      },
    });
  }

  /** Everything was said: what has no word is done now, and then the answer ends. */
  #end(turnId: string): void {
    this.#deeds?.end();
    this.#deeds = undefined;
    this.#port.release(turnId);
  }

  #noise(): { readonly noiseDb?: number } {
    const { noiseDb } = this.#pipeline;
    return noiseDb === undefined ? {} : { noiseDb };
  }

  #sound(turnId: string, itemId: string, pcm: Int16Array, startMs: number): void {
    const { epoch } = this.#port;
    if (this.#placed?.itemId !== itemId) this.#arrange(turnId, itemId, [], startMs);
    this.#moveTo(turnId, itemId, startMs);
    const plain = new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
    const payload = this.#codec === "opus" ? (this.#encoder?.encode(pcm) ?? plain) : plain;
    const packet: AudioPacket = {
      codec: this.#codec,
      streamId: this.#streamId,
      seq: this.#seq++ & 0xffff,
      epoch: epoch & 0xffff,
      t0: startMs,
      payload,
    };
    this.#port.send(encodeAudioPacket(packet, "down"), epoch);
  }

  /** Names of things change with the room; a question is about those of now. */
  #refresh(): void {
    this.#update({ vocabulary: this.#port.vocabulary() });
  }

  #update(change: Partial<VoiceSettings>): void {
    this.#settings = { ...this.#settings, ...change };
    this.#pipeline.update(this.#settings);
  }

  #nameOf(pipelineTurnId: string): string {
    return this.#names.get(pipelineTurnId) ?? pipelineTurnId;
  }

  #pipelineName(turnId: string): string {
    for (const [own, name] of this.#names) if (name === turnId) return own;
    return turnId;
  }

  #remember(itemId: string, turnId: string): void {
    this.#cut.set(itemId, turnId);
    for (const oldest of this.#cut.keys()) {
      if (this.#cut.size <= 8) break;
      this.#cut.delete(oldest);
    }
  }
}
