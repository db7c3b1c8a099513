// What vendors send of their own accord. The body is believed in nothing but the name of a job, and that only when it is
// signed, fresh and new; then the gateway asks the vendor. Source: Replicate webhook documentation, standardwebhooks.com.
import { GatewayError, hasCapability, type ProviderConfig, type ProviderRegistry } from "@fovea/core";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { DoorParts } from "../door-parts.ts";
import { openDoor } from "../door-scope.ts";
import { openAiFailure } from "../openai/failures.ts";
import { WebhookVerifier } from "../../providers/replicate/webhook.ts";
import type { JobDesk } from "./job-desk.ts";

/** A prediction with its input, output and logs. */
const CALLBACK_BYTES_MAX = 4 * 1024 * 1024;

export interface WebhookParts {
  readonly desk: JobDesk;
  readonly registry: ProviderRegistry;
  /** As they are now: the configuration may be read again while the gateway runs. */
  readonly configs: () => readonly ProviderConfig[];
}

/** `POST /v1/webhooks/<provider id>`. Public: the signature is the credential. */
export function registerWebhooks(app: FastifyInstance, door: DoorParts, parts: WebhookParts): void {
  const book = new VerifierBook(parts);
  openDoor(app, door, { name: "webhooks", wordFailure: openAiFailure }, (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    const options = { config: { access: "public" as const }, bodyLimit: CALLBACK_BYTES_MAX };
    scope.post("/v1/webhooks/:provider", options, async (request: FastifyRequest<{ Params: { provider: string } }>) => {
      const { provider } = request.params;
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const verifier = await book.of(provider);
      const verdict = verifier.verify(webhookHeaders(request), body, door.clock.unixMs());
      door.meter.count("fovea.webhooks", {
        provider,
        outcome: verdict.outcome === "genuine" ? "genuine" : verdict.reason,
      });
      // A repeated one was answered before: the sender only missed the answer.
      if (verdict.outcome === "refused" && verdict.reason === "repeated") return { received: true };
      if (verdict.outcome === "refused") {
        throw new GatewayError("credentials_invalid", `the callback is refused: ${verdict.reason}`);
      }
      return { received: await parts.desk.called(provider, jobIdOf(body)) };
    });
  });
}

function webhookHeaders(request: FastifyRequest): Parameters<WebhookVerifier["verify"]>[0] {
  const text = (name: string): string | undefined => {
    const value = request.headers[name];
    return typeof value === "string" ? value : undefined;
  };
  return {
    "webhook-id": text("webhook-id"),
    "webhook-timestamp": text("webhook-timestamp"),
    "webhook-signature": text("webhook-signature"),
  };
}

function jobIdOf(body: Buffer): string {
  try {
    const { id } = JSON.parse(body.toString("utf8")) as { id?: unknown };
    if (typeof id === "string") return id;
  } catch {
    // Told below.
  }
  throw new GatewayError("request_invalid", "id: the callback names no job", { param: "id" });
}

/** A verifier remembers what it has seen, so each provider has one, until its configuration is another. */
class VerifierBook {
  readonly #parts: WebhookParts;
  readonly #verifiers = new Map<
    string,
    { readonly config: ProviderConfig; readonly verifier: Promise<WebhookVerifier> }
  >();

  constructor(parts: WebhookParts) {
    this.#parts = parts;
  }

  of(providerId: string): Promise<WebhookVerifier> {
    const config = this.#parts.configs().find((candidate) => candidate.id === providerId);
    if (config === undefined) throw new GatewayError("route_unknown", `there is no provider '${providerId}'`);
    const known = this.#verifiers.get(providerId);
    if (known?.config === config) return known.verifier;
    const verifier = this.#secretOf(config).then((secret) => new WebhookVerifier(secret));
    this.#verifiers.set(providerId, { config, verifier });
    verifier.catch(() => this.#verifiers.delete(providerId));
    return verifier;
  }

  async #secretOf(config: ProviderConfig): Promise<string> {
    if (config.webhookSecret !== undefined) return config.webhookSecret;
    const adapter = this.#parts.registry.find(config.id);
    if (adapter === undefined || !hasCapability(adapter, "job") || adapter.webhookSecret === undefined) {
      throw new GatewayError("route_unknown", `provider '${config.id}' sends no callbacks`);
    }
    return adapter.webhookSecret();
  }
}
