// Makes any provider XR-aware: what geometry decides is decided here, words and pictures go to the provider through the
// engine, with all its care for consent, failures and cost.
import { contextFacts } from "../context/context-facts.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { AnswerPart, SpatialAction } from "../model/answer-part.ts";
import type { ChatRequest, ChatResponse, ContentPart } from "../model/chat.ts";
import type { EmbeddingRequest, EmbeddingResponse } from "../model/embedding.ts";
import type { HapticResponse } from "../model/haptic.ts";
import type { Principal } from "../model/privacy.ts";
import type { ModelInfo, ProviderHealth, ProviderType, SupportedFeatures } from "../model/provider-info.ts";
import type { SpatialQuery, SpatialQueryResult } from "../model/spatial.ts";
import type {
  LikelyIntent,
  MultiModalInput,
  MultiModalOutput,
  MultiModalResponse,
  XRContextResult,
  XRSessionConfig,
  XRSessionHandle,
} from "../model/xr-adapter-types.ts";
import type { XRContext } from "../model/xr-context.ts";
import type { XRRequest } from "../model/xr-request.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { AnswerEngine } from "../providers/answer-engine.ts";
import { hasCapability } from "../providers/capabilities.ts";
import type { CallOptions, IdentifiedAdapter } from "../providers/provider-adapter.ts";
import type { IXRProviderAdapter } from "../providers/xr-provider-adapter.ts";
import { composeHaptic } from "../responses/haptic-composer.ts";
import { handleSpatialQueries } from "../spatial/spatial-query.ts";
import { distance } from "../geometry/vec3.ts";
import { fuseReferences, intentOf, normalisedRequest } from "./multi-modal-fusion.ts";
import { forwardCapabilities } from "./forward-capabilities.ts";
import { XRTurnSession } from "./xr-turn-session.ts";

export interface LiftParts {
  readonly clock: Clock;
  readonly ids: Ids;
  /** Answers go through the engine; the adapter names itself as the model's provider. */
  readonly engine: Pick<AnswerEngine, "answer">;
  /** Facts about a room within a token budget; Fovea's own where nothing is said. */
  readonly facts?: (context: XRContext, tokensMax: number, question: string) => string | undefined;
  readonly principal?: Principal;
}

const EMBEDDER: Principal = { tenantId: "default", userId: "embedder", scopes: ["chat", "session"], via: "open" };
const TURN_MS = 30_000;
const FACTS_TOKENS_MAX = 800;

export class LiftedAdapter implements IXRProviderAdapter {
  readonly id: string;
  readonly region: string;
  readonly type: ProviderType;
  readonly supportedFeatures: SupportedFeatures[];
  readonly #base: IdentifiedAdapter;
  readonly #parts: LiftParts;
  readonly #sessions = new Map<string, XRTurnSession>();
  #context: XRContext | undefined;

  constructor(base: IdentifiedAdapter, parts: LiftParts) {
    this.#base = base;
    this.#parts = parts;
    this.id = base.id;
    this.region = base.region;
    this.type = base.type;
    const lifted: SupportedFeatures[] = ["spatial", "spatial-actions"];
    this.supportedFeatures = [...new Set([...base.supportedFeatures, ...lifted])];
    forwardCapabilities(base, this);
  }

  models(): readonly ModelInfo[] {
    return this.#base.models();
  }

  retiredModels(): Readonly<Record<string, string>> {
    return this.#base.retiredModels?.() ?? {};
  }

  featuresOf(model: string): readonly SupportedFeatures[] | undefined {
    return this.#base.featuresOf?.(model);
  }

  recognises(model: string): boolean {
    return this.#base.recognises?.(model) === true;
  }

  chat(request: ChatRequest, options?: CallOptions): Promise<ChatResponse> {
    return this.#base.chat(request, options);
  }

  chatStream(request: ChatRequest, options?: CallOptions): AsyncIterable<ChatResponse> {
    return this.#base.chatStream(request, options);
  }

  embeddings(request: EmbeddingRequest, options?: CallOptions): Promise<EmbeddingResponse> {
    return this.#base.embeddings(request, options);
  }

  healthCheck(options?: CallOptions): Promise<ProviderHealth> {
    return this.#base.healthCheck(options);
  }

  getAvailableModels(options?: CallOptions): Promise<string[]> {
    return this.#base.getAvailableModels(options);
  }

