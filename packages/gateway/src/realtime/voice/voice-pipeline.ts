// Joins the course of a conversation (core, synchronous) to its microphone, recogniser and voice, for one user. Whoever
// owns a pipeline answers the turns it begins and gives it the words of the answer; it gives back sound and what was heard.
import type {
  Cancel,
  SentenceChunker,
  TimedText,
  VoiceConversationOptions,
  VoiceInput,
  VoiceOutput,
} from "@fovea/core";
import { HeardHistory, levelDb, Resampler, VOICE_RATE_HZ, VoiceConversation } from "@fovea/core";
import { SentenceChunker as Chunker } from "@fovea/core";
import { LOCAL_VOICE_ID } from "../../providers/local-voice/adapter.ts";
import { CleanSpeech } from "./clean-speech.ts";
import { OwnWords } from "./own-words.ts";
import type { RecognizerParts } from "./recognizer.ts";
import { recognizeSpeech } from "./recognizer.ts";
import { speakSentence } from "./speaker.ts";
import { SpeechTrack } from "./speech-track.ts";
import { VoiceIntake } from "./voice-intake.ts";
import { voiceModels } from "./voice-models.ts";
import type { VoiceOutputPort, VoiceSettings } from "./voice-port.ts";

export type BeginTurn = Extract<VoiceOutput, { type: "begin-turn" }>;

type Passed =
  | "speechStarted"
  | "speechStopped"
  | "committed"
  | "transcriptPart"
  | "transcriptFailed"
  | "wordMark"
  | "audio"
  | "audioDone"
  | "duck"
  | "unduck"
  | "filler";

export interface PipelinePort extends Pick<VoiceOutputPort, Passed> {
  /** A sentence begins to sound at `fromMs` of its item; its word times follow when they are known. */
  sentence?(event: {
    readonly turnId: string;
    readonly itemId: string;
    readonly text: string;
    readonly fromMs: number;
  }): void;
  transcriptDone(event: Extract<VoiceOutput, { type: "transcript" }>): void;
  /** While it is a guess, nothing of the answer may leave: `confirmTurn` or `dropTurn` follows. */
  beginTurn(turn: BeginTurn): void;
  confirmTurn(turnId: string): void;
  dropTurn(turnId: string): void;
  /** The epoch has risen. Called before anything of the new epoch leaves. */
  interrupted(event: {
    readonly epoch: number;
    readonly turnId?: string;
    readonly itemId?: string;
    readonly reason: "turn_detected" | "client_cancelled" | "superseded";
    readonly heardMs: number;
    readonly heardText: string;
  }): void;
  /** It was no interruption: this is what was left unheard. */
  resume(event: { readonly turnId: string; readonly text: string }): void;
  /** The turn was said and heard to its end. */
  spoken(event: { readonly turnId: string; readonly itemId: string }): void;
  speechFailed(event: { readonly turnId: string; readonly error: unknown }): void;
}

interface OpenTurn {
  readonly turnId: string;
  readonly itemId: string;
  readonly epoch: number;
  readonly track: SpeechTrack | undefined;
  readonly chunker: SentenceChunker;
  isSent: boolean;
}

const KEPT_MS = 32_000;
const DUCK_RAMP_MS = 60;
/** A window may come this late before time goes on without it. */
const GRACE_MS = 120;
/** Reports of playing come every quarter of a second; without one for so long after its end, a track is over. */
const REPORT_MS = 1_500;
/** A pause costs nothing where the machine hears, and a call where a vendor does. */
const PAUSE_MS = 100;
const VENDOR_PAUSE_MS = 280;
/** What was sent sounds on in the room and in buffers. */
const LINGER_MS = 400;
/** The recogniser wants a little silence behind the last word. */
const TAIL_MS = 60;

