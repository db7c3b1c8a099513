// Who has the floor in a room with several people. Every headset has its own microphone, so the connection tells who
// speaks; what must be decided is to whom. Anybody may lower the agent's voice by speaking; only who addresses the
// agent, or holds the floor, takes it.

export interface FloorUtterance {
  readonly speakerId: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Mean level, dBFS: one voice is heard by every microphone near it. */
  readonly levelDb: number;
  readonly looksAtAgent: boolean;
  readonly text: string;
}

export type FloorVerdict =
  | { readonly verdict: "answer"; readonly because: "looked" | "named" | "holder" }
  /** Waits until the agent has answered who came before. */
  | { readonly verdict: "queued"; readonly position: number }
  /** Goes into the context as overheard speech, if its speaker agreed to that. */
  | { readonly verdict: "overheard" }
  /** The same voice through another microphone. */
  | { readonly verdict: "echo"; readonly of: string };

/** After an answer its listener may go on without looking again: "and behind it?" */
const HOLD_MS = 8_000;
const QUEUE_MAX = 16;
/** Two utterances that overlap by more than half are candidates for one voice; the louder by 6 dB is the real one. */
const OVERLAP_SHARE = 0.5;
const LEVEL_MARGIN_DB = 6;

export class Floor {
  readonly #names: readonly string[];
  #holder: { readonly speakerId: string; readonly untilMs: number } | undefined;
  #isAnswering = false;
  readonly #queue: FloorUtterance[] = [];
  readonly #recent: FloorUtterance[] = [];

  /** Names the agent listens to, lower case. */
  constructor(names: readonly string[]) {
    this.#names = names.map((name) => name.toLowerCase());
  }

  get holder(): string | undefined {
    return this.#holder?.speakerId;
  }

  decide(utterance: FloorUtterance): FloorVerdict {
    const louder = this.#louderTwin(utterance);
    this.#remember(utterance);
    if (louder !== undefined) return { verdict: "echo", of: louder.speakerId };
    const because = this.#addressedBecause(utterance);
    if (because === undefined) return { verdict: "overheard" };
    if (this.#isAnswering && this.#holder?.speakerId !== utterance.speakerId) {
      // One waiting question a person: a second one replaces the first, so that nobody crowds the others out.
      const known = this.#queue.findIndex((waiting) => waiting.speakerId === utterance.speakerId);
      if (known >= 0) this.#queue[known] = utterance;
      else if (this.#queue.length < QUEUE_MAX) this.#queue.push(utterance);
      else return { verdict: "overheard" };
      return { verdict: "queued", position: (known >= 0 ? known : this.#queue.length - 1) + 1 };
    }
    this.#take(utterance);
    return { verdict: "answer", because };
  }

  /** Whether this person's speech may take the floor from the agent's answer. */
  mayInterrupt(speakerId: string, looksAtAgent: boolean, nowMs: number): boolean {
    return looksAtAgent || this.#isHolder(speakerId, nowMs);
  }

  /** The answer is over; returns who is next. */
  answered(nowMs: number): FloorUtterance | undefined {
    this.#isAnswering = false;
    if (this.#holder !== undefined) this.#holder = { ...this.#holder, untilMs: nowMs + HOLD_MS };
    const next = this.#queue.shift();
    if (next !== undefined) this.#take(next);
    return next;
  }

  leave(speakerId: string): void {
    if (this.#holder?.speakerId === speakerId) this.#holder = undefined;
    const index = this.#queue.findIndex((waiting) => waiting.speakerId === speakerId);
    if (index >= 0) this.#queue.splice(index, 1);
  }

  #take(utterance: FloorUtterance): void {
    this.#isAnswering = true;
    this.#holder = { speakerId: utterance.speakerId, untilMs: Infinity };
  }

  #isHolder(speakerId: string, nowMs: number): boolean {
    return this.#holder?.speakerId === speakerId && nowMs <= this.#holder.untilMs;
  }

  #addressedBecause(utterance: FloorUtterance): "looked" | "named" | "holder" | undefined {
    if (utterance.looksAtAgent) return "looked";
    const words = utterance.text.toLowerCase().split(/[^\p{L}\p{N}']+/u);
    if (this.#names.some((name) => words.includes(name))) return "named";
    return this.#isHolder(utterance.speakerId, utterance.startMs) ? "holder" : undefined;
  }

  #louderTwin(utterance: FloorUtterance): FloorUtterance | undefined {
    return this.#recent.find((other) => {
      if (other.speakerId === utterance.speakerId) return false;
      const overlap = Math.min(other.endMs, utterance.endMs) - Math.max(other.startMs, utterance.startMs);
      const shorter = Math.min(other.endMs - other.startMs, utterance.endMs - utterance.startMs);
      return overlap > OVERLAP_SHARE * shorter && other.levelDb >= utterance.levelDb + LEVEL_MARGIN_DB;
    });
  }

  #remember(utterance: FloorUtterance): void {
    this.#recent.push(utterance);
    if (this.#recent.length > QUEUE_MAX) this.#recent.shift();
  }
}
