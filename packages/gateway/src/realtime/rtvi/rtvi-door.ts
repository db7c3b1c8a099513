// `/rtvi` for Pipecat's clients: `new WebSocketTransport({ wsUrl: "ws://localhost:8787/rtvi?model=auto" })`.
import type { Principal } from "@fovea/core";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { isObject } from "../doors/json-event.ts";
import type { RealtimeDoor } from "../doors/door-socket.ts";
import { checkModel, type SessionParts } from "../doors/open-session.ts";
import type { SecretIssuer } from "../openai/client-secrets.ts";
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

/**
 * `POST /rtvi/connect`: what `startBotAndConnect({ endpoint })` asks. The answer is what its transport takes: an address
 * with a key that lives for minutes, so that a page needs none of its own.
 */
export function registerRtviConnect(
  app: FastifyInstance,
  issuer: SecretIssuer,
  principalOf: (request: FastifyRequest) => Principal,
): void {
  for (const path of ["/rtvi/connect", "/v1/rtvi/connect"]) {
    app.post(path, { config: { access: "session" } }, (request) => {
      const asked = isObject(request.body) ? request.body : {};
      const query = new URLSearchParams({ model: typeof asked["model"] === "string" ? asked["model"] : "auto" });
      for (const name of ["voice", "language"]) {
        const value = asked[name];
        if (typeof value === "string") query.set(name, value);
      }
      query.set("token", issuer.issueSessionToken(principalOf(request), {}).token);
      const wsUrl = `${request.protocol === "https" ? "wss" : "ws"}://${request.host}/rtvi?${query.toString()}`;
      return { wsUrl };
    });
  }
}
