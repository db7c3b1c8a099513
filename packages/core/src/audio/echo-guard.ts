// The gateway's own voice, kept out of a microphone for a whole session: finds how late it comes back, lets the canceller
// learn the room, starts again when the way of the sound changes, and does nothing at all while nothing is playing.
import { EchoCanceller } from "./echo-canceller.ts";
import type { EchoDelay } from "./echo-delay.ts";
import { EchoDelayEstimator } from "./echo-delay.ts";

/** An echo is heard for so long after its sound: the longest delay that is looked for, and the tail of the room. */
const LINGER_MS = 700;
const LOOK_EVERY_MS = 500;
/** Below this the microphone hears nothing of us: headphones, or a canceller in the device. */
const CORRELATED = 0.5;
/** The delay has to have moved by more than the canceller's lead, twice in a row, before it starts again. */
const MOVED_MS = 25;
/** Energy left of what was heard, over a second: the room is learnt. 8 dB. */
const LEARNT_SHARE = 0.16;
const JUDGE_MS = 1_000;
/** So much playing without correlation, and there is no echo to learn. */
const NO_ECHO_MS = 3_000;
/** After so much playing the room is as learnt as it will be. */
const GIVE_UP_MS = 10_000;
/**
 * What is left of a block beside what was heard: the canceller's residue is a small share that changes slowly, a user's
 * voice cannot be explained by the echo. What is usual follows the upper edge of the residue, and hardly a voice.
 */
const QUIET_RMS = 60;
const SHARE_DOWN = 0.03;
const SHARE_UP = 0.15;
const SHARE_NEAR = 0.004;
/** 8 dB: peaks of a voice stand so far above its mean. */
const LOUDER = 6;
const SOUNDING_RATE = 0.01;
const NEAR_FACTOR = 4;
const NEAR_SHARE_MIN = 0.12;
const NEAR_SHARE_MAX = 0.9;
const SILENT_PEAK = 30;

export class EchoGuard {
  readonly #rateHz: number;
  readonly #estimator: EchoDelayEstimator;
  #canceller: EchoCanceller | undefined;
  #delay: EchoDelay | undefined;
  #movedTimes = 0;
  #lingerMs = 0;
  #playedMs = 0;
  #lookedMs = 0;
  #judgedMs = 0;
  #heard = 0;
  #left = 0;
  #isConverged = false;
  #usualShare = 1;
  #soundingEnergy = 0;
  #soundingBlocks = 0;
  #isNear = true;

  constructor(rateHz: number) {
    this.#rateHz = rateHz;
    this.#estimator = new EchoDelayEstimator(rateHz);
  }

  /** The echo is gone, or there is none; or it could not be learnt, and the user must be heard all the same. */
  get isConverged(): boolean {
    return this.#isConverged || this.#playedMs >= GIVE_UP_MS;
  }

  get delayMs(): number | undefined {
    return this.#delay?.delayMs;
  }

  /** The last block holds more than our own voice; always true while nothing plays and nothing is learnt. */
  get isNear(): boolean {
    return this.#isNear;
  }

  /** What is playing, or was a moment ago, may come back. */
  get isPlaying(): boolean {
    return this.#lingerMs > 0;
  }

  /** Both blocks cover the same time, whole hops of 10 ms. Returns the microphone without us; the same array if idle. */
  process(reference: Int16Array, microphone: Int16Array): Int16Array {
    const blockMs = (microphone.length * 1_000) / this.#rateHz;
    const isSounding = peakOf(reference) > SILENT_PEAK;
    this.#lingerMs = isSounding ? LINGER_MS : Math.max(0, this.#lingerMs - blockMs);
    this.#isNear = true;
    if (this.#lingerMs === 0) return microphone;
    this.#estimator.fold(reference, microphone);
    if (isSounding) this.#playedMs += blockMs;
    this.#lookedMs += blockMs;
    if (this.#lookedMs >= LOOK_EVERY_MS) this.#look();
    if (!this.#isConverged) this.#isNear = this.#standsOut(microphone, isSounding);
    if (this.#canceller === undefined) return microphone;
    const isLouder = this.#isNear;
    const clean = this.#canceller.process(reference, microphone);
    this.#judge(microphone, clean, isSounding ? blockMs : 0);
    // Until the room is learnt, what is left proves nothing by itself.
    if (!this.#isConverged) this.#isNear &&= isLouder;
    return clean;
  }

  /** Louder than our own voice has been here so far. */
  #standsOut(microphone: Int16Array, isSounding: boolean): boolean {
    let energy = 0;
    for (let i = 0; i < microphone.length; i++) energy += (microphone[i] as number) ** 2;
    energy /= microphone.length;
    const isLouder = this.#soundingBlocks > 0 && energy > LOUDER * this.#soundingEnergy;
    if (isSounding) {
      this.#soundingBlocks++;
      this.#soundingEnergy += Math.max(SOUNDING_RATE, 1 / this.#soundingBlocks) * (energy - this.#soundingEnergy);
    }
    return isLouder;
  }

  #look(): void {
    this.#lookedMs = 0;
    const found = this.#estimator.estimate();
    if (found === undefined) return;
    if (found.correlation < CORRELATED) {
      // Not while the canceller works: what it leaves of the user is no proof of anything.
      if (this.#canceller === undefined && this.#playedMs >= NO_ECHO_MS) this.#isConverged = true;
      return;
    }
    const hasMoved = this.#delay === undefined || Math.abs(found.delayMs - this.#delay.delayMs) > MOVED_MS;
    this.#movedTimes = hasMoved ? this.#movedTimes + 1 : 0;
    if (!hasMoved || (this.#canceller !== undefined && this.#movedTimes < 2)) return;
    this.#delay = found;
    this.#movedTimes = 0;
    this.#isConverged = false;
    this.#playedMs = 0;
    this.#canceller = new EchoCanceller({ sampleRateHz: this.#rateHz, delayMs: found.delayMs });
  }

  #judge(heard: Int16Array, left: Int16Array, blockMs: number): void {
    let heardEnergy = 1;
    let leftEnergy = 0;
    for (let i = 0; i < heard.length; i++) {
      heardEnergy += (heard[i] as number) ** 2;
      leftEnergy += (left[i] as number) ** 2;
    }
    const share = Math.min(1, leftEnergy / heardEnergy);
    this.#isNear = share > Math.min(NEAR_SHARE_MAX, Math.max(NEAR_SHARE_MIN, NEAR_FACTOR * this.#usualShare));
    // Quiet blocks are noise that no filter removes.
    if (heardEnergy > heard.length * QUIET_RMS ** 2) {
      const up = this.#isNear ? SHARE_NEAR : SHARE_UP;
      this.#usualShare += (share < this.#usualShare ? SHARE_DOWN : up) * (share - this.#usualShare);
    }
    if (blockMs === 0) return;
    this.#heard += heardEnergy;
    this.#left += leftEnergy;
    this.#judgedMs += blockMs;
    if (this.#judgedMs < JUDGE_MS) return;
    // Once learnt it stays learnt until the way changes: the user's voice leaves energy too.
    if (this.#left <= LEARNT_SHARE * this.#heard) this.#isConverged = true;
    this.#heard = 0;
    this.#left = 0;
    this.#judgedMs = 0;
  }
}

function peakOf(samples: Int16Array): number {
  let peak = 0;
  for (let i = 0; i < samples.length; i++) {
    const value = Math.abs(samples[i] as number);
    if (value > peak) peak = value;
  }
  return peak;
}
