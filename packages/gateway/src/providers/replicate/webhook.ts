// Standard Webhooks signatures: HMAC-SHA256 over `id.timestamp.body`. A webhook only ever triggers a poll; it is never
// believed for its content. Source: standardwebhooks.com, Replicate webhook documentation.
import { createHmac, timingSafeEqual } from "node:crypto";

const AGE_MS_MAX = 300_000;

export interface WebhookHeaders {
  readonly "webhook-id"?: string | undefined;
  readonly "webhook-timestamp"?: string | undefined;
  readonly "webhook-signature"?: string | undefined;
}

export type WebhookVerdict =
  | { readonly outcome: "genuine"; readonly id: string }
  | { readonly outcome: "refused"; readonly reason: "incomplete" | "too-old" | "forged" | "repeated" };

/** Remembers the ids of one validity span, because senders repeat and attackers replay. */
export class WebhookVerifier {
  readonly #key: Buffer;
  readonly #seen = new Map<string, number>();

  /** `secret` as the vendor gives it: `whsec_` and base64. */
  constructor(secret: string) {
    this.#key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  }

  verify(headers: WebhookHeaders, body: Uint8Array, nowUnixMs: number): WebhookVerdict {
    const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures } = headers;
    if (id === undefined || timestamp === undefined || signatures === undefined || id === "")
      return refused("incomplete");
    const sentUnixMs = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) * 1_000 : Number.NaN;
    if (!(Math.abs(nowUnixMs - sentUnixMs) <= AGE_MS_MAX)) return refused("too-old");
    const expected = createHmac("sha256", this.#key).update(`${id}.${timestamp}.`).update(body).digest();
    if (!signatures.split(" ").some((signature) => isSame(signature, expected))) return refused("forged");
    this.#forget(nowUnixMs);
    if (this.#seen.has(id)) return refused("repeated");
    this.#seen.set(id, nowUnixMs);
    return { outcome: "genuine", id };
  }

  #forget(nowUnixMs: number): void {
    for (const [id, atUnixMs] of this.#seen) {
      if (nowUnixMs - atUnixMs <= 2 * AGE_MS_MAX) return;
      this.#seen.delete(id);
    }
  }
}

function refused(reason: "incomplete" | "too-old" | "forged" | "repeated"): WebhookVerdict {
  return { outcome: "refused", reason };
}

function isSame(signature: string, expected: Buffer): boolean {
  const [version, value = ""] = signature.split(",");
  const given = Buffer.from(value, "base64");
  return version === "v1" && given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
}
