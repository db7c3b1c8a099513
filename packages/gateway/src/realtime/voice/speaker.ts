// Speech for a sentence, by the models of `voiceModels` in order, as PCM of the rate the conversation wants. A model that
// fails before its first sound is replaced by the next; one that breaks off in the middle leaves the sentence unfinished.
import { GatewayError, Resampler } from "@fovea/core";
import { languageSettings, voiceModels } from "./voice-models.ts";
import type { RecognizerParts } from "./recognizer.ts";
import { voicePrincipal } from "./recognizer.ts";
import type { VoiceSettings } from "./voice-port.ts";

export type SpeakerSettings = Pick<
  VoiceSettings,
  "recognizers" | "speakers" | "byLanguage" | "voice" | "outputRateHz"
> & {
  readonly speed?: number;
  readonly language?: string;
};

const DEADLINE_MS = 20_000;
/** What OpenAI-compatible voices send where the answer does not say. */
const PCM_RATE_HZ = 24_000;

/** Pieces of the sentence as they come; each is the caller's. */
export async function* speakSentence(
  parts: RecognizerParts,
  text: string,
  settings: SpeakerSettings,
  signal: AbortSignal,
): AsyncGenerator<Int16Array> {
  const { engine, log } = parts;
  const principal = voicePrincipal(parts.principal);
  const models = voiceModels(engine, principal, "speak", settings, settings.language);
  let failure: unknown = new GatewayError("request_unsupported", "no model here speaks");
  for (const model of models) {
    let hasSounded = false;
    try {
      for await (const piece of speakWith(parts, model, text, settings, signal)) {
        hasSounded = true;
        yield piece;
      }
      return;
    } catch (error) {
      if (signal.aborted || hasSounded) throw error;
      failure = error;
      log.write("info", "a voice failed", { model, code: GatewayError.is(error) ? error.code : "internal" });
    }
  }
  throw failure;
}

async function* speakWith(
  parts: RecognizerParts,
  model: string,
  text: string,
  settings: SpeakerSettings,
  signal: AbortSignal,
): AsyncGenerator<Int16Array> {
  const { engine, clock, ids, meter } = parts;
  const { language, speed, outputRateHz } = settings;
  const startedMs = clock.monotonicMs();
  const request = {
    requestId: ids.next("speak"),
    operation: "speak" as const,
    input: {
      model,
      text,
      voice: languageSettings(settings, language).voice ?? settings.voice,
      format: "pcm" as const,
      ...(speed === undefined ? {} : { speed }),
      ...(language === undefined ? {} : { language }),
    },
    principal: voicePrincipal(parts.principal),
    deadlineMs: startedMs + DEADLINE_MS,
  };
  const { result, providerId } = await engine.perform(request, signal);
  const fromHz = result.sampleRateHz ?? rateOf(result.mime) ?? PCM_RATE_HZ;
  const resampler =
    fromHz === outputRateHz ? undefined : new Resampler({ fromHz, toHz: outputRateHz, tapsPerSide: 16 });
  let odd: number | undefined;
  let isFirst = true;
  for await (const bytes of result.stream) {
    if (isFirst)
      meter.record("xr.voice.first_sound", { provider: providerId }, (clock.monotonicMs() - startedMs) / 1_000);
    isFirst = false;
    const { samples, left } = samplesOf(bytes, odd);
    odd = left;
    if (samples.length > 0) yield resampler === undefined ? samples : resampler.process(samples);
  }
  // What is still in the filter: the end of the last word.
  if (resampler !== undefined)
    yield resampler.process(new Int16Array(Math.ceil((resampler.delaySamples * fromHz) / outputRateHz)));
}

function rateOf(mime: string): number | undefined {
  const match = /rate=(\d+)/.exec(mime);
  return match === null ? undefined : Number(match[1]);
}

/** Networks cut where they like: a sample may lie in two pieces. */
function samplesOf(bytes: Uint8Array, odd: number | undefined): { samples: Int16Array; left: number | undefined } {
  const total = bytes.length + (odd === undefined ? 0 : 1);
  const samples = new Int16Array(total >> 1);
  let at = 0;
  let low = odd;
  for (const byte of bytes) {
    if (low === undefined) {
      low = byte;
      continue;
    }
    samples[at++] = low | (byte << 8);
    low = undefined;
  }
  return { samples, left: low };
}
