// Joins one session to its socket and to the engine: feeds it what arrives, carries out what it returns, keeps its one
// timer. Together with http/error-response this is where failures are translated for the outside.
import type {
  AnswerEngine,
  AnswerPart,
  ArrivedMesh,
  AuditSink,
  CameraImage,
  BudgetRemainder,
  Cancel,
  Clock,
  Ids,
  Log,
  Meter,
  Principal,
  ReadyTurn,
  SessionInput,
  SessionOptions,
  SessionOutput,
  TurnFailure,
} from "@fovea/core";
import { ERROR_TABLE, GatewayError, placeSpeech, seenShareOf, XRSession } from "@fovea/core";
import type { HelloMessage, ServerMessage, WireBudget } from "@fovea/protocol";
import {
  createPoseSample,
  decodeDepthPacket,
  decodeAudioPacket,
  decodeImagePacket,
  decodeMeshPacket,
  decodePosePacket,
  packetKindOf,
  parseClientMessage,
} from "@fovea/protocol";
import type { LookRound } from "./look-round.ts";
import type { NoiseSuppressor } from "../audio/noise-suppressor.ts";
import type { RoomSeat, VoiceRooms } from "./voice/voice-rooms.ts";
import { SessionVoice } from "./voice/session-voice.ts";
import { sceneNames } from "./voice/scene-names.ts";
import type { VoiceSettings } from "./voice/voice-port.ts";
import { VOICE_SETTINGS } from "./voice/voice-port.ts";

import { decodeMesh } from "../vision/mesh-decoder.ts";
import type { SightDesk, SightRoom } from "../vision/sight-desk.ts";

/** A connected client as the loop sees it. */
export interface ClientPort {
  send(message: ServerMessage): void;
  /** Binary; dropped by a flush of a later epoch while it waits. */
  sendPacket(bytes: Uint8Array, epoch: number): void;
  close(code: number, reason: string): void;
}

export interface LoopParts {
  readonly engine: AnswerEngine;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly audit: AuditSink;
  readonly ids: Ids;
  /** Shared by all sessions of the process. */
  readonly looks: LookRound;
  readonly voice?: Partial<VoiceSettings>;
  readonly noise?: NoiseSuppressor;
  /** Where several people may talk; absent: everybody is alone. */
  readonly rooms?: VoiceRooms;
  /** Answer in Opus who sends Opus; true where absent. */
  readonly speaksOpus?: boolean;
  /** Lets what needs no vendor get ready for words about these things. */
  warmVoice?(vocabulary: readonly string[]): void;
  /** What is left of the budgets that hold for a caller. */
  limitsOf?(principal: Principal): readonly BudgetRemainder[];
  /** Without one, images go to the models as they are and nothing is found in them. */
  readonly sight?: SightDesk;
}

interface RunningTurn {
  readonly abort: AbortController;
  /** Tool calls the application has yet to answer. */
  readonly calls: Map<string, (result: CallResult) => void>;
  /** Results that came before the model had ended its round: applications may be faster than the rest of a stream. */
  readonly early: Map<string, CallResult>;
}

interface CallResult {
  readonly text: string;
  readonly isError?: boolean;
}

const EARLY_MAX = 64;

const NO_MESH: ArrivedMesh = {
  ref: 0,
  level: 0,
  errorCm: 0,
  positions: new Float32Array(0),
  indices: new Uint32Array(0),
};

/** One for the process: decoding and folding are synchronous, and the session keeps nothing of it. */
const SAMPLE = createPoseSample();
const POSE: SessionInput = { type: "pose", sample: SAMPLE };
const LOOK: SessionInput = { type: "look" };

