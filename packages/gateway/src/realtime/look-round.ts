// Sessions whose newest poses wait to be looked at: attention, gestures, the history of hands. A look runs through much code
// and hardly any of a session's memory is at hand when its packet comes in, so looks in the midst of reading sockets cost
// several times what the same looks cost in a row. They are put off for a moment, and a session that is asked something
// meanwhile looks first (see `SessionOptions.looks`), so that nobody can tell but by the gesture that comes a little later.
import type { Cancel, Clock } from "@fovea/core";

/** The time from a packet to its look, at most: less than one image of a display. */
const EVERY_MS = 15;
/** About a millisecond. After so many others have their turn: sockets are read before the next lot. */
const LOOKS_MAX = 64;

export interface Looking {
  look(): void;
}

export class LookRound {
  readonly #clock: Clock;
  /** In the order in which they are due. Read from `#first`, so that nothing is shifted. */
  #waiting: Looking[] = [];
  #first = 0;
  #cancel: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Each at most once until it has been looked at. */
  add(session: Looking): void {
    this.#waiting.push(session);
    this.#cancel ??= this.#clock.schedule(EVERY_MS, this.#run);
  }

  /** Nobody waits any more; sessions that are over need no look. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#waiting = [];
    this.#first = 0;
  }

  readonly #run = (): void => {
    const end = Math.min(this.#waiting.length, this.#first + LOOKS_MAX);
    while (this.#first < end) (this.#waiting[this.#first++] as Looking).look();
    const isDone = this.#first === this.#waiting.length;
    if (isDone) {
      this.#waiting.length = 0;
      this.#first = 0;
    }
    this.#cancel = isDone ? undefined : this.#clock.schedule(0, this.#run);
  };
}
