// Takes noise out of speech, in a thread of its own: half a millisecond of work for each 10 ms of sound would hold up every
// session of the process. One state for each stream; RNNoise works at 48 kHz, in frames of 480, on floats of 16 bit range.
import { parentPort } from "node:worker_threads";
import { Resampler } from "@fovea/core";
import type { FromNoiseWorker, ToNoiseWorker } from "./noise-suppressor.ts";
import { loadRnnoise } from "./rnnoise.ts";

const FRAME = 480;
const module = await loadRnnoise();

class Stream {
  readonly #state = module.create();
  readonly #up = new Resampler({ fromHz: 16_000, toHz: 48_000, tapsPerSide: 16 });
  readonly #down = new Resampler({ fromHz: 48_000, toHz: 16_000, tapsPerSide: 16 });
  #pending = new Int16Array(0);
  /** Samples at 16 kHz by which the output lags: both filters, and the two frames that RNNoise overlaps. */
  #skip = Math.round(this.#up.delaySamples / 3 + this.#down.delaySamples + (2 * FRAME) / 3);

  process(samples: Int16Array): Int16Array {
    const raised = this.#up.process(samples);
    const all = new Int16Array(this.#pending.length + raised.length);
    all.set(this.#pending);
    all.set(raised, this.#pending.length);
    const whole = all.length - (all.length % FRAME);
    for (let at = 0; at < whole; at += FRAME) this.#state.process(all.subarray(at, at + FRAME));
    this.#pending = all.slice(whole);
    const out = this.#down.process(all.subarray(0, whole));
    const skipped = Math.min(this.#skip, out.length);
    this.#skip -= skipped;
    return out.slice(skipped);
  }

  /** What is still on its way through the filters. */
  finish(): Int16Array {
    return this.process(new Int16Array(1_000));
  }

  close(): void {
    this.#state.close();
  }
}

const streams = new Map<number, Stream>();

parentPort?.on("message", (message: ToNoiseWorker) => {
  if (message.type === "close") {
    streams.get(message.id)?.close();
    streams.delete(message.id);
    return;
  }
  let stream = streams.get(message.id);
  if (stream === undefined) streams.set(message.id, (stream = new Stream()));
  const samples = message.type === "push" ? stream.process(message.samples) : stream.finish();
  const reply: FromNoiseWorker = { id: message.id, samples, isLast: message.type === "finish" };
  parentPort?.postMessage(reply, [samples.buffer as ArrayBuffer]);
  if (message.type !== "finish") return;
  stream.close();
  streams.delete(message.id);
});
