import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import type { Scope } from "@fovea/core";
import { GatewayError, NO_METER } from "@fovea/core";
import { FakeClock } from "@fovea/core/testing";
import { ConfigurationError } from "../config/config-problem.ts";
import type { ApiKeySettings } from "../config/config-schema.ts";
import { serverSecret } from "../config/server-secret.ts";
import { SystemIds } from "../platform/system-ids.ts";
import { apiKeyHash, buildApiKey, isPlausibleApiKey } from "./api-key.ts";
import { Authenticator } from "./authenticate.ts";

const SECRET = "a-server-secret-of-tests";
const KEY = "the-key-of-alice";
const ALICE: ApiKeySettings = { id: "alice", key: KEY, tenant: "acme", scopes: ["chat", "session"] };

interface World {
  readonly keys?: readonly ApiKeySettings[];
  readonly corsOrigins?: readonly string[];
  readonly allowedHosts?: readonly string[];
  readonly secret?: string;
  readonly clock?: FakeClock;
}

function authenticator(world: World): Authenticator {
  return new Authenticator({
    clock: world.clock ?? new FakeClock(),
    meter: NO_METER,
    serverSecret: world.secret ?? SECRET,
    keys: world.keys ?? [],
    sessionTokenMs: 60_000,
    allowedHosts: world.allowedHosts ?? [],
    corsOrigins: world.corsOrigins ?? [],
  });
}

/** Who the caller is, or the code of the refusal. */
function check(subject: Authenticator, headers: Record<string, string>, url = "/v1/models"): string {
  try {
    const { tenantId, userId, via, scopes } = subject.authenticate({
      headers: { host: "localhost:8787", ...headers },
      url,
    });
    return `${tenantId}/${userId} ${via} ${scopes.join("+")}`;
  } catch (error) {
    assert.ok(GatewayError.is(error), String(error));
    return error.code;
  }
}

const OPEN = "local/local open chat+session+metrics+admin";

test("[SEC1] an open gateway answers to loopback names only", () => {
  const open = authenticator({ allowedHosts: ["headset.lan"] });
  for (const host of [
    "localhost",
    "localhost:8787",
    "127.0.0.1:8787",
    "[::1]:8787",
    "app.localhost:1",
    "headset.lan:8787",
  ])
    assert.equal(check(open, { host }), OPEN, host);
  for (const host of ["evil.com", "evil.com:8787", "localhost.evil.com", "127.0.0.1.evil.com", "", "192.168.1.2"])
    assert.equal(check(open, { host }), "permission_denied", host);
});

test("[SEC2] pages in front of an open gateway", () => {
  const open = authenticator({ corsOrigins: ["https://app.example"], allowedHosts: ["headset.lan"] });
  for (const origin of ["http://localhost:5173", "https://127.0.0.1", "https://app.example"])
    assert.equal(check(open, { origin }), OPEN, origin);
  assert.equal(check(open, { origin: "http://headset.lan:8787", host: "headset.lan:8787" }), OPEN);
  for (const origin of ["https://evil.com", "null", "http://localhost.evil.com", "file://localhost"])
    assert.equal(check(open, { origin }), "permission_denied", origin);
});

test("[SEC3] with a key configured every call needs one", () => {
  const keyed = authenticator({ keys: [ALICE] });
  assert.equal(check(keyed, {}), "credentials_missing");
  assert.equal(check(keyed, { authorization: "Bearer wrong" }), "credentials_invalid");
  assert.equal(check(keyed, { authorization: `Basic ${KEY}` }), "credentials_missing");
  assert.equal(check(keyed, { authorization: "Bearer " }), "credentials_missing");
  assert.equal(
    check(keyed, { host: "anything.example", authorization: `Bearer ${KEY}` }),
    "acme/alice api-key chat+session",
  );
});

const PLACES: readonly [name: string, headers: Record<string, string>, url?: string][] = [
  ["Authorization", { authorization: `Bearer ${KEY}` }],
  ["authorization in lower case", { authorization: `bearer ${KEY}` }],
  ["x-api-key", { "x-api-key": KEY }],
  ["x-goog-api-key", { "x-goog-api-key": KEY }],
  ["api-key", { "api-key": KEY }],
  ["?key=", {}, `/v1beta/models?key=${KEY}`],
  ["?access_token=", {}, `/xr?x=1&access_token=${KEY}`],
  ["OpenAI's subprotocol", { "sec-websocket-protocol": `realtime, openai-insecure-api-key.${KEY}` }],
  ["Fovea's subprotocol", { "sec-websocket-protocol": `fovea.v1,ticket.${KEY}` }],
];
for (const [name, headers, url] of PLACES)
  test(`[SEC4] a key in ${name}`, () => {
    assert.equal(check(authenticator({ keys: [ALICE] }), headers, url), "acme/alice api-key chat+session");
  });

test("[SEC5] a key and its hash are the same key, under the same server secret", () => {
  const { key: _key, ...rest } = ALICE;
  const hashed: ApiKeySettings = { ...rest, hash: apiKeyHash(SECRET, KEY) };
  const headers = { authorization: `Bearer ${KEY}` };
  assert.equal(check(authenticator({ keys: [hashed] }), headers), "acme/alice api-key chat+session");
  assert.equal(
    check(authenticator({ keys: [hashed], secret: "another-server-secret" }), headers),
    "credentials_invalid",
  );
  assert.equal(
    check(authenticator({ keys: [hashed] }), { authorization: `Bearer ${hashed.hash}` }),
    "credentials_invalid",
  );
});

