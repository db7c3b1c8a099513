// Drives one session by script on a fake clock, without a socket: what goes in is a call, what comes out is a line of
// text. Ticks are given when the session asked for them, as a loop with a timer would.
import type { GestureModel } from "@fovea/protocol/gestures";
import type {
  AskMessage,
  ClientMessage,
  ClientMessageBody,
  HelloMessage,
  InputSourceDescription,
  PoseSample,
  SceneNode,
  ServerMessage,
} from "@fovea/protocol";
import { createPoseSample, hashNode } from "@fovea/protocol";
import type { AnswerPart } from "../src/model/answer-part.ts";
import type { Consent } from "../src/model/privacy.ts";
import type { SessionInput, SessionLimits, SessionOutput } from "../src/session/session-ports.ts";
import { SESSION_LIMITS } from "../src/session/session-ports.ts";
import { XRSession } from "../src/session/xr-session.ts";
import { FakeClock } from "./fake-clock.ts";

export const FULL_CONSENT: Consent = { head: true, hands: "raw", room: "full", camera: true, audio: true, eyes: true };

export interface DriverOptions {
  readonly clock?: FakeClock;
  readonly limits?: Partial<SessionLimits>;
  readonly consentMax?: Consent;
  /** Client clock minus session clock. */
  readonly offsetMs?: number;
  readonly sessionId?: string;
  readonly gestures?: GestureModel;
  /** Answer pings as a client would, after this long. Undefined: never. */
  readonly pongAfterMs?: number;
  readonly looks?: "at-once" | "by-round";
}

export class SessionDriver {
  readonly clock: FakeClock;
  readonly session: XRSession;
  /** Every output so far. */
  readonly outputs: SessionOutput[] = [];
  readonly #offsetMs: number;
  readonly #pongAfterMs: number | undefined;
  readonly #startedMs: number;
  #read = 0;
  #n = 0;

  constructor(options: DriverOptions = {}) {
    this.clock = options.clock ?? new FakeClock();
    this.#offsetMs = options.offsetMs ?? 0;
    this.#pongAfterMs = options.pongAfterMs;
    this.#startedMs = this.clock.monotonicMs();
    this.session = new XRSession({
      sessionId: options.sessionId ?? "session_1",
      resumeToken: "resume-token",
      principal: { tenantId: "tenant", userId: "user", scopes: ["session", "chat"], via: "api-key" },
      startedMs: this.#startedMs,
      limits: { ...SESSION_LIMITS, ...options.limits },
      consentMax: options.consentMax ?? FULL_CONSENT,
      model: "auto",
      ...(options.gestures === undefined ? {} : { gestures: options.gestures }),
      looks: options.looks ?? "at-once",
    });
  }

  get clientMs(): number {
    return this.clock.monotonicMs() - this.#startedMs + this.#offsetMs;
  }

  feed(input: SessionInput): readonly SessionOutput[] {
    const outputs = this.session.handle(input, this.clock.monotonicMs());
    this.outputs.push(...outputs);
    for (const output of outputs) if (output.type === "send") this.#answerPing(output.message);
    return outputs;
  }

  hello(more: Partial<HelloMessage> = {}): void {
    this.feed({ type: "attach", hello: helloMessage(more) });
  }

  send(message: ClientMessageBody): void {
    this.feed({ type: "message", message });
  }

  /** With a number, as messages that must not be lost have. */
  sendNumbered(message: ClientMessageBody, n = ++this.#n): void {
    this.feed({ type: "message", message: { ...message, n } as ClientMessage });
  }

  ask(turnId: string, text = "what is that?", more: Partial<AskMessage> = {}): void {
    this.send(askMessage(turnId, text, more));
  }

  part(turnId: string, part: AnswerPart): void {
    this.feed({ type: "part", turnId, part });
  }

  pose(change: (sample: PoseSample) => void = () => {}): void {
    const sample = createPoseSample();
    sample.t = this.clientMs;
    sample.viewer.set([0, 1.6, 0, 0, 0, 0, 1]);
    change(sample);
    this.feed({ type: "pose", sample });
  }

  room(...nodes: readonly SceneNode[]): void {
    this.send({ type: "scene.update", frame: "local-floor", add: nodes, update: [], remove: [] });
  }

  /** Lets time pass and gives the ticks that fall due. */
  advance(byMs: number): void {
    const endMs = this.clock.monotonicMs() + byMs;
    for (let rounds = 0; rounds < 100_000; rounds++) {
      const dueMs = Math.max(this.clock.monotonicMs(), this.session.wakeAtMs);
      if (dueMs > endMs) break;
      this.clock.advance(dueMs - this.clock.monotonicMs());
      const before = this.session.wakeAtMs;
      this.feed({ type: "tick" });
      if (this.session.wakeAtMs === before) throw new Error("a tick must move the wake time on");
    }
    this.clock.advance(Math.max(0, endMs - this.clock.monotonicMs()));
  }

