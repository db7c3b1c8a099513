import type { RealtimeOpening } from "@fovea/core";
import { googleLiveCodec } from "./google/live-codec.ts";
import type { LiveCodec } from "./live-codec.ts";
import { openAiLiveCodec } from "./openai/realtime-codec.ts";

/** A codec for one connection. Undefined for a wire that only recognises speech. */
export function liveCodecFor(dialect: RealtimeOpening["dialect"]): LiveCodec | undefined {
  if (dialect === "openai-realtime") return openAiLiveCodec();
  return dialect === "gemini-live" ? googleLiveCodec() : undefined;
}
