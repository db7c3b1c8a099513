// Which models listen and speak for a conversation: the ones that were named, or what the engine has by capability. What
// needs no key comes last, so that a configured vendor is used and a machine without one still speaks.
import type { AnswerEngine, ModelListing, Principal } from "@fovea/core";
import { LOCAL_VOICE_ID } from "../../providers/local-voice/adapter.ts";
import type { VoiceSettings } from "./voice-port.ts";

type VoiceOperation = "transcribe" | "speak";

/** Tried in order until one works. */
const CANDIDATES_MAX = 4;

/** First preferred. `language` is BCP 47, undefined while nobody knows it. */
export function voiceModels(
  engine: AnswerEngine,
  principal: Principal,
  operation: VoiceOperation,
  settings: Pick<VoiceSettings, "recognizers" | "speakers" | "byLanguage">,
  language: string | undefined,
): readonly string[] {
  const own = languageSettings(settings, language);
  const named = operation === "transcribe" ? own.recognizers : own.speakers;
  if (named !== undefined && named.length > 0) return named.slice(0, CANDIDATES_MAX);
  const able = engine
    .listModels(principal)
    .filter((model) => model.features.includes(operation) && model.name.includes("/") && speaks(model, language));
  const isLocal = (model: ModelListing): boolean => model.providerId === LOCAL_VOICE_ID;
  const vendors = able.filter((model) => !isLocal(model));
  const local = able.filter(isLocal).sort((a, b) => LOCAL_ORDER.indexOf(a.name) - LOCAL_ORDER.indexOf(b.name));
  return [...firstOfEach(vendors), ...local.map(({ name }) => name)].slice(0, CANDIDATES_MAX);
}

/** The figures for a language over those for all. */
export function languageSettings(
  settings: Pick<VoiceSettings, "recognizers" | "speakers" | "byLanguage">,
  language: string | undefined,
): { readonly recognizers?: readonly string[]; readonly speakers?: readonly string[]; readonly voice?: string } {
  const code = language?.toLowerCase();
  const table = settings.byLanguage ?? {};
  const own = code === undefined ? undefined : (table[code] ?? table[code.split("-", 1)[0] as string]);
  return { recognizers: settings.recognizers, speakers: settings.speakers, ...own };
}

/** espeak-ng streams within 20 ms; flite gives a sentence at once. */
const LOCAL_ORDER = [`${LOCAL_VOICE_ID}/espeak-ng`, `${LOCAL_VOICE_ID}/flite`, `${LOCAL_VOICE_ID}/pocketsphinx`];

function speaks({ name }: ModelListing, language: string | undefined): boolean {
  if (language === undefined || language.toLowerCase().startsWith("en")) return true;
  return name !== `${LOCAL_VOICE_ID}/pocketsphinx` && name !== `${LOCAL_VOICE_ID}/flite`;
}

/** Vendors list many; one of each is tried before a second of any. */
function firstOfEach(models: readonly ModelListing[]): readonly string[] {
  const seen = new Set<string>();
  const firsts = models.filter(({ providerId }) => !seen.has(providerId) && seen.add(providerId));
  return firsts.map(({ name }) => name);
}
