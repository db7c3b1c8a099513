// The ear and the voice of one session of the native wire: packets in, a pipeline, packets out. The session itself stays
// the owner of turns, epochs and history; this tells it what was said and heard, and is told what is answered.
import type { AnswerPart, SpeechPlacement, VoiceEvent, XRContext } from "@fovea/core";
import { GatewayError } from "@fovea/core";
import type { AudioCodec, AudioPacket, MicStateMessage } from "@fovea/protocol";
import { encodeAudioPacket } from "@fovea/protocol";
import { pcm16 } from "../../audio/wav.ts";
import type { RecognizerParts } from "./recognizer.ts";
import type { Deed } from "./spoken-deeds.ts";
import { SpokenDeeds } from "./spoken-deeds.ts";
import { VoicePipeline } from "./voice-pipeline.ts";
import type { VoiceSettings } from "./voice-port.ts";

export interface SessionVoicePort {
  tell(event: VoiceEvent): void;
  /** `epoch` of the session at this moment goes into the packet. */
  readonly epoch: number;
  send(bytes: Uint8Array, epoch: number): void;
  /** Deeds whose word has its time, or which wait for none. */
  perform(turnId: string, deeds: readonly Deed[]): void;
  /** Parts that were kept back until the sound of the answer was sent. */
  release(turnId: string): void;
  /** Names of things in the room. */
  vocabulary(): readonly string[];
  failed(turnId: string, error: unknown): void;
}

const HALF_PACKET_MS = 10;
const RATES: Readonly<Record<AudioCodec, number>> = { "pcm16-16k": 16_000, "pcm16-24k": 24_000, opus: 48_000 };

export class SessionVoice {
  readonly #port: SessionVoicePort;
  readonly #pipeline: VoicePipeline;
  #settings: VoiceSettings;
  /** The pipeline's names of turns; the session's own may be the client's. */
  readonly #names = new Map<string, string>();
  #asked: string | undefined;
  #streamId = 0;
  #seq = 0;
  #isOpen = false;
  #deeds: { readonly turnId: string; readonly book: SpokenDeeds } | undefined;
  /** Of the turn's sentences that have begun, where each sounds; the last one that has come is the first to be looked at. */
  #placements: { readonly fromMs: number; readonly placement: SpeechPlacement }[] = [];
  #placement: SpeechPlacement | undefined;
  /** The session has dropped the turn already, and need not be told. */
  #isCancelling = false;
  /** Answers that were cut off, whose last report of playing may still come. */
  readonly #cut = new Map<string, string>();