  /** Lines of the outputs since the last call; `only` keeps lines that match. */
  take(only = /./): string {
    const lines = this.outputs.slice(this.#read).map(outputLine);
    this.#read = this.outputs.length;
    return lines.filter((line) => only.test(line)).join("\n");
  }

  /** The turns that became ready, by id. */
  request(turnId: string): Extract<SessionOutput, { type: "turn-ready" }>["turn"]["request"] {
    for (const output of this.outputs) {
      if (output.type === "turn-ready" && output.turn.turnId === turnId) return output.turn.request;
    }
    throw new Error(`no turn ${turnId} became ready`);
  }

  #answerPing(message: ServerMessage): void {
    if (message.type !== "ping" || this.#pongAfterMs === undefined) return;
    const { id } = message;
    const wayMs = this.#pongAfterMs / 2;
    const t = this.clientMs + wayMs;
    this.clock.schedule(this.#pongAfterMs, () => this.send({ type: "pong", id, t1: t, t2: t }));
  }
}

export function helloMessage(more: Partial<HelloMessage> = {}): HelloMessage {
  return {
    type: "hello",
    protocol: 1,
    client: { sdk: "test", ua: "test", device: "test device" },
    session: { mode: "immersive-ar", referenceSpace: "local-floor", enabledFeatures: ["hand-tracking"] },
    inputSources: [],
    consent: FULL_CONSENT,
    locale: "en",
    ...more,
  };
}

export function askMessage(turnId: string, text: string, more: Partial<AskMessage> = {}): AskMessage {
  return { type: "ask", turnId, text, include: [], modalities: ["text", "action", "haptic"], ...more };
}

export function sourceDescription(id: number, more: Partial<InputSourceDescription> = {}): InputSourceDescription {
  return {
    id,
    handedness: "right",
    targetRayMode: "tracked-pointer",
    profiles: [],
    hand: false,
    buttons: 2,
    axes: 0,
    haptics: { pulse: true, effects: [], actuators: 1 },
    ...more,
  };
}

/** A cube of the edge length about a point. */
export function sceneNode(
  id: string,
  position: readonly [number, number, number],
  more: Partial<SceneNode> = {},
  edgeM = 0.4,
): SceneNode {
  const half = edgeM / 2;
  const node: SceneNode = {
    id,
    ref: 1,
    kind: "box",
    semanticLabel: id,
    pose: { position, orientation: [0, 0, 0, 1] },
    bounds: { min: [-half, -half, -half], max: [half, half, half] },
    hash: "",
    ...more,
  };
  return { ...node, hash: hashNode(node) };
}

/** Parts of an answer, as short as tests need them. */
export const PARTS = {
  start: (provider = "embedded"): AnswerPart => ({ type: "start", requestId: "r", provider, model: "m", warnings: [] }),
  text: (text: string): AnswerPart => ({ type: "text-delta", text }),
  highlight: (target: string): AnswerPart => ({
    type: "action",
    id: "a",
    action: { kind: "highlight", target, style: "outline", ttlMs: 1_000 },
  }),
  end: (outcome: "complete" | "cancelled" | "error" = "complete"): AnswerPart => ({
    type: "end",
    outcome,
    finishReason: "stop",
    trace: { requestId: "r", provider: "embedded", model: "m", reason: "only one", isCached: false, steps: [] },
  }),
} as const;

export function outputLine(output: SessionOutput): string {
  switch (output.type) {
    case "send":
      return messageLine(output.message);
    case "turn-ready":
      return `ready ${output.turn.turnId}`;
    case "cancel-turn":
      return `abort ${output.turnId} ${output.reason}`;
    case "tool-result":
      return `result ${output.turnId} ${output.callId} ${output.isError ? "failed " : ""}${output.text}`;
    case "hear":
      return `hear ${output.packet.payload.length} bytes at ${output.atMs}`;
    case "told":
      return `told ${output.turnId} ${output.text}`;
    case "hold":
      return `hold ${output.isActive}`;
    case "played":
      return `played ${output.itemId} ${output.playedMs}`;
    case "mic":
      return `mic ${output.state.muted ? "muted" : "open"}`;
    case "close":
      return `close ${output.code}${output.isOver ? " over" : ""}: ${output.reason}`;
    case "look":
      return `look ${output.image.view.imageId}`;
    case "event":
      return `event ${Object.values(output.event)
        .filter((value) => value !== undefined && typeof value !== "object")
        .join(" ")}`;
  }
}

export function messageLine(message: ServerMessage): string {
  const part = "seq" in message ? `${message.turnId}#${message.seq} e${message.epoch} ` : "";
  switch (message.type) {
    case "text.delta":
      return `${part}text ${message.text}`;
    case "done":
      return `${part}done ${message.outcome}`;
    case "error":
      return `error ${message.turnId ?? message.field ?? "-"} ${message.code}${message.fatal ? " fatal" : ""}`;
    case "flush":
      return `flush e${message.epoch}`;
    case "welcome":
      return `welcome ${message.resumed ? "again" : "new"} e${message.epoch} ack ${message.ack} [${message.turns.join()}]`;
    case "turn.state":
      return `state ${message.turnId} ${message.state}`;
    default:
      return `${part}${message.type}`;
  }
}
