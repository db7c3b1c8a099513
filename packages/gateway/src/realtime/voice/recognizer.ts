// Words from a stretch of audio, by the models of `voiceModels` in order. Every call goes through the engine like any other:
// routed, measured, broken off, paid for.
import type { AnswerEngine, Clock, Ids, Log, Meter, Principal, Recognition } from "@fovea/core";
import { GatewayError, VOICE_RATE_HZ } from "@fovea/core";
import type { NoiseSuppressor } from "../../audio/noise-suppressor.ts";
import { buildWav } from "../../audio/wav.ts";
import { voiceModels } from "./voice-models.ts";
import type { VoiceSettings } from "./voice-port.ts";

export interface RecognizerParts {
  readonly engine: AnswerEngine;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly meter: Meter;
  readonly principal: Principal;
  /** Absent: speech is recognised as it comes. */
  readonly noise?: NoiseSuppressor;
}

export type RecognizerSettings = Pick<VoiceSettings, "recognizers" | "speakers" | "byLanguage" | "vocabulary">;

const DEADLINE_MS = 10_000;

/** Whoever may hold a session may have it listened to; the operation itself asks for the scope of a call. */
export function voicePrincipal(principal: Principal): Principal {
  return principal.scopes.includes("chat") ? principal : { ...principal, scopes: [...principal.scopes, "chat"] };
}

/** Mono PCM16 at 16 kHz. Throws the failure of the last model that was tried. */
export async function recognizeSpeech(
  parts: RecognizerParts,
  samples: Int16Array,
  settings: RecognizerSettings & { readonly language?: string },
  signal: AbortSignal,
): Promise<Recognition> {
  const { engine, clock, ids, meter, log } = parts;
  const principal = voicePrincipal(parts.principal);
  const { language, vocabulary } = settings;
  const models = voiceModels(engine, principal, "transcribe", settings, language);
  if (models.length === 0) throw new GatewayError("request_unsupported", "no model here understands speech");
  const audio = { bytes: buildWav(samples, VOICE_RATE_HZ), mime: "audio/wav", fileName: "speech.wav" };
  const startedMs = clock.monotonicMs();
  let failure: unknown;
  for (const model of models) {
    try {
      const input = {
        model,
        audio,
        vocabulary,
        wantWords: true,
        ...(language === undefined ? {} : { language: language.split("-", 1)[0] as string }),
      };
      const request = {
        requestId: ids.next("listen"),
        operation: "transcribe" as const,
        input,
        principal,
        deadlineMs: clock.monotonicMs() + DEADLINE_MS,
      };
      const { result, providerId } = await engine.perform(request, signal);
      meter.record("xr.voice.recognition", { provider: providerId }, (clock.monotonicMs() - startedMs) / 1_000);
      return {
        text: result.text.trim(),
        words: result.words ?? [],
        isComplete: result.isComplete ?? false,
        ...(result.language === undefined ? {} : { language: result.language }),
      };
    } catch (error) {
      if (signal.aborted) throw error;
      failure = error;
      log.write("info", "a recogniser failed", { model, code: GatewayError.is(error) ? error.code : "internal" });
    }
  }
  throw failure;
}
