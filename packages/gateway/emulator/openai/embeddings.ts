import { countTokens, vectorOf } from "../answer-script.ts";
import type { Call, Reply, Stage } from "../exchange.ts";
import { jsonReply } from "../exchange.ts";
import { objectOf, textOf } from "../json.ts";
import { invalid } from "./prompt.ts";

export function embeddingsReply(call: Call, stage: Stage): Reply {
  const body = objectOf(call.json);
  const model = textOf(body["model"]);
  if (model === "") throw invalid("you must provide a model parameter", "model");
  const inputs = readInputs(body["input"]);
  const asked = body["dimensions"];
  const dimensions =
    typeof asked === "number" ? asked : (stage.answer.dimensions ?? (model.includes("large") ? 3072 : 1536));
  const data = inputs.map((text, index) => {
    const vector = vectorOf(text, dimensions);
    const embedding =
      body["encoding_format"] === "base64" ? Buffer.from(vector.buffer).toString("base64") : [...vector];
    return { object: "embedding", index, embedding };
  });
  const tokens = inputs.reduce((sum, text) => sum + countTokens(text), 0);
  return jsonReply({ object: "list", data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } });
}

/** Strings, or token arrays, whose text nobody knows: their numbers stand for it. */
function readInputs(input: unknown): readonly string[] {
  if (typeof input === "string") return [input];
  if (!Array.isArray(input) || input.length === 0) throw invalid("'$.input' is invalid.", "input");
  if (input.every((item) => typeof item === "number")) return [input.join(" ")];
  return input.map((item: unknown) => {
    if (typeof item === "string") return item;
    if (Array.isArray(item) && item.every((token) => typeof token === "number")) return item.join(" ");
    throw invalid("'$.input' is invalid.", "input");
  });
}
