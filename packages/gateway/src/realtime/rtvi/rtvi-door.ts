// `/rtvi` for Pipecat's clients: `new WebSocketTransport({ wsUrl: "ws://localhost:8787/rtvi?model=auto" })`.
import type { RealtimeDoor } from "../doors/door-socket.ts";
import { checkModel, type SessionParts } from "../doors/open-session.ts";
import { RtviSession } from "./rtvi-session.ts";

const PATH = /^\/(?:v1\/)?rtvi\/?$/;

export function rtviDoor(parts: SessionParts): RealtimeDoor {
  return {
    protocol: "rtvi",
    path: PATH,
    chooseSubprotocol: () => false,
    open: (port, { principal, url }) => {
      const model = url.searchParams.get("model") ?? "auto";
      const voice = url.searchParams.get("voice");
      const language = url.searchParams.get("language");
      checkModel(parts.registry, model);
      const settings = { ...(voice === null ? {} : { voice }), ...(language === null ? {} : { language }) };
      return new RtviSession(parts, port, { principal, model, settings });
    },
  };
}
