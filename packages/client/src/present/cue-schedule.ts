import type { Cue } from "@fovea/protocol";
import type { CancelTask, ClientClock } from "../platform/client-clock.ts";

/** Speech that has not begun after this long will not be waited for: what is shown must not depend on sound. */
const WAIT_MAX_MS = 2_500;
const WAITING_MAX = 64;

interface Waiting {
  readonly turnId: string;
  readonly cue: Cue;
  readonly run: () => void;
  readonly drop: () => void;
  readonly sinceMs: number;
  cancel: CancelTask;
}

/** Does things as their words sound. Without speech, or where it does not begin, they are done at once. */
export class CueSchedule {
  readonly #clock: ClientClock;
  readonly #whenHeard: (itemId: string, atMs: number) => number | undefined;
  readonly #waiting = new Set<Waiting>();

  constructor(clock: ClientClock, whenHeard: (itemId: string, atMs: number) => number | undefined) {
    this.#clock = clock;
    this.#whenHeard = whenHeard;
  }

  /** Exactly one of `run` and `drop` is called, once. */
  add(turnId: string, cue: Cue, run: () => void, drop: () => void): void {
    if (this.#waiting.size >= WAITING_MAX) return run();
    const waiting: Waiting = { turnId, cue, run, drop, sinceMs: this.#clock.nowMs(), cancel: () => {} };
    this.#waiting.add(waiting);
    this.#arm(waiting);
  }

  /** An item began, or moved in time. */
  look(): void {
    for (const waiting of this.#waiting) this.#arm(waiting);
  }

  /** No speech comes for this turn: what still waits for a word that was never queued is done now. */
  release(turnId: string): void {
    for (const waiting of this.#waiting) {
      const { cue } = waiting;
      if (waiting.turnId === turnId && this.#whenHeard(cue.itemId, cue.atMs) === undefined) this.#end(waiting)?.run();
    }
  }

  /** The user has interrupted. */
  flush(): void {
    for (const waiting of this.#waiting) this.#end(waiting)?.drop();
  }

  #arm(waiting: Waiting): void {
    waiting.cancel();
    const { cue, sinceMs } = waiting;
    const nowMs = this.#clock.nowMs();
    const dueMs = this.#whenHeard(cue.itemId, cue.atMs) ?? sinceMs + WAIT_MAX_MS;
    if (dueMs <= nowMs) return this.#end(waiting)?.run();
    waiting.cancel = this.#clock.schedule(dueMs - nowMs, () => this.#arm(waiting));
  }

  #end(waiting: Waiting): Waiting | undefined {
    waiting.cancel();
    return this.#waiting.delete(waiting) ? waiting : undefined;
  }
}
