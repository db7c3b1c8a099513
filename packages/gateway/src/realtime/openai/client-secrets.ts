// Keys for browsers: `POST /v1/realtime/client_secrets` makes one that lives for minutes and opens one kind of session.
import type { IncomingHttpHeaders } from "node:http";
import type { Clock, Principal } from "@fovea/core";
import { GatewayError } from "@fovea/core";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { EventError, isObject, optionalObject, type Json } from "../doors/json-event.ts";
import { changedSession, newSession } from "./session-object.ts";

export interface SecretIssuer {
  /** Never wider than the principal. */
  issueSessionToken(
    principal: Principal,
    wish: { readonly userId?: string },
  ): { readonly token: string; readonly expiresAtUnixMs: number };
  credentialOf(caller: { readonly headers: IncomingHttpHeaders; readonly url: string }): string | undefined;
}

/** Browsers' SDKs refuse keys that begin otherwise. */
const PREFIX = "ek_";
const SECRETS_MAX = 10_000;

interface Preset {
  readonly session: Json;
  readonly untilUnixMs: number;
}

export class ClientSecrets {
  readonly #issuer: SecretIssuer;
  readonly #clock: Clock;
  /** What each secret was made with. Those of another process open a session with its own defaults. */
  readonly #presets = new Map<string, Preset>();

  constructor(issuer: SecretIssuer, clock: Clock) {
    this.#issuer = issuer;
    this.#clock = clock;
  }

  presetOf(headers: IncomingHttpHeaders, url: string): Json | undefined {
    const credential = this.#issuer.credentialOf({ headers, url });
    const preset = credential === undefined ? undefined : this.#presets.get(credential);
    return preset === undefined || this.#clock.unixMs() >= preset.untilUnixMs ? undefined : preset.session;
  }

  register(app: FastifyInstance, principalOf: (request: FastifyRequest) => Principal): void {
    const issue = (request: FastifyRequest): Json => this.#issue(request.body, principalOf(request));
    app.post("/v1/realtime/client_secrets", { config: { access: "session" } }, (request) => issue(request));
    // The older name, and the older shape of its answer.
    app.post("/v1/realtime/sessions", { config: { access: "session" } }, (request) => {
      const { value, expires_at, session } = issue({ ...request, body: { session: request.body } } as FastifyRequest);
      return { ...(session as Json), client_secret: { value, expires_at } };
    });
  }

  #issue(body: unknown, principal: Principal): Json {
    const given = body === undefined || body === null ? {} : body;
    if (!isObject(given)) throw new GatewayError("request_invalid", "body: must be a JSON object", { param: "body" });
    try {
      const wish = optionalObject(given["session"], "session") ?? {};
      const kind = wish["type"] === "transcription" ? "transcription" : "realtime";
      const model = typeof wish["model"] === "string" ? wish["model"] : "auto";
      const preset = { ...wish, type: kind };
      const { token, expiresAtUnixMs } = this.#issuer.issueSessionToken(principal, {});
      const value = PREFIX + token;
      const expires_at = Math.floor(expiresAtUnixMs / 1000);
      const session = changedSession(newSession("sess_preview", model, kind === "transcription", expires_at), preset);
      this.#remember(value, { session: preset, untilUnixMs: expiresAtUnixMs });
      return { value, expires_at, session };
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      throw new GatewayError("request_invalid", error.message, { param: error.param ?? "session" });
    }
  }

  #remember(value: string, preset: Preset): void {
    const nowMs = this.#clock.unixMs();
    for (const [key, { untilUnixMs }] of this.#presets) {
      if (untilUnixMs > nowMs && this.#presets.size < SECRETS_MAX) break;
      this.#presets.delete(key);
    }
    this.#presets.set(value, preset);
  }
}
