// The course of a spoken conversation, without audio, engine or clock: windows of voice activity, words, playback and the
// ends of answers go in; what is to be listened to, recognised, answered, lowered and dropped comes out. Turn-taking says
// when somebody speaks; this says what that means for the utterance at hand and for the answer that is open.
//
// One utterance and one answer are open at a time. A recogniser is started at every pause, so that its words are there
// when the silence has lasted long enough; what it says of a shorter stretch than was spoken in the end is not used.
import type { Ids } from "../ports/ids.ts";
import type { TimedText } from "../providers/capabilities.ts";
import type { TurnDetector, TurnOutput, TurnProfile, TurnProfiles } from "./turn-taking.ts";
import { TurnTaking } from "./turn-taking.ts";

/** What a recogniser made of a stretch of audio. Word times count from the start of the stretch. */
export interface Recognition {
  readonly text: string;
  readonly words: readonly TimedText[];
  /** A whole command of a grammar. */
  readonly isComplete: boolean;
  readonly language?: string;
}

export type VoiceInput =
  | { readonly type: "voice"; readonly isSpeech: boolean; readonly atMs: number }
  | { readonly type: "cue"; readonly cue: "gaze" | "hold"; readonly isActive: boolean; readonly atMs: number }
  /** Of a recogniser that hears along: what it has so far. */
  | { readonly type: "partial"; readonly text: string; readonly atMs: number }
  /** The answer to `recognize`; without a result it failed. */
  | {
      readonly type: "recognized";
      readonly version: number;
      readonly result?: Recognition;
      readonly atMs: number;
    }
  | { readonly type: "answer-audio"; readonly phase: "start" | "end"; readonly atMs: number }
  /** Nothing more of the turn will be said, and nothing of it is playing. */
  | { readonly type: "answer-over"; readonly turnId: string; readonly atMs: number }
  /** A turn that nobody spoke for: typed, or asked for by the door. */
  | { readonly type: "create"; readonly turnId: string; readonly atMs: number }
  | { readonly type: "commit"; readonly atMs: number }
  | { readonly type: "clear"; readonly atMs: number }
  | { readonly type: "cancel"; readonly atMs: number }
  | { readonly type: "echo"; readonly isConverged: boolean; readonly atMs: number }
  | { readonly type: "tick"; readonly atMs: number };

export type InterruptReason = "turn_detected" | "client_cancelled" | "superseded";

export type VoiceOutput =
  /** Audio from `fromMs` on belongs to the utterance. */
  | { readonly type: "utterance-start"; readonly utteranceId: string; readonly fromMs: number }
  /** It is over at `untilMs`; its words follow as `transcript`. */
  | { readonly type: "utterance-end"; readonly utteranceId: string; readonly fromMs: number; readonly untilMs: number }
  /** Recognise this stretch; an earlier one that still runs is of no use any more. */
  | {
      readonly type: "recognize";
      readonly version: number;
      readonly utteranceId: string;
      readonly fromMs: number;
      readonly untilMs: number;
      /** `verify`: is it more than a nod of the voice? A few words are expected. */
      readonly purpose: "utterance" | "verify";
    }
  | {
      readonly type: "transcript";
      readonly utteranceId: string;
      readonly isFinal: boolean;
      readonly isFailed: boolean;
      readonly text: string;
      /** Times on the clock of the inputs. */
      readonly words: readonly TimedText[];
      readonly language?: string;
      readonly fromMs: number;
      readonly untilMs: number;
      readonly isAddressed: boolean;
    }
  /** Answer the utterance. While `isGuess`, nothing of the answer may be heard: `confirm` or `drop` follows. */
  | {
      readonly type: "begin-turn";
      readonly turnId: string;
      readonly utteranceId: string;
      readonly text: string;
      readonly words: readonly TimedText[];
      readonly fromMs: number;
      readonly untilMs: number;
      readonly isAddressed: boolean;
      readonly isGuess: boolean;
    }
  | { readonly type: "confirm-turn"; readonly turnId: string }
  | { readonly type: "drop-turn"; readonly turnId: string }
  | { readonly type: "duck"; readonly gainDb: number }
  | { readonly type: "unduck" }
  /** The epoch has risen: everything older is dropped everywhere. `turnId` is cancelled, where one was open. */
  | {
      readonly type: "interrupt";
      readonly epoch: number;
      readonly turnId?: string;
      readonly reason: InterruptReason;
    }
  /** It was no interruption after all: what was not heard of the turn may be said. */
  | { readonly type: "resume"; readonly turnId: string }
  | { readonly type: "filler"; readonly turnId: string };

