import type { GatewaySettings } from "../../config/config-schema.ts";
import type { VoiceSettings } from "./voice-port.ts";

/** The operator's part of the settings of every conversation. */
export function voiceSettingsOf(voice: GatewaySettings["voice"]): Partial<VoiceSettings> {
  const { listen, speak, languages, speed, language, cancelEcho, suppressNoise } = voice;
  const byLanguage = Object.fromEntries(
    Object.entries(languages).map(([code, own]) => [
      code,
      {
        ...(own.listen === undefined ? {} : { recognizers: own.listen }),
        ...(own.speak === undefined ? {} : { speakers: own.speak }),
        ...(own.voice === undefined ? {} : { voice: own.voice }),
      },
    ]),
  );
  return {
    recognizers: listen,
    speakers: speak,
    voice: voice.voice,
    byLanguage,
    cancelsEcho: cancelEcho,
    suppressesNoise: suppressNoise,
    ...(speed === undefined ? {} : { speed }),
    ...(language === undefined ? {} : { language }),
  };
}
