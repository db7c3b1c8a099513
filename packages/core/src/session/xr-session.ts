/* oxlint-disable max-lines -- The session's one state machine: what each input does stands in one place. */
// One user's session, from `hello` to its end, over as many sockets as it takes. `handle` is synchronous and returns what
// is to be done; nothing here waits, sends or reads a clock. A pose packet returns the shared empty list nearly always.
import type {
  AskMessage,
  AudioPacket,
  ClientMessage,
  DepthPacket,
  GazeTargetMessage,
  HelloMessage,
  ImagePacket,
  InputsMessage,
  PlaybackMessage,
  PoseSample,
  SceneUpdateMessage,
  SeenNode,
  SelectMessage,
  ServerMessage,
  SessionDescription,
  SqueezeMessage,
  ToolResultMessage,
  ToolsMessage,
} from "@fovea/protocol";
import { gatewayCodeOf, LIMITS, PROTOCOL_VERSION, SourceTable } from "@fovea/protocol";
import { ContextBuilder } from "../context/context-builder.ts";
import type { GestureEvent } from "@fovea/protocol/gestures";
import type { ErrorCode } from "../errors/error-table.ts";
import { ERROR_TABLE } from "../errors/error-table.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { AnswerPart } from "../model/answer-part.ts";
import type { Consent } from "../model/privacy.ts";
import { NO_CONTEXT } from "../model/xr-context.ts";
import { chooseModalities } from "../responses/modality-choice.ts";
import { SCENE_LIMITS, SceneGraph } from "../scene/scene-graph.ts";
import type { EntityDescription } from "../scene/scene-graph.ts";
import { KEY_IMAGE_LIMITS } from "../vision/key-images.ts";
import type { SightChange } from "../vision/sight-tracker.ts";
import type { Sighting } from "../model/sight.ts";
import { SessionClock } from "./session-clock.ts";
import { SessionQuality } from "./session-quality.ts";
import { isSameConsent, lowerConsent, maskPose } from "./consent-mask.ts";
import { Conversation } from "./conversation.ts";
import { FloodGate } from "./flood-gate.ts";
import { Liveness } from "./liveness.ts";
import type { ArrivedMesh } from "./room-meshes.ts";
import { RoomMeshes } from "./room-meshes.ts";
import { sceneDeltaFrom } from "./scene-from-wire.ts";
import { seenNodeOf, SightBook } from "./sight-book.ts";
import type { SessionInput, SessionOptions, SessionOutput, VoiceEvent } from "./session-ports.ts";
import type { SpokenWords } from "./spoken-deixis.ts";
import { bindSpokenWords } from "./spoken-deixis.ts";
import { TouchReceipts } from "./touch-receipts.ts";
import type { Turn } from "./turn.ts";
import { TurnBook } from "./turn-book.ts";
import { turnRequestFrom } from "./turn-material.ts";

/** Shared: never changed, compared by identity. */
export const NO_OUTPUTS: readonly SessionOutput[] = [];

/** How long a mark stays on what was found in an image. */
const MARK_MS = 6_000;
/** The client shows its clock's offset and does not steer by it: it is told what changed, and now and then. */
const CLOCK_NEWS_MS = 1;
const CLOCK_TELL_MS = 30_000;
const NO_EARS = "this gateway understands no speech: `npx fovea doctor` tells what is missing";
/** The longest answer that is spoken. */
const SPEAKING_MS_MAX = 300_000;
/** Of a question that was asked aloud without having been announced. */
const SPOKEN_INCLUDE: AskMessage["include"] = ["gaze", "pointing", "scene", "audio", "image"];
const SPOKEN_MODALITIES: AskMessage["modalities"] = ["text", "audio", "action", "haptic"];
const EYE_FEATURES = ["eye-tracking", "gaze-tracking"];

type State =
  | { readonly state: "waiting" }
  | { readonly state: "attached" }
  | { readonly state: "detached"; readonly untilMs: number }
  | { readonly state: "over" };

