// A Cog container of one's own: the prediction object of Replicate at the root of a server that runs one model and keeps
// nothing. Answers come with the call that asked for them, streamed where the container can; a job is a call that is left
// open, so its state lives in this process. Source: Cog HTTP API.
import {
  GatewayError,
  ProviderError,
  toBatch,
  type CallOptions,
  type ChatRequest,
  type ChatResponse,
  type Job,
  type JobRequest,
  type ProviderConfig,
} from "@fovea/core";
import { bearer } from "../bearer.ts";
import { ChatStream } from "../chat-stream.ts";
import { recordOf, stringOf } from "../json-body.ts";
import { OperationAdapter } from "../operation-adapter.ts";
import type { AdapterDeps } from "../provider-caller.ts";
import { decodeModelCard, type ModelCard } from "./model-card.ts";
import { finishedPrediction } from "./finished-prediction.ts";
import { COG_PLACES } from "./places.ts";
import { decodePrediction } from "./prediction.ts";
import { predictionChat, predictionImage, predictionJobs, predictionWire, startCall } from "./wire.ts";

/** A render may take long; the caller who asked for it has left long ago. */
const JOB_MS = 6 * 3_600_000;
const JOBS_KEPT = 1_000;
const CARD_MS = 5_000;

/** `hasAnswered`: the call is over, so whatever is still running must be asked for. */
interface Held {
  readonly abort: AbortController;
  job: Job;
  hasAnswered: boolean;
}

export class CogAdapter extends OperationAdapter {
  readonly #jobs = new Map<string, Held>();
  #card: ModelCard | undefined;
  #isCardKnown = false;
  #lastJob = 0;

  constructor(config: ProviderConfig, deps: AdapterDeps) {
    super(
      {
        config,
        features: ["chat", "streaming", "vision-input", "image", "job"],
        baseUrl: config.baseUrl ?? "",
        headers: bearer(config),
        wire: predictionWire(COG_PLACES),
        knownModels: [{ id: "model", features: COG_FEATURES }],
        featuresOf: () => COG_FEATURES,
      },
      { job: predictionJobs(COG_PLACES), image: predictionImage(COG_PLACES) },
      deps,
    );
  }

  override async chat(request: ChatRequest, options: CallOptions = {}): Promise<ChatResponse> {
    const codec = predictionChat(COG_PLACES, await this.#ownCard(options));
    const call = codec.encode(request, false);
    const first = await this.caller.json(synchronous(call), options);
    const cancel = (id: string): void => void super.cancelJob(id).catch(() => undefined);
    const body = await finishedPrediction({ caller: this.caller, places: COG_PLACES, options, cancel }, first.body);
    const parts = this.decoded(() => codec.decode(body, { providerId: this.id, request, warnings: call.warnings }));
    const last = parts.at(-1);
    if (last?.type === "error") throw new ProviderError(last.failure);
    return toBatch(stringOf(recordOf(body)?.["id"]) ?? "", request.model, parts);
  }

  /** A container that does not stream answers in one piece, which is a stream of one batch. */
  override chatStream(request: ChatRequest, options: CallOptions = {}): AsyncIterableIterator<ChatResponse> {
    return new ChatStream({
      caller: this.caller,
      codec: predictionChat(COG_PLACES, this.#card),
      context: { providerId: this.id, request },
      options,
      prepare: async (callOptions) => predictionChat(COG_PLACES, await this.#ownCard(callOptions)),
    });
  }

  /** What the container's model takes; asked once. */
  async #ownCard(options: CallOptions): Promise<ModelCard | undefined> {
    if (this.#isCardKnown) return this.#card;
    const timeouts = { ...options.timeouts, totalMs: Math.min(CARD_MS, options.timeouts?.totalMs ?? CARD_MS) };
    try {
      const { body } = await this.caller.json({ path: "/openapi.json", warnings: [] }, { ...options, timeouts });
      this.#card = decodeModelCard(body);
      this.#isCardKnown = true;
    } catch (error) {
      if (options.signal?.aborted === true || !ProviderError.is(error)) throw error;
      // A server that answers and has no such page will not have it later either.
      this.#isCardKnown = error.failure.code === "not_found";
    }
    return this.#card;
  }

  override async startJob(request: JobRequest, _options: CallOptions = {}): Promise<Job> {
    const id = `cog-${Math.floor(this.caller.clock.unixMs()).toString(36)}-${(++this.#lastJob).toString(36)}`;
    const held: Held = { abort: new AbortController(), job: { id, state: "running", output: [] }, hasAnswered: false };
    const call = startCall(request, COG_PLACES);
    // An id of our own makes the call safe to repeat, and lets it be cancelled.
    const path = `${call.path}/${id}`;
    this.#keep(id, held);
    this.caller
      .json({ ...call, method: "PUT", path }, { signal: held.abort.signal, timeouts: { totalMs: JOB_MS } })
      .then(({ body }) => {
        held.job = { ...this.decoded(() => decodePrediction(body)), id };
        held.hasAnswered = true;
      })
      .catch((error: unknown) => {
        const message = ProviderError.is(error) ? error.failure.message : "the prediction failed";
        const isCancelled = held.abort.signal.aborted;
        held.job = isCancelled
          ? { id, state: "cancelled", output: [] }
          : { id, state: "failed", output: [], error: message };
      });
    return held.job;
  }

  #keep(id: string, held: Held): void {
    this.#jobs.set(id, held);
    for (const oldest of this.#jobs.keys()) {
      if (this.#jobs.size <= JOBS_KEPT) return;
      this.#jobs.delete(oldest);
    }
  }

  /** Some containers answer at once and finish later: those are asked. */
  override async getJob(id: string, options: CallOptions = {}): Promise<Job> {
    const held = this.#jobs.get(id);
    if (held === undefined) {
      throw new GatewayError("job_unknown", "this container keeps no jobs: a restart of the gateway ends them", {
        providerId: this.id,
      });
    }
    const isRunning = held.job.state === "queued" || held.job.state === "running";
    if (isRunning && held.hasAnswered) held.job = { ...(await super.getJob(id, options)), id };
    return held.job;
  }

  override async cancelJob(id: string, options: CallOptions = {}): Promise<void> {
    const held = this.#jobs.get(id);
    held?.abort.abort();
    await super.cancelJob(id, options).catch((error: unknown) => {
      // A prediction that ended, or that closing the connection ended, is unknown by now.
      if (!ProviderError.is(error) || error.failure.code !== "not_found") throw error;
    });
  }

  override async close(): Promise<void> {
    for (const { abort } of this.#jobs.values()) abort.abort();
    await super.close();
  }
}

const COG_FEATURES = ["chat", "streaming", "vision-input", "image", "job"] as const;

/** Without the header a container answers when it has finished, however long that takes. */
function synchronous<T extends { readonly headers?: Readonly<Record<string, string>> }>(call: T): T {
  const { prefer: _prefer, ...headers } = call.headers ?? {};
  return { ...call, headers };
}
