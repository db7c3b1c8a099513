// A voice that a client names by habit, at a vendor that does not have it. Whoever asks Google's speech for `alloy` wants to
// hear something, and to be told.
import type { Warning } from "@fovea/core";

/** Source: Gemini API, speech generation, voice options. */
const GOOGLE: ReadonlySet<string> = new Set(
  (
    "zephyr puck charon kore fenrir leda orus aoede callirrhoe autonoe enceladus iapetus umbriel algieba despina erinome " +
    "algenib rasalgethi laomedeia achernar alnilam schedar gacrux pulcherrima achird zubenelgenubi vindemiatrix sadachbia " +
    "sadaltager sulafat"
  ).split(" "),
);

/** Source: OpenAI API reference, audio. */
const OPENAI: ReadonlySet<string> = new Set(
  "alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse".split(" "),
);

/** `voice` as this vendor can speak it, with what must be said about that. "" asks for any voice. */
export function voiceFor(
  vendor: "openai" | "google",
  voice: string,
): { readonly voice: string; readonly warnings: readonly Warning[] } {
  const foreign = vendor === "openai" ? GOOGLE : OPENAI;
  const standard = vendor === "openai" ? "alloy" : "Kore";
  if (voice === "") return { voice: standard, warnings: [] };
  if (!foreign.has(voice.toLowerCase())) return { voice, warnings: [] };
  return {
    voice: standard,
    warnings: [{ field: "voice", message: `${voice} is another vendor's voice; ${standard} speaks` }],
  };
}
