import {
  ProviderError,
  toBatch,
  type CallOptions,
  type ChatRequest,
  type ChatResponse,
  type IdentifiedAdapter,
  type ImageRequest,
  type ImageResponse,
  type Job,
  type JobRequest,
  type ProviderConfig,
  type SupportedFeatures,
} from "@fovea/core";
import { bearer } from "../bearer.ts";
import { withoutVersion } from "../base-url.ts";
import { ChatStream } from "../chat-stream.ts";
import type { HttpAnswer } from "../http-call.ts";
import { recordOf, stringOf } from "../json-body.ts";
import { OperationAdapter } from "../operation-adapter.ts";
import type { AdapterDeps, JsonAnswer } from "../provider-caller.ts";
import type { EncodedCall } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";
import { CogAdapter } from "./cog-adapter.ts";
import { needsCard } from "./chat.ts";
import { decodeModelCard, type ModelCard } from "./model-card.ts";
import { finishedPrediction, type Waiting } from "./finished-prediction.ts";
import { REPLICATE_PLACES, type PredictionPlaces } from "./places.ts";
import { imageNeedsCard, predictionChat, predictionImage, predictionJobs, predictionWire, startCall } from "./wire.ts";

const CARD_MS = 5_000;
/** Names come from callers. */
const CARDS_KEPT = 500;

/** Replicate itself, or with `dialect: cog` a container of one's own. */
export function createReplicateAdapter(config: ProviderConfig, deps: AdapterDeps): IdentifiedAdapter {
  return config.dialect === "cog" ? new CogAdapter(config, deps) : new ReplicateAdapter(config, deps);
}

/** Models whose names say that they make pictures; language models are those that chat. */
export function featuresOfPrediction(model: string): readonly SupportedFeatures[] {
  if (/flux|sdxl|stable-diffusion|imagen|ideogram|recraft|seedream|image/i.test(model)) return ["image", "job"];
  return /trellis|3d|mesh|whisper|video|veo|kling|wan-/i.test(model)
    ? ["job"]
    : ["chat", "streaming", "vision-input", "image", "job"];
}

/** Predictions: an answer is made by one call and fetched by others, and goes on being made when nobody listens. */
class ReplicateAdapter extends OperationAdapter {
  readonly #places: PredictionPlaces = REPLICATE_PLACES;
  /** By model: what it says of its inputs. `byVersion` once it turned out not to run by name. */
  readonly #cards = new Map<string, { readonly card: ModelCard; readonly byVersion: boolean }>();

  constructor(config: ProviderConfig, deps: AdapterDeps) {
    super(
      {
        config,
        features: ["chat", "streaming", "vision-input", "image", "job"],
        baseUrl: withoutVersion(config.baseUrl ?? "https://api.replicate.com"),
        headers: bearer(config),
        wire: predictionWire(REPLICATE_PLACES),
        knownModels: [],
        featuresOf: featuresOfPrediction,
      },
      { job: predictionJobs(REPLICATE_PLACES), image: predictionImage(REPLICATE_PLACES) },
      deps,
    );
  }

