// What a door adds to every token: words for 200 tokens of one streamed chat completion.
import type { AnswerPart } from "@fovea/core";
import type { EndPart, StartPart } from "../../../packages/gateway/src/http/answer-dialect.ts";
import { chatAnswer } from "../../../packages/gateway/src/http/openai/chat-answer.ts";

const START: StartPart = { type: "start", requestId: "r", provider: "p", model: "m", warnings: [] };
const TRACE = { requestId: "r", provider: "p", model: "m", reason: "", isCached: false, steps: [] };
const END: EndPart = { type: "end", outcome: "complete", finishReason: "stop", trace: TRACE };
let tokens: readonly AnswerPart[] = [];

export function setup(size: number): void {
  tokens = Array.from({ length: size * 200 }, (_, index) => ({ type: "text-delta", text: ` word${index}` }));
}

export function run(): number {
  const encoder = chatAnswer({ id: "chatcmpl-1", createdS: 1, wantsUsage: false }).encoder(START);
  let length = encoder.begin().length;
  for (const token of tokens) length += encoder.part(token).length;
  return length + encoder.end(END, { usage: undefined, cost: undefined }).length;
}