export class XRSession {
  /** Button and axis counts, without which a pose packet cannot be decoded. The decoder of the socket reads it. */
  readonly sourceTable = new SourceTable();
  readonly context: ContextBuilder;
  readonly #options: SessionOptions;
  readonly #clock = new SessionClock();
  readonly #quality: SessionQuality;
  readonly #liveness: Liveness;
  readonly #turns: TurnBook;
  readonly #conversation: Conversation;
  readonly #touches = new TouchReceipts();
  readonly #tools = new Map<string, ToolsMessage["add"][number]>();
  #gate: FloodGate;
  #state: State = { state: "waiting" };
  readonly #looksByRound: boolean;
  #isLookDue = false;
  #outputs: SessionOutput[] | undefined;
  #ack = 0;
  #consentTold: Consent | undefined;
  #features: readonly string[] = [];
  readonly #sight: SightBook;
  readonly #meshes: RoomMeshes;
  /** The client named this turn for what its user is about to say. */
  #spokenAsk: AskMessage | undefined;
  #clockTold = { offsetMs: Infinity, atMs: -Infinity };

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#looksByRound = options.looks === "by-round";
    const { limits, sessionId, principal } = options;
    this.#gate = new FloodGate(limits);
    this.#quality = new SessionQuality(limits);
    this.#liveness = new Liveness(this.#clock, limits.silentMs);
    this.#conversation = new Conversation(limits.historyCharactersMax);
    this.#turns = new TurnBook(
      limits,
      (output) => this.#emit(output),
      (turn, nowMs) => this.#turnEnded(turn, nowMs),
    );
    this.#sight = new SightBook({ ...KEY_IMAGE_LIMITS, looksPerMinute: limits.looksPerMinute });
    this.#meshes = new RoomMeshes(limits.trianglesMax);
    const scene = new SceneGraph({ ...SCENE_LIMITS, entitiesMax: limits.sceneEntitiesMax });
    this.context = new ContextBuilder({ ...NO_CONTEXT, sessionId, userId: principal.userId }, scene, options.gestures);
  }

  get sessionId(): string {
    return this.#options.sessionId;
  }

  get isOver(): boolean {
    return this.#state.state === "over";
  }

  get isAttached(): boolean {
    return this.#state.state === "attached";
  }

  get openTurns(): number {
    return this.#turns.openCount;
  }

  /** Parts of an older epoch are stale. */
  get epoch(): number {
    return this.#turns.epoch;
  }

  /** What was said in a turn so far; empty for one that is not remembered. */
  textOf(turnId: string): string {
    return this.#turns.get(turnId)?.text ?? "";
  }

  /** Turns remembered, open or not. Bounded. */
  get keptTurns(): number {
    return this.#turns.size;
  }

  /** When a `tick` is due; the loop keeps one timer for it. Infinity: never. */
  get wakeAtMs(): number {
    const { state } = this.#state;
    if (state === "over" || state === "waiting") return Infinity;
    const due = this.#state.state === "detached" ? this.#state.untilMs : this.#liveness.wakeAtMs;
    return Math.min(due, this.#turns.dueMs);
  }

  /** A packet waits for the input `look`; only where looks are `by-round`. */
  get isLookDue(): boolean {
    return this.#isLookDue;
  }

  /** `nowMs` is monotonic. The list belongs to the caller; it is empty and shared where there is nothing to do. */
  handle(input: SessionInput, nowMs: number): readonly SessionOutput[] {
    if (this.#state.state === "over") return NO_OUTPUTS;
    this.#outputs = undefined;
    if (this.#isLookDue && input.type !== "pose") this.#look();
    this.#dispatch(input, nowMs);
    return this.#outputs ?? NO_OUTPUTS;
  }

  // oxlint-disable-next-line complexity -- One line for each kind of input.
  #dispatch(input: SessionInput, nowMs: number): void {
    switch (input.type) {
      case "pose":
        return this.#foldPose(input.sample, nowMs);
      case "attach":
        return this.#attach(input.hello, nowMs);
      case "message":
        return this.#foldMessage(input.message, nowMs);
      case "image":
        return this.#foldImage(input.packet, nowMs);
      case "depth":
        return this.#foldDepth(input.packet, nowMs);
      case "mesh":
        return this.#guarded("mesh", nowMs, () => this.#foldMesh(input.mesh, nowMs));
      case "seen":
        return this.#foldSeen(input, nowMs);
      case "audio":
        return this.#foldAudio(input.packet, nowMs);
      case "voice":
        return this.#foldVoice(input.event, nowMs);
      case "media":
        this.#liveness.noteHeard(nowMs);
        if (!this.#gate.admits("media", nowMs)) this.#refuse("rate_limited", "too many packets", input.kind, nowMs);
        return;
      case "refused":
        return this.#refuse(gatewayCodeOf(input.error.code), input.error.message, input.error.field, nowMs);
      case "unknown":
        return this.#unknown(nowMs);
      case "part":
        return this.#foldPart(input, nowMs);
      case "turn-failed":
        return this.#turns.fail(input.turnId, input.failure, nowMs);
      case "turn-over":
        return this.#turns.fail(input.turnId, { code: "answer_broken", message: "the answer broke off" }, nowMs);
      case "tick":
        return this.#tick(nowMs);
      case "look":
        // Done before any input but a pose.
        return;
      case "detach":
        return this.#detach(nowMs);
      case "end":
        return this.#end(input.code, input.message, nowMs);
    }
  }

  // --- the socket ---

  #attach(hello: HelloMessage, nowMs: number): void {
    const isResumed = this.#state.state !== "waiting";
    this.#state = { state: "attached" };
    this.#gate = new FloodGate(this.#options.limits);
    this.#consentTold = undefined;
    this.#describe(hello.session);
    this.context.facts = { ...this.context.facts, locale: hello.locale };
    if (hello.preferences !== undefined) {
      this.context.facts = { ...this.context.facts, person: { ...this.context.facts.person, ...hello.preferences } };
    }
    this.context.facts = { ...this.context.facts, device: { ...this.context.facts.device, name: hello.client.device } };
    this.#replaceSources(hello, nowMs);
    const levels = this.#applyConsent(hello.consent, isResumed);
    const { turns, messages } = isResumed ? this.#turns.resume(hello.openTurns ?? []) : { turns: [], messages: [] };
    const { sessionId, resumeToken, limits } = this.#options;
    this.#send({
      type: "welcome",
      protocol: PROTOCOL_VERSION,
      sessionId,
      poseHz: limits.poseHz,
      ...(limits.imageHz > 0 ? { imageHz: limits.imageHz } : {}),
      levels,
      resumeToken,
      limits: grantedOf(limits),
      resumed: isResumed,
      turns,
      ack: this.#ack,
      epoch: this.#turns.epoch,
    });
    for (const message of messages) this.#send(message);
    const rates = this.#quality.restart();
    if (rates !== undefined) this.#send(rates);
    this.#emit({ type: "event", event: { name: isResumed ? "session-resumed" : "session-started" } });
    this.#liveness.start(nowMs);
    this.#ping(nowMs);
  }

  #detach(nowMs: number): void {
    if (this.#state.state !== "attached") return;
    this.#state = { state: "detached", untilMs: nowMs + this.#options.limits.resumeMs };
    this.#liveness.stop();
    this.context.window.cut();
    this.#emit({ type: "event", event: { name: "session-detached" } });
  }

  #end(code: ErrorCode | "done", message: string, nowMs: number): void {
    const wasAttached = this.#state.state === "attached";
    this.#turns.cancelAll("session-ended", nowMs);
    const close = code === "done" ? 1000 : ERROR_TABLE[code].close;
    if (wasAttached && code !== "done") this.#send({ type: "error", code, message, fatal: true });
    this.#state = { state: "over" };
    this.#liveness.stop();
    const seconds = (nowMs - this.#options.startedMs) / 1_000;
    this.#emit({ type: "event", event: { name: "session-ended", code, turns: this.#turns.total, seconds } });
    this.#emit({ type: "close", code: close, reason: message, isOver: true });
  }

  #tick(nowMs: number): void {
    this.#turns.expire(nowMs);
    if (this.#state.state === "detached") {
      if (nowMs >= this.#state.untilMs) this.#end("done", "nobody came back", nowMs);
      return;
    }
    if (this.#liveness.isSilent(nowMs)) {
      this.#detach(nowMs);
      this.#emit({ type: "close", code: 4408, reason: "no answer to pings", isOver: false });
      return;
    }
    this.#ping(nowMs);
  }

  #ping(nowMs: number): void {
    const id = this.#liveness.takePing(nowMs);
    if (id !== undefined) this.#send({ type: "ping", id, ack: this.#ack });
  }

  // --- what the client tells ---

  #foldMessage(message: ClientMessage, nowMs: number): void {
    this.#liveness.noteHeard(nowMs);
    if (!this.#gate.admits("control", nowMs)) {
      this.#refuse("rate_limited", "too many messages", message.type, nowMs);
      return;
    }
    if (message.n !== undefined) {
      if (message.n <= this.#ack) return;
      this.#ack = message.n;
    }
    this.#guarded(message.type, nowMs, () => this.#foldBody(message, nowMs));
  }

  /** What cannot be done is told, with the field that is to blame. */
  #guarded(what: string, nowMs: number, fold: () => void): void {
    try {
      fold();
    } catch (error) {
      if (!GatewayError.is(error)) throw error;
      this.#refuse(error.code, error.message, error.details.param ?? what, nowMs);
    }
  }

  // oxlint-disable-next-line complexity -- One line for each message of the wire.
  #foldBody(message: ClientMessage, nowMs: number): void {
    switch (message.type) {
      case "hello":
        throw new GatewayError("request_invalid", "hello is the first message and comes once", { param: "type" });
      case "session":
        return this.#describe(message.session);
      case "inputs":
        return this.#foldInputs(message, nowMs);
      case "pose":
        return this.#foldPose(message.sample, nowMs);
      case "scene.update":
        return this.#foldScene(message, nowMs);
      case "gesture":
        return this.#foldToldGesture(message, nowMs);
      case "select":
      case "squeeze":
        return this.#foldPress(message);
      case "visibility":
        this.context.facts = { ...this.context.facts, environment: { visibility: message.state } };
        if (message.state === "hidden") this.context.window.cut();
        return;
      case "ask":
        return this.#ask(message, nowMs);
      case "cancel":
        if (this.#spokenAsk?.turnId === message.turnId) this.#dropSpokenAsk("request_cancelled", "withdrawn", nowMs);
        // A turn that ended a moment ago was cancelled too late, which is nobody's fault.
        this.#turns.cancel(message.turnId, "client", nowMs);
        return;
      case "tools":
        return this.#foldTools(message);
      case "tool.result":
        return this.#foldToolResult(message);
      case "receipt":
        return this.#foldReceipt(message.turnId, message.seq, message.delivered, message.via);
      case "consent":
        return this.#changeConsent(message.consent);
      case "pong":
        return this.#foldPong(message, nowMs);
      case "stats":
        return this.#foldStats(message.fps, message.droppedSamples, message.batteryLevel);
      case "gaze.target":
        return this.#foldTarget(message, nowMs);
      case "preferences":
        return this.#foldPreferences(message);
      case "playback":
        this.#emit(playedOf(message));
        return;
      case "mic.state":
        this.#emit({ type: "mic", state: message });
        return;
      case "push-to-talk":
        this.#emit({ type: "hold", isActive: message.phase === "start" });
        return;
      case "marker":
        // For the recording.
        return;
    }
  }

  #describe(session: SessionDescription | undefined): void {
    this.#features = session?.enabledFeatures ?? [];
    const { device, ...facts } = this.context.facts;
    this.context.facts = {
      ...facts,
      referenceSpace: session?.referenceSpace ?? "local-floor",
      device: {
        name: device.name,
        mode: session?.mode ?? "none",
        capabilities: this.#features,
        ...(session?.frameRate === undefined ? {} : { refreshHz: session.frameRate }),
      },
    };
    if (this.#consentTold !== undefined) this.#applyConsent(this.#consentTold, true);
  }

  #replaceSources(hello: HelloMessage, nowMs: number): void {
    for (const id of this.context.sources.keys()) this.#removeSource(id, nowMs);
    this.sourceTable.clear();
    for (const source of hello.inputSources) {
      this.sourceTable.set(source);
      this.context.addSource(source, this.#sessionMs(nowMs));
    }
  }

  #foldInputs(message: InputsMessage, nowMs: number): void {
    this.#touches.forget();
    this.context.facts = { ...this.context.facts, numbHands: this.#touches.numbHands };
    for (const id of message.remove) this.#removeSource(id, nowMs);
    const kept = message.add.filter((source) => !this.context.sources.has(source.id)).length;
    if (this.context.sources.size + kept > LIMITS.inputSourcesMax) {
      throw new GatewayError("request_too_large", `at most ${LIMITS.inputSourcesMax} input sources`, { param: "add" });
    }
    for (const source of message.add) {
      this.sourceTable.set(source);
      this.context.addSource(source, this.#sessionMs(nowMs));
    }
  }

  #removeSource(id: number, nowMs: number): void {
    this.sourceTable.delete(id);
    this.#noteGestures(this.context.removeSource(id, this.#sessionMs(nowMs)));
  }

  #foldPose(sample: PoseSample, nowMs: number): void {
    this.#liveness.noteHeard(nowMs);
    // Dropped, not refused: the next one says more.
    if (!this.#gate.admits("pose", nowMs)) return;
    const { consent } = this.context;
    if (consent.hands !== "raw") maskPose(sample, consent, this.#describeSource);
    if (!consent.head && consent.hands === "none") return;
    const arrivedMs = this.#sessionMs(nowMs);
    const atMs = this.#clock.toSessionMs(sample.t, arrivedMs);
    this.#quality.notePose(sample.seq, arrivedMs - atMs);
    if (!this.context.recordPose(sample, atMs, consent.head)) return;
    if (this.#looksByRound) this.#isLookDue = true;
    else this.#look();
  }

  #look(): void {
    this.#isLookDue = false;
    this.#noteGestures(this.context.look());
  }

  readonly #describeSource = (id: number): HelloMessage["inputSources"][number] | undefined =>
    this.context.sources.get(id)?.description;

  #foldScene(message: SceneUpdateMessage, nowMs: number): void {
    const { consent } = this.context;
    if (consent.room === "none") {
      throw new GatewayError("consent_missing", "the user did not agree to share the room", { param: "scene.update" });
    }
    const atMs = this.#sessionMs(nowMs);
    const isFirst = this.context.scene.version === 0;
    try {
      this.context.scene.apply(this.#meshes.keep(sceneDeltaFrom(message, consent), this.context.scene), atMs);
    } catch (error) {
      // Client and gateway disagree on what is known: only a full scene puts that right.
      if (GatewayError.has(error, "request_invalid")) {
        this.#send({ type: "scene.request", reason: `the update was refused: ${error.details.param ?? ""}` });
      }
      throw error;
    }
    // A full scene later on tells that the origin moved; the first one only that there is a room.
    if (message.full === true && !isFirst) {
      this.context.resetSpace();
      this.#forgetSeen(atMs);
    }
    this.#meshes.note(message);
    this.context.reconcileScene(atMs);
  }

  #foldToldGesture(message: Extract<ClientMessage, { type: "gesture" }>, nowMs: number): void {
    if (this.context.consent.hands === "none") return;
    const atMs = this.#clock.toSessionMs(message.t, this.#sessionMs(nowMs));
    const { name, phase, confidence, handedness } = message;
    this.context.foldGesture({ name, phase, confidence, handedness, tMs: atMs, sinceMs: atMs });
    if (phase !== "update") this.#emit({ type: "event", event: { name: "gesture", gesture: name, phase } });
  }

  /** Head gaze is worked out here and not taken from the client. */
  #foldTarget({ id, source, distance, dwellMs, t }: GazeTargetMessage, nowMs: number): void {
    if (source === "head" || (source === "eye" && !this.context.consent.eyes)) return;
    const atMs = this.#clock.toSessionMs(t, this.#sessionMs(nowMs));
    const told = { entityId: id, distanceM: distance, dwellMs };
    this.context.attention.foldTold(source === "eye" ? "eye-gaze" : "transient-pointer", told, atMs);
  }

  #foldPress(message: SelectMessage | SqueezeMessage): void {
    const record = this.context.sources.get(message.inputSource);
    if (record !== undefined && message.type === "select") record.isSelecting = message.phase !== "end";
  }

  #foldImage(packet: ImagePacket, nowMs: number): void {
    this.#liveness.noteHeard(nowMs);
    if (!this.context.consent.camera) {
      return this.#refuse("consent_missing", "the user did not agree to share the camera", "image", nowMs);
    }
    if (!this.#gate.admits("image", nowMs)) return this.#refuse("rate_limited", "too many images", "image", nowMs);
    if (packet.payload.length > this.#options.limits.imagePayloadBytesMax) {
      return this.#refuse("request_too_large", "the image is too large", "payload", nowMs);
    }
    const atMs = this.#clock.toSessionMs(packet.t, this.#sessionMs(nowMs));
    const { linearVelocity, angularVelocity } = this.context.motion();
    this.#sight.foldImage(packet, atMs, { linear: linearVelocity, angular: angularVelocity });
    const due = this.#sight.images.due(this.#sessionMs(nowMs));
    if (due === undefined) return;
    this.#sight.images.noteLook(due.view, this.#sessionMs(nowMs));
    this.#emit({ type: "look", image: due });
  }

  #foldDepth(packet: DepthPacket, nowMs: number): void {
    this.#liveness.noteHeard(nowMs);
    const { camera, room } = this.context.consent;
    if (!camera || room !== "full") {
      return this.#refuse("consent_missing", "the user did not agree to share depth", "depth", nowMs);
    }
    if (this.#gate.admits("image", nowMs)) this.#sight.foldDepth(packet);
    else this.#refuse("rate_limited", "too many images", "depth", nowMs);
  }

  #foldMesh(mesh: ArrivedMesh, nowMs: number): void {
    this.#liveness.noteHeard(nowMs);
    const { room } = this.context.consent;
    if (room === "none" || room === "labels")
      throw new GatewayError("consent_missing", "the user did not agree to share the room's shape", { param: "mesh" });
    if (!this.#gate.admits("media", nowMs))
      throw new GatewayError("rate_limited", "too many packets", { param: "mesh" });
    this.#meshes.fold(mesh, this.context.scene, this.context.consent, this.#sessionMs(nowMs));
  }

  // --- what models see ---

  #foldSeen({ view, boxes, isComplete, labels }: Extract<SessionInput, { type: "seen" }>, nowMs: number): void {
    const { camera, room } = this.context.consent;
    // What was agreed to when the image was taken may have been withdrawn since.
    if (!camera || room === "none") return;
    const asked = {
      ...(isComplete === undefined ? {} : { isComplete }),
      ...(labels === undefined ? {} : { labels }),
    };
    const change = this.#sight.foldBoxes(view, boxes, this.context.scene.snapshot(), asked);
    this.#applySight(change, nowMs);
  }

  /** Marks what a model pointed out in the image of its turn, and keeps it as a thing of the room. */
  #foldSighting(turnId: string, id: string, sighting: Sighting, nowMs: number): void {
    const { camera, room } = this.context.consent;
    const image = this.#sight.images.find(sighting.imageId);
    if (!camera) return;
    let target: string | undefined;
    if (image !== undefined && room !== "none") {
      const change = this.#sight.foldSighting(image.view, sighting, this.context.scene.snapshot());
      this.#applySight(change, nowMs);
      [target] = change.ids;
    }
    const { position, bounds } = sighting;
    const radiusM = Math.min(
      2,
      Math.max(0.05, (bounds.max[0] - bounds.min[0]) / 2, (bounds.max[1] - bounds.min[1]) / 2),
    );
    const style = sighting.placedBy === "direction" ? "arrow" : "outline";
    const named = target === undefined ? {} : { target };
    const action = { kind: "highlight", ...named, position, radiusM, style, ttlMs: MARK_MS } as const;
    this.#turns.fold(turnId, { type: "action", id, action }, nowMs);
  }

  #applySight({ put, remove }: Pick<SightChange, "put" | "remove">, nowMs: number): void {
    if (put.length === 0 && remove.length === 0) return;
    const { scene } = this.context;
    const room = scene.size;
    // A full room has no place for what was only seen.
    const fits = put.filter((entity, index) => scene.get(entity.id) !== undefined || room + index < this.#entitiesMax);
    const known = remove.filter((id) => scene.get(id) !== undefined);
    scene.apply({ add: fits, remove: known }, this.#sessionMs(nowMs));
    this.context.reconcileScene(this.#sessionMs(nowMs));
    const told = (entity: EntityDescription): SeenNode => seenNodeOf(scene.get(entity.id) ?? entity);
    this.#send({ type: "scene.seen", add: fits.map(told), remove: known });
  }

  get #entitiesMax(): number {
    return this.#options.limits.sceneEntitiesMax;
  }

  #forgetSeen(atMs: number): void {
    const gone = this.#sight.forgetThings();
    if (gone.length === 0) return;
    this.context.scene.apply({ remove: gone.filter((id) => this.context.scene.get(id) !== undefined) }, atMs);
    this.#send({ type: "scene.seen", full: true, add: [], remove: [] });
  }

  #foldTools(message: ToolsMessage): void {
    for (const name of message.remove) this.#tools.delete(name);
    for (const tool of message.add) this.#tools.set(tool.name, tool);
    if (this.#tools.size <= LIMITS.toolsMax) return;
    for (const tool of message.add) this.#tools.delete(tool.name);
    throw new GatewayError("request_too_large", `at most ${LIMITS.toolsMax} tools`, { param: "add" });
  }

  #foldToolResult({ turnId, callId, result, error }: ToolResultMessage): void {
    if (this.#turns.get(turnId)?.isOpen !== true) return;
    const text = error ?? (typeof result === "string" ? result : JSON.stringify(result ?? null));
    this.#emit({ type: "tool-result", turnId, callId, text, isError: error !== undefined });
  }

  #foldReceipt(turnId: string, seq: number, delivered: boolean, via: string): void {
    const awaited = this.#turns.get(turnId)?.noteReceipt(seq);
    if (awaited === undefined) return;
    if (awaited.part === "haptic" && awaited.wantsTouch) {
      // Heard or seen is noticed, and still says that the motor did not turn.
      this.#touches.record(awaited.handedness, via === "pulse" || via === "playEffect");
      this.context.facts = { ...this.context.facts, numbHands: this.#touches.numbHands };
    }
    this.#emit({ type: "event", event: { name: "receipt", part: awaited.part, delivered, via } });
  }

  #foldPreferences({ preferences, output }: Extract<ClientMessage, { type: "preferences" }>): void {
    const { person, ...facts } = this.context.facts;
    this.context.facts = {
      ...facts,
      person: { ...person, ...preferences },
      ...(output === undefined ? {} : { output }),
    };
  }

  #foldPong(message: Extract<ClientMessage, { type: "pong" }>, nowMs: number): void {
    if (!this.#liveness.foldPong(message, nowMs, this.#options.startedMs)) return;
    const { rttMs, jitterMs, offsetMs, skewPpm } = this.#clock;
    if (rttMs === undefined || jitterMs === undefined || offsetMs === undefined) return;
    this.context.facts = { ...this.context.facts, network: { rttMs, jitterMs } };
    const rates = this.#quality.fold(this.#clock.newestRttMs, nowMs);
    if (rates !== undefined) this.#send(rates);
    const isNews = Math.abs(offsetMs - this.#clockTold.offsetMs) > CLOCK_NEWS_MS;
    if (!isNews && nowMs - this.#clockTold.atMs < CLOCK_TELL_MS) return;
    this.#clockTold = { offsetMs, atMs: nowMs };
    this.#send({ type: "clock", offset: offsetMs, rtt: rttMs, skewPpm });
    this.#emit({ type: "event", event: { name: "clock", rttMs, offsetMs } });
  }

  #foldStats(fps: number | undefined, dropped: number | undefined, batteryLevel: number | undefined): void {
    if (batteryLevel !== undefined) this.#quality.noteBattery(batteryLevel);
    const { quality, ...facts } = this.context.facts;
    this.context.facts = {
      ...facts,
      quality: {
        ...quality,
        ...(fps === undefined ? {} : { fps }),
        ...(batteryLevel === undefined ? {} : { batteryLevel }),
        droppedFrames: dropped ?? quality.droppedFrames,
      },
    };
  }

  // --- consent ---

  #changeConsent(told: Consent): void {
    const levels = this.#applyConsent(told, true);
    this.#send({ type: "levels", levels });
  }

  /** Grants at most what the operator allows and the device can mean; drops what is stored above it. */
  #applyConsent(told: Consent, isChange: boolean): Consent {
    this.#consentTold = told;
    const allowed = lowerConsent(told, this.#options.consentMax);
    const eyes = allowed.eyes && this.#features.some((feature) => EYE_FEATURES.includes(feature));
    const after: Consent = { ...allowed, eyes };
    const before = this.context.consent;
    if (isSameConsent(before, after)) return after;
    this.context.applyConsent(after);
    if (!after.camera) this.#sight.forgetImages();
    if (this.context.scene.size === 0) {
      this.#meshes.clear();
      if (this.#sight.forgetThings().length > 0) this.#send({ type: "scene.seen", full: true, add: [], remove: [] });
    }
    if (isChange) this.#emit({ type: "event", event: { name: "consent-changed", before, after } });
    return after;
  }

  // --- questions and answers ---

  #ask(ask: AskMessage, nowMs: number): void {
    if (this.#turns.has(ask.turnId)) {
      throw new GatewayError("request_invalid", "a turn of this id was asked before", { param: "turnId" });
    }
    const refusal = this.#askRefusal(ask, nowMs);
    if (refusal !== undefined) {
      // The client waits for an answer to this id: it gets an error and an end, and the turns before go on.
      this.#emit({ type: "event", event: { name: "refused", what: "ask", reason: refusal.code } });
      this.#refuseTurn(ask, refusal, nowMs);
      return;
    }
    if (ask.audioStreamId !== undefined) {
      // What is said next, or is being said, is its question.
      this.#dropSpokenAsk("request_cancelled", "another question took its place", nowMs);
      this.#spokenAsk = ask;
      this.#send({ type: "turn.state", turnId: ask.turnId, state: "listening" });
      return;
    }
    this.#openTurn(ask, nowMs, undefined);
  }

  #openTurn(ask: AskMessage, nowMs: number, spoken: SpokenWords | undefined): void {
    const { limits, sessionId, principal, model } = this.#options;
    const deadlineMs = nowMs + limits.turnMsMax;
    const turn = this.#turns.open(ask, nowMs, deadlineMs);
    const image = ask.include.includes("image") ? this.#sight.images.best(this.#sessionMs(nowMs)) : undefined;
    if (image !== undefined) this.#sight.images.noteLook(image.view, this.#sessionMs(nowMs));
    this.#applySight({ put: [], remove: this.#sight.age(this.#sessionMs(nowMs)) }, nowMs);
    const now = this.context.freeze(this.#sessionMs(nowMs));
    const { context, references } =
      spoken === undefined ? { context: now, references: [] } : bindSpokenWords(this.context, now, spoken);
    const request = turnRequestFrom({
      requestId: `${sessionId}.${this.#turns.total}`,
      ask,
      model,
      history: this.#conversation.messages(),
      tools: [...this.#tools.values()],
      ...(image === undefined ? {} : { image }),
      context,
      references,
      principal,
      // The engine gives up a little earlier than the session, and says it better.
      deadlineMs: deadlineMs - Math.min(1_000, limits.turnMsMax / 10),
    });
    this.#emit({ type: "event", event: { name: "turn-started", turnId: turn.turnId } });
    this.#send({ type: "turn.state", turnId: turn.turnId, state: "thinking" });
    // Who cannot hear, or has muted the page, reads.
    const speaks = ask.modalities.includes("audio") && chooseModalities(context).speech;
    this.#emit({ type: "turn-ready", turn: { turnId: turn.turnId, request, speaks } });
  }

  // --- voice ---

  /** Without consent nothing of the sound is kept, and the client is told once a second, not fifty times. */
  #foldAudio(packet: AudioPacket, nowMs: number): void {
    this.#liveness.noteHeard(nowMs);
    if (!this.context.consent.audio || this.#options.listens !== true) {
      if (!this.#gate.shallTell(nowMs)) return;
      if (this.context.consent.audio) this.#refuse("request_unsupported", NO_EARS, "audio", nowMs);
      else this.#refuse("consent_missing", "the user did not agree to share the microphone", "audio", nowMs);
      return;
    }
    if (!this.#gate.admits("media", nowMs)) return this.#refuse("rate_limited", "too many packets", "audio", nowMs);
    const atMs = this.#clock.toSessionMs(packet.t0, this.#sessionMs(nowMs)) + this.#options.startedMs;
    this.#emit({ type: "hear", packet, atMs });
  }

  // oxlint-disable-next-line complexity -- One line for each thing the voice tells.
  #foldVoice(event: VoiceEvent, nowMs: number): void {
    switch (event.name) {
      case "speech":
        this.#noteSpeaking(event.isSpeaking, event.noiseDb);
        if (event.isSpeaking) this.#send({ type: "turn.state", ...this.#spokenAskId(), state: "listening" });
        return;
      case "transcript": {
        const { text, isFinal, language } = event;
        if (language !== undefined) this.#noteLanguage(language);
        this.#send({ type: "transcript", ...this.#spokenAskId(), text, isFinal });
        return;
      }
      case "asked":
        return this.#askedAloud(event, nowMs);
      case "not-understood":
        return this.#dropSpokenAsk("request_invalid", "nothing was understood", nowMs);
      case "sounding": {
        const { turnId, itemId, streamId, codec, at, gainDb = 0, occlusion } = event;
        const place = { ...(at === undefined ? {} : { at }), ...(occlusion === undefined ? {} : { occlusion }) };
        const sound = { streamId, codec, itemId, gainDb, ...place };
        return this.#turns.tell(turnId, (header) => ({ ...header, type: "audio", ...sound }), nowMs);
      }
      case "words": {
        const { turnId, itemId, words } = event;
        return this.#turns.tell(turnId, (header) => ({ ...header, type: "words", itemId, words }), nowMs);
      }
      case "answered":
        this.#turns.get(event.turnId)?.allowUntil(nowMs + SPEAKING_MS_MAX);
        return;
      case "interrupted": {
        const isOpen = event.turnId !== undefined && this.#turns.cancel(event.turnId, "barge-in", nowMs);
        // What has been sent to its end may still be sounding.
        if (!isOpen) this.#turns.flush();
        return;
      }
      case "heard":
        return this.#conversation.amend(event.turnId, event.text);
      case "duck":
      case "unduck": {
        const { name: type, rampMs } = event;
        const gainDb = event.name === "duck" ? event.gainDb : 0;
        this.#send({ type, epoch: this.#turns.epoch, gainDb, rampMs });
        return;
      }
      case "overheard":
        this.#send({ type: "transcript", text: event.text, isFinal: true, speaker: event.speaker });
        return;
      case "exchange":
        // Who asked belongs to what was asked: "she meant the other one".
        this.#conversation.note(`room ${nowMs}`, `${event.speaker}: ${event.question}`, event.answer);
        return;
      case "told":
        return this.#beTold(event.turnId, event.text, nowMs);
      case "filler":
        this.#send({ type: "filler", turnId: event.turnId, epoch: this.#turns.epoch });
        return;
    }
  }

  /** A turn of one's own goes on undisturbed. */
  #beTold(turnId: string, text: string, nowMs: number): void {
    if (this.#turns.openCount > 0 || this.#turns.has(turnId)) return;
    const ask: AskMessage = { type: "ask", turnId, text: "", include: [], modalities: SPOKEN_MODALITIES };
    this.#turns.open(ask, nowMs, nowMs + SPEAKING_MS_MAX);
    const speaks = chooseModalities(this.context.freeze(this.#sessionMs(nowMs))).speech;
    this.#emit({ type: "told", turnId, text, speaks });
  }

  #askedAloud(event: Extract<VoiceEvent, { name: "asked" }>, nowMs: number): void {
    const { text, words, fromMs, untilMs } = event;
    const ask = this.#spokenAsk;
    this.#spokenAsk = undefined;
    const named: AskMessage = ask ?? {
      type: "ask",
      turnId: event.turnId,
      include: SPOKEN_INCLUDE,
      modalities: SPOKEN_MODALITIES,
    };
    const spoken: SpokenWords = {
      text,
      words: words.map((word) => ({
        text: word.text,
        startMs: this.#sessionMs(word.startMs),
        endMs: this.#sessionMs(word.endMs),
      })),
      fromMs: this.#sessionMs(fromMs),
      untilMs: this.#sessionMs(untilMs),
    };
    this.#openTurn({ ...named, text: text.slice(0, LIMITS.textCharactersMax) }, nowMs, spoken);
  }

  #dropSpokenAsk(code: ErrorCode, message: string, nowMs: number): void {
    const ask = this.#spokenAsk;
    this.#spokenAsk = undefined;
    if (ask !== undefined) this.#refuseTurn(ask, { code, message }, nowMs);
  }

  #spokenAskId(): { readonly turnId?: string } {
    return this.#spokenAsk === undefined ? {} : { turnId: this.#spokenAsk.turnId };
  }

  #noteSpeaking(speaking: boolean, noiseDb: number | undefined): void {
    const { audio } = this.context.facts;
    const noise = noiseDb === undefined ? {} : { noiseDb };
    this.context.facts = { ...this.context.facts, audio: { ...audio, ...noise, speaking } };
  }

  #noteLanguage(language: string): void {
    const { audio } = this.context.facts;
    this.context.facts = { ...this.context.facts, audio: { ...audio, language } };
  }

  #askRefusal(ask: AskMessage, nowMs: number): { code: ErrorCode; message: string; retryAfterMs?: number } | undefined {
    const { limits } = this.#options;
    if (!this.#gate.admits("ask", nowMs)) {
      const retryAfterMs = this.#gate.waitMs("ask");
      return { code: "rate_limited", message: "too many questions", retryAfterMs };
    }
    if (limits.turnPolicy === "parallel" && this.#turns.openCount >= limits.openTurnsMax) {
      return { code: "turn_limit", message: `at most ${limits.openTurnsMax} questions at once` };
    }
    if (ask.text !== undefined) return undefined;
    if (this.#options.listens !== true) return { code: "request_unsupported", message: NO_EARS };
    if (this.context.consent.audio) return undefined;
    return { code: "consent_missing", message: "the user did not agree to share the microphone" };
  }

  #refuseTurn(
    ask: AskMessage,
    { code, message, retryAfterMs }: { code: ErrorCode; message: string; retryAfterMs?: number },
    nowMs: number,
  ): void {
    const retry = retryAfterMs === undefined ? {} : { retryAfterMs };
    this.#send({ type: "error", code, message, fatal: false, turnId: ask.turnId, ...retry });
    this.#send({
      type: "done",
      turnId: ask.turnId,
      seq: 0,
      epoch: this.#turns.epoch,
      provider: "",
      cached: false,
      outcome: "error",
      model: "",
      reason: "",
      latency: { total: 0 },
      steps: [],
      tokens: { input: 0, output: 0 },
      cost: { source: "free" },
    });
    if (this.#gate.noteRefusal(nowMs)) this.#end("rate_limited", "too many refused messages", nowMs);
  }

  /** A mark on what was only seen carries its place: a client may not know the id. */
  #placed(part: AnswerPart): AnswerPart {
    if (part.type !== "action" || part.action.kind !== "highlight" || part.action.target === undefined) return part;
    const entity = this.context.scene.get(part.action.target);
    if (entity?.source !== "vision" || part.action.position !== undefined) return part;
    const { bounds, pose } = entity;
    const radiusM = Math.max(0.05, (bounds.max[0] - bounds.min[0]) / 2, (bounds.max[1] - bounds.min[1]) / 2);
    return { ...part, action: { ...part.action, position: pose.position, radiusM } };
  }

  #foldPart({ turnId, part: told, cue }: Extract<SessionInput, { type: "part" }>, nowMs: number): void {
    const part = this.#placed(told);
    if (part.type === "sighting") {
      if (this.#turns.get(turnId)?.isOpen === true) this.#foldSighting(turnId, part.id, part.sighting, nowMs);
      return;
    }
    const turn = this.#turns.get(turnId);
    const wasSilent = turn?.isOpen === true && turn.firstMs === undefined;
    this.#turns.fold(turnId, part, nowMs, cue);
    if (wasSilent && turn.isOpen && turn.firstMs !== undefined) {
      this.#send({ type: "turn.state", turnId, state: "speaking" });
    }
  }

  #turnEnded(turn: Turn, nowMs: number): void {
    const outcome = turn.outcome ?? "error";
    // What was said before an interruption was heard, and may be asked about.
    this.#conversation.note(turn.turnId, turn.question, turn.text);
    const totalMs = nowMs - turn.askedMs;
    this.#emit({
      type: "event",
      event: { name: "turn-ended", turnId: turn.turnId, outcome, firstMs: turn.firstMs, totalMs },
    });
    const state = outcome === "cancelled" ? "interrupted" : "idle";
    this.#send({ type: "turn.state", turnId: turn.turnId, state });
  }

  // --- outputs ---

  #noteGestures(events: readonly GestureEvent<string>[]): void {
    for (let index = 0; index < events.length; index++) {
      const { name, phase } = events[index] as GestureEvent<string>;
      if (phase !== "update") this.#emit({ type: "event", event: { name: "gesture", gesture: name, phase } });
    }
  }

  #unknown(nowMs: number): void {
    this.#liveness.noteHeard(nowMs);
    this.#emit({ type: "event", event: { name: "refused", what: "unknown", reason: "unknown type" } });
    if (this.#gate.noteRefusal(nowMs)) this.#end("rate_limited", "too many unknown messages", nowMs);
  }

  /** Something is not done, and the client is told which field is to blame; too often ends the connection. */
  #refuse(code: ErrorCode, message: string, field: string, nowMs: number): void {
    this.#liveness.noteHeard(nowMs);
    this.#emit({ type: "event", event: { name: "refused", what: field, reason: code } });
    if (this.#gate.noteRefusal(nowMs)) {
      const isFlood = code === "rate_limited";
      this.#end(isFlood ? "rate_limited" : code, isFlood ? message : `${field}: ${message}`, nowMs);
      return;
    }
    if (code === "rate_limited" && !this.#gate.shallTell(nowMs)) return;
    this.#send({ type: "error", code, message, fatal: false, field });
  }

  /** To a socket that is there; parts of turns are kept by the turn and sent on resume. */
  #send(message: ServerMessage): void {
    if (this.#state.state === "attached") this.#emit({ type: "send", message });
  }

  #emit(output: SessionOutput): void {
    if (output.type === "send" && this.#state.state !== "attached") return;
    (this.#outputs ??= []).push(output);
  }

  #sessionMs(nowMs: number): number {
    return nowMs - this.#options.startedMs;
  }
}

function playedOf({ itemId, playedMs, bufferedMs }: PlaybackMessage): SessionOutput {
  return { type: "played", itemId, playedMs, ...(bufferedMs === undefined ? {} : { bufferedMs }) };
}

function grantedOf(limits: SessionOptions["limits"]): Extract<ServerMessage, { type: "welcome" }>["limits"] {
  const { controlCharactersMax, sceneEntitiesMax, controlMessagesPerSecondMax, asksPerSecondMax } = limits;
  const { openTurnsMax, imagePayloadBytesMax } = limits;
  return {
    controlCharactersMax,
    sceneEntitiesMax,
    controlMessagesPerSecondMax,
    asksPerSecondMax,
    openTurnsMax,
    imagePayloadBytesMax,
  };
}
