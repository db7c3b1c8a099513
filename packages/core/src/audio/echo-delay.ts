// Where in the past of what we sent does the microphone hear us? Both signals are reduced to log energies of 10 ms hops;
// the lag with the greatest normalised correlation is the bulk delay of network, playout, room and capture.

export const HOP_MS = 10;
const LAG_HOPS_MAX = 59;
/** Four seconds: long enough for a few sentences' envelope, short enough to follow a change of route. */
const WINDOW_HOPS = 400;
/** With less than this much evidence the answer would be chance. */
const HOPS_MIN = 100;

export interface EchoDelay {
  readonly delayMs: number;
  /** Of the log-energy envelopes, -1 to 1. Below 0.5 the microphone probably hears no echo at all. */
  readonly correlation: number;
}

/** Folds reference (sent) and microphone audio hop by hop and estimates the delay between them. */
export class EchoDelayEstimator {
  readonly #hopSamples: number;
  readonly #reference = new Float64Array(WINDOW_HOPS + LAG_HOPS_MAX);
  readonly #microphone = new Float64Array(WINDOW_HOPS);
  #hops = 0;

  constructor(sampleRateHz: number) {
    this.#hopSamples = (sampleRateHz * HOP_MS) / 1_000;
  }

  /** Both blocks cover the same time and hold whole hops. */
  fold(reference: Int16Array, microphone: Int16Array): void {
    for (let start = 0; start + this.#hopSamples <= reference.length; start += this.#hopSamples) {
      this.#reference[this.#hops % this.#reference.length] = logEnergy(reference, start, this.#hopSamples);
      this.#microphone[this.#hops % this.#microphone.length] = logEnergy(microphone, start, this.#hopSamples);
      this.#hops++;
    }
  }

  /** Undefined until a second of audio has been heard. */
  estimate(): EchoDelay | undefined {
    const count = Math.min(WINDOW_HOPS, this.#hops - LAG_HOPS_MAX);
    if (count < HOPS_MIN) return undefined;
    let best: EchoDelay = { delayMs: 0, correlation: -1 };
    for (let lag = 0; lag <= LAG_HOPS_MAX; lag++) {
      const correlation = this.#correlate(lag, count);
      if (correlation > best.correlation) best = { delayMs: lag * HOP_MS, correlation };
    }
    return best;
  }

  #correlate(lag: number, count: number): number {
    let sumX = 0;
    let sumY = 0;
    let sumXX = 0;
    let sumYY = 0;
    let sumXY = 0;
    for (let i = this.#hops - count; i < this.#hops; i++) {
      const x = this.#reference[(i - lag) % this.#reference.length] as number;
      const y = this.#microphone[i % this.#microphone.length] as number;
      sumX += x;
      sumY += y;
      sumXX += x * x;
      sumYY += y * y;
      sumXY += x * y;
    }
    const spread = Math.sqrt((sumXX - sumX ** 2 / count) * (sumYY - sumY ** 2 / count));
    return spread < 1e-9 ? -1 : (sumXY - (sumX * sumY) / count) / spread;
  }
}

function logEnergy(samples: Int16Array, start: number, count: number): number {
  let sum = 0;
  for (let i = start; i < start + count; i++) sum += (samples[i] as number) ** 2;
  return Math.log10(sum / count + 1);
}
