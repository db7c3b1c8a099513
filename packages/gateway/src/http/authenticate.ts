// Who is calling. Every door and the XR socket ask here and nowhere else. Open only where the configuration says so (no
// key and a loopback address); then the Host and Origin headers are checked, because a web page in the user's browser
// could otherwise use the gateway by DNS rebinding.
import { createHmac, hash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Clock, Meter, Principal, Scope } from "@fovea/core";
import { GatewayError } from "@fovea/core";
import { isLoopbackHost } from "../config/loopback.ts";
import type { ApiKeySettings } from "../config/config-schema.ts";
import { apiKeyHash, isPlausibleApiKey } from "./api-key.ts";

export interface AuthenticatorParts {
  readonly clock: Clock;
  readonly meter: Meter;
  readonly serverSecret: string;
  readonly keys: readonly ApiKeySettings[];
  readonly sessionTokenMs: number;
  /** Names beside loopback that an open gateway answers to. */
  readonly allowedHosts: readonly string[];
  /** Web origins that may call; `*` allows all where keys are required. */
  readonly corsOrigins: readonly string[];
}

/** What of a request identifies its caller. `url` may hold a credential in its query. */
export interface Caller {
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
}

export interface SessionToken {
  readonly token: string;
  readonly expiresAtUnixMs: number;
}

interface KeyRecord {
  readonly principal: Principal;
  readonly digest: Buffer;
  readonly untilUnixMs: number;
}

const OPEN: Principal = {
  tenantId: "local",
  userId: "local",
  scopes: ["chat", "session", "metrics", "admin"],
  via: "open",
};
const TOKEN_PREFIX = "fov_sess_";
const CACHE_MAX = 1_000;
const DAY_MS = 86_400_000;

export class Authenticator {
  readonly #parts: AuthenticatorParts;
  #records: readonly KeyRecord[];
  /** By SHA-256 of the presented key: keys themselves are not kept, and an HMAC a call is saved. Only successes. */
  readonly #cache = new Map<string, KeyRecord>();

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts;
    this.#records = parts.keys.map((settings) => buildRecord(settings, parts.serverSecret));
  }

  get isOpen(): boolean {
    return this.#records.length === 0;
  }

  /** Holds for the next call; a key that is gone takes its session tokens with it. */
  replaceKeys(keys: readonly ApiKeySettings[]): void {
    this.#records = keys.map((settings) => buildRecord(settings, this.#parts.serverSecret));
    this.#cache.clear();
  }

  /** Whether somebody who was recognised earlier still would be. */
  isKnown(principal: Principal): boolean {
    if (principal.via === "open") return this.isOpen;
    const nowMs = this.#parts.clock.unixMs();
    return this.#records.some(
      ({ principal: { keyId, tenantId }, untilUnixMs }) =>
        keyId === principal.keyId && tenantId === principal.tenantId && nowMs < untilUnixMs,
    );
  }

  get sessionTokenMs(): number {
    return this.#parts.sessionTokenMs;
  }

  /** Throws `credentials_missing`, `credentials_invalid`, or `permission_denied` for a foreign page in front of an open gateway. */
  authenticate(caller: Caller): Principal {
    if (this.isOpen) {
      this.#checkBrowser(caller.headers);
      return OPEN;
    }
    const credential = credentialOf(caller);
    if (credential === undefined) {
      this.#count("missing");
      throw new GatewayError("credentials_missing", "an API key is required: send `Authorization: Bearer <key>`");
    }
    // The vendors' browser SDKs know a short-lived key by how it begins.
    const token = credential.replace(/^(?:ek_|auth_tokens\/)(?=fov_sess_)/, "");
    const principal = token.startsWith(TOKEN_PREFIX) ? this.#byToken(token) : this.#byKey(credential);
    if (principal === undefined) {
      this.#count("invalid");
      throw new GatewayError("credentials_invalid", "the API key or session token is not valid, or no longer");
    }
    return principal;
  }

  /** Throws `permission_denied` naming the scope. */
  authorize(caller: Caller, scope: Scope): Principal {
    const principal = this.authenticate(caller);
    requireScope(principal, scope);
    return principal;
  }

  /** A short-lived credential for a page, so that no key reaches a browser. Never wider than who asks for it. */
  issueSessionToken(
    principal: Principal,
    wish: { readonly userId?: string; readonly scopes?: readonly Scope[] } = {},
  ): SessionToken {
    if (principal.via === "session-token")
      throw new GatewayError("permission_denied", "a session token cannot make another: ask with an API key");
    const scopes = (wish.scopes ?? ["chat", "session"]).filter((scope) => principal.scopes.includes(scope));
    if (scopes.length === 0)
      throw new GatewayError("permission_denied", "the key has none of the scopes asked for", { param: "scopes" });
    const expiresAtUnixMs = Math.floor(this.#parts.clock.unixMs() + this.#parts.sessionTokenMs);
    const claims = {
      t: principal.tenantId,
      u: wish.userId ?? principal.userId,
      s: scopes,
      k: principal.keyId,
      e: expiresAtUnixMs,
    };
    const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
    return { token: `${TOKEN_PREFIX}${payload}.${this.#sign(payload)}`, expiresAtUnixMs };
  }

  /** Whether a page of this origin may read the gateway's answers. */
  allowsOrigin(origin: string): boolean {
    if (this.#parts.corsOrigins.includes(origin)) return true;
    return this.isOpen ? isLoopbackOrigin(origin) : this.#parts.corsOrigins.includes("*");
  }

  #checkBrowser(headers: IncomingHttpHeaders): void {
    const host = hostName(headers.host ?? "");
    if (!isLoopbackHost(host) && !this.#parts.allowedHosts.includes(host)) {
      this.#count("host");
      throw new GatewayError(
        "permission_denied",
        `an open gateway answers only to loopback names, not to \`${host}\`: configure an API key, or add the name to server.allowedHosts`,
      );
    }
    const origin = headers.origin;
    if (origin !== undefined && !this.allowsOrigin(origin) && !isSameOrigin(origin, headers.host)) {
      this.#count("origin");
      throw new GatewayError(
        "permission_denied",
        `pages of ${origin} may not use an open gateway: configure an API key, or add the origin to server.corsOrigins`,
      );
    }
  }

  #byKey(key: string): Principal | undefined {
    const nowMs = this.#parts.clock.unixMs();
    const cacheKey = hash("sha256", key);
    let record = this.#cache.get(cacheKey);
    if (record === undefined) {
      record = this.#find(key);
      if (record !== undefined) this.#remember(cacheKey, record);
    }
    return record !== undefined && nowMs < record.untilUnixMs ? record.principal : undefined;
  }

  /** Compares with every record, so that the time says nothing about which key was near. */
  #find(key: string): KeyRecord | undefined {
    if (!isPlausibleApiKey(key)) return undefined;
    const digest = Buffer.from(apiKeyHash(this.#parts.serverSecret, key));
    let found: KeyRecord | undefined;
    for (const record of this.#records) if (timingSafeEqual(record.digest, digest)) found = record;
    return found;
  }

  #remember(cacheKey: string, record: KeyRecord): void {
    const oldest = this.#cache.size >= CACHE_MAX ? this.#cache.keys().next().value : undefined;
    if (oldest !== undefined) this.#cache.delete(oldest);
    this.#cache.set(cacheKey, record);
  }

  #byToken(token: string): Principal | undefined {
    const [payload = "", signature = ""] = token.slice(TOKEN_PREFIX.length).split(".");
    const expected = Buffer.from(this.#sign(payload));
    const given = Buffer.from(signature);
    if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined;
    // Signed by this server: the shape is its own.
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as {
      t: string;
      u: string;
      s: Scope[];
      k?: string;
      e: number;
    };
    const nowMs = this.#parts.clock.unixMs();
    if (nowMs >= claims.e) return undefined;
    // A token dies with the key it was made from; one of the time when the gateway was open has none.
    const issuer = this.#records.find((record) => record.principal.keyId === claims.k);
    if (issuer === undefined || nowMs >= issuer.untilUnixMs) return undefined;
    return {
      tenantId: claims.t,
      userId: claims.u,
      scopes: claims.s,
      via: "session-token",
      ...(claims.k === undefined ? {} : { keyId: claims.k }),
    };
  }

  #sign(payload: string): string {
    return createHmac("sha256", this.#parts.serverSecret).update(`session-token:${payload}`).digest("base64url");
  }

  #count(reason: string): void {
    this.#parts.meter.count("fovea.auth.refused", { reason });
  }
}