export class SessionLoop {
  readonly session: XRSession;
  readonly #parts: LoopParts;
  readonly #options: SessionOptions;
  readonly #onOver: () => void;
  readonly #running = new Map<string, RunningTurn>();
  /** Ends of answers that are complete and still being spoken. */
  readonly #held = new Map<string, AnswerPart>();
  #voice: SessionVoice | undefined;
  #seat: RoomSeat | undefined;
  #roomId: string | undefined;
  #port: ClientPort | undefined;
  #cancelTimer: Cancel | undefined;
  #armedMs = Infinity;
  #hasFaulted = false;
  #looking: AbortController | undefined;
  readonly #room: SightRoom;
  #isInRound = false;

  constructor(options: SessionOptions, parts: LoopParts, onOver: () => void) {
    this.#options = options;
    this.#parts = parts;
    this.#onOver = onOver;
    this.session = new XRSession({ ...options, looks: "by-round" });
    this.#room = {
      sessionId: options.sessionId,
      principal: options.principal,
      found: (view, boxes, labels) =>
        this.#feed({
          type: "seen",
          view,
          boxes,
          isComplete: labels === undefined,
          ...(labels === undefined ? {} : { labels }),
        }),
      scene: () => this.session.context.scene.snapshot(),
    };
  }

  get principal(): SessionOptions["principal"] {
    return this.#options.principal;
  }

  get resumeToken(): string {
    return this.#options.resumeToken;
  }

  /** Turns the engine is still busy with. */
  get runningTurns(): number {
    return this.#running.size;
  }

  /** A socket that is still there belongs to a client that has moved on: it is told so and closed. */
  attach(port: ClientPort, hello: HelloMessage): void {
    const before = this.#port;
    this.#port = undefined;
    before?.close(4409, "another connection resumed this session");
    this.#port = port;
    this.#feed({ type: "attach", hello });
    this.#enterRoom(hello);
    // A dictionary takes a moment to load; who may speak will not want to wait for it.
    if (hello.consent.audio) this.#parts.warmVoice?.(sceneNames(this.session.context.scene.snapshot()));
    this.#voice?.attached();
    this.#tellLimits();
  }

  text(port: ClientPort, text: string): void {
    if (port !== this.#port) return;
    const parsed = parseClientMessage(text);
    if (parsed.outcome === "message") this.#feed({ type: "message", message: parsed.message });
    else if (parsed.outcome === "error") this.#feed({ type: "refused", error: parsed.error });
    else this.#feed({ type: "unknown" });
  }

  binary(port: ClientPort, bytes: Uint8Array): void {
    if (port !== this.#port) return;
    const kind = packetKindOf(bytes);
    if (kind === "pose") {
      const error = decodePosePacket(bytes, this.session.sourceTable, SAMPLE);
      if (error === undefined) this.#feedPose();
      else this.#feed({ type: "refused", error });
    } else if (kind === "image") {
      const decoded = decodeImagePacket(bytes);
      const isGood = decoded.outcome === "packet";
      this.#feed(isGood ? { type: "image", packet: decoded.packet } : { type: "refused", error: decoded.error });
    } else if (kind === "depth") {
      const decoded = decodeDepthPacket(bytes);
      const isGood = decoded.outcome === "packet";
      this.#feed(isGood ? { type: "depth", packet: decoded.packet } : { type: "refused", error: decoded.error });
    } else if (kind === "mesh") {
      this.#mesh(bytes);
    } else if (kind === "audioUp") {
      const decoded = decodeAudioPacket(bytes, "up");
      const isGood = decoded.outcome === "packet";
      this.#feed(isGood ? { type: "audio", packet: decoded.packet } : { type: "refused", error: decoded.error });
    } else {
      this.#feed({ type: "unknown" });
    }
  }

  /** Nothing is unpacked for a room that is not shared. */
  #mesh(bytes: Uint8Array): void {
    const decoded = decodeMeshPacket(bytes);
    if (decoded.outcome !== "packet") return this.#feed({ type: "refused", error: decoded.error });
    const { room } = this.session.context.consent;
    const mesh =
      room === "none" || room === "labels" ? { ...NO_MESH, ref: decoded.packet.ref } : decodeMesh(decoded.packet);
    if (mesh !== undefined) return this.#feed({ type: "mesh", mesh });
    const error = { code: "truncated", field: "payload", message: "the streams of the mesh cannot be read" } as const;
    this.#feed({ type: "refused", error });
  }

  /** The socket is gone. The session waits for the client to come back. */
  closed(port: ClientPort): void {
    if (port !== this.#port) return;
    this.#port = undefined;
    this.#feed({ type: "detach" });
    this.#voice?.detached();
  }

  end(code: "shutting_down" | "internal" | "credentials_invalid", message: string): void {
    this.#feed({ type: "end", code, message });
  }

  /** What poses call for, put off a little; see `LookRound`. */
  look(): void {
    this.#isInRound = false;
    if (this.session.isLookDue) this.#feed(LOOK);
  }

  /** The same as `#feed` for what comes in 72 times a second: a pose puts off what is due and never brings it forward. */
  #feedPose(): void {
    try {
      const outputs = this.session.handle(POSE, this.#parts.clock.monotonicMs());
      if (outputs.length > 0) for (const output of outputs) this.#perform(output);
      this.#joinRound();
    } catch (error) {
      this.#fault("pose", error);
    }
  }

  #joinRound(): void {
    if (this.#isInRound || !this.session.isLookDue) return;
    this.#isInRound = true;
    this.#parts.looks.add(this);
  }

  /** A fault of ours ends this session and no other. */
  #feed(input: SessionInput): void {
    try {
      const outputs = this.session.handle(input, this.#parts.clock.monotonicMs());
      for (const output of outputs) this.#perform(output);
      if (this.session.wakeAtMs < this.#armedMs) this.#arm();
      this.#joinRound();
    } catch (error) {
      this.#fault(input.type, error);
    }
  }

  #fault(during: string, error: unknown): void {
    const { sessionId } = this.#options;
    const what = error instanceof Error ? error.name : typeof error;
    this.#parts.log.write("error", "an xr session failed", { sessionId, during, error: what });
    if (this.#hasFaulted) return;
    this.#hasFaulted = true;
    this.end("internal", "the gateway failed");
    // Where even that failed, the socket and the place in the directory are given up all the same.
    if (this.session.isOver) return;
    this.#close(1011, "the gateway failed", true);
  }

  #perform(output: SessionOutput): void {
    switch (output.type) {
      case "send":
        this.#port?.send(output.message);
        return;
      case "turn-ready":
        this.#notePoseAge(output.turn);
        if (output.turn.speaks || this.#voice !== undefined) {
          this.#ear().opened(output.turn.turnId, output.turn.speaks);
        }
        void this.#run(output.turn);
        return;
      case "told":
        this.#tellTurn(output);
        return;
      case "hear":
        this.#hear(output);
        return;
      case "hold":
        this.#ear().hold(output.isActive);
        return;
      case "mic":
        this.#ear().mic(output.state);
        return;
      case "played":
        this.#voice?.played(output.itemId, output.playedMs, output.bufferedMs);
        return;
      case "cancel-turn":
        this.#held.delete(output.turnId);
        this.#voice?.cancelled(output.turnId);
        this.#running.get(output.turnId)?.abort.abort(new GatewayError("request_cancelled", output.reason));
        return;
      case "tool-result":
        this.#giveResult(output);
        return;
      case "look":
        void this.#look(output.image);
        return;
      case "close":
        this.#close(output.code, output.reason, output.isOver);
        return;
      case "event":
        this.#note(output.event);
        return;
    }
  }

  // --- voice ---

  #ear(): SessionVoice {
    if (this.#voice !== undefined) return this.#voice;
    const { engine, clock, ids, log, meter, voice, noise, warmVoice, speaksOpus } = this.#parts;
    const { principal } = this.#options;
    const { session } = this;
    const vocabulary = (): readonly string[] => sceneNames(session.context.scene.snapshot());
    const settings: VoiceSettings = { ...VOICE_SETTINGS, ...voice, vocabulary: vocabulary() };
    warmVoice?.(settings.vocabulary);
    const parts = { engine, clock, ids, log, meter, principal, ...(noise === undefined ? {} : { noise }) };
    this.#voice = new SessionVoice(
      parts,
      settings,
      {
        tell: (event) => this.#feed({ type: "voice", event }),
        get epoch() {
          return session.epoch;
        },
        send: (bytes, epoch) => this.#port?.sendPacket(bytes, epoch),
        release: (turnId) => {
          const part = this.#held.get(turnId);
          this.#held.delete(turnId);
          if (part !== undefined) this.#feed({ type: "part", turnId, part });
        },
        vocabulary,
        admit: (question) => this.#seat === undefined || this.#seat.ask(question).verdict === "answer",
        over: (turnId) => this.#seat?.answered(session.textOf(turnId), clock.monotonicMs()),
        looksAtAgent: () => this.#looksAtAgent(),
        nextTurnId: () => ids.next("turn"),
        perform: (turnId, part, cue) =>
          this.#feed({ type: "part", turnId, part, ...(cue === undefined ? {} : { cue }) }),
        namesOf: (entityId) => {
          const entity = session.context.scene.snapshot().byId.get(entityId);
          if (entity === undefined) return [];
          return entity.name === undefined ? [entity.semanticLabel] : [entity.name, entity.semanticLabel];
        },
        place: (targets) => {
          const context = session.context.freeze(clock.monotonicMs() - this.#options.startedMs);
          const { at, gainDb, occlusion } = placeSpeech(context, {
            targets,
            seenShare: (eye, entity) => seenShareOf(context.scene, eye, entity.id),
          });
          if (typeof at === "string" || !("entityId" in at)) return { gainDb };
          return { at: at.entityId, gainDb, ...(occlusion === 0 ? {} : { occlusion }) };
        },
        failed: (turnId, error) => {
          const { code } = failureFrom(error);
          this.#feed({ type: "part", turnId, part: { type: "degraded", from: "audio", to: "text", reason: code } });
        },
      },
      speaksOpus,
    );
    return this.#voice;
  }

  #enterRoom({ room }: HelloMessage): void {
    const { rooms, clock } = this.#parts;
    const key = room === undefined ? undefined : `${this.#options.principal.tenantId}/${room.id}`;
    if (key === this.#roomId) return;
    this.#seat?.leave(clock.monotonicMs());
    this.#roomId = key;
    this.#seat =
      room === undefined || key === undefined
        ? undefined
        : rooms?.join(key, {
            speakerId: this.#options.sessionId,
            name: room.name,
            answer: ({ turnId, text, words, fromMs, untilMs }) =>
              this.#feed({ type: "voice", event: { name: "asked", turnId, text, words, fromMs, untilMs } }),
            overheard: (speaker, text) => this.#feed({ type: "voice", event: { name: "overheard", speaker, text } }),
            exchanged: (exchange) => {
              this.#feed({ type: "voice", event: { name: "exchange", ...exchange } });
              const turnId = this.#parts.ids.next("turn");
              this.#feed({ type: "voice", event: { name: "told", turnId, text: exchange.answer } });
            },
          });
  }

  /** Something in the room that bears a name of the agent. */
  #looksAtAgent(): boolean {
    const names = this.#parts.rooms?.names ?? [];
    const { context } = this.session;
    const { byId } = context.scene.snapshot();
    const nowMs = this.#parts.clock.monotonicMs() - this.#options.startedMs;
    return context.attention.targets(nowMs).some(({ entityId }) => {
      const entity = byId.get(entityId);
      return (
        entity !== undefined &&
        [entity.name, entity.semanticLabel].some((name) => name !== undefined && names.includes(name.toLowerCase()))
      );
    });
  }

  /** Said as it stands, by nobody's model. */
  #tellTurn({ turnId, text, speaks }: Extract<SessionOutput, { type: "told" }>): void {
    if (speaks) this.#ear().opened(turnId, true);
    const trace = { requestId: turnId, provider: "room", model: "", reason: "", isCached: false, steps: [] };
    this.#answered(turnId, { type: "start", requestId: turnId, provider: "room", model: "", warnings: [] }, speaks);
    this.#answered(turnId, { type: "text-delta", text }, speaks);
    this.#answered(turnId, { type: "end", outcome: "complete", finishReason: "stop", trace }, speaks);
  }

  #hear({ packet, atMs }: Extract<SessionOutput, { type: "hear" }>): void {
    try {
      this.#ear().hear(packet, atMs);
    } catch (error) {
      if (!GatewayError.is(error)) throw error;
      this.#feed({ type: "refused", error: { code: "not_allowed", field: "payload", message: error.message } });
    }
  }

  async #run({ turnId, request, speaks }: ReadyTurn): Promise<void> {
    const running: RunningTurn = { abort: new AbortController(), calls: new Map(), early: new Map() };
    const { signal } = running.abort;
    this.#running.set(turnId, running);
    try {
      const tools = { resultOf: (call: { readonly id: string }) => this.#resultOf(running, call.id) };
      const { sight } = this.#parts;
      const seen = sight === undefined ? request : await sight.prepare(request, this.#room, signal);
      const parts: AsyncIterable<AnswerPart> = this.#parts.engine.answer(seen, signal, tools);
      for await (const part of parts) this.#answered(turnId, part, speaks && !signal.aborted);
      if (!this.#held.has(turnId)) this.#feed({ type: "turn-over", turnId });
    } catch (error) {
      if (speaks) this.#voice?.failed(turnId);
      const failure = failureFrom(error);
      if (failure.code === "internal") {
        const what = error instanceof Error ? error.name : typeof error;
        this.#parts.log.write("error", "a turn failed unexpectedly", { turnId, error: what });
      }
      this.#feed({ type: "turn-failed", turnId, failure });
    } finally {
      this.#running.delete(turnId);
      this.#tellLimits();
    }
  }

  /** An answer that is spoken ends when its sound was sent. */
  #answered(turnId: string, part: AnswerPart, speaks: boolean): void {
    const isDeed = part.type === "action" || part.type === "haptic";
    if (speaks && part.type === "end") this.#held.set(turnId, part);
    // Deeds wait for their words.
    else if (!(speaks && isDeed)) this.#feed({ type: "part", turnId, part });
    if (speaks) this.#voice?.fold(turnId, part);
  }

  #tellLimits(): void {
    const left = this.#parts.limitsOf?.(this.#options.principal) ?? [];
    if (left.length > 0) this.#port?.send({ type: "limits", budgets: left.map(wireBudget) });
  }

  /** One at a time: an answer to an older image is of no use when a newer one waits. */
  async #look(image: CameraImage): Promise<void> {
    const { sight } = this.#parts;
    if (sight === undefined || this.#looking !== undefined) return;
    this.#looking = new AbortController();
    try {
      await sight.lookAround(image, this.#room, this.#looking.signal);
    } catch (error) {
      if (this.#looking?.signal.aborted !== true) this.#fault("look", error);
    } finally {
      this.#looking = undefined;
    }
  }

  #giveResult({ turnId, callId, text, isError }: Extract<SessionOutput, { type: "tool-result" }>): void {
    const running = this.#running.get(turnId);
    const waiting = running?.calls.get(callId);
    if (waiting !== undefined) waiting({ text, isError });
    else if (running !== undefined && running.early.size < EARLY_MAX) running.early.set(callId, { text, isError });
  }

  #resultOf(running: RunningTurn, callId: string): Promise<CallResult> {
    const early = running.early.get(callId);
    if (early !== undefined) return Promise.resolve(early);
    const { promise, resolve } = Promise.withResolvers<CallResult>();
    running.calls.set(callId, (result) => {
      running.calls.delete(callId);
      resolve(result);
    });
    return promise;
  }

  #close(code: number, reason: string, isOver: boolean): void {
    const port = this.#port;
    this.#port = undefined;
    port?.close(code, reason);
    if (!isOver) return;
    this.#disarm();
    this.#looking?.abort();
    this.#seat?.leave(this.#parts.clock.monotonicMs());
    this.#seat = undefined;
    this.#voice?.close();
    this.#voice = undefined;
    this.#held.clear();
    for (const { abort } of this.#running.values()) abort.abort(new GatewayError("request_cancelled", "session ended"));
    this.#onOver();
  }

  #arm(): void {
    this.#disarm();
    const dueMs = this.session.wakeAtMs;
    if (dueMs === Infinity) return;
    this.#armedMs = dueMs;
    this.#cancelTimer = this.#parts.clock.schedule(Math.max(0, dueMs - this.#parts.clock.monotonicMs()), () => {
      this.#armedMs = Infinity;
      // Time may have moved on since this was armed: then there is nothing to do yet, and the timer is set again.
      if (this.session.wakeAtMs <= this.#parts.clock.monotonicMs()) this.#feed({ type: "tick" });
      else this.#arm();
    });
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#armedMs = Infinity;
  }

  #note(event: Extract<SessionOutput, { type: "event" }>["event"]): void {
    const { meter } = this.#parts;
    switch (event.name) {
      case "turn-started":
        meter.count("xr.turn.started", {});
        return;
      case "turn-ended":
        meter.count("xr.turn.ended", { outcome: event.outcome });
        if (event.firstMs !== undefined) meter.record("xr.turn.motion_to_answer", {}, event.firstMs / 1_000);
        return;
      case "receipt":
        meter.count("xr.receipts", { part: event.part, via: event.via, delivered: String(event.delivered) });
        return;
      case "session-started":
      case "session-resumed":
      case "session-detached":
        this.#audit(event.name, "ok", {});
        return;
      case "session-ended":
        this.#audit(event.name, event.code, { turns: event.turns, seconds: Math.round(event.seconds) });
        return;
      case "consent-changed":
        this.#audit(event.name, "ok", levelsText(event.after));
        return;
      default:
        return;
    }
  }

  #notePoseAge({ request }: ReadyTurn): void {
    const { isTracked, poseAgeMs } = request.context.viewer;
    if (isTracked) this.#parts.meter.record("xr.pose.age", {}, poseAgeMs / 1_000);
  }

  #audit(action: string, outcome: string, details: Readonly<Record<string, string | number | boolean>>): void {
    const { tenantId, userId } = this.#options.principal;
    const { sessionId } = this.#options;
    const atUnixMs = this.#parts.clock.unixMs();
    this.#parts.audit.append({ atUnixMs, action, tenantId, userId, outcome, details: { sessionId, ...details } });
  }
}

function levelsText(consent: object): Readonly<Record<string, string | boolean>> {
  return Object.fromEntries(Object.entries(consent) as [string, string | boolean][]);
}

function wireBudget({ name, limit, requests, tokens, costMicroUsd, resetsInMs }: BudgetRemainder): WireBudget {
  return {
    name,
    of: limit.of,
    resetMs: Math.ceil(resetsInMs),
    ...(requests === undefined ? {} : { requests }),
    ...(tokens === undefined ? {} : { tokens: Math.floor(tokens) }),
    ...(costMicroUsd === undefined ? {} : { microUsd: Math.floor(costMicroUsd) }),
  };
}

/** What a client may know of a failure. Anything unexpected keeps its message to itself. */
export function failureFrom(error: unknown): TurnFailure {
  if (!GatewayError.is(error)) return { code: "internal", message: "the gateway failed to answer" };
  const { code, message, details } = error;
  const shown = ERROR_TABLE[code].expose ? message : "the gateway failed to answer";
  return {
    code,
    message: shown,
    ...(details.retryAfterMs === undefined ? {} : { retryAfterMs: details.retryAfterMs }),
    ...(typeof details["limit"] === "string" ? { limit: details["limit"] } : {}),
  };
}
