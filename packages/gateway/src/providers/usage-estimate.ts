import type { ChatRequest, Usage } from "@fovea/core";

/** English and JSON lie near four characters a token; the figure is marked as an estimate wherever it goes. */
const CHARACTERS_A_TOKEN = 4;
/** What vendors charge for a medium image, order of magnitude. */
const MEDIA_TOKENS = 765;

/** For answers whose provider reported nothing: counted from what was sent and what was delivered. */
export function estimateUsage(request: ChatRequest, outputCharacters: number): Usage {
  let characters = 0;
  let media = 0;
  for (const text of request.system ?? []) characters += text.length;
  for (const message of request.messages) {
    for (const part of message.content) {
      if (part.type === "text") characters += part.text.length;
      else if (part.type === "tool-call") characters += part.name.length + part.args.length;
      else if (part.type === "media") media++;
      else if (part.type === "tool-result") {
        for (const piece of part.content) characters += piece.type === "text" ? piece.text.length : 0;
      }
    }
  }
  for (const tool of request.tools ?? []) characters += JSON.stringify(tool).length;
  const input = Math.ceil(characters / CHARACTERS_A_TOKEN) + media * MEDIA_TOKENS;
  return {
    input: { total: input, cacheRead: 0, cacheWrite: 0 },
    output: { total: Math.ceil(outputCharacters / CHARACTERS_A_TOKEN) },
    source: "estimated",
  };
}
