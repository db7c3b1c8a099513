// A client names a voice of the vendor it was written for. Another vendor would refuse the whole session for it, so each
// passes over the names of the other and speaks in its own voice. Sources: both vendors' lists of prebuilt voices.
const OPENAI = new Set("alloy ash ballad coral echo fable nova onyx sage shimmer verse marin cedar".split(" "));
const GOOGLE = new Set(
  "puck charon kore fenrir aoede leda orus zephyr callirrhoe autonoe enceladus iapetus umbriel algieba despina erinome algenib rasalgethi laomedeia achernar alnilam schedar gacrux pulcherrima achird zubenelgenubi vindemiatrix sadachbia sadaltager sulafat".split(
    " ",
  ),
);

export function isOpenAiVoice(name: string): boolean {
  return OPENAI.has(name.toLowerCase());
}

export function isGoogleVoice(name: string): boolean {
  return GOOGLE.has(name.toLowerCase());
}