export class VoicePipeline {
  readonly #parts: RecognizerParts;
  readonly #port: PipelinePort;
  readonly #intake: VoiceIntake;
  readonly #history = new HeardHistory();
  readonly #clean: CleanSpeech | undefined;
  readonly #own = new OwnWords();
  #soundingUntilMs = -Infinity;
  #conversation: VoiceConversation;
  #settings: VoiceSettings;
  #turn: OpenTurn | undefined;
  #recognition: AbortController | undefined;
  #resumable: { readonly turnId: string; readonly text: string } | undefined;
  #reported: { readonly itemId: string; readonly audioMs: number; readonly atMs: number } | undefined;
  #committed: string | undefined;
  #isConverged = false;
  #isClosed = false;
  #language: string | undefined;
  #cancelTick: Cancel | undefined;
  #cancelEnd: Cancel | undefined;

  constructor(parts: RecognizerParts, settings: VoiceSettings, port: PipelinePort) {
    this.#parts = parts;
    this.#settings = settings;
    this.#port = port;
    this.#intake = new VoiceIntake({
      keptMs: KEPT_MS,
      cancelsEcho: settings.cancelsEcho,
      onWindow: ({ isSpeech }, endMs) => this.#window(isSpeech, endMs),
    });
    this.#conversation = new VoiceConversation(this.#conversationOptions());
    if (parts.noise !== undefined) this.#clean = new CleanSpeech(parts.noise, this.#intake.heard);
  }

  get epoch(): number {
    return this.#conversation.epoch;
  }

  /** Turn that is open, or undefined. */
  get turnId(): string | undefined {
    return this.#turn?.turnId;
  }

  get isHearing(): boolean {
    return this.#conversation.isHearing;
  }

  /** As the recogniser told it, or as it was set. */
  get language(): string | undefined {
    return this.#settings.language ?? this.#language;
  }

  /** Noise of the room, dBFS. */
  get noiseDb(): number | undefined {
    return this.#intake.noiseDb;
  }

  /** Mono PCM16; `capturedAtMs` is when its first sample was taken, on the gateway's clock. */
  pushAudio(samples: Int16Array, rateHz: number, capturedAtMs?: number): void {
    if (this.#isClosed || samples.length === 0) return;
    const atMs = capturedAtMs ?? this.#nowMs - (samples.length * 1_000) / rateHz;
    this.#intake.push(samples, rateHz, atMs);
  }

  cue(cue: "gaze" | "hold", isActive: boolean): void {
    this.#handle({ type: "cue", cue, isActive, atMs: this.#audioNowMs });
  }

  /** What was heard since the last commit is one utterance; undefined where that was nothing. */
  commit(): { readonly utteranceId: string } | undefined {
    if (this.#intake.endMs === undefined) return undefined;
    this.#committed = undefined;
    this.#handle({ type: "commit", atMs: this.#intake.endMs });
    return this.#committed === undefined ? undefined : { utteranceId: this.#committed };
  }

  clear(): void {
    this.#recognition?.abort();
    this.#handle({ type: "clear", atMs: this.#audioNowMs });
  }

  cancel(): void {
    this.#handle({ type: "cancel", atMs: this.#audioNowMs });
  }

  /** Opens a turn that nobody spoke for. One that is open is superseded. */
  create(turnId: string, speaks = this.#settings.speaks): string {
    this.#handle({ type: "create", turnId, atMs: this.#audioNowMs });
    return this.openTurn(turnId, speaks);
  }

  /** Takes up a turn that `beginTurn` announced, once its answer may be heard. Returns the item's id. */
  openTurn(turnId: string, speaks = this.#settings.speaks, itemId = this.#parts.ids.next("item")): string {
    const { epoch } = this.#conversation;
    const base = { turnId, itemId, epoch, chunker: new Chunker(), isSent: false };
    this.#turn = { ...base, track: speaks ? this.#trackFor(turnId, itemId, epoch) : undefined };
    return itemId;
  }

  answerText(turnId: string, text: string): void {
    const turn = this.#turn;
    if (turn?.turnId !== turnId || turn.track === undefined) return;
    for (const sentence of turn.chunker.push(text)) turn.track.say(sentence);
  }

  /** The answer has no more words. */
  answerEnded(turnId: string): void {
    const turn = this.#turn;
    if (turn?.turnId !== turnId) return;
    if (turn.track === undefined) return this.#spoken(turn);
    turn.track.say(turn.chunker.flush());
    turn.track.complete();
  }

  /** The answer failed: what was said of it stands. */
  answerFailed(turnId: string): void {
    const turn = this.#turn;
    if (turn?.turnId !== turnId) return;
    if (turn.track?.hasSounded === true) return this.answerEnded(turnId);
    turn.track?.stop();
    this.#spoken(turn);
  }

  played(itemId: string, audioMs: number): void {
    this.#history.played(itemId, audioMs);
    this.#reported = { itemId, audioMs, atMs: this.#nowMs };
    const turn = this.#turn;
    if (turn?.itemId === itemId && turn.isSent && turn.track !== undefined && audioMs >= turn.track.sentMs - 40) {
      this.#spoken(turn);
    }
  }

  /** A turn that was begun will not be answered. */
  decline(turnId: string): void {
    this.#handle({ type: "answer-over", turnId, atMs: this.#audioNowMs });
  }

  /** Mean level of what was heard between two instants, dBFS. */
  levelBetween(fromMs: number, untilMs: number): number {
    return levelDb(this.#intake.heard.slice(fromMs, untilMs));
  }

  /** Nobody is there: nothing is sent, and the turn stays open. */
  pauseSpeech(): void {
    this.#turn?.track?.pause();
    this.#cancelEnd?.();
  }

  /** Somebody is there again, and has received `receivedMs` of the item that is being said. */
  resumeSpeech(itemId?: string, receivedMs?: number): void {
    const turn = this.#turn;
    if (turn?.track === undefined) return;
    turn.track.resume(turn.itemId === itemId ? receivedMs : undefined);
    // All of it had been sent, and the end was not waited for.
    if (turn.isSent) this.#sent(turn.turnId, turn.track.sentMs);
  }

  /** What of an item was heard: by reports where there are any, else by when it was sent. */
  heardText(itemId: string, audioMs?: number): string {
    return this.#history.heardText(itemId, audioMs);
  }

  update(settings: VoiceSettings): void {
    const before = this.#settings;
    this.#settings = settings;
    const isSame =
      JSON.stringify(before.turnDetection) === JSON.stringify(settings.turnDetection) &&
      before.language === settings.language;
    if (!isSame && !this.#conversation.isHearing && this.#turn === undefined) {
      this.#conversation = new VoiceConversation(this.#conversationOptions(this.#conversation.epoch));
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#recognition?.abort();
    this.#clean?.end();
    this.#turn?.track?.stop();
    this.#turn = undefined;
    this.#cancelTick?.();
    this.#cancelEnd?.();
  }

  // --- listening ---

  #window(isSpeech: boolean, endMs: number): void {
    if (this.#isConverged !== this.#intake.isEchoConverged) {
      this.#isConverged = this.#intake.isEchoConverged;
      this.#handle({ type: "echo", isConverged: this.#isConverged, atMs: endMs });
    }
    this.#clean?.follow(isSpeech);
    this.#handle({ type: "voice", isSpeech, atMs: endMs });
  }

  #handle(input: VoiceInput): void {
    if (this.#isClosed) return;
    const outputs = this.#conversation.handle(input);
    for (const output of outputs) this.#perform(output);
    this.#arm();
  }

  // oxlint-disable-next-line complexity -- One line for each thing a conversation may want.
  #perform(output: VoiceOutput): void {
    const port = this.#port;
    switch (output.type) {
      case "utterance-start":
        this.#cleanFrom(output.fromMs);
        if (this.#settings.turnDetection.kind === "manual") return;
        port.speechStarted({ utteranceId: output.utteranceId, audioMs: this.#place(output.fromMs) });
        return;
      case "utterance-end": {
        const { utteranceId, fromMs, untilMs } = output;
        if (this.#settings.turnDetection.kind !== "manual") {
          port.speechStopped({ utteranceId, audioMs: this.#place(untilMs) });
        }
        this.#committed = utteranceId;
        port.committed({ utteranceId, durationMs: Math.max(0, untilMs - fromMs) });
        return;
      }
      case "recognize":
        void this.#recognize(output);
        return;
      case "transcript":
        return this.#transcript(output);
      case "begin-turn":
        return port.beginTurn(output);
      case "confirm-turn":
        return port.confirmTurn(output.turnId);
      case "drop-turn":
        return port.dropTurn(output.turnId);
      case "duck":
        return port.duck({ epoch: this.epoch, gainDb: output.gainDb, rampMs: DUCK_RAMP_MS });
      case "unduck":
        return port.unduck({ epoch: this.epoch, rampMs: DUCK_RAMP_MS });
      case "interrupt":
        return this.#interrupt(output);
      case "resume": {
        const resumable = this.#resumable;
        this.#resumable = undefined;
        if (resumable?.turnId === output.turnId && resumable.text.trim() !== "") port.resume(resumable);
        return;
      }
      case "filler":
        return port.filler({ turnId: output.turnId, epoch: this.epoch });
    }
  }

  #transcript(output: Extract<VoiceOutput, { type: "transcript" }>): void {
    const { utteranceId, text, isFinal, isFailed, language } = output;
    if (language !== undefined && text !== "") this.#language = language;
    if (!isFinal) return this.#port.transcriptPart({ utteranceId, text });
    if (isFailed) {
      const message = "what was said could not be understood";
      this.#port.transcriptFailed({ utteranceId, code: "provider_failed", message });
    }
    this.#port.transcriptDone(output);
  }

  async #recognize({ version, fromMs, untilMs, purpose }: Extract<VoiceOutput, { type: "recognize" }>): Promise<void> {
    this.#recognition?.abort();
    const abort = new AbortController();
    this.#recognition = abort;
    if (!this.#settings.transcribes) {
      this.#handle({ type: "recognized", version, result: EMPTY, atMs: this.#audioNowMs });
      return;
    }
    const endMs = untilMs + (purpose === "verify" ? 0 : TAIL_MS);
    const raw = this.#intake.heard.slice(fromMs, endMs);
    const samples = (purpose === "verify" ? undefined : await this.#clean?.take(fromMs, endMs)) ?? raw;
    if (abort.signal.aborted) return;
    const { language } = this;
    const settings = { ...this.#settings, ...(language === undefined ? {} : { language }) };
    try {
      const said = await recognizeSpeech(this.#parts, samples, settings, abort.signal);
      // While the agent sounds, nothing but its own words is its own voice.
      const isEcho = this.#settings.cancelsEcho && fromMs < this.#soundingUntilMs && this.#own.holds(said.text);
      const result = isEcho ? EMPTY : said;
      this.#handle({ type: "recognized", version, result, atMs: this.#audioNowMs });
    } catch {
      if (!abort.signal.aborted) this.#handle({ type: "recognized", version, atMs: this.#audioNowMs });
    }
  }

  get #hearsLocally(): boolean {
    const [first] = voiceModels(this.#parts.engine, this.#parts.principal, "transcribe", this.#settings, this.language);
    return first?.startsWith(`${LOCAL_VOICE_ID}/`) === true;
  }

  /** Vendors are trained on noise; the machine's own recogniser is not. */
  #cleanFrom(fromMs: number): void {
    const { suppressesNoise } = this.#settings;
    if (this.#clean === undefined || suppressesNoise === "never") return;
    if (suppressesNoise === "auto" && !this.#hearsLocally) return this.#clean.end();
    this.#clean.begin(fromMs, this.#intake.noiseDb, suppressesNoise === "always");
  }

  // --- speaking ---

  #trackFor(turnId: string, itemId: string, epoch: number): SpeechTrack {
    const { outputRateHz, leadMs } = this.#settings;
    const { clock } = this.#parts;
    const down =
      outputRateHz === VOICE_RATE_HZ
        ? undefined
        : new Resampler({ fromHz: outputRateHz, toHz: VOICE_RATE_HZ, tapsPerSide: 8 });
    const isOpen = (): boolean => this.#turn?.turnId === turnId;
    const track: SpeechTrack = new SpeechTrack({
      clock,
      rateHz: outputRateHz,
      leadMs,
      speak: (text, signal) => {
        const { language } = this;
        return speakSentence(
          this.#parts,
          text,
          { ...this.#settings, ...(language === undefined ? {} : { language }) },
          signal,
        );
      },
      port: {
        started: () => this.#handle({ type: "answer-audio", phase: "start", atMs: this.#audioNowMs }),
        words: (sentence, fromMs, words, isExact) => this.#words({ turnId, itemId }, sentence, fromMs, words, isExact),
        audio: (pcm, startMs) => {
          if (!isOpen()) return;
          const soundsMs = (track.soundsUntilMs ?? this.#nowMs) - (pcm.length * 1_000) / outputRateHz;
          if (this.#settings.cancelsEcho) this.#intake.played(down === undefined ? pcm : down.process(pcm), soundsMs);
          this.#soundingUntilMs = soundsMs + LINGER_MS;
          this.#port.audio({ turnId, itemId, epoch, pcm, sampleRateHz: outputRateHz, startMs });
        },
        sent: (durationMs) => this.#sent(turnId, durationMs),
        failed: (error) => {
          if (!isOpen()) return;
          this.#port.speechFailed({ turnId, error });
          track.complete();
        },
      },
    });
    return track;
  }

  #words(
    { turnId, itemId }: { readonly turnId: string; readonly itemId: string },
    sentence: string,
    fromMs: number,
    words: readonly TimedText[],
    isExact: boolean,
  ): void {
    if (!isExact) {
      this.#history.append(itemId, sentence, words);
      this.#own.say(sentence);
      this.#port.sentence?.({ turnId, itemId, text: sentence, fromMs });
      return;
    }
    this.#history.setWords(itemId, fromMs, words);
    // Once a sentence, with the true times: they come long before the words do.
    this.#port.wordMark({ turnId, itemId, words });
  }

  #sent(turnId: string, durationMs: number): void {
    const turn = this.#turn;
    if (turn?.turnId !== turnId) return;
    turn.isSent = true;
    this.#history.setDuration(turn.itemId, durationMs);
    this.#port.audioDone({ turnId, itemId: turn.itemId, durationMs });
    const soundsMs = turn.track?.soundsUntilMs ?? this.#nowMs;
    const waitMs = Math.max(0, soundsMs - this.#nowMs) + (this.#isReporting(turn) ? REPORT_MS : 0);
    this.#cancelEnd?.();
    this.#cancelEnd = this.#parts.clock.schedule(waitMs, () => {
      if (this.#turn !== turn) return;
      if (!this.#isReporting(turn)) this.#history.played(turn.itemId, durationMs);
      this.#spoken(turn);
    });
  }

  #isReporting(turn: OpenTurn): boolean {
    return this.#settings.playback === "reported" && this.#reported?.itemId === turn.itemId;
  }

  #spoken(turn: OpenTurn): void {
    if (this.#turn !== turn) return;
    this.#turn = undefined;
    this.#cancelEnd?.();
    this.#handle({ type: "answer-over", turnId: turn.turnId, atMs: this.#audioNowMs });
    this.#port.spoken({ turnId: turn.turnId, itemId: turn.itemId });
  }

  #interrupt({ epoch, turnId, reason }: Extract<VoiceOutput, { type: "interrupt" }>): void {
    const turn = this.#turn;
    this.#turn = undefined;
    this.#cancelEnd?.();
    const track = turn?.track;
    const heardMs = turn === undefined ? 0 : this.#heardMs(turn);
    if (turn !== undefined && !this.#isReporting(turn)) this.#history.played(turn.itemId, heardMs);
    const heardText = turn === undefined ? "" : this.#history.heardText(turn.itemId, heardMs);
    if (turn !== undefined && track !== undefined) {
      const whole = this.#history.heardText(turn.itemId, Infinity);
      const text = whole.slice(heardText.length) + track.unsaid + turn.chunker.pending;
      this.#resumable = { turnId: turn.turnId, text };
    }
    track?.stop();
    this.#intake.silenced(this.#nowMs);
    const ids = { ...(turnId === undefined ? {} : { turnId }), ...(turn === undefined ? {} : { itemId: turn.itemId }) };
    this.#port.interrupted({ epoch, ...ids, reason, heardMs, heardText });
  }

  /** The last report and what has sounded since; without reports, what has been sent and is not still ahead. */
  #heardMs({ itemId, track }: OpenTurn): number {
    if (track === undefined) return 0;
    const reported = this.#reported;
    const sentMs = track.sentMs;
    if (this.#settings.playback === "reported" && reported?.itemId === itemId) {
      return Math.min(sentMs, reported.audioMs + (this.#nowMs - reported.atMs));
    }
    return Math.max(0, Math.min(sentMs, sentMs - ((track.soundsUntilMs ?? this.#nowMs) - this.#nowMs)));
  }

  // --- time ---

  get #nowMs(): number {
    return this.#parts.clock.monotonicMs();
  }

  /** Where the microphone's time stands: silence counts from what was heard, not from when it arrived. */
  get #audioNowMs(): number {
    const nowMs = this.#nowMs;
    const endMs = this.#intake.endMs;
    return endMs === undefined || nowMs - endMs > GRACE_MS ? nowMs : Math.min(endMs, nowMs);
  }

  /** Windows carry time forward; the timer is for when none come (a muted microphone). */
  #arm(): void {
    this.#cancelTick?.();
    const dueMs = this.#conversation.dueMs;
    if (dueMs === undefined || this.#isClosed) return;
    const waitMs = Math.max(0, dueMs - this.#nowMs) + GRACE_MS + 1;
    this.#cancelTick = this.#parts.clock.schedule(waitMs, () => this.#handle({ type: "tick", atMs: this.#audioNowMs }));
  }

  #place(atMs: number): number {
    return Math.max(0, Math.round(atMs - (this.#intake.firstMs ?? atMs)));
  }

  #conversationOptions(epoch = 1): VoiceConversationOptions {
    const { turnDetection, language, cancelsEcho } = this.#settings;
    const isServer = turnDetection.kind === "server";
    const { silenceMs, prerollMs } = isServer ? turnDetection : { silenceMs: undefined, prerollMs: undefined };
    return {
      ids: this.#parts.ids,
      startedMs: this.#nowMs,
      epoch,
      detection: turnDetection.kind,
      createsResponse: isServer && turnDetection.createsResponse,
      interruptsResponse: isServer && turnDetection.interruptsResponse,
      guesses: true,
      learnsEcho: cancelsEcho,
      profile: {
        pauseMs: this.#hearsLocally ? PAUSE_MS : VENDOR_PAUSE_MS,
        ...(silenceMs === undefined ? {} : { silenceMs, silenceCompleteMs: Math.min(silenceMs, 200) }),
      },
      ...(prerollMs === undefined ? {} : { prerollMs }),
      ...(language === undefined ? {} : { language }),
    };
  }
}

const EMPTY = { text: "", words: [], isComplete: false } as const;
