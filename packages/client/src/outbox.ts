// Control messages that must arrive once. Each gets a number; it stays here until the gateway has acknowledged it, so
// that a lost connection loses nothing: after `welcome{resumed}` everything beyond the acknowledged number goes out again,
// and the gateway drops a number it has seen. The box is bounded and says so: nothing is thrown away in silence.

import type { ClientMessage, ClientMessageBody } from "@fovea/protocol";

export type OutboxMessage = Exclude<ClientMessageBody, { type: "pose" | "hello" | "pong" }>;

interface Entry {
  message: OutboxMessage & { n: number };
  isSent: boolean;
}

/** What still means something in a new session: state is told again anyway, answers to lost turns mean nothing. */
const SURVIVES_NEW_SESSION: ReadonlySet<ClientMessage["type"]> = new Set(["ask", "cancel", "marker"]);

export class Outbox {
  readonly #countMax: number;
  #entries: Entry[] = [];
  #lastNumber = 0;
  #acknowledges = false;

  constructor(countMax = 512) {
    this.#countMax = countMax;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** False when the box is full: the caller tells whoever sent the message. */
  push(message: OutboxMessage): boolean {
    if (this.#entries.length >= this.#countMax) return false;
    this.#entries.push({ message: { ...message, n: ++this.#lastNumber }, isSent: false });
    return true;
  }

  /** Messages that have not gone out, in order. Each is marked as sent as it is taken. */
  *take(): Generator<OutboxMessage & { n: number }> {
    for (const entry of this.#entries) {
      if (entry.isSent) continue;
      entry.isSent = true;
      yield entry.message;
    }
    // A gateway that never acknowledges must not fill the box: then sent is as good as it gets.
    if (!this.#acknowledges && this.#entries.length > this.#countMax / 2)
      this.#entries = this.#entries.filter((entry) => !entry.isSent);
  }

  acknowledge(last: number | undefined): void {
    if (last === undefined) return;
    this.#acknowledges = true;
    this.#entries = this.#entries.filter((entry) => entry.message.n > last);
  }

  /** The session goes on over a new connection. Without an acknowledged number nothing is repeated: twice is worse. */
  resume(last: number | undefined): void {
    if (last === undefined) {
      this.#entries = this.#entries.filter((entry) => !entry.isSent);
      return;
    }
    this.acknowledge(last);
    for (const entry of this.#entries) entry.isSent = false;
  }

  /** Another session begins: numbers start again, and only what was never sent and still makes sense stays. */
  restart(): void {
    const kept = this.#entries.filter((entry) => !entry.isSent && SURVIVES_NEW_SESSION.has(entry.message.type));
    this.#lastNumber = 0;
    this.#entries = kept.map(({ message }) => ({ message: { ...message, n: ++this.#lastNumber }, isSent: false }));
  }

  /** Turns whose question has not gone out: they are not lost with a session. */
  unsentTurnIds(): Set<string> {
    const ids = new Set<string>();
    for (const { message, isSent } of this.#entries) if (!isSent && message.type === "ask") ids.add(message.turnId);
    return ids;
  }
}