  override async chat(request: ChatRequest, options: CallOptions = {}): Promise<ChatResponse> {
    const codec = predictionChat(this.#places);
    const { answer, call } = await this.#create(
      request.model,
      (card) => predictionChat(this.#places, card).encode(request, false),
      needsCard(request),
      options,
    );
    const body = await finishedPrediction(this.#waiting(options), answer.body);
    const parts = this.decoded(() => codec.decode(body, { providerId: this.id, request, warnings: call.warnings }));
    const last = parts.at(-1);
    if (last?.type === "error") throw new ProviderError(last.failure);
    const id = stringOf(recordOf(body)?.["id"]) ?? "";
    return toBatch(id, request.model, parts);
  }

  /**
   * Makes a prediction. A refusal for the names of the inputs (422), or because the model runs by version alone (404), has
   * started nothing: then the model is asked what it takes, and the call is made once more in its words.
   */
  async #create(
    model: string,
    encode: (card: ModelCard | undefined) => EncodedCall,
    isCardNeeded: boolean,
    options: CallOptions,
  ): Promise<{ readonly answer: JsonAnswer; readonly call: EncodedCall }> {
    const known = this.#cards.get(model);
    const first = known === undefined && isCardNeeded ? await this.#cardOf(model, options) : known?.card;
    const call = encode(known?.byVersion === true ? first : withoutRun(first));
    try {
      return { answer: await this.caller.json(call, options), call };
    } catch (error) {
      const status = ProviderError.is(error) ? error.failure.status : undefined;
      if ((status !== 404 && status !== 422) || known?.byVersion === true) throw error;
      const card = await this.#cardOf(model, options);
      if (card === undefined || (status === 404 && card.version === undefined)) throw error;
      if (status === 422 && first !== undefined) throw error;
      const byVersion = status === 404;
      const again = encode(byVersion ? card : withoutRun(card));
      const answer = await this.caller.json(again, options);
      this.#cards.set(model, { card, byVersion });
      return { answer, call: again };
    }
  }

  async #cardOf(model: string, options: CallOptions): Promise<ModelCard | undefined> {
    const known = this.#cards.get(model);
    if (known !== undefined) return known.card;
    const path = this.#places.card(model);
    if (path === undefined) return undefined;
    const timeouts = { ...options.timeouts, totalMs: Math.min(CARD_MS, options.timeouts?.totalMs ?? CARD_MS) };
    try {
      const { body } = await this.caller.json({ path, warnings: [] }, { ...options, timeouts });
      const card = decodeModelCard(body);
      if (this.#cards.size >= CARDS_KEPT) this.#cards.clear();
      if (card !== undefined) this.#cards.set(model, { card, byVersion: false });
      return card;
    } catch (error) {
      // What the model takes is a help, not a condition; a caller who left is told so.
      if (options.signal?.aborted === true || !ProviderError.is(error)) throw error;
      return undefined;
    }
  }

  #waiting(options: CallOptions): Waiting {
    return { caller: this.caller, places: this.#places, options, cancel: (id) => this.#cancel(id) };
  }

  #cancel(id: string): void {
    // Nobody waits for this: what it could tell would come too late.
    this.cancelJob(id).catch(() => undefined);
  }

  override chatStream(request: ChatRequest, options: CallOptions = {}): AsyncIterableIterator<ChatResponse> {
    let id = "";
    let card = this.#cards.get(request.model)?.card;
    const codec = predictionChat(this.#places, withoutRun(card));
    return new ChatStream({
      caller: this.caller,
      codec,
      context: { providerId: this.id, request },
      options,
      prepare: async (callOptions) => {
        if (card === undefined && needsCard(request)) card = await this.#cardOf(request.model, callOptions);
        return predictionChat(this.#places, withoutRun(card));
      },
      open: async (_call, callOptions) => {
        const encode = (found: ModelCard | undefined): EncodedCall =>
          predictionChat(this.#places, found).encode(request, true);
        const { answer } = await this.#create(request.model, encode, needsCard(request), callOptions);
        const created = recordOf(answer.body);
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

  override async image(request: ImageRequest, options: CallOptions = {}): Promise<ImageResponse> {
    const { answer, call } = await this.#create(
      request.model,
      (card) => predictionImage(this.#places, card).encode(request),
      imageNeedsCard(request),
      options,
    );
    const body = await finishedPrediction(this.#waiting(options), answer.body);
    const codec = predictionImage(this.#places);
    return this.decoded(() => codec.decode(body, request, { headers: answer.headers, warnings: call.warnings }));
  }

  override async startJob(request: JobRequest, options: CallOptions = {}): Promise<Job> {
    const { webhookUrl } = this.config;
    const whole = webhookUrl === undefined ? request : { webhookUrl, ...request };
    const { answer } = await this.#create(
      request.model,
      (card) => startCall(whole, this.#places, card),
      false,
      options,
    );
    return this.decoded(() => predictionJobs(this.#places).decode(answer.body));
  }

  async webhookSecret(options: CallOptions = {}): Promise<string> {
    const { body } = await this.caller.json({ path: "/v1/webhooks/default/secret", warnings: [] }, options);
    const secret = stringOf(recordOf(body)?.["key"]);
    if (secret === undefined) throw this.caller.thrown(new WireFault("protocol", "no secret where one should be"));
    return secret;
  }
}

/** The card without the version: the model runs by its name until that turns out wrong. */
function withoutRun(card: ModelCard | undefined): ModelCard | undefined {
  return card === undefined ? undefined : { inputs: card.inputs };
}
