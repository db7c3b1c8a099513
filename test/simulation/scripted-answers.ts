// An engine that answers by script, on simulated time: slow, wrong, broken and silent in known shares. It honours an abort
// a little late, as real ones do, so parts of cancelled turns keep coming for a while.
import type { AnswerPart, ReadyTurn, SessionInput } from "@fovea/core";
import type { SeededRandom } from "@fovea/core/testing";
import { PARTS } from "@fovea/core/testing";
import type { EventQueue } from "./event-queue.ts";

export type Feed = (input: SessionInput) => void;

export interface AnswerCounts {
  started: number;
  failed: number;
  broken: number;
  silent: number;
  aborted: number;
}

export class ScriptedAnswers {
  readonly counts: AnswerCounts = { started: 0, failed: 0, broken: 0, silent: 0, aborted: 0 };
  readonly #queue: EventQueue;
  readonly #random: SeededRandom;
  readonly #running = new Map<string, { isAborted: boolean }>();

  constructor(queue: EventQueue, random: SeededRandom) {
    this.#queue = queue;
    this.#random = random;
  }

  get running(): number {
    return this.#running.size;
  }

  start({ turnId, request }: ReadyTurn, feed: Feed): void {
    const random = this.#random;
    const run = { isAborted: false };
    const key = request.requestId;
    this.#running.set(key, run);
    this.counts.started++;
    const fate = random.next();
    const firstMs = 40 + random.next() * 760;
    if (fate < 0.08) {
      this.counts.failed++;
      this.#queue.in(firstMs, () => {
        this.#running.delete(key);
        feed({ type: "turn-failed", turnId, failure: { code: "provider_failed", message: "scripted" } });
      });
      return;
    }
    const target = request.context.attention[0]?.entityId;
    const parts: AnswerPart[] = [PARTS.start(random.next() < 0.5 ? "one" : "two")];
    const sentences = 1 + random.integer(4);
    for (let i = 0; i < sentences; i++) parts.push(PARTS.text(`Sentence ${i} about ${target ?? "nothing"}. `));
    if (target !== undefined) parts.push(PARTS.highlight(target));
    if (fate < 0.12) {
      this.counts.broken++;
      parts.push({ type: "error", code: "answer_broken", message: "scripted", retryable: true }, PARTS.end("error"));
    } else if (fate < 0.13) {
      this.counts.silent++;
      parts.length = 1;
      this.#play(parts, { turnId, key, run, feed, firstMs, ends: false });
      return;
    } else if (fate >= 0.14) {
      parts.push(PARTS.end());
    }
    this.#play(parts, { turnId, key, run, feed, firstMs, ends: true });
  }

  abort(requestTurnId: string, requestId: string | undefined): void {
    const run = requestId === undefined ? undefined : this.#running.get(requestId);
    if (run === undefined) return;
    this.counts.aborted++;
    this.#queue.in(5 + this.#random.next() * 60, () => {
      run.isAborted = true;
      if (requestId !== undefined) this.#running.delete(requestId);
    });
    void requestTurnId;
  }

  #play(
    parts: readonly AnswerPart[],
    how: {
      readonly turnId: string;
      readonly key: string;
      readonly run: { isAborted: boolean };
      readonly feed: Feed;
      readonly firstMs: number;
      readonly ends: boolean;
    },
  ): void {
    const { turnId, key, run, feed } = how;
    const step = (index: number): void => {
      if (run.isAborted) return;
      const part = parts[index];
      if (part === undefined) {
        if (!how.ends) return;
        this.#running.delete(key);
        feed({ type: "turn-over", turnId });
        return;
      }
      feed({ type: "part", turnId, part });
      this.#queue.in(index === 0 ? 0 : 20 + this.#random.next() * 180, () => step(index + 1));
    };
    this.#queue.in(how.firstMs, () => step(0));
  }
}
