// Keys that Fovea makes: `fov_live_<26 base62><6 base62 of a checksum>`. The prefix lets secret scanners find leaks, the
// checksum rejects typing errors before anything is looked up. What is stored is an HMAC of the whole key.
import { createHmac, hash } from "node:crypto";

const PREFIX = "fov_live_";
const BODY_LENGTH = 26;
const CHECK_LENGTH = 6;
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** `secret` must hold at least 155 bits of entropy in base64url, as `Ids.secret` gives. */
export function buildApiKey(secret: string): string {
  const body = base62(Buffer.from(secret, "base64url"), BODY_LENGTH);
  return `${PREFIX}${body}${checksum(body)}`;
}

/** True also for keys of other shapes, which an operator may choose; false only for a Fovea key with a typing error. */
export function isPlausibleApiKey(key: string): boolean {
  if (!key.startsWith(PREFIX)) return true;
  const body = key.slice(PREFIX.length, PREFIX.length + BODY_LENGTH);
  return key === `${PREFIX}${body}${checksum(body)}` && body.length === BODY_LENGTH;
}

/** The form that `auth.keys[].hash` takes. */
export function apiKeyHash(serverSecret: string, key: string): string {
  return `hmac-sha256:${createHmac("sha256", serverSecret).update(key).digest("hex")}`;
}

function checksum(body: string): string {
  return base62(hash("sha256", `${PREFIX}${body}`, "buffer"), CHECK_LENGTH);
}

function base62(bytes: Uint8Array, length: number): string {
  let number = BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  let text = "";
  for (let digit = 0; digit < length; digit++) {
    text += DIGITS[Number(number % 62n)] ?? "0";
    number /= 62n;
  }
  return text;
}
