// Who may speak now, decided from frames of voice activity, words, looks and hands. Synchronous and without a clock of
// its own: every input carries its time, and `dueMs` says when to call `tick`. Figures: docs/spec/turn-taking.md.
//
//   listening --speech--> hearing --end of turn--> thinking --first audio--> speaking --end--> listening
//
// Interrupting has two stages. Speech over the answer lowers it at once (duck); only speech that lasts, or a word that
// is not just "mm-hmm", takes the floor (commit). What was only a noise or a nod of the voice gives it back (restore).

export type TurnState = "listening" | "hearing" | "thinking" | "speaking";

export type TurnInput =
  /** One window of voice activity, 20 to 40 ms. */
  | { readonly type: "voice"; readonly isSpeech: boolean; readonly atMs: number }
  /** Words recognised so far in this utterance. `isComplete`: a whole command of a grammar, which nothing need follow. */
  | {
      readonly type: "words";
      readonly text: string;
      readonly isFinal: boolean;
      readonly isComplete?: boolean;
      readonly atMs: number;
    }
  /** Looking at the agent or at what it speaks from; holding a pinch or a push-to-talk button. */
  | { readonly type: "cue"; readonly cue: "gaze" | "hold"; readonly isActive: boolean; readonly atMs: number }
  | { readonly type: "answer-audio"; readonly phase: "start" | "end"; readonly atMs: number }
  | { readonly type: "answer-ended"; readonly atMs: number }
  /** The echo canceller has learnt the room, or says that it has not. */
  | { readonly type: "echo"; readonly isConverged: boolean; readonly atMs: number };

export type TurnOutput =
  /** `prerollMs` of audio before this instant belong to the utterance: the first sound is never lost. */
  | { readonly type: "utterance-start"; readonly atMs: number; readonly prerollMs: number }
  | { readonly type: "utterance-end"; readonly atMs: number; readonly text: string; readonly isAddressed: boolean }
  /** Perhaps the end: a recogniser that starts now has its words when the silence has lasted long enough. */
  | { readonly type: "pause"; readonly atMs: number }
  /** Something short was said over the answer: was it more than "mm-hmm"? Answered by `words`, if at all. */
  | { readonly type: "verify"; readonly sinceMs: number; readonly untilMs: number }
  | { readonly type: "duck"; readonly gainDb: number }
  | { readonly type: "restore" }
  /** The user took the floor: everything of an older epoch is dropped everywhere. */
  | { readonly type: "interrupt"; readonly epoch: number; readonly atMs: number }
  /** The floor was taken and then nothing was said: the answer may go on from the last heard word. */
  | { readonly type: "false-interrupt"; readonly atMs: number }
  /** The answer is late: a gesture, a sound or a short phrase now, never a progress bar. */
  | { readonly type: "filler"; readonly atMs: number };

/** What an operator's own detector thinks; undefined members leave the decision to the rules. */
export interface TurnPrediction {
  readonly endOfTurn?: number;
  readonly backchannel?: number;
  readonly addressed?: number;
}

/**
 * A pluggable judge of turns (a model that hears intonation, an application that knows its dialogue). It is fed what the
 * machine is fed and asked when a decision is due; it must answer at once.
 */
export interface TurnDetector {
  observe(input: TurnInput): void;
  predict(): TurnPrediction;
}

export interface TurnProfile {
  /** Speech as long as this starts an utterance. */
  readonly startMs: number;
  /** Silence after which an utterance is over when nothing else speaks for or against it. */
  readonly silenceMs: number;
  /** Silence that ends it when the words are a complete command or a whole sentence. */
  readonly silenceCompleteMs: number;
  /** Silence that ends it in any case, also while a hold or an unfinished sentence asks for patience. */
  readonly silenceMostMs: number;
  /** Speech over the answer that lowers it, and speech that takes the floor. */
  readonly duckMs: number;
  readonly commitMs: number;
  /** Silence that is worth a look by the recogniser. */
  readonly pauseMs: number;
}