  getRateLimits(): { requestsPerMinute: number; tokensPerMinute: number } {
    return this.#base.getRateLimits();
  }

  async close(): Promise<void> {
    this.#sessions.clear();
    await this.#base.close();
  }

  /** Also remembers the context, for the methods of the specification that name none. */
  async processXRContext(context: XRContext): Promise<XRContextResult> {
    this.#context = context;
    return {
      facts: (this.#parts.facts ?? contextFacts)(context, FACTS_TOKENS_MAX, "") ?? "",
      attended: context.attention,
      changes: context.scene.changes,
      intents: intentsOf(context),
      missing: missingIn(context),
    };
  }

  /** Over the context given, or the one that was processed last. Throws `request_invalid` where there is neither. */
  async handleSpatialQueries(queries: SpatialQuery[], context?: XRContext): Promise<SpatialQueryResult[]> {
    const known = context ?? this.#context;
    if (known !== undefined) return handleSpatialQueries(known, queries);
    throw new GatewayError("request_invalid", "process a context before asking about it", { param: "context" });
  }

  async generateHapticResponses(responses: string[]): Promise<HapticResponse[]> {
    return responses.map((text) => composeHaptic(text));
  }

  async processMultiModalInput(input: MultiModalInput): Promise<MultiModalOutput> {
    const { transcript, words } = await this.#transcribe(input);
    const { context } = input;
    const references = fuseReferences(transcript, words, input);
    const intent = intentOf(transcript, input, references);
    const said = normalisedRequest(transcript, references, input);
    const resolved = references.flatMap((reference) => reference.entityId ?? []);
    const targets = resolved.length > 0 ? resolved : context.attention.slice(0, 1).map((target) => target.entityId);
    const images = (input.images ?? []).map(({ mime, data }): ContentPart => ({
      type: "media",
      kind: "image",
      mime,
      data,
    }));
    const content: ContentPart[] = [...(said === "" ? [] : [{ type: "text", text: said } as const]), ...images];
    // What is pointed at by the words comes first: whoever answers takes it for "that".
    const pointed = contextWith(context, resolved);
    const answer = content.length === 0 ? [] : await this.process(this.#turn(content, pointed));
    return { transcript, words, references, targets: [...new Set(targets)], intent, request: said, answer };
  }

  /** From geometry alone: what is attended is named, shown and felt at once, without waiting for a model. */
  async generateMultiModalResponse(context: XRContext): Promise<MultiModalResponse> {
    const [attended] = handleSpatialQueries(context, [{ kind: "attended" }]);
    const target = attended?.entityIds[0];
    if (attended === undefined || target === undefined) {
      return { speech: { text: "", at: "head" }, actions: [], haptics: [], basis: "measured" };
    }
    const highlight: SpatialAction = { kind: "highlight", target, style: "outline", ttlMs: 2_000 };
    const canFeel = context.inputSources.some((source) => source.haptics.pulse);
    const haptics = canFeel ? await this.generateHapticResponses([attended.answer]) : [];
    const actions = attended.isAmbiguous ? [] : [highlight];
    return { speech: { text: attended.answer, at: { entityId: target } }, actions, haptics, basis: attended.basis };
  }

  async startXRSession(config: XRSessionConfig): Promise<XRSessionHandle> {
    const { clock, ids, engine } = this.#parts;
    const model = config.model ?? this.#chatModel();
    const session = new XRTurnSession({ clock, ids, engine, config, model: `${this.id}/${model}` });
    this.#sessions.set(session.id, session);
    return session;
  }

  /** Throws `session_unknown` for a session that is not, or no longer, open. What it was answering is cancelled. */
  async endXRSession(sessionId: string): Promise<void> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) throw new GatewayError("session_unknown", `there is no session '${sessionId}'`);
    this.#sessions.delete(sessionId);
    session.end();
  }

