// Speech for tests: sentences spoken by flite, as a microphone would hear them.
import { Resampler } from "@fovea/core";
import { SeededRandom } from "@fovea/core/testing";
import { findSpeechPrograms } from "../../packages/gateway/src/audio/find-programs.ts";
import { speakWithFlite } from "../../packages/gateway/src/audio/speak-with-programs.ts";
import { SystemClock } from "../../packages/gateway/src/platform/system-clock.ts";

export const programs = findSpeechPrograms(process.env["PATH"] ?? "");
export const RATE = 16_000;

const missing = (["espeak", "flite", "pocketsphinx"] as const).filter((name) => programs[name] === undefined);
/** Why tests with spoken audio cannot run here; false where they can. */
export const noSpeech: string | false = missing.length === 0 ? false : `${missing.join(", ")} not installed`;

const kept = new Map<string, Int16Array>();

/** 16 kHz. The same words by the same voice are spoken once. */
export async function spoken(text: string, voice = "rms"): Promise<Int16Array> {
  const key = `${voice} ${text}`;
  const known = kept.get(key);
  if (known !== undefined) return known;
  if (programs.flite === undefined) throw new Error("flite is not installed");
  const { samples, sampleRateHz } = await speakWithFlite(programs.flite, { text, voice, speed: 1 }, new SystemClock());
  const at16 = sampleRateHz === RATE ? samples : new Resampler({ fromHz: sampleRateHz, toHz: RATE }).process(samples);
  kept.set(key, at16);
  return at16;
}

/** First and last sample above the hiss. */
export function soundingSpan(samples: Int16Array): { readonly fromMs: number; readonly untilMs: number } {
  const first = samples.findIndex((value) => Math.abs(value) > 500);
  const last = samples.findLastIndex((value) => Math.abs(value) > 500);
  return { fromMs: (first * 1_000) / RATE, untilMs: (last * 1_000) / RATE };
}

/** Hiss of a quiet room. */
export function silence(ms: number, seed = 1, amplitude = 12): Int16Array {
  const random = new SeededRandom(seed);
  return Int16Array.from({ length: (ms * RATE) / 1_000 }, () => amplitude * random.gaussian());
}

export function joined(...pieces: readonly Int16Array[]): Int16Array {
  const out = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
