// `/v1/realtime` as OpenAI's clients open it.
import { GatewayError } from "@fovea/core";
import type { DoorPort, DoorRequest, DoorSession, RealtimeDoor } from "../doors/door-socket.ts";
import { checkModel, openSession, type SessionParts } from "../doors/open-session.ts";
import { XRExtension } from "../doors/xr-extension.ts";
import type { Calls } from "./calls.ts";
import type { ClientSecrets } from "./client-secrets.ts";
import { rateLimitLines } from "./rate-limits.ts";
import { RealtimeSession } from "./realtime-session.ts";

export const OPENAI_REALTIME_PATH = /^\/v1\/realtime\/?$/;

export function openAiRealtimeDoor(parts: SessionParts, secrets: ClientSecrets, calls: Calls): RealtimeDoor {
  return {
    protocol: "openai",
    path: OPENAI_REALTIME_PATH,
    // The other entries of the list carry the key; they must not be told back.
    chooseSubprotocol: (offered) => (offered.has("realtime") ? "realtime" : false),
    open: (port, request) => {
      const callId = request.url.searchParams.get("call_id");
      return callId === null ? openOwn(parts, secrets, port, request) : calls.observe(callId, port, request);
    },
  };
}

function openOwn(parts: SessionParts, secrets: ClientSecrets, port: DoorPort, request: DoorRequest): DoorSession {
  const { principal, url, headers } = request;
  const preset = secrets.presetOf(headers, request.url.href);
  const isTranscription = url.searchParams.get("intent") === "transcription" || preset?.["type"] === "transcription";
  const named = typeof preset?.["model"] === "string" ? preset["model"] : undefined;
  const model = url.searchParams.get("model") ?? named;
  if (model !== undefined && model.length > 300)
    throw new GatewayError("request_invalid", "model: is too long", { param: "model" });
  if (model !== undefined && !isTranscription) checkModel(parts.registry, model);
  const xr = new XRExtension(parts.clock, principal, url);
  const session = new RealtimeSession({
    clock: parts.clock,
    ids: parts.ids,
    log: parts.log,
    model,
    isTranscription,
    ...(preset === undefined ? {} : { preset }),
    xr,
    limits: () => rateLimitLines(parts.limitsOf(principal)),
    send: (event) => port.send(JSON.stringify(event)),
    close: (code, reason) => port.close(code, reason),
    open: ({ model: chosen, settings, output }) => {
      if (!isTranscription) checkModel(parts.registry, chosen);
      const all = { ...settings, model: isTranscription ? "auto" : chosen };
      return openSession(parts, { principal, output, context: () => xr.context(), settings: all });
    },
  });
  return {
    text: (text) => session.text(text),
    binary: (bytes) => session.text(Buffer.from(bytes).toString("utf8")),
    closed: () => session.closed(),
  };
}
