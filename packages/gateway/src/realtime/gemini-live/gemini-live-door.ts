// `BidiGenerateContent` as Google's clients open it, and the keys they give to browsers.
import type { Principal } from "@fovea/core";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { RealtimeDoor } from "../doors/door-socket.ts";
import type { SessionParts } from "../doors/open-session.ts";
import type { SecretIssuer } from "../openai/client-secrets.ts";
import { GeminiLiveSession } from "./gemini-live-session.ts";
import { ResumableSessions } from "./resumable-sessions.ts";

const PATH = /^\/ws\/google\.ai\.generativelanguage\.v\w+\.GenerativeService\.BidiGenerateContent(?:Constrained)?$/;

export function geminiLiveDoor(parts: SessionParts): RealtimeDoor {
  const resumable = new ResumableSessions(parts.clock, parts.ids);
  return {
    protocol: "gemini",
    path: PATH,
    chooseSubprotocol: () => false,
    open: (port, request) => new GeminiLiveSession(parts, port, request, resumable),
  };
}

/** `authTokens.create` of the official client: a key that lives for minutes. */
export function registerAuthTokens(
  app: FastifyInstance,
  issuer: SecretIssuer,
  principalOf: (request: FastifyRequest) => Principal,
): void {
  for (const version of ["v1", "v1beta", "v1alpha"]) {
    app.post(`/${version}/auth_tokens`, { config: { access: "session" } }, (request) => {
      const { token, expiresAtUnixMs } = issuer.issueSessionToken(principalOf(request), {});
      return { name: `auth_tokens/${token}`, expireTime: new Date(expiresAtUnixMs).toISOString() };
    });
  }
}