test("[SEC6] a key ends with its last day, also when it was used before", () => {
  const clock = new FakeClock(0, Date.UTC(2027, 0, 31, 23, 59, 59, 0));
  const keyed = authenticator({ keys: [{ ...ALICE, expires: "2027-01-31" }], clock });
  const headers = { authorization: `Bearer ${KEY}` };
  assert.equal(check(keyed, headers), "acme/alice api-key chat+session");
  clock.advance(1_000);
  assert.equal(check(keyed, headers), "credentials_invalid");
});

test("[SEC7] a typing error in a made key is seen without a look-up", () => {
  const key = buildApiKey(new SystemIds().secret());
  const at = 15;
  const typo = key.slice(0, at) + (key[at] === "a" ? "b" : "a") + key.slice(at + 1);
  assert.equal(isPlausibleApiKey(key), true);
  assert.equal(isPlausibleApiKey(typo), false);
  assert.equal(isPlausibleApiKey(key.slice(0, -1)), false);
  assert.equal(isPlausibleApiKey(`${key}x`), false);
  assert.equal(isPlausibleApiKey("a key of the operator's own"), true);
});

test("[SEC8] session tokens carry no more than their maker has, and end", () => {
  const clock = new FakeClock();
  const keys: ApiKeySettings[] = [{ ...ALICE, scopes: ["chat", "metrics"], expires: "2200-01-01" }];
  const keyed = authenticator({ keys, clock });
  const maker = keyed.authenticate({ headers: { authorization: `Bearer ${KEY}` }, url: "/" });
  const wish: { userId: string; scopes: Scope[] } = { userId: "bob", scopes: ["chat", "admin"] };
  const { token, expiresAtUnixMs } = keyed.issueSessionToken(maker, wish);
  const ask = (text: string, subject = keyed): string => check(subject, { authorization: `Bearer ${text}` });
  assert.equal(ask(token), "acme/bob session-token chat");
  assert.equal(expiresAtUnixMs, clock.unixMs() + 60_000);
  assert.equal(ask(token, authenticator({ keys, secret: "another-server-secret", clock })), "credentials_invalid");
  assert.equal(
    ask(token, authenticator({ keys: [{ ...ALICE, id: "carol" }], clock })),
    "credentials_invalid",
    "the key is gone",
  );
  for (let at = "fov_sess_".length; at < token.length; at++) {
    const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
    // The last digit of base64url holds bits that no byte uses: it may change without changing the signature's bytes.
    if (at < token.length - 1) assert.equal(ask(changed), "credentials_invalid", `byte ${at}`);
  }
  for (const broken of ["fov_sess_", "fov_sess_.", `${token}.x.y`.slice(0, 40), "fov_sess_e30.e30"])
    assert.equal(ask(broken), "credentials_invalid", broken);
  clock.advance(59_999);
  assert.equal(ask(token), "acme/bob session-token chat");
  clock.advance(1);
  assert.equal(ask(token), "credentials_invalid");
});

test("[SEC8] a token of the time when the gateway was open is void once it asks for keys", () => {
  const open = authenticator({});
  const { token } = open.issueSessionToken(open.authenticate({ headers: { host: "localhost" }, url: "/" }));
  assert.equal(check(authenticator({ keys: [ALICE] }), { authorization: `Bearer ${token}` }), "credentials_invalid");
});

test("[SEC8] a maker without any of the wished scopes gets no token", () => {
  const keyed = authenticator({ keys: [{ ...ALICE, scopes: ["metrics"] }] });
  const maker = keyed.authenticate({ headers: { "x-api-key": KEY }, url: "/" });
  assert.throws(() => keyed.issueSessionToken(maker), { code: "permission_denied" });
});

test("[SEC9] a session token cannot make another", () => {
  const keyed = authenticator({ keys: [ALICE] });
  const { token } = keyed.issueSessionToken(keyed.authenticate({ headers: { "x-api-key": KEY }, url: "/" }));
  const holder = keyed.authenticate({ headers: { "x-api-key": token }, url: "/" });
  assert.throws(() => keyed.issueSessionToken(holder), { code: "permission_denied" });
});

test("[SEC10] a missing scope is named", () => {
  const keyed = authenticator({ keys: [ALICE] });
  const caller = { headers: { "x-api-key": KEY }, url: "/" };
  assert.equal(keyed.authorize(caller, "chat").userId, "alice");
  assert.throws(() => keyed.authorize(caller, "admin"), {
    code: "permission_denied",
    message: /`admin`.*chat, session/,
  });
});

test("[SEC11] the shape of a made key", () => {
  const made = new Set(Array.from({ length: 50 }, () => buildApiKey(new SystemIds().secret())));
  assert.equal(made.size, 50);
  for (const key of made) assert.match(key, /^fov_live_[0-9A-Za-z]{32}$/);
});

test("[SEC12] the server secret is made once, for its owner only", () => {
  const folder = mkdtempSync(join(tmpdir(), "fovea-secret-"));
  const data = join(folder, "data");
  const ids = new SystemIds();
  const first = serverSecret(undefined, data, ids);
  assert.ok(first.length >= 40);
  assert.equal(serverSecret(undefined, data, ids), first);
  assert.equal(statSync(join(data, "server-secret")).mode & 0o777, 0o600);
  assert.equal(serverSecret("configured-secret-here", data, ids), "configured-secret-here");
  writeFileSync(join(data, "server-secret"), "x");
  assert.throws(() => serverSecret(undefined, data, ids), ConfigurationError);
  assert.equal(readFileSync(join(data, "server-secret"), "utf8"), "x");
  rmSync(folder, { recursive: true });
});
