// A gateway made of one array: every socket the SDK opens is noted, what it sends is parsed by the protocol (so a message
// the gateway would refuse fails the test), and the test says what comes back.
import assert from "node:assert/strict";
import type { ClientMessage, ServerMessage, WireConsent } from "@fovea/protocol";
import { LIMITS, parseClientMessage } from "@fovea/protocol";
import type { ClientClock, SocketConstructor, SocketLike } from "@fovea/client";
import { FakeClock, settle } from "@fovea/core/testing";

export const FULL_CONSENT: WireConsent = {
  head: true,
  hands: "raw",
  room: "full",
  camera: false,
  audio: false,
  eyes: false,
};

export class ScriptedSocket implements SocketLike {
  binaryType = "";
  bufferedAmount = 0;
  readonly url: string;
  readonly received: ClientMessage[] = [];
  readonly packets: Uint8Array[] = [];
  closedWith: number | undefined;
  readonly #listeners = new Map<string, ((event: never) => void)[]>();

  constructor(url: string) {
    this.url = url;
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(data: string | Uint8Array): void {
    assert.equal(this.closedWith, undefined, "sent into a closed socket");
    if (typeof data !== "string") {
      this.packets.push(Uint8Array.from(data));
      return;
    }
    const parsed = parseClientMessage(data);
    if (parsed.outcome !== "message") assert.fail(`the SDK sent ${data}: ${JSON.stringify(parsed)}`);
    this.received.push(parsed.message);
  }

  close(code = 1005): void {
    this.closedWith ??= code;
  }

  open(): void {
    this.#fire("open", {});
  }

  reply(message: object | string): void {
    this.#fire("message", { data: typeof message === "string" ? message : JSON.stringify(message) });
  }

  replyBytes(bytes: Uint8Array): void {
    this.#fire("message", { data: Uint8Array.from(bytes).buffer });
  }

  drop(code = 1006, reason = ""): void {
    this.closedWith = code;
    this.#fire("close", { code, reason });
  }

  take<T extends ClientMessage["type"]>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.received.filter((message): message is Extract<ClientMessage, { type: T }> => message.type === type);
  }

  #fire(type: string, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
  }
}

export class ScriptedGateway {
  readonly clock = new FakeClock(1_000);
  readonly sockets: ScriptedSocket[] = [];
  readonly WebSocket: SocketConstructor;

  constructor() {
    const { sockets } = this;
    this.WebSocket = class extends ScriptedSocket {
      constructor(url: string) {
        super(url);
        sockets.push(this);
      }
    };
  }

  get clientClock(): ClientClock {
    return {
      nowMs: () => this.clock.monotonicMs(),
      schedule: (delayMs, task) => this.clock.schedule(delayMs, task),
    };
  }

  get socket(): ScriptedSocket {
    const last = this.sockets.at(-1);
    assert.ok(last, "no socket was opened");
    return last;
  }

  /** Lets the newest socket open and welcomes it. */
  async welcome(change: object = {}): Promise<void> {
    await settle();
    this.socket.open();
    this.socket.reply({
      type: "welcome",
      protocol: 1,
      sessionId: "s1",
      poseHz: 30,
      levels: FULL_CONSENT,
      resumeToken: "resume-1",
      limits: {
        controlCharactersMax: LIMITS.controlCharactersMax,
        sceneEntitiesMax: LIMITS.sceneEntitiesMax,
        controlMessagesPerSecondMax: 200,
        asksPerSecondMax: 10,
        openTurnsMax: 16,
        imagePayloadBytesMax: LIMITS.imagePayloadBytesMax,
      },
      resumed: false,
      turns: [],
      ack: 0,
      epoch: 1,
      ...change,
    });
    await settle();
  }
}

/** Head of an answer part of turn `turnId`. */
export function part(
  turnId: string,
  seq: number,
  epoch = 1,
): { turnId: string; seq: number; epoch: number; provider: string; cached: boolean } {
  return { turnId, seq, epoch, provider: "embedded", cached: false };
}

export function done(turnId: string, seq: number): ServerMessage {
  return {
    type: "done",
    ...part(turnId, seq),
    outcome: "complete",
    model: "geometry",
    reason: "nearest",
    latency: { first: 3, total: 5 },
    steps: [{ name: "context", ms: 1 }],
    tokens: { input: 1, output: 2 },
    cost: { source: "free" },
  };
}