export interface VoiceConversationOptions {
  readonly ids: Ids;
  readonly startedMs: number;
  /** Goes on from an earlier conversation; 1 where absent. */
  readonly epoch?: number;
  readonly detection: "server" | "manual";
  readonly createsResponse: boolean;
  readonly interruptsResponse: boolean;
  /** Whether an answer may be begun on the words of a pause, before it is certain that they were the last. */
  readonly guesses: boolean;
  /** The agent's voice may come back through the microphone. */
  readonly learnsEcho: boolean;
  readonly prerollMs?: number;
  readonly profile?: Partial<TurnProfile>;
  readonly profiles?: TurnProfiles;
  readonly detectors?: readonly TurnDetector[];
  readonly language?: string;
}

interface Utterance {
  readonly id: string;
  readonly fromMs: number;
  untilMs: number;
  isOver: boolean;
  isAddressed: boolean;
  /** It began over the last words of an answer. */
  readonly isAfterAnswer: boolean;
  /** Speech came after what was given to the recogniser. */
  isStale: boolean;
  /** What was last asked of the recogniser, and whether it has answered. */
  version: number;
  isAnswered: boolean;
  result: Recognition | undefined;
  guess: { readonly turnId: string; readonly text: string } | undefined;
}

/** Guesses that were wrong cost an answer each. */
const GUESSES_MAX = 3;
const PREROLL_MS = 300;
/** Of voice activity; its time is its end. */
const WINDOW_MS = 20;
/** A button that was touched and let go asks nothing. */
const HOLD_MS_MIN = 150;
/** Who goes on this soon after the question was taken for finished, goes on with the question. */
const GOING_ON_MS = 1_500;
/** Over an answer a word decides sooner than the length: "stop" takes the floor, "yeah" does not. */
const SPEAKING: Partial<TurnProfile> = { duckMs: 40, commitMs: 700 };
/** While it thinks, a cough must not cost the answer. */
const THINKING: Partial<TurnProfile> = { startMs: 200 };

export class VoiceConversation {
  readonly #options: VoiceConversationOptions;
  readonly #taking: TurnTaking;
  readonly #outputs: VoiceOutput[] = [];
  #epoch: number;
  #version = 0;
  #guesses = 0;
  #utterance: Utterance | undefined;
  #turnId: string | undefined;
  #isHeard = false;
  /** The question that is being answered, while its answer has not been heard yet. */
  #asked: { readonly fromMs: number; readonly endedMs: number } | undefined;
  #interrupted: string | undefined;
  #isHolding = false;
  #isEnding = false;
  /** Where the audio begins that no commit has taken; undefined while there is none. */
  #uncommittedMs: number | undefined;

