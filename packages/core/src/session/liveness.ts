// Pings: they measure the client's clock, and a socket that answers none for a while is dead although nobody closed it
// (a headset that went to sleep, a network that changed). Four exchanges at the start, then one every two seconds.
import type { PongMessage } from "@fovea/protocol";
import type { SessionClock } from "./session-clock.ts";

const BURST = 4;
const BURST_MS = 150;
const INTERVAL_MS = 2_000;
/** The steady pings of all sessions fall on these instants: a process that wakes up for one has the next ones at hand. */
const GRID_MS = 200;
const OPEN_PINGS_MAX = 16;

export class Liveness {
  readonly #clock: SessionClock;
  readonly #silentMs: number;
  readonly #open = new Map<number, number>();
  #nextId = 1;
  #sentInBurst = 0;
  #pingMs = Infinity;
  #heardMs = 0;

  constructor(clock: SessionClock, silentMs: number) {
    this.#clock = clock;
    this.#silentMs = silentMs;
  }

  /** A socket is there. */
  start(nowMs: number): void {
    this.#open.clear();
    this.#sentInBurst = 0;
    this.#pingMs = nowMs;
    this.#heardMs = nowMs;
  }

  stop(): void {
    this.#open.clear();
    this.#pingMs = Infinity;
  }

  get wakeAtMs(): number {
    return this.#pingMs === Infinity ? Infinity : Math.min(this.#pingMs, this.#heardMs + this.#silentMs);
  }

  isSilent(nowMs: number): boolean {
    // The same sum as in `wakeAtMs`: a difference could round to just below, and a tick would then change nothing.
    return this.#pingMs !== Infinity && nowMs >= this.#heardMs + this.#silentMs;
  }

  /** Anything that came from the client shows that the socket lives. */
  noteHeard(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  /** Id of the ping that is due, or undefined. */
  takePing(nowMs: number): number | undefined {
    if (nowMs < this.#pingMs) return undefined;
    const id = this.#nextId++;
    this.#open.set(id, nowMs);
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= OPEN_PINGS_MAX) break;
      this.#open.delete(oldest);
    }
    this.#sentInBurst++;
    const nextMs = nowMs + (this.#sentInBurst < BURST ? BURST_MS : INTERVAL_MS);
    this.#pingMs = this.#sentInBurst < BURST ? nextMs : Math.round(nextMs / GRID_MS) * GRID_MS;
    return id;
  }

  /** Times on the session's clock. False for an answer to no open ping, and for impossible times. */
  foldPong(pong: PongMessage, nowMs: number, startedMs: number): boolean {
    const sentMs = this.#open.get(pong.id);
    if (sentMs === undefined) return false;
    this.#open.delete(pong.id);
    return this.#clock.foldExchange(sentMs - startedMs, pong.t1, pong.t2, nowMs - startedMs);
  }
}