  async process(
    request: XRRequest,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<readonly AnswerPart[]> {
    const named = request.model === "auto" ? { ...request, model: `${this.id}/${this.#chatModel()}` } : request;
    const parts: AnswerPart[] = [];
    for await (const part of this.#parts.engine.answer(named, signal)) parts.push(part);
    return parts;
  }

  #chatModel(): string {
    const model = this.models().find((item) => item.features.includes("chat"));
    if (model !== undefined) return model.id;
    throw new GatewayError("request_unsupported", `'${this.id}' has no chat model`, { providerId: this.id });
  }

  #turn(content: readonly ContentPart[], context: XRContext): XRRequest {
    const { clock, ids, principal } = this.#parts;
    const hasImage = content.some((part) => part.type === "media");
    return {
      requestId: ids.next("turn"),
      kind: "turn",
      model: "auto",
      chat: { messages: [{ role: "user", content }] },
      context,
      needs: {
        modalities: ["text"],
        tools: false,
        structuredOutput: false,
        vision: hasImage,
        audioInput: false,
        contextTokensMin: 0,
      },
      deadlineMs: clock.monotonicMs() + TURN_MS,
      latencyClass: "interactive",
      principal: principal ?? EMBEDDER,
      commit: "sentence",
    };
  }

  async #transcribe(input: MultiModalInput): Promise<Pick<MultiModalOutput, "transcript" | "words">> {
    const { audio, text } = input;
    if (audio === undefined) return { transcript: text ?? "", words: [] };
    const base = this.#base;
    if (!hasCapability(base, "transcribe")) {
      if (text !== undefined) return { transcript: text, words: [] };
      throw new GatewayError("request_unsupported", `'${this.id}' cannot hear`, {
        param: "audio",
        providerId: this.id,
      });
    }
    const model = base.models().find((item) => item.features.includes("transcribe"))?.id ?? "default";
    const heard = await base.transcribe({ model, audio: { bytes: audio.bytes, mime: audio.mime }, wantWords: true });
    const words = (heard.words ?? []).map((word) => ({
      text: word.text,
      startMs: audio.startMs + word.startMs,
      endMs: audio.startMs + word.endMs,
    }));
    return { transcript: heard.text, words };
  }
}

/** The context with the things that were meant as the first ones attended to. */
function contextWith(context: XRContext, meant: readonly string[]): XRContext {
  const [first] = meant;
  if (first === undefined || context.attention[0]?.entityId === first) return context;
  const known = context.attention.find((target) => target.entityId === first);
  const position = context.scene.byId.get(first)?.pose.position;
  const distanceM = position === undefined ? 0 : distance(position, context.viewer.pose.position);
  const target = known ?? {
    entityId: first,
    source: "pointing",
    angleRad: 0,
    distanceM,
    dwellMs: 0,
    isOccluded: false,
    confidence: 0.8,
  };
  return { ...context, attention: [target, ...context.attention.filter((other) => other.entityId !== first)] };
}

function intentsOf(context: XRContext): readonly LikelyIntent[] {
  const intents: LikelyIntent[] = [];
  const [first] = context.attention;
  if (context.audio.speaking) intents.push(intent("ask", 0.9, "the user is speaking", undefined));
  for (const source of context.inputSources) {
    for (const gesture of source.gestures) {
      if (gesture.phase === "end" || first === undefined) continue;
      const evidence = `${gesture.name} of the ${source.handedness} hand`;
      if (gesture.name === "grab") intents.push(intent("move-object", gesture.confidence, evidence, first.entityId));
      if (gesture.name === "pinch") intents.push(intent("select", gesture.confidence, evidence, first.entityId));
    }
  }
  if (first !== undefined && first.dwellMs >= 500) {
    const confidence = Math.min(0.9, first.dwellMs / 2_000);
    intents.push(
      intent("inspect", confidence, `${first.source} rests there for ${Math.round(first.dwellMs)} ms`, first.entityId),
    );
  }
  const [vx, , vz] = context.viewer.linearVelocity;
  if (Math.hypot(vx, vz) > 0.4) intents.push(intent("navigate", 0.6, "the user is walking", undefined));
  return intents.toSorted((a, b) => b.confidence - a.confidence);
}

function intent(
  name: LikelyIntent["intent"],
  confidence: number,
  evidence: string,
  entityId: string | undefined,
): LikelyIntent {
  return {
    intent: name,
    confidence,
    evidence: [evidence],
    basis: "rule",
    ...(entityId === undefined ? {} : { entityId }),
  };
}

function missingIn(context: XRContext): XRContextResult["missing"] {
  const missing: ("image" | "room" | "pose" | "speech")[] = [];
  if (context.scene.entities.length === 0) missing.push("room");
  if (!context.viewer.isTracked) missing.push("pose");
  if (!context.consent.camera) missing.push("image");
  if (!context.consent.audio) missing.push("speech");
  return missing;
}
