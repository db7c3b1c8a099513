import { countTokens } from "../answer-script.ts";
import type { Call, Reply, Stage } from "../exchange.ts";
import { jsonReply } from "../exchange.ts";
import { numberOf, objectOf, textOf } from "../json.ts";
import { PNG_BASE64 } from "../media.ts";
import { invalid } from "./prompt.ts";

export function imagesReply(call: Call, stage: Stage): Reply {
  const body = objectOf(call.json);
  const prompt = textOf(body["prompt"]);
  if (prompt === "") throw invalid("Missing required parameter: 'prompt'.", "prompt");
  const input = countTokens(prompt);
  const data = Array.from({ length: numberOf(body["n"]) ?? 1 }, () => ({ b64_json: PNG_BASE64 }));
  const usage = {
    input_tokens: input,
    output_tokens: 196 * data.length,
    total_tokens: input + 196 * data.length,
    input_tokens_details: { text_tokens: input, image_tokens: 0 },
  };
  return jsonReply({
    created: Math.floor(stage.unixMs / 1000),
    background: "opaque",
    data,
    output_format: "png",
    usage,
  });
}