export function requireScope(principal: Principal, scope: Scope): void {
  if (!principal.scopes.includes(scope))
    throw new GatewayError(
      "permission_denied",
      `this key has not the scope \`${scope}\`; it has: ${principal.scopes.join(", ")}`,
    );
}

/** In the places where clients of the vendors put their keys, so that any of them can be pointed at the gateway. */
export function credentialOf(caller: Caller): string | undefined {
  const { headers } = caller;
  const bearer = /^bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? "")?.[1];
  if (bearer !== undefined) return bearer;
  for (const name of ["x-api-key", "x-goog-api-key", "api-key"]) {
    const value = headers[name];
    if (typeof value === "string" && value !== "") return value;
  }
  const protocols = headers["sec-websocket-protocol"]?.split(",") ?? [];
  for (const protocol of protocols) {
    const match = /^\s*(?:openai-insecure-api-key|ticket)\.(\S+)\s*$/.exec(protocol);
    if (match?.[1] !== undefined) return match[1];
  }
  return queryCredential(caller.url);
}

function queryCredential(url: string): string | undefined {
  const mark = url.indexOf("?");
  if (mark < 0) return undefined;
  const query = new URLSearchParams(url.slice(mark + 1));
  return query.get("key") ?? query.get("access_token") ?? query.get("token") ?? undefined;
}

function buildRecord(settings: ApiKeySettings, serverSecret: string): KeyRecord {
  return {
    principal: {
      tenantId: settings.tenant,
      userId: settings.user ?? settings.id,
      scopes: settings.scopes,
      via: "api-key",
      keyId: settings.id,
    },
    digest: Buffer.from(settings.hash ?? apiKeyHash(serverSecret, settings.key ?? "")),
    untilUnixMs: settings.expires === undefined ? Infinity : Date.parse(`${settings.expires}T00:00:00Z`) + DAY_MS,
  };
}

/** `localhost:8787` and `[::1]:8787` without the port. */
function hostName(host: string): string {
  return host.startsWith("[") ? host.slice(0, host.indexOf("]") + 1) : (host.split(":")[0] ?? "");
}

function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && /^https?:$/.test(new URL(origin).protocol) && isLoopbackHost(new URL(origin).hostname);
}

function isSameOrigin(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}
