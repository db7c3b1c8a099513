/** Below this, PCM16 holds nothing but rounding: -96 dB of full scale. */
export const SILENCE_DB = -96;

/** Root mean square in decibels of full scale; `SILENCE_DB` for silence and for no samples. */
export function levelDb(samples: Int16Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += (samples[i] as number) ** 2;
  if (sum === 0) return SILENCE_DB;
  return Math.max(SILENCE_DB, 10 * Math.log10(sum / samples.length) - 20 * Math.log10(32768));
}

/**
 * Follows the noise of a room: the estimate falls at once with quieter windows and rises slowly (3 dB a second), so
 * that speech does not count as noise. Source of the idea: minimum statistics (Martin, IEEE TSAP 2001), reduced to one tap.
 */
export class NoiseFloor {
  readonly #risePerMs: number;
  #db: number | undefined;

  constructor(riseDbPerSecond = 3) {
    this.#risePerMs = riseDbPerSecond / 1_000;
  }

  /** Folds one window and returns the floor in dBFS. */
  fold(windowDb: number, windowMs: number): number {
    const risen = this.#db === undefined ? windowDb : this.#db + this.#risePerMs * windowMs;
    this.#db = Math.min(windowDb, risen);
    return this.#db;
  }
}
