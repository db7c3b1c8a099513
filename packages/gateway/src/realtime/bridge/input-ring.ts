import { Resampler } from "@fovea/core";

/** Sound that no vendor has committed yet; a vendor that takes over hears it again. */
const KEPT_MS_MAX = 15_000;

interface Kept {
  readonly pcm: Int16Array;
  readonly rateHz: number;
}

export class InputRing {
  readonly #kept: Kept[] = [];
  #keptMs = 0;
  #resampler: { readonly fromHz: number; readonly toHz: number; readonly filter: Resampler } | undefined;

  /** Milliseconds kept. */
  get lengthMs(): number {
    return this.#keptMs;
  }

  push(pcm: Int16Array, rateHz: number): void {
    this.#kept.push({ pcm, rateHz });
    this.#keptMs += (pcm.length / rateHz) * 1000;
    while (this.#keptMs > KEPT_MS_MAX) {
      const first = this.#kept.shift();
      if (first === undefined) break;
      this.#keptMs -= (first.pcm.length / first.rateHz) * 1000;
    }
  }

  clear(): void {
    this.#kept.length = 0;
    this.#keptMs = 0;
  }

  /** Everything kept, at the rate of the vendor that asks. */
  replay(toHz: number): readonly Uint8Array[] {
    this.#resampler = undefined;
    return this.#kept.map(({ pcm, rateHz }) => this.convert(pcm, rateHz, toHz));
  }

  convert(pcm: Int16Array, fromHz: number, toHz: number): Uint8Array {
    if (fromHz === toHz) return bytesOf(pcm);
    let known = this.#resampler;
    if (known === undefined || known.fromHz !== fromHz || known.toHz !== toHz) {
      known = { fromHz, toHz, filter: new Resampler({ fromHz, toHz, tapsPerSide: 16 }) };
      this.#resampler = known;
    }
    return bytesOf(known.filter.process(pcm));
  }
}

function bytesOf(pcm: Int16Array): Uint8Array {
  return new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
}