/** Figures by what the agent does while the user begins to speak; what is left out is the common figure. */
export type TurnProfiles = Readonly<Partial<Record<"listening" | "thinking" | "speaking", Partial<TurnProfile>>>>;

export const TURN_PROFILE: TurnProfile = {
  startMs: 60,
  silenceMs: 500,
  silenceCompleteMs: 200,
  silenceMostMs: 2_500,
  duckMs: 64,
  commitMs: 250,
  pauseMs: 120,
};

/** Before the onset that voice activity sees lies the first consonant. 300 ms is also OpenAI's prefix padding. */
const PREROLL_MS = 300;
const DUCK_DB = -12;
const FILLER_MS = 700;
/** An answer may be spoken over for this long at the start of a session while the echo canceller learns the room. */
const ECHO_LEARNING_MS = 3_000;
/** After taking the floor: so long without a word, and it was no interruption. */
const EMPTY_INTERRUPT_MS = 2_000;
/** What was said over the answer and is not understood within this was nothing. */
const VERIFY_MS = 800;
/** No word is shorter; clicks and what is left of an echo are. */
const WORD_MS_MIN = 120;
/** From here on a detector's opinion replaces the rule's. */
const SURE = 0.7;
const UNSURE = 0.3;
/** Gaps inside speech that do not end a run of it: closures of consonants. */
const GAP_MS = 120;

const BACKCHANNELS: Readonly<Record<string, ReadonlySet<string>>> = {
  en: new Set([
    "mm-hmm",
    "mhm",
    "mm",
    "hmm",
    "uh-huh",
    "uh huh",
    "huh",
    "uh",
    "um",
    "yeah",
    "yep",
    "yes",
    "ok",
    "okay",
    "right",
    "sure",
    "i see",
    "got it",
    "wow",
    "oh",
    "ah",
    "cool",
    "nice",
    "great",
  ]),
};

