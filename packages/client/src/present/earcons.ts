import type { WirePulse } from "@fovea/protocol";
import type { SoundPlace, SoundStage } from "./sound-stage.ts";

/** Between the hum of a room and the pitch of voices; low enough to be felt as a knock. */
const KNOCK_HZ = 180;
const CHIME_HZ = 880;
const PEAK = 0.35;
const EDGE_S = 0.004;
const CHIME: readonly WirePulse[] = [
  { value: 0.6, duration: 60, at: 0 },
  { value: 0.9, duration: 140, at: 90 },
];

/** Short sounds in place of what cannot be felt or seen. */
export class Earcons {
  readonly #stage: SoundStage;

  constructor(stage: SoundStage) {
    this.#stage = stage;
  }

  /** A touch as knocks. False where the page may not sound. */
  knock(pulses: readonly WirePulse[]): boolean {
    return this.#sound(pulses, undefined, KNOCK_HZ);
  }

  /** Two tones from where a thing is, for somebody who does not see it marked. */
  chime(at: SoundPlace): boolean {
    return at !== undefined && this.#sound(CHIME, at, CHIME_HZ);
  }

  #sound(pulses: readonly WirePulse[], at: SoundPlace, hz: number): boolean {
    const context = this.#stage.running();
    if (context === undefined || pulses.length === 0) return false;
    const { input, end } = this.#stage.place(context, at);
    const level = context.createGain();
    level.gain.value = 0;
    const tone = context.createOscillator();
    tone.frequency.value = hz;
    tone.connect(level).connect(input);
    const startS = context.currentTime + EDGE_S;
    let endS = startS;
    for (const { value, duration, at: atMs } of pulses) {
      const fromS = startS + atMs / 1_000;
      const toS = fromS + Math.max(2 * EDGE_S, duration / 1_000);
      level.gain.setValueAtTime(0, fromS);
      level.gain.linearRampToValueAtTime(value * PEAK, fromS + EDGE_S);
      level.gain.setValueAtTime(value * PEAK, toS - EDGE_S);
      level.gain.linearRampToValueAtTime(0, toS);
      endS = Math.max(endS, toS);
    }
    tone.onended = end;
    tone.start(startS);
    tone.stop(endS + EDGE_S);
    return true;
  }
}