  constructor(options: VoiceConversationOptions) {
    this.#options = options;
    this.#epoch = options.epoch ?? 1;
    const { startedMs, profile, profiles, detectors, language } = options;
    this.#taking = new TurnTaking({
      startedMs,
      awaitsWords: true,
      learnsUntilTold: options.learnsEcho,
      ...(profile === undefined ? {} : { profile }),
      profiles: {
        ...profiles,
        thinking: { ...THINKING, ...profiles?.thinking },
        speaking: { ...SPEAKING, ...profiles?.speaking },
      },
      ...(detectors === undefined ? {} : { detectors }),
      ...(language === undefined ? {} : { language }),
    });
    if (!options.learnsEcho) this.#taking.handle({ type: "echo", isConverged: true, atMs: startedMs });
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** The answer that is open, a guess included. */
  get turnId(): string | undefined {
    return this.#turnId;
  }

  get isHearing(): boolean {
    return this.#utterance !== undefined && !this.#utterance.isOver;
  }

  get dueMs(): number | undefined {
    return this.#taking.dueMs;
  }

  handle(input: VoiceInput): readonly VoiceOutput[] {
    this.#outputs.length = 0;
    this.#dispatch(input);
    return this.#outputs.length === 0 ? NONE : [...this.#outputs];
  }

  #dispatch(input: VoiceInput): void {
    switch (input.type) {
      case "voice":
        this.#uncommittedMs ??= input.atMs - WINDOW_MS;
        if (input.isSpeech) this.#noteSpeech();
        return this.#follow(this.#taking.handle(input));
      case "echo":
        return this.#follow(this.#taking.handle(input));
      case "cue":
        return this.#cue(input);
      case "partial":
        return this.#partial(input.text, input.atMs);
      case "recognized":
        return this.#recognized(input);
      case "answer-audio":
        if (this.#turnId === undefined) return;
        if (input.phase === "start") this.#isHeard = true;
        // A conversation that may not be interrupted does not look as if it were speaking.
        if (this.#options.interruptsResponse && this.#options.detection === "server") {
          this.#follow(this.#taking.handle(input));
        }
        return;
      case "answer-over":
        if (input.turnId === this.#turnId) this.#over(input.atMs);
        return;
      case "create":
        if (this.#turnId !== undefined) this.#interrupt("superseded");
        this.#open(input.turnId);
        return;
      case "commit":
        return this.#commit(input.atMs);
      case "clear":
        return this.#clear(input.atMs);
      case "cancel":
        if (this.#turnId === undefined) return;
        this.#interrupt("client_cancelled");
        this.#follow(this.#taking.handle({ type: "answer-audio", phase: "end", atMs: input.atMs }));
        this.#follow(this.#taking.handle({ type: "answer-ended", atMs: input.atMs }));
        return;
      case "tick":
        return this.#follow(this.#taking.tick(input.atMs));
    }
  }

  #follow(outputs: readonly TurnOutput[]): void {
    for (const output of outputs) this.#carryOut(output);
  }

  #carryOut(output: TurnOutput): void {
    const isManual = this.#options.detection === "manual" && !this.#isHolding;
    switch (output.type) {
      case "utterance-start":
        if (!isManual) this.#begin(output.atMs, this.#options.prerollMs ?? output.prerollMs);
        return;
      case "pause":
        if (!isManual) this.#recognize(output.atMs);
        return;
      case "utterance-end":
        if (!isManual) this.#end(output.atMs, output.isAddressed);
        return;
      case "verify":
        if (this.#options.detection === "manual") return;
        this.#outputs.push({
          type: "recognize",
          version: ++this.#version,
          utteranceId: "",
          fromMs: output.sinceMs - PREROLL_MS,
          untilMs: output.untilMs + PREROLL_MS / 2,
          purpose: "verify",
        });
        return;
      case "duck":
        this.#outputs.push({ type: "duck", gainDb: output.gainDb });
        return;
      case "restore":
        this.#outputs.push({ type: "unduck" });
        return;
      case "interrupt":
        if (this.#options.detection === "manual") return;
        if (this.#turnId !== undefined) this.#interrupt("turn_detected");
        return;
      case "false-interrupt":
        this.#resume();
        return;
      case "filler":
        if (this.#turnId !== undefined && !this.#isHeard) this.#outputs.push({ type: "filler", turnId: this.#turnId });
        return;
    }
  }

  // --- utterances ---

  #begin(onsetMs: number, prerollMs: number): void {
    const pending = this.#utterance;
    // Its words are not known yet: they will be among those of the utterance that goes on.
    if (pending !== undefined) this.#tell(pending, NOTHING, true);
    const before = pending === undefined ? this.#asked : { fromMs: pending.fromMs, endedMs: pending.untilMs };
    const goesOn = before !== undefined && onsetMs - before.endedMs <= GOING_ON_MS;
    const fromMs = goesOn ? before.fromMs : onsetMs - prerollMs;
    this.#asked = undefined;
    this.#guesses = 0;
    this.#utterance = this.#newUtterance(fromMs, onsetMs, this.#isEnding);
    this.#outputs.push({ type: "utterance-start", utteranceId: this.#utterance.id, fromMs });
  }

  #newUtterance(fromMs: number, untilMs: number, isAfterAnswer = false): Utterance {
    return {
      id: this.#options.ids.next("utterance"),
      fromMs,
      untilMs,
      isOver: false,
      isAddressed: false,
      isAfterAnswer,
      isStale: false,
      version: 0,
      isAnswered: false,
      result: undefined,
      guess: undefined,
    };
  }

  #recognize(untilMs: number): void {
    const utterance = this.#utterance;
    if (utterance === undefined) return;
    utterance.untilMs = untilMs;
    utterance.isStale = false;
    utterance.version = ++this.#version;
    utterance.isAnswered = false;
    utterance.result = undefined;
    const { id, version, fromMs } = utterance;
    this.#outputs.push({ type: "recognize", version, utteranceId: id, fromMs, untilMs, purpose: "utterance" });
  }

  #end(atMs: number, isAddressed: boolean): void {
    const utterance = this.#utterance;
    if (utterance === undefined || utterance.isOver) return;
    utterance.isOver = true;
    utterance.isAddressed = isAddressed;
    const { id, fromMs } = utterance;
    this.#outputs.push({ type: "utterance-end", utteranceId: id, fromMs, untilMs: atMs });
    if (utterance.version === 0 || utterance.isStale) this.#recognize(atMs);
    else if (utterance.isAnswered) this.#settle(utterance, atMs);
  }

  #partial(text: string, atMs: number): void {
    const utterance = this.#utterance;
    this.#follow(this.#taking.handle({ type: "words", text, isFinal: false, atMs }));
    if (utterance !== undefined && !utterance.isOver)
      this.#tell(utterance, { text, words: [], isComplete: false }, false);
  }

  #recognized({ version, result, atMs }: Extract<VoiceInput, { type: "recognized" }>): void {
    const utterance = this.#utterance;
    if (utterance === undefined || utterance.version !== version) {
      // Of what was said over the answer. An older result than the newest question counts for nothing.
      if (version !== this.#version || this.isHearing) return;
      const text = result?.text ?? "";
      this.#follow(this.#taking.handle({ type: "words", text, isFinal: true, atMs }));
      return;
    }
    utterance.isAnswered = true;
    utterance.result = result;
    if (utterance.isOver) return this.#settle(utterance, atMs);
    if (result === undefined) return;
    const { text, isComplete } = result;
    if (text !== "") this.#tell(utterance, result, false);
    if (utterance.isStale) return;
    this.#follow(this.#taking.handle({ type: "words", text, isFinal: true, isComplete, atMs }));
    if (!utterance.isOver) this.#guess(utterance, result);
  }

  /** The words of a pause may be all there is: an answer is begun and kept back. */
  #guess(utterance: Utterance, { text, words }: Recognition): void {
    const { guesses, createsResponse, detection } = this.#options;
    if (!guesses || !createsResponse || detection === "manual" || text === "" || this.#guesses >= GUESSES_MAX) return;
    if (utterance.guess?.text === text) return;
    this.#dropGuess(utterance);
    this.#guesses++;
    const turnId = this.#options.ids.next("turn");
    utterance.guess = { turnId, text };
    this.#beginTurn(utterance, turnId, words, true);
  }

  #dropGuess(utterance: Utterance): void {
    if (utterance.guess !== undefined) this.#outputs.push({ type: "drop-turn", turnId: utterance.guess.turnId });
    utterance.guess = undefined;
  }

  /** The utterance is over and its words are known, or known not to be had. */
  #settle(utterance: Utterance, atMs: number): void {
    this.#utterance = undefined;
    const { result, guess } = utterance;
    const text = result?.text ?? "";
    this.#tell(utterance, result, true);
    // "Okay" at the end of an answer is the end of it.
    const isNod = utterance.isAfterAnswer && this.#taking.isNod(text);
    const isAnswered = text !== "" && !isNod && this.#options.createsResponse;
    if (guess !== undefined && !(isAnswered && guess.text === text)) this.#dropGuess(utterance);
    if (!isAnswered) {
      this.#follow(this.#taking.handle({ type: "answer-ended", atMs }));
      if (text === "") this.#resume();
      return;
    }
    this.#interrupted = undefined;
    this.#asked = { fromMs: utterance.fromMs, endedMs: utterance.untilMs };
    if (this.#turnId !== undefined) this.#interrupt("superseded");
    const turnId = utterance.guess?.turnId ?? this.#options.ids.next("turn");
    this.#open(turnId);
    if (utterance.guess !== undefined) this.#outputs.push({ type: "confirm-turn", turnId });
    else this.#beginTurn(utterance, turnId, result?.words ?? [], false);
    // Where answers are not interrupted the machine listens on.
    if (!this.#options.interruptsResponse) this.#follow(this.#taking.handle({ type: "answer-ended", atMs }));
  }

  #beginTurn(utterance: Utterance, turnId: string, words: readonly TimedText[], isGuess: boolean): void {
    const { id, fromMs, untilMs, isAddressed } = utterance;
    const text = utterance.result?.text ?? "";
    const placed = shifted(words, fromMs);
    const base = { turnId, utteranceId: id, text, words: placed, fromMs, untilMs };
    this.#outputs.push({ type: "begin-turn", ...base, isAddressed, isGuess });
  }

  #tell(utterance: Utterance, result: Recognition | undefined, isFinal: boolean): void {
    const { id, fromMs, untilMs, isAddressed } = utterance;
    this.#outputs.push({
      type: "transcript",
      utteranceId: id,
      isFinal,
      isFailed: result === undefined,
      text: result?.text ?? "",
      words: shifted(result?.words ?? [], fromMs),
      ...(result?.language === undefined ? {} : { language: result.language }),
      fromMs,
      untilMs,
      isAddressed,
    });
  }

  #noteSpeech(): void {
    const utterance = this.#utterance;
    if (utterance === undefined || utterance.isOver || utterance.isStale || utterance.version === 0) return;
    utterance.isStale = true;
    this.#dropGuess(utterance);
  }

  /** A button is a statement: what is said while it is down is an utterance, also where no voice was noticed in it. */
  #cue(input: Extract<VoiceInput, { type: "cue" }>): void {
    const { cue, isActive, atMs } = input;
    const isPressed = cue === "hold" && isActive && !this.#isHolding;
    const isReleased = cue === "hold" && !isActive && this.#isHolding;
    if (isPressed) {
      this.#isHolding = true;
      if (!this.isHearing) this.#uncommittedMs = atMs;
    }
    const utterance = this.#utterance;
    this.#follow(this.#taking.handle(input));
    if (!isReleased) return;
    this.#isHolding = false;
    const wasHeard = utterance !== undefined && utterance === this.#utterance && utterance.isOver;
    const heldMs = this.#uncommittedMs === undefined ? 0 : atMs - this.#uncommittedMs;
    if (!wasHeard && this.#utterance === undefined && heldMs >= HOLD_MS_MIN) this.#commit(atMs);
    this.#uncommittedMs = undefined;
  }

  #commit(atMs: number): void {
    const open = this.#utterance;
    if (open !== undefined && !open.isOver) {
      this.#recognize(atMs);
      this.#end(atMs, true);
      this.#uncommittedMs = undefined;
      return;
    }
    const fromMs = this.#uncommittedMs;
    if (open !== undefined || fromMs === undefined || atMs <= fromMs) return;
    this.#utterance = this.#newUtterance(fromMs, atMs);
    this.#uncommittedMs = undefined;
    this.#outputs.push({ type: "utterance-start", utteranceId: this.#utterance.id, fromMs: this.#utterance.fromMs });
    this.#end(atMs, true);
  }

  #clear(atMs: number): void {
    this.#uncommittedMs = undefined;
    if (this.#utterance === undefined || this.#utterance.isOver) return;
    this.#dropGuess(this.#utterance);
    this.#utterance = undefined;
    this.#follow(this.#taking.handle({ type: "answer-ended", atMs }));
  }

  // --- answers ---

  #open(turnId: string): void {
    this.#turnId = turnId;
    this.#isHeard = false;
  }

  #over(atMs: number): void {
    this.#turnId = undefined;
    this.#asked = undefined;
    this.#isEnding = true;
    this.#follow(this.#taking.handle({ type: "answer-audio", phase: "end", atMs }));
    this.#isEnding = false;
    this.#follow(this.#taking.handle({ type: "answer-ended", atMs }));
  }

  #interrupt(reason: InterruptReason): void {
    const turnId = this.#turnId;
    this.#turnId = undefined;
    this.#epoch++;
    if (reason === "turn_detected" && this.#isHeard) {
      this.#interrupted = turnId;
      this.#asked = undefined;
    }
    this.#outputs.push({
      type: "interrupt",
      epoch: this.#epoch,
      ...(turnId === undefined ? {} : { turnId }),
      reason,
    });
  }

  #resume(): void {
    const turnId = this.#interrupted;
    this.#interrupted = undefined;
    if (turnId !== undefined && this.#turnId === undefined) this.#outputs.push({ type: "resume", turnId });
  }
}

const NONE: readonly VoiceOutput[] = [];
const NOTHING: Recognition = { text: "", words: [], isComplete: false };

function shifted(words: readonly TimedText[], byMs: number): readonly TimedText[] {
  return words.map(({ text, startMs, endMs }) => ({ text, startMs: startMs + byMs, endMs: endMs + byMs }));
}