  constructor(parts: RecognizerParts, settings: VoiceSettings, port: SessionVoicePort) {
    this.#port = port;
    this.#settings = settings;
    this.#pipeline = new VoicePipeline(parts, settings, {
      speechStarted: () => {
        this.#refresh();
        port.tell({ name: "speech", isSpeaking: true });
      },
      speechStopped: () => port.tell({ name: "speech", isSpeaking: false }),
      committed: () => undefined,
      transcriptPart: ({ text }) => port.tell({ name: "transcript", text, isFinal: false }),
      transcriptFailed: () => undefined,
      transcriptDone: ({ text, language }) => {
        const known = language === undefined ? {} : { language };
        if (text !== "") port.tell({ name: "transcript", text, isFinal: true, ...known });
        else port.tell({ name: "not-understood" });
      },
      beginTurn: ({ turnId, text, words, fromMs, untilMs, isGuess }) => {
        if (isGuess) return;
        this.#asked = turnId;
        port.tell({ name: "asked", turnId, text, words, fromMs, untilMs });
        this.#asked = undefined;
      },
      confirmTurn: () => undefined,
      dropTurn: () => undefined,
      wordMark: ({ turnId, itemId, words }) => {
        const name = this.#nameOf(turnId);
        this.#announce(name, itemId);
        port.tell({ name: "words", turnId: name, itemId, words });
        const deeds = this.#deedsOf(name)?.sentence(itemId, words) ?? [];
        port.perform(name, deeds);
      },
      sentenceStarted: ({ turnId, text, fromMs }) => {
        const placement = this.#deedsOf(this.#nameOf(turnId))?.placeOf(text);
        if (placement !== undefined) this.#placements.push({ fromMs, placement });
      },
      audio: ({ turnId, itemId, pcm, startMs }) => this.#sound(this.#nameOf(turnId), itemId, pcm, startMs),
      audioDone: ({ turnId }) => this.#release(this.#nameOf(turnId)),
      duck: ({ gainDb, rampMs }) => port.tell({ name: "duck", gainDb, rampMs }),
      unduck: ({ rampMs }) => port.tell({ name: "unduck", rampMs }),
      filler: ({ turnId }) => port.tell({ name: "filler", turnId: this.#nameOf(turnId) }),
      interrupted: ({ turnId, itemId, heardText }) => {
        if (turnId === undefined) return;
        const name = this.#nameOf(turnId);
        if (!this.#isCancelling) port.tell({ name: "interrupted", turnId: name });
        port.tell({ name: "heard", turnId: name, text: heardText });
        if (itemId !== undefined) this.#remember(itemId, name);
      },
      resume: () => undefined,
      spoken: ({ turnId }) => {
        this.#release(this.#nameOf(turnId));
        this.#names.delete(turnId);
      },
      speechFailed: ({ turnId, error }) => {
        port.perform(this.#nameOf(turnId), this.#deedsOf(this.#nameOf(turnId))?.end() ?? []);
        port.failed(this.#nameOf(turnId), error);
      },
    });
  }

  /** Throws `request_unsupported` for a codec that is not understood. */
  hear(packet: AudioPacket, atMs: number): void {
    if (packet.codec === "opus") throw new GatewayError("request_unsupported", "send PCM: Opus is not understood here");
    this.#pipeline.pushAudio(pcm16(packet.payload), RATES[packet.codec], atMs);
  }

  hold(isActive: boolean): void {
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

  played(itemId: string, playedMs: number): void {
    this.#pipeline.played(itemId, playedMs);
    const turnId = this.#cut.get(itemId);
    if (turnId !== undefined) this.#port.tell({ name: "heard", turnId, text: this.#pipeline.heardText(itemId) });
  }

  /** The session has opened a turn. True where its answer will be spoken. */
  opened(turnId: string, speaks: boolean, context: XRContext): boolean {
    this.#isOpen = false;
    this.#deeds = speaks ? { turnId, book: new SpokenDeeds(context) } : undefined;
    this.#placements = [];
    this.#placement = undefined;
    if (this.#asked !== undefined) {
      this.#names.set(this.#asked, turnId);
      this.#pipeline.openTurn(this.#asked, speaks);
    } else if (speaks || this.#pipeline.turnId !== undefined) this.#pipeline.create(turnId, speaks);
    return speaks;
  }

  fold(turnId: string, part: AnswerPart): void {
    const name = this.#pipelineName(turnId);
    if (part.type === "text-delta") this.#pipeline.answerText(name, part.text);
    else if (part.type === "end") {
      this.#port.tell({ name: "answered", turnId });
      if (part.outcome === "error") this.#pipeline.answerFailed(name);
      else this.#pipeline.answerEnded(name);
    }
  }

  /** A deed of a spoken answer: it leaves with its word. */
  deed(turnId: string, deed: Deed): void {
    this.#port.perform(turnId, this.#deedsOf(turnId)?.deed(deed) ?? [deed]);
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
    this.#pipeline.close();
  }

  /** The part that opens the stream comes before its first packet and its first words. */
  #announce(turnId: string, itemId: string): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#streamId = (this.#streamId + 1) & 0xffff;
    this.#seq = 0;
    this.#placement ??= this.#placements[0]?.placement;
    const { at, gainDb, occlusion } = this.#placement ?? {};
    const place = at === undefined || at === "head" ? {} : { at: "entityId" in at ? at.entityId : at.position };
    this.#port.tell({
      name: "sounding",
      turnId,
      itemId,
      streamId: this.#streamId,
      codec: "pcm16-24k",
      gainDb: gainDb ?? 0,
      ...place,
      ...(occlusion === undefined || occlusion === 0 ? {} : { occlusion }),
    });
  }

  /** A sentence that sounds from elsewhere has a stream of its own. */
  #moveTo(startMs: number): void {
    const next = this.#placements.findLast(({ fromMs }) => fromMs <= startMs + HALF_PACKET_MS)?.placement;
    if (next === undefined || this.#placement === undefined || isSamePlace(next, this.#placement)) return;
    this.#placement = next;
    this.#isOpen = false;
  }

  #deedsOf(turnId: string): SpokenDeeds | undefined {
    return this.#deeds?.turnId === turnId ? this.#deeds.book : undefined;
  }

  #release(turnId: string): void {
    this.#port.perform(turnId, this.#deedsOf(turnId)?.end() ?? []);
    this.#port.release(turnId);
  }

  #sound(turnId: string, itemId: string, pcm: Int16Array, startMs: number): void {
    const { epoch } = this.#port;
    this.#moveTo(startMs);
    this.#announce(turnId, itemId);
    const payload = new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
    const packet: AudioPacket = {
      codec: "pcm16-24k",
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

function isSamePlace(a: SpeechPlacement, b: SpeechPlacement): boolean {
  return JSON.stringify([a.at, a.occlusion]) === JSON.stringify([b.at, b.occlusion]);
}
