import { Worker } from "node:worker_threads";

export type ToNoiseWorker =
  | { readonly type: "push"; readonly id: number; readonly samples: Int16Array }
  | { readonly type: "finish"; readonly id: number }
  | { readonly type: "close"; readonly id: number };

export interface FromNoiseWorker {
  readonly id: number;
  readonly samples: Int16Array;
  readonly isLast: boolean;
}

/** One voice being cleaned. 16 kHz mono in and out, aligned: what comes out stands where it went in. */
export interface CleanStream {
  push(samples: Int16Array): void;
  /** All of it, once the worker has done its work. Rejects where the worker ended. */
  finish(): Promise<Int16Array>;
  close(): void;
}

interface Open {
  readonly pieces: Int16Array[];
  readonly done: PromiseWithResolvers<Int16Array>;
}

/** Cleans speech in one worker, which is started by the first who needs it. */
export class NoiseSuppressor {
  readonly #open = new Map<number, Open>();
  #worker: Worker | undefined;
  #lastId = 0;
  #isClosed = false;

  stream(): CleanStream {
    const id = ++this.#lastId;
    const open: Open = { pieces: [], done: Promise.withResolvers<Int16Array>() };
    // Nobody may be waiting when the worker ends.
    open.done.promise.catch(() => undefined);
    this.#open.set(id, open);
    const worker = this.#isClosed ? undefined : this.#started();
    const post = (message: ToNoiseWorker): void => worker?.postMessage(message);
    return {
      push: (samples) => post({ type: "push", id, samples: samples.slice() }),
      finish: () => {
        post({ type: "finish", id });
        if (worker === undefined) open.done.reject(new Error("the noise suppressor is closed"));
        return open.done.promise;
      },
      close: () => {
        if (this.#open.delete(id)) post({ type: "close", id });
      },
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.terminate();
  }

  #started(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const worker = new Worker(new URL(`./noise-worker.${extension}`, import.meta.url));
    worker.unref();
    worker.on("message", (message: FromNoiseWorker) => this.#fold(message));
    worker.on("error", () => this.#lost(worker));
    worker.on("exit", () => this.#lost(worker));
    this.#worker = worker;
    return worker;
  }

  #fold({ id, samples, isLast }: FromNoiseWorker): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    open.pieces.push(samples);
    if (!isLast) return;
    this.#open.delete(id);
    const whole = new Int16Array(open.pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of open.pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    open.done.resolve(whole);
  }

  /** The next who needs one starts another. */
  #lost(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { done } of this.#open.values()) done.reject(new Error("the noise suppressor ended"));
    this.#open.clear();
  }
}