/** An utterance that ends like this goes on: the speaker is looking for the next word. */
const UNFINISHED =
  /(?:\b(?:and|or|but|the|a|an|of|to|with|from|than|my|your|is|are|in|on|at|um|uh|because|if|that's|near|between)|,)$/i;
const WHOLE = /[.!?]$/;

function plainWords(text: string): string {
  return text
    .toLowerCase()
    .replace(/[.,!?]/g, "")
    .trim();
}

export class TurnTaking {
  readonly #profiles: Readonly<Record<"listening" | "thinking" | "speaking", TurnProfile>>;
  readonly #detectors: readonly TurnDetector[];
  readonly #awaitsWords: boolean;
  readonly #backchannels: ReadonlySet<string>;
  readonly #learnsUntilMs: number;
  #state: TurnState = "listening";
  #epoch = 1;
  #speechSinceMs: number | undefined;
  #lastSpeechMs = -Infinity;
  #words = "";
  #hasFinalWords = false;
  #hasCompleteWords = false;
  /** What the agent did when this utterance began. */
  #begunIn: "listening" | "thinking" | "speaking" = "listening";
  #hasPaused = false;
  #verifyUntilMs: number | undefined;
  #verifySinceMs: number | undefined;
  #isHolding = false;
  #looksAtAgent = false;
  #wasAddressed = false;
  #isDucked = false;
  #isConverged = false;
  #thinkingSinceMs = 0;
  #hasFilled = false;
  #emptySinceMs: number | undefined;

  constructor(options: {
    readonly startedMs: number;
    readonly profile?: Partial<TurnProfile>;
    readonly profiles?: TurnProfiles;
    readonly detectors?: readonly TurnDetector[];
    /** A recogniser answers `verify`: what is short takes the floor by its words and not by its length. */
    readonly awaitsWords?: boolean;
    /** Learning lasts until `echo` says that it is over; the first three seconds of the session otherwise. */
    readonly learnsUntilTold?: boolean;
    readonly language?: string;
  }) {
    const common = { ...TURN_PROFILE, ...options.profile };
    const { listening, thinking, speaking } = options.profiles ?? {};
    this.#profiles = {
      listening: { ...common, ...listening },
      thinking: { ...common, ...thinking },
      speaking: { ...common, ...speaking },
    };
    this.#detectors = options.detectors ?? [];
    this.#awaitsWords = options.awaitsWords ?? false;
    this.#backchannels = BACKCHANNELS[(options.language ?? "en").slice(0, 2)] ?? new Set();
    this.#learnsUntilMs = options.learnsUntilTold === true ? Infinity : options.startedMs + ECHO_LEARNING_MS;
  }

  get state(): TurnState {
    return this.#state;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** When `tick` is needed if nothing else arrives; undefined while nothing can fall due. */
  get dueMs(): number | undefined {
    const due: number[] = [];
    if (this.#state === "hearing") {
      due.push(this.#lastSpeechMs + this.#patienceMs);
      if (!this.#hasPaused) due.push(this.#lastSpeechMs + this.#profile.pauseMs);
    }
    if (this.#state === "thinking" && !this.#hasFilled) due.push(this.#thinkingSinceMs + FILLER_MS);
    if (this.#emptySinceMs !== undefined) due.push(this.#emptySinceMs + EMPTY_INTERRUPT_MS);
    if (this.#isDucked) due.push(this.#verifyUntilMs ?? this.#lastSpeechMs + GAP_MS + 1);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  handle(input: TurnInput): readonly TurnOutput[] {
    for (const detector of this.#detectors) detector.observe(input);
    switch (input.type) {
      case "voice":
        return this.#foldVoice(input.isSpeech, input.atMs);
      case "words":
        return this.#foldWords(input);
      case "cue":
        return this.#foldCue(input.cue, input.isActive, input.atMs);
      case "answer-audio":
        if (input.phase === "start" && this.#state !== "hearing") this.#state = "speaking";
        return input.phase === "end" && this.#state === "speaking" ? this.#answerOver(input.atMs) : [];
      case "answer-ended":
        if (this.#state === "thinking") this.#state = "listening";
        return [];
      case "echo":
        this.#isConverged = input.isConverged;
        return [];
    }
  }

  tick(nowMs: number): readonly TurnOutput[] {
    const out: TurnOutput[] = [];
    if (this.#speechSinceMs !== undefined && nowMs > this.#lastSpeechMs + GAP_MS) {
      const isWordLong = this.#lastSpeechMs - this.#speechSinceMs >= WORD_MS_MIN;
      if (this.#isDucked && this.#state === "speaking" && this.#awaitsWords && isWordLong) {
        this.#verifyUntilMs = nowMs + VERIFY_MS;
        this.#verifySinceMs = this.#speechSinceMs;
        out.push({ type: "verify", sinceMs: this.#speechSinceMs, untilMs: this.#lastSpeechMs });
      }
      this.#speechSinceMs = undefined;
    }
    const isVerifying = this.#verifyUntilMs !== undefined && nowMs < this.#verifyUntilMs;
    if (this.#isDucked && this.#speechSinceMs === undefined && this.#state === "speaking" && !isVerifying) {
      out.push(...this.#restore());
    }
    if (this.#state === "hearing" && !this.#hasPaused && nowMs >= this.#lastSpeechMs + this.#profile.pauseMs) {
      this.#hasPaused = true;
      out.push({ type: "pause", atMs: nowMs });
    }
    if (this.#emptySinceMs !== undefined && nowMs >= this.#emptySinceMs + EMPTY_INTERRUPT_MS) {
      this.#emptySinceMs = undefined;
      this.#reset("listening");
      out.push({ type: "false-interrupt", atMs: nowMs });
    } else if (this.#state === "hearing" && nowMs >= this.#lastSpeechMs + this.#patienceMs) {
      out.push(...this.#endUtterance(nowMs));
    }
    if (this.#state === "thinking" && !this.#hasFilled && nowMs >= this.#thinkingSinceMs + FILLER_MS) {
      this.#hasFilled = true;
      out.push({ type: "filler", atMs: nowMs });
    }
    return out;
  }

  #foldVoice(isSpeech: boolean, atMs: number): readonly TurnOutput[] {
    if (!isSpeech) return this.tick(atMs);
    if (this.#speechSinceMs === undefined || atMs > this.#lastSpeechMs + GAP_MS) this.#speechSinceMs = atMs;
    this.#lastSpeechMs = atMs;
    this.#hasPaused = false;
    const spokenMs = atMs - this.#speechSinceMs;
    if (this.#state === "hearing") {
      // Words of before the pause are not the last ones any more.
      this.#hasFinalWords = false;
      this.#hasCompleteWords = false;
      return [];
    }
    this.#begunIn = this.#state;
    if (this.#state === "speaking") return this.#speechOverAnswer(spokenMs, atMs);
    if (spokenMs < this.#profile.startMs) return [];
    return this.#startUtterance(atMs - spokenMs, this.#state === "thinking");
  }

  #speechOverAnswer(spokenMs: number, atMs: number): readonly TurnOutput[] {
    const out: TurnOutput[] = [];
    if (spokenMs >= this.#profile.duckMs && !this.#isDucked) {
      this.#isDucked = true;
      out.push({ type: "duck", gainDb: DUCK_DB });
    }
    const mayTake = spokenMs >= this.#profile.commitMs && !this.#isBackchannel;
    if (mayTake && !this.#isLearningEcho(atMs)) out.push(...this.#interrupt(atMs - spokenMs, atMs));
    return out;
  }

  get #profile(): TurnProfile {
    return this.#profiles[this.#state === "hearing" ? this.#begunIn : this.#state];
  }

  /** What is being said over the last words of an answer is not over it any more: it is an utterance. */
  #answerOver(atMs: number): readonly TurnOutput[] {
    const verifiedMs = this.#verifyUntilMs === undefined ? undefined : this.#verifySinceMs;
    const sinceMs = this.#isDucked ? (this.#speechSinceMs ?? verifiedMs) : undefined;
    const restored = this.#isDucked ? this.#restore() : [];
    this.#state = "listening";
    if (sinceMs === undefined || this.#isLearningEcho(atMs)) return restored;
    this.#begunIn = "speaking";
    return [...restored, ...this.#startUtterance(sinceMs, false)];
  }

  /** A nod of the voice and nothing else. */
  isNod(text: string): boolean {
    return this.#backchannels.has(plainWords(text));
  }

  #restore(): readonly TurnOutput[] {
    this.#isDucked = false;
    this.#verifyUntilMs = undefined;
    this.#words = "";
    return [{ type: "restore" }];
  }

  #predicted(what: keyof TurnPrediction): number | undefined {
    let most: number | undefined;
    for (const detector of this.#detectors) {
      const value = detector.predict()[what];
      if (value !== undefined && (most === undefined || value > most)) most = value;
    }
    return most;
  }

  /** Nothing recognised yet is not a back-channel; then the length of the speech decides alone. */
  get #isBackchannel(): boolean {
    if ((this.#predicted("backchannel") ?? 0) >= SURE) return true;
    return this.#words !== "" && this.isNod(this.#words);
  }

  #isLearningEcho(atMs: number): boolean {
    return !this.#isConverged && atMs < this.#learnsUntilMs && !this.#isHolding;
  }

  #interrupt(sinceMs: number, atMs: number): readonly TurnOutput[] {
    this.#epoch++;
    this.#isDucked = false;
    this.#verifyUntilMs = undefined;
    this.#begunIn = "speaking";
    this.#emptySinceMs = this.#words === "" ? atMs : undefined;
    const words = this.#words;
    const started = this.#startUtterance(sinceMs, false);
    this.#words = words;
    return [{ type: "interrupt", epoch: this.#epoch, atMs }, ...started];
  }

  /** Speech while the answer is being thought: the old question is given up, the epoch says so. */
  #startUtterance(atMs: number, replacesTurn: boolean): readonly TurnOutput[] {
    this.#state = "hearing";
    this.#words = "";
    this.#hasFinalWords = false;
    this.#hasCompleteWords = false;
    this.#hasPaused = false;
    this.#wasAddressed = this.#looksAtAgent || this.#isHolding || (this.#predicted("addressed") ?? 0) >= SURE;
    const started: TurnOutput = { type: "utterance-start", atMs, prerollMs: PREROLL_MS };
    if (!replacesTurn) return [started];
    this.#epoch++;
    return [{ type: "interrupt", epoch: this.#epoch, atMs }, started];
  }

  #foldWords({ text, isFinal, isComplete, atMs }: Extract<TurnInput, { type: "words" }>): readonly TurnOutput[] {
    this.#words = text.trim();
    if (this.#words !== "") this.#emptySinceMs = undefined;
    if (this.#state === "hearing") {
      this.#hasFinalWords = isFinal;
      this.#hasCompleteWords = isComplete === true && this.#words !== "";
      return this.tick(atMs);
    }
    if (this.#state !== "speaking") return [];
    if (this.#words === "" || this.#isBackchannel) {
      return isFinal && this.#verifyUntilMs !== undefined ? this.#restore() : [];
    }
    if (this.#isLearningEcho(atMs)) return [];
    // A real word over the answer takes the floor without waiting for the length. A recogniser may hear a word that
    // voice activity missed: then the word is the speech.
    const verifiedMs = this.#verifyUntilMs === undefined ? undefined : this.#verifySinceMs;
    const sinceMs = this.#speechSinceMs ?? verifiedMs ?? atMs;
    this.#lastSpeechMs = Math.max(this.#lastSpeechMs, sinceMs);
    return this.#interrupt(sinceMs, atMs);
  }

  #foldCue(cue: "gaze" | "hold", isActive: boolean, atMs: number): readonly TurnOutput[] {
    if (cue === "gaze") this.#looksAtAgent = isActive;
    else {
      const wasHolding = this.#isHolding;
      this.#isHolding = isActive;
      // Letting go of push-to-talk is the clearest end of a turn there is.
      if (wasHolding && !isActive && this.#state === "hearing") return this.#endUtterance(atMs);
    }
    if (isActive && this.#state === "hearing") this.#wasAddressed = true;
    return this.tick(atMs);
  }

  /** Silence to wait for, counted from the last speech, not from when it was noticed. */
  get #patienceMs(): number {
    const { silenceMs, silenceCompleteMs, silenceMostMs } = this.#profile;
    if (this.#isHolding) return silenceMostMs;
    const sure = this.#detectors.length === 0 ? undefined : this.#predicted("endOfTurn");
    if (sure !== undefined && sure >= SURE) return silenceCompleteMs;
    if (sure !== undefined && sure <= UNSURE) return silenceMostMs;
    if (this.#hasCompleteWords) return silenceCompleteMs;
    if (UNFINISHED.test(this.#words)) return silenceMostMs;
    return this.#hasFinalWords && WHOLE.test(this.#words) ? silenceCompleteMs : silenceMs;
  }

  #endUtterance(atMs: number): readonly TurnOutput[] {
    const text = this.#words;
    const isAddressed = this.#wasAddressed;
    this.#emptySinceMs = undefined;
    this.#reset("thinking");
    this.#thinkingSinceMs = atMs;
    this.#hasFilled = false;
    return [{ type: "utterance-end", atMs, text, isAddressed }];
  }

  #reset(state: TurnState): void {
    this.#state = state;
    this.#speechSinceMs = undefined;
    this.#words = "";
    this.#hasFinalWords = false;
    this.#hasCompleteWords = false;
  }
}
