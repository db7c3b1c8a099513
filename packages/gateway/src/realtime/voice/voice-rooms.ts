// People who talk in one room. Every headset has its own session and its own microphone; here it is decided whose question
// is answered, in which order, and what the others learn of it. Floor (core) decides, this carries out.
import type { FloorUtterance, FloorVerdict, TimedText } from "@fovea/core";
import { Floor } from "@fovea/core";

export interface RoomQuestion {
  readonly turnId: string;
  readonly text: string;
  readonly words: readonly TimedText[];
  readonly fromMs: number;
  readonly untilMs: number;
  readonly levelDb: number;
  readonly looksAtAgent: boolean;
}

export interface RoomMember {
  readonly speakerId: string;
  /** As the others know this person. */
  readonly name: string;
  /** The floor is free for a question of this person that had to wait. */
  answer(question: RoomQuestion): void;
  overheard(speaker: string, text: string): void;
  exchanged(exchange: { readonly speaker: string; readonly question: string; readonly answer: string }): void;
}

class VoiceRoom {
  readonly #floor: Floor;
  readonly #members = new Map<string, RoomMember>();
  readonly #waiting = new Map<string, RoomQuestion>();
  #asked: { readonly speakerId: string; readonly text: string } | undefined;

  constructor(names: readonly string[]) {
    this.#floor = new Floor(names);
  }

  get size(): number {
    return this.#members.size;
  }

  join(member: RoomMember): void {
    this.#members.set(member.speakerId, member);
  }

  leave(speakerId: string, nowMs: number): void {
    this.#members.delete(speakerId);
    this.#waiting.delete(speakerId);
    this.#floor.leave(speakerId);
    if (this.#asked?.speakerId === speakerId) this.answered(speakerId, "", nowMs);
  }

  /** Who is alone need not say whom he means. */
  ask(member: RoomMember, question: RoomQuestion): FloorVerdict {
    const { fromMs, untilMs, levelDb, looksAtAgent, text } = question;
    const { speakerId } = member;
    const utterance: FloorUtterance = {
      speakerId,
      startMs: fromMs,
      endMs: untilMs,
      levelDb,
      looksAtAgent: looksAtAgent || this.#members.size === 1,
      text,
    };
    const verdict = this.#floor.decide(utterance);
    if (verdict.verdict === "echo") return verdict;
    this.#tellOthers(speakerId, (other) => other.overheard(member.name, text));
    if (verdict.verdict === "queued") this.#waiting.set(speakerId, question);
    if (verdict.verdict === "answer") this.#asked = { speakerId, text };
    return verdict;
  }

  /** The answer was said to its end, or cut off; `answer` is empty where nothing came of it. */
  answered(speakerId: string, answer: string, nowMs: number): void {
    const asked = this.#asked;
    if (asked?.speakerId !== speakerId) return;
    this.#asked = undefined;
    const speaker = this.#members.get(speakerId)?.name ?? "somebody";
    if (answer !== "") {
      const exchange = { speaker, question: asked.text, answer };
      this.#tellOthers(speakerId, (other) => other.exchanged(exchange));
    }
    const next = this.#floor.answered(nowMs);
    const question = next === undefined ? undefined : this.#waiting.get(next.speakerId);
    if (next === undefined || question === undefined) return;
    this.#waiting.delete(next.speakerId);
    this.#asked = { speakerId: next.speakerId, text: question.text };
    this.#members.get(next.speakerId)?.answer(question);
  }

  #tellOthers(speakerId: string, tell: (other: RoomMember) => void): void {
    for (const [id, other] of this.#members) if (id !== speakerId) tell(other);
  }
}

/** The rooms of a process, made by the first and given up by the last. */
export class VoiceRooms {
  readonly #rooms = new Map<string, VoiceRoom>();
  readonly #names: readonly string[];

  /** `names`: what the agent listens to where several people talk. */
  constructor(names: readonly string[]) {
    this.#names = names;
  }

  get size(): number {
    return this.#rooms.size;
  }

  get names(): readonly string[] {
    return this.#names;
  }

  join(key: string, member: RoomMember): RoomSeat {
    const room = this.#rooms.get(key) ?? new VoiceRoom(this.#names);
    this.#rooms.set(key, room);
    room.join(member);
    return {
      ask: (question) => room.ask(member, question),
      answered: (answer, nowMs) => room.answered(member.speakerId, answer, nowMs),
      leave: (nowMs) => {
        room.leave(member.speakerId, nowMs);
        if (room.size === 0) this.#rooms.delete(key);
      },
    };
  }
}

/** One person's place in a room. */
export interface RoomSeat {
  ask(question: RoomQuestion): FloorVerdict;
  answered(answer: string, nowMs: number): void;
  leave(nowMs: number): void;
}
