// `/v1/realtime` as OpenAI's clients open it.
import { GatewayError } from "@fovea/core";
import type { DoorPort, DoorRequest, DoorSession, RealtimeDoor } from "../doors/door-socket.ts";
import { checkModel, openSession, type SessionParts } from "../doors/open-session.ts";
import { XRExtension } from "../doors/xr-extension.ts";
import type { ClientSecrets } from "./client-secrets.ts";
import { RealtimeSession } from "./realtime-session.ts";

export const OPENAI_REALTIME_PATH = /^\/v1\/realtime\/?$/;

export function openAiRealtimeDoor(parts: SessionParts, secrets: ClientSecrets): RealtimeDoor {
  return {
    protocol: "openai",
    path: OPENAI_REALTIME_PATH,
    // The other entries of the list carry the key; they must not be told back.
    chooseSubprotocol: (offered) => (offered.has("realtime") ? "realtime" : false),
    open: (port, request) => openOwn(parts, secrets, port, request),
  };
}

function openOwn(parts: SessionParts, secrets: ClientSecrets, port: DoorPort, request: DoorRequest): DoorSession {
  const { principal, url, headers } = request;
  const preset = secrets.presetOf(headers, request.url.href);
  const isTranscription = url.searchParams.get("intent") === "transcription" || preset?.["type"] === "transcription";
  const model =
    url.searchParams.get("model") ?? (typeof preset?.["model"] === "string" ? preset["model"] : undefined) ?? "auto";
  if (!isTranscription) checkModel(parts.registry, model);
  if (model.length > 300) throw new GatewayError("request_invalid", "model: is too long", { param: "model" });
  const xr = new XRExtension(parts.clock, principal);
  const session = new RealtimeSession({
    clock: parts.clock,
    ids: parts.ids,
    log: parts.log,
    model,
    isTranscription,
    ...(preset === undefined ? {} : { preset }),
    xr,
    send: (event) => port.send(JSON.stringify(event)),
    close: (code, reason) => port.close(code, reason),
    open: ({ settings, output }) =>
      openSession(parts, {
        principal,
        output,
        context: () => xr.context(),
        settings: { ...settings, model: isTranscription ? "auto" : model },
      }),
  });
  return {
    text: (text) => session.text(text),
    binary: (bytes) => session.text(Buffer.from(bytes).toString("utf8")),
    closed: () => session.closed(),
  };
}
