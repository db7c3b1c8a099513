import {
  ProviderError,
  toBatch,
  type CallOptions,
  type ChatRequest,
  type ChatResponse,
  type IdentifiedAdapter,
  type ProviderConfig,
} from "@fovea/core";
import { bearer } from "../bearer.ts";
import { withoutVersion } from "../base-url.ts";
import { ChatStream } from "../chat-stream.ts";
import type { HttpAnswer } from "../http-call.ts";
import { recordOf, stringOf } from "../json-body.ts";
import { OperationAdapter } from "../operation-adapter.ts";
import type { AdapterDeps } from "../provider-caller.ts";
import { waitFor } from "../wait-for.ts";
import type { ChatCodec, EncodedCall } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";
import { REPLICATE_OPERATIONS, REPLICATE_WIRE } from "./wire.ts";

const POLL_MS_MIN = 1_000;
const POLL_MS_MAX = 5_000;

export function createReplicateAdapter(config: ProviderConfig, deps: AdapterDeps): IdentifiedAdapter {
  return new ReplicateAdapter(config, deps);
}

/** Predictions: an answer is made by one call and fetched by others, and goes on being made when nobody listens. */
class ReplicateAdapter extends OperationAdapter {
  constructor(config: ProviderConfig, deps: AdapterDeps) {
    super(
      {
        config,
        features: ["chat", "streaming", "vision-input", "image", "job"],
        baseUrl: withoutVersion(config.baseUrl ?? "https://api.replicate.com"),
        headers: bearer(config),
        wire: REPLICATE_WIRE,
        knownModels: [],
        featuresOf: () => ["chat", "streaming", "image", "job"],
      },
      REPLICATE_OPERATIONS,
      deps,
    );
  }

  override async chat(request: ChatRequest, options: CallOptions = {}): Promise<ChatResponse> {
    const call = CHAT.encode(request, false);
    const body = await this.#finished((await this.caller.json(call, options)).body, options);
    const parts = this.decoded(() => CHAT.decode(body, { providerId: this.id, request, warnings: call.warnings }));
    const last = parts.at(-1);
    if (last?.type === "error") throw new ProviderError(last.failure);
    const id = stringOf(recordOf(body)?.["id"]) ?? "";
    return toBatch(id, request.model, parts);
  }

  /** Polls a prediction until it has ended: closing a socket would not stop it, so leaving cancels it. */
  async #finished(first: unknown, options: CallOptions): Promise<unknown> {
    let body = first;
    const id = stringOf(recordOf(body)?.["id"]) ?? "";
    const endsAtMs = this.caller.clock.monotonicMs() + (options.timeouts?.totalMs ?? 600_000);
    for (let delayMs = POLL_MS_MIN; isRunning(body); delayMs = Math.min(POLL_MS_MAX, delayMs * 1.5)) {
      const hasLeft = !(await waitFor(this.caller.clock, delayMs, options.signal));
      const isLate = this.caller.clock.monotonicMs() >= endsAtMs;
      if (hasLeft || isLate) {
        this.#cancel(id);
        throw this.caller.thrown(
          hasLeft
            ? new WireFault("aborted", "the caller cancelled")
            : new WireFault("timeout_total", "not finished in time"),
        );
      }
      body = (await this.caller.json({ path: `/v1/predictions/${encodeURIComponent(id)}`, warnings: [] }, options))
        .body;
    }
    return body;
  }

  #cancel(id: string): void {
    // Nobody waits for this: what it could tell would come too late.
    this.cancelJob(id).catch(() => undefined);
  }

  override chatStream(request: ChatRequest, options: CallOptions = {}): AsyncIterableIterator<ChatResponse> {
    let id = "";
    return new ChatStream({
      caller: this.caller,
      codec: CHAT,
      context: { providerId: this.id, request },
      options,
      open: async (call, callOptions) => {
        const created = recordOf((await this.caller.json(call, callOptions)).body);
        id = stringOf(created?.["id"]) ?? "";
        return this.#openStream(stringOf(recordOf(created?.["urls"])?.["stream"]), callOptions);
      },
      onLeft: () => {
        if (id !== "") this.#cancel(id);
      },
    });
  }

  #openStream(url: string | undefined, options: CallOptions): Promise<HttpAnswer> {
    if (url === undefined || !URL.canParse(url)) {
      throw this.caller.thrown(new WireFault("invalid_request", "this model does not stream its output"));
    }
    const { origin, pathname, search, hostname } = new URL(url);
    // The key goes to Replicate's own hosts and to the configured one, whatever the answer says.
    if (origin !== this.caller.origin && !/(?:^|\.)replicate\.(?:com|net|delivery)$/.test(hostname)) {
      throw this.caller.thrown(new WireFault("protocol", "a stream on a foreign host"));
    }
    const call: EncodedCall = { path: `${pathname}${search}`, headers: { accept: "text/event-stream" }, warnings: [] };
    return this.caller.open({ ...call, origin }, options);
  }
}

const CHAT = REPLICATE_WIRE.chat as ChatCodec;

function isRunning(body: unknown): boolean {
  const status = recordOf(body)?.["status"];
  return status === "starting" || status === "processing" || status === "queued";
}
