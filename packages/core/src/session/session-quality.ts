// What a session asks its client to send, by how its packets fare: gaps in their numbers, how much later they come than the
// quickest of late, the round trip of the pings, and the battery. The ladder is that of `streams/adaptive-quality`; the
// operator's rates are its top.
import type { RatesMessage } from "@fovea/protocol";
import type { StreamQuality } from "../streams/adaptive-quality.ts";
import { AdaptiveQuality, rungFor } from "../streams/adaptive-quality.ts";
import type { SessionLimits } from "./session-ports.ts";

/** Shorter periods say little about loss. */
const PERIOD_MS = 900;
/** The quickest way is looked for anew after this long: a route may have changed for good. */
const LEAST_MS = 30_000;
/** More missing at once is a pause and no loss. */
const GAP_MAX = 200;

const SEQ = 0;
const RECEIVED = 1;
const MISSED = 2;
const DELAY_SUM_MS = 3;
const LEAST_NOW_MS = 4;
const LEAST_BEFORE_MS = 5;
const LEAST_SINCE_MS = 6;
const FOLDED_MS = 7;
const NOTHING = [Number.NaN, 0, 0, 0, Infinity, Infinity, -Infinity, -Infinity];

export class SessionQuality {
  readonly #limits: SessionLimits;
  readonly #rungMax: number;
  readonly #ladder: AdaptiveQuality;
  /** Eight numbers, since every packet writes them. */
  readonly #numbers = Float64Array.from(NOTHING);
  #batteryLevel: number | undefined;
  #told: StreamQuality | undefined;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
    this.#rungMax = rungFor(limits.poseHz, limits.imageHz);
    this.#ladder = new AdaptiveQuality(this.#rungMax, this.#rungMax);
  }

  /** Another socket, perhaps another network; the client was told the operator's rates. What is known of the line stays. */
  restart(): RatesMessage | undefined {
    this.#numbers.set(NOTHING);
    this.#told = undefined;
    return this.#tell("resumed");
  }

  /** `delayMs`: from when the sample was taken to its arrival, on the session's clock. */
  notePose(seq: number, delayMs: number): void {
    const numbers = this.#numbers;
    const gap = (seq - (numbers[SEQ] as number)) & 0xffff;
    numbers[SEQ] = seq;
    numbers[RECEIVED] = (numbers[RECEIVED] as number) + 1;
    if (gap > 1 && gap < GAP_MAX) numbers[MISSED] = (numbers[MISSED] as number) + gap - 1;
    numbers[DELAY_SUM_MS] = (numbers[DELAY_SUM_MS] as number) + delayMs;
    if (delayMs < (numbers[LEAST_NOW_MS] as number)) numbers[LEAST_NOW_MS] = delayMs;
  }

  noteBattery(level: number): void {
    this.#batteryLevel = level;
  }

  /** Called with every answered ping. Returns what the client is to be told, if that changed. */
  fold(rttMs: number, nowMs: number): RatesMessage | undefined {
    const numbers = this.#numbers;
    if (nowMs - (numbers[FOLDED_MS] as number) < PERIOD_MS) return undefined;
    numbers[FOLDED_MS] = nowMs;
    const received = numbers[RECEIVED] as number;
    const missed = numbers[MISSED] as number;
    const least = Math.min(numbers[LEAST_NOW_MS] as number, numbers[LEAST_BEFORE_MS] as number);
    const decision = this.#ladder.fold(
      {
        rttMs,
        lossShare: received === 0 ? 0 : missed / (received + missed),
        queueDelayMs: received === 0 ? 0 : (numbers[DELAY_SUM_MS] as number) / received - least,
        ...(this.#batteryLevel === undefined ? {} : { batteryLevel: this.#batteryLevel }),
      },
      nowMs,
    );
    numbers[RECEIVED] = 0;
    numbers[MISSED] = 0;
    numbers[DELAY_SUM_MS] = 0;
    if (nowMs - (numbers[LEAST_SINCE_MS] as number) > LEAST_MS) {
      numbers[LEAST_BEFORE_MS] = numbers[LEAST_NOW_MS] as number;
      numbers[LEAST_NOW_MS] = Infinity;
      numbers[LEAST_SINCE_MS] = nowMs;
    }
    return this.#tell(decision.reason);
  }

  #tell(reason: string): RatesMessage | undefined {
    const { quality, rung } = this.#ladder;
    const isTop = rung >= this.#rungMax;
    if (quality === this.#told || (isTop && this.#told === undefined)) return undefined;
    this.#told = quality;
    const imageHz = Math.min(this.#limits.imageHz, isTop ? Infinity : quality.imageHz);
    return {
      type: "rates",
      poseHz: Math.min(this.#limits.poseHz, isTop ? Infinity : quality.poseHz),
      ...(this.#limits.imageHz > 0 ? { imageHz } : {}),
      ...(isTop ? {} : { imageWidth: quality.imageWidth }),
      reason,
    };
  }
}
