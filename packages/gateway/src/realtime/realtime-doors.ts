// The realtime protocols that other clients speak, on the gateway's own port.
import type { AuditSink, Principal } from "@fovea/core";
import type { FastifyInstance } from "fastify";
import { attachDoors, type DoorSocketParts, type DoorSockets } from "./doors/door-socket.ts";
import type { SessionParts } from "./doors/open-session.ts";
import { geminiLiveDoor, registerAuthTokens } from "./gemini-live/gemini-live-door.ts";
import { Calls } from "./openai/calls.ts";
import { ClientSecrets, type SecretIssuer } from "./openai/client-secrets.ts";
import { openAiRealtimeDoor } from "./openai/openai-realtime-door.ts";
import { registerRtviConnect, rtviDoor } from "./rtvi/rtvi-door.ts";

export interface RealtimeDoorParts extends SessionParts {
  readonly authenticate: DoorSocketParts["authenticate"];
  readonly issuer: SecretIssuer;
  readonly audit: AuditSink;
  readonly sessionsMax: number;
  readonly limits?: DoorSocketParts["limits"];
}

export function attachRealtimeDoors(app: FastifyInstance, parts: RealtimeDoorParts): DoorSockets {
  const { clock, ids, log, meter, authenticate, issuer, sessionsMax } = parts;
  const principalOf = (request: { readonly principal: Principal }): Principal => request.principal;
  const secrets = new ClientSecrets(issuer, clock);
  secrets.register(app, principalOf);
  const calls = new Calls(parts, secrets);
  calls.register(app, principalOf);
  registerAuthTokens(app, issuer, principalOf);
  registerRtviConnect(app, issuer, principalOf);
  const doors = [openAiRealtimeDoor(parts, secrets, calls), geminiLiveDoor(parts), rtviDoor(parts)];
  const limits = { sessionsMax, ...parts.limits };
  const sockets = attachDoors(app.server, doors, { authenticate, clock, ids, log, meter, audit: parts.audit, limits });
  return {
    get sessions() {
      return sockets.sessions + calls.size;
    },
    serves: (path) => sockets.serves(path),
    endWhere: (isOver, message) => sockets.endWhere(isOver, message),
    close: async (message) => {
      calls.close();
      await sockets.close(message);
    },
  };
}
