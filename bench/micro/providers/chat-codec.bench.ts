// Decoding one network read of ten chat completion chunks into parts, without any socket. Splitting lines and parsing
// the JSON alone is 1.1 us a chunk here; the limits, checks and parts around it should stay below half of that again.
import type { StreamPart } from "@fovea/core";
import { OPENAI_PROFILE } from "../../../packages/gateway/src/providers/openai/profile.ts";
import { openAiWire } from "../../../packages/gateway/src/providers/openai/wire.ts";
import type { ChatDecoder } from "../../../packages/gateway/src/providers/vendor-wire.ts";

const CODEC = openAiWire(OPENAI_PROFILE, () => []).chat;
const CONTEXT = { providerId: "bench", request: { model: "m", messages: [] }, warnings: [] };

let read: Buffer = Buffer.alloc(0);
let decoder: ChatDecoder | undefined;

/** `size` times ten chunks. */
export function setup(size: number): void {
  const chunk = (content: string): string => {
    const choices = [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }];
    const head = { id: "chatcmpl-0", object: "chat.completion.chunk", created: 1, model: "m", service_tier: "default" };
    return `data: ${JSON.stringify({ ...head, choices, usage: null })}\n\n`;
  };
  read = Buffer.from(Array.from({ length: size * 10 }, (_, index) => chunk(` word${index}`)).join(""));
  decoder = CODEC?.decoder(CONTEXT);
}

export function run(): unknown {
  const parts: StreamPart[] = [];
  decoder?.push(read, parts);
  return parts;
}
