// The turns of a session: which are open, which epoch is heard, what is kept for a client that comes back.
import type { AskMessage, OpenTurn, PartHeader, ServerMessage, ServerPart } from "@fovea/protocol";
import type { AnswerPart } from "../model/answer-part.ts";
import type { SessionLimits, SessionOutput, TurnFailure } from "./session-ports.ts";
import type { DeedCue } from "./turn.ts";
import { Turn } from "./turn.ts";

/** Turns that are over stay for a client that did not hear the end, newest last. */
const ENDED_KEPT = 8;

type Emit = (output: SessionOutput) => void;

export class TurnBook {
  readonly #limits: SessionLimits;
  readonly #emit: Emit;
  /** Called once for every turn, when it is over. */
  readonly #onEnded: (turn: Turn, nowMs: number) => void;
  readonly #turns = new Map<string, Turn>();
  #epoch = 1;
  #openCount = 0;
  #total = 0;

  constructor(limits: SessionLimits, emit: Emit, onEnded: (turn: Turn, nowMs: number) => void) {
    this.#limits = limits;
    this.#emit = emit;
    this.#onEnded = onEnded;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get openCount(): number {
    return this.#openCount;
  }

  get total(): number {
    return this.#total;
  }

  get size(): number {
    return this.#turns.size;
  }

  has(turnId: string): boolean {
    return this.#turns.has(turnId);
  }

  get(turnId: string): Turn | undefined {
    return this.#turns.get(turnId);
  }

  /** Earliest deadline of an open turn, Infinity without one. */
  get dueMs(): number {
    let due = Infinity;
    if (this.#openCount === 0) return due;
    for (const turn of this.#turns.values()) if (turn.isOpen && turn.deadlineMs < due) due = turn.deadlineMs;
    return due;
  }

  /** Opens a turn. Under `supersede` those before it are ended first; under `parallel` the caller has checked the limit. */
  open(ask: AskMessage, nowMs: number, deadlineMs: number): Turn {
    if (this.#limits.turnPolicy === "supersede") this.interrupt("superseded", nowMs);
    const turn = new Turn(ask, nowMs, deadlineMs, this.#epoch);
    this.#turns.set(ask.turnId, turn);
    this.#openCount++;
    this.#total++;
    return turn;
  }

  /** Barge-in: the epoch rises before anything else, then every open turn ends as cancelled. */
  interrupt(reason: string, nowMs: number): void {
    if (this.#openCount === 0) return;
    this.#epoch++;
    this.#emit({ type: "send", message: { type: "flush", epoch: this.#epoch } });
    for (const turn of this.#turns.values()) if (turn.isOpen) this.#cancel(turn, reason, nowMs);
  }

  /** False where there is no such open turn. Other turns go on, in the next epoch. */
  cancel(turnId: string, reason: string, nowMs: number): boolean {
    const turn = this.#turns.get(turnId);
    if (turn === undefined || !turn.isOpen) return false;
    this.#epoch++;
    for (const other of this.#turns.values()) if (other !== turn && other.isOpen) other.moveToEpoch(this.#epoch);
    // Only where nothing else speaks: a flush would silence the turns that go on.
    if (this.#openCount === 1) this.#emit({ type: "send", message: { type: "flush", epoch: this.#epoch } });
    this.#cancel(turn, reason, nowMs);
    return true;
  }

  /** Parts of turns that are over, or were never opened, are dropped. */
  fold(turnId: string, part: AnswerPart, nowMs: number, cue?: DeedCue): void {
    const turn = this.#turns.get(turnId);
    if (turn === undefined || !turn.isOpen) return;
    this.#send(turn, turn.fold(part, nowMs, cue), nowMs);
  }

  /** A part that the session makes itself. */
  tell(turnId: string, make: (header: PartHeader) => ServerPart, nowMs: number): void {
    const turn = this.#turns.get(turnId);
    if (turn === undefined || !turn.isOpen) return;
    this.#send(turn, turn.tell(make), nowMs);
  }

  /** Nothing is open, and what was said of a turn that has ended is still sounding. */
  flush(): void {
    this.#epoch++;
    for (const turn of this.#turns.values()) if (turn.isOpen) turn.moveToEpoch(this.#epoch);
    this.#emit({ type: "send", message: { type: "flush", epoch: this.#epoch } });
  }

  fail(turnId: string, failure: TurnFailure, nowMs: number): void {
    const turn = this.#turns.get(turnId);
    if (turn === undefined || !turn.isOpen) return;
    this.#send(turn, turn.fail(failure, nowMs), nowMs);
  }

  /** Ends the turns whose time is over, whatever the engine is doing. */
  expire(nowMs: number): void {
    if (this.#openCount === 0) return;
    for (const turn of this.#turns.values()) {
      if (!turn.isOpen || turn.deadlineMs > nowMs) continue;
      this.#emit({ type: "cancel-turn", turnId: turn.turnId, reason: "deadline" });
      this.fail(turn.turnId, { code: "deadline_exceeded", message: "the answer took too long" }, nowMs);
    }
  }

  cancelAll(reason: string, nowMs: number): void {
    for (const turn of this.#turns.values()) if (turn.isOpen) this.#cancel(turn, reason, nowMs);
  }

  /** What a client that comes back gets: the turns that continue, and the messages it has not seen. */
  resume(told: readonly OpenTurn[]): {
    readonly turns: readonly string[];
    readonly messages: readonly ServerMessage[];
  } {
    this.#epoch++;
    for (const turn of this.#turns.values()) turn.moveToEpoch(this.#epoch);
    const turns: string[] = [];
    const messages: ServerMessage[] = [];
    for (const { turnId, seq } of told) {
      const missed = this.#turns.get(turnId)?.replayAfter(seq);
      if (missed === undefined) continue;
      turns.push(turnId);
      messages.push(...missed);
    }
    return { turns, messages };
  }

  #cancel(turn: Turn, reason: string, nowMs: number): void {
    turn.moveToEpoch(this.#epoch);
    this.#emit({ type: "cancel-turn", turnId: turn.turnId, reason });
    this.#send(turn, turn.cancel(nowMs), nowMs);
  }

  #send(turn: Turn, messages: readonly ServerMessage[], nowMs: number): void {
    for (const message of messages) this.#emit({ type: "send", message });
    if (!turn.isOpen) {
      this.#openCount--;
      this.#onEnded(turn, nowMs);
    }
    this.#trim();
  }

  /** Oldest first, and turns that are over before open ones. */
  #trim(): void {
    let ended = this.#turns.size - this.#openCount;
    for (const [id, turn] of this.#turns) {
      if (ended <= ENDED_KEPT) break;
      if (turn.isOpen) continue;
      this.#turns.delete(id);
      ended--;
    }
    const { keptPartsMax, keptCharactersMax } = this.#limits;
    let parts = 0;
    let characters = 0;
    for (const turn of this.#turns.values()) {
      parts += turn.keptParts;
      characters += turn.keptCharacters;
    }
    if (parts <= keptPartsMax && characters <= keptCharactersMax) return;
    for (const isOpen of [false, true]) {
      for (const turn of this.#turns.values()) {
        while (
          turn.isOpen === isOpen &&
          turn.keptParts > 0 &&
          (parts > keptPartsMax || characters > keptCharactersMax)
        ) {
          parts -= turn.keptParts;
          characters -= turn.keptCharacters;
          turn.dropOlderHalf();
          parts += turn.keptParts;
          characters += turn.keptCharacters;
        }
      }
    }
  }
}
