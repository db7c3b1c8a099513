import { GatewayError } from "@fovea/core";
import type { OpenVoiceOptions, VoiceHandle } from "./voice-port.ts";

/** Opens a voice conversation for a door. */
export function openVoice(options: OpenVoiceOptions): VoiceHandle {
  throw new GatewayError("request_unsupported", `voice is being wired (${options.settings.model ?? "auto"})`);
}
