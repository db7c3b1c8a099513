// The door of the native wire: WebSocket upgrades on /xr, the first message, and which session a socket belongs to. A
// socket may do nothing but say hello, within a time; what it sends afterwards goes to its session's loop.
import type { IncomingHttpHeaders, IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type {
  AnswerEngine,
  AuditSink,
  BudgetRemainder,
  Clock,
  Consent,
  GestureModel,
  Ids,
  Log,
  Meter,
  Principal,
  SessionLimits,
} from "@fovea/core";
import { ERROR_TABLE, GatewayError, SESSION_LIMITS } from "@fovea/core";
import type { HelloMessage, ServerMessage } from "@fovea/protocol";
import { closeCodeOf, closeReason, gatewayCodeOf, LIMITS, parseClientMessage, SUBPROTOCOL } from "@fovea/protocol";
import type { RawData, WebSocket } from "ws";
import { WebSocketServer } from "ws";
import type { SightDesk } from "../vision/sight-desk.ts";
import { FrameShortcut } from "./frame-shortcut.ts";
import { LookRound } from "./look-round.ts";
import { OUTBOUND_LIMITS, OutboundQueue } from "./outbound-queue.ts";
import type { ClientPort, LoopParts } from "./session-loop.ts";
import { failureFrom, SessionLoop } from "./session-loop.ts";
import { VoiceRooms } from "./voice/voice-rooms.ts";

/** What of a socket's request identifies its caller; a token from `hello` stands in `headers.authorization`. */
export interface SocketCaller {
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
}

export interface XRSocketParts {
  /** Throws `GatewayError` to refuse. */
  readonly authenticate: (caller: SocketCaller) => Principal | Promise<Principal>;
  readonly engine: AnswerEngine;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly meter: Meter;
  readonly audit: AuditSink;
  /** What is left of the budgets that hold for a caller. */
  limitsOf?(principal: Principal): readonly BudgetRemainder[];
  readonly sight?: SightDesk;
  readonly limits?: Partial<XRSocketLimits>;
  /** Gestures and poses that the application taught. */
  readonly gestures?: GestureModel;
  readonly voice?: LoopParts["voice"];
  /** What the agent is called where several people talk, lower case. */
  readonly agentNames?: readonly string[];
  readonly noise?: LoopParts["noise"];
  readonly speaksOpus?: LoopParts["speaksOpus"];
  readonly warmVoice?: LoopParts["warmVoice"];
}

export interface XRSocketLimits {
  readonly session: SessionLimits;
  readonly sessionsMax: number;
  /** Sockets that have not said hello. */
  readonly greetingsMax: number;
  readonly helloMs: number;
  /** The most the operator lets any client send. */
  readonly consentMax: Consent;
  /** Model of questions that name none. */
  readonly model: string;
  /** How long a closing socket may take to say goodbye. */
  readonly closeMs: number;
}

const EVERYTHING: Consent = { head: true, hands: "raw", room: "full", camera: true, audio: true, eyes: true };

export const XR_SOCKET_LIMITS: XRSocketLimits = {
  session: SESSION_LIMITS,
  sessionsMax: 2_000,
  greetingsMax: 500,
  helloMs: 5_000,
  consentMax: EVERYTHING,
  model: "auto",
  closeMs: 2_000,
};

const AGENT_NAMES = ["fovea", "assistant", "computer"];

export const XR_PATH = "/xr";

type Receive = (data: RawData, isBinary: boolean) => void;

const NO_HELLO = { code: "request_invalid", message: "type: the first message is hello", field: "type" };

/** Largest message of any kind, with its header. */
const PAYLOAD_BYTES_MAX = LIMITS.meshPayloadBytesMax + 4_096;

export interface XRSocket {
  readonly sessions: number;
  /** Ends the sessions of callers who are not to be served any more, with close code 4401. */
  endWhere(isOver: (principal: Principal) => boolean, message: string): void;
  /** Ends every session with close code 1012 and stops taking new ones. */
  close(message: string): Promise<void>;
}

/** Answers upgrades on `/xr` and leaves those on other paths to others. */
export function attachXRSocket(server: Server, parts: XRSocketParts): XRSocket {
  const door = new XRDoor(parts);
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const path = (request.url ?? "").split("?", 1)[0]?.replace(/\/{2,}/g, "/");
    if (path === XR_PATH) door.upgrade(request, socket, head);
  };
  server.on("upgrade", onUpgrade);
  return {
    get sessions() {
      return door.sessions;
    },
    endWhere: (isOver, message) => door.endWhere(isOver, message),
    close: async (message) => {
      server.off("upgrade", onUpgrade);
      await door.close(message);
    },
  };
}

class XRDoor {
  readonly #parts: XRSocketParts;
  readonly #limits: XRSocketLimits;
  readonly #loopParts: LoopParts;
  readonly #looks: LookRound;
  readonly #sockets: WebSocketServer;
  readonly #byToken = new Map<string, SessionLoop>();
  #greetings = 0;
  #isClosing = false;

  constructor(parts: XRSocketParts) {
    this.#parts = parts;
    this.#limits = { ...XR_SOCKET_LIMITS, ...parts.limits };
    const { engine, clock, ids, log, meter, audit, limitsOf, voice, noise, speaksOpus, warmVoice, sight } = parts;
    this.#looks = new LookRound(clock);
    this.#loopParts = {
      engine,
      clock,
      ids,
      log,
      meter,
      audit,
      looks: this.#looks,
      ...(limitsOf === undefined ? {} : { limitsOf }),
      ...(sight === undefined ? {} : { sight }),
      ...(voice === undefined ? {} : { voice }),
      rooms: new VoiceRooms(parts.agentNames ?? AGENT_NAMES),
      ...(noise === undefined ? {} : { noise }),
      ...(speaksOpus === undefined ? {} : { speaksOpus }),
      ...(warmVoice === undefined ? {} : { warmVoice }),
    };
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: PAYLOAD_BYTES_MAX,
      // Deflating poses costs 57 us each and saves 6 % (performance reference, 2c).
      perMessageDeflate: false,
      // Texts go through a parser that tolerates any string.
      skipUTF8Validation: true,
      clientTracking: true,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
  }

  get sessions(): number {
    return this.#byToken.size;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#isClosing || this.#greetings >= this.#limits.greetingsMax) {
      socket.end("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 2\r\n\r\n");
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (client) => this.#greet(client, request, socket));
  }

  endWhere(isOver: (principal: Principal) => boolean, message: string): void {
    for (const loop of this.#byToken.values()) if (isOver(loop.principal)) loop.end("credentials_invalid", message);
  }

  async close(message: string): Promise<void> {
    this.#isClosing = true;
    for (const loop of this.#byToken.values()) loop.end("shutting_down", message);
    this.#looks.close();
    for (const client of this.#sockets.clients)
      closeSocket(client, { code: 1012, reason: message }, this.#parts.clock, this.#limits.closeMs);
    await new Promise<void>((resolve) => this.#sockets.close(() => resolve()));
  }

  #greet(client: WebSocket, request: IncomingMessage, socket: Duplex): void {
    const { clock, log } = this.#parts;
    this.#greetings++;
    let isGreeting = true;
    const done = (): void => {
      if (!isGreeting) return;
      isGreeting = false;
      this.#greetings--;
      cancelTimer();
    };
    const cancelTimer = clock.schedule(this.#limits.helloMs, () => {
      done();
      this.#reject(client, 4408, { code: "request_invalid", message: "no hello arrived in time" });
    });
    client.on("error", (error) => log.write("debug", "an xr socket failed", { error: error.name }));
    client.once("close", done);
    // What follows the hello in the same read waits until the caller is known; the socket is paused, so it is little.
    const backlog: [data: RawData, isBinary: boolean][] = [];
    let receive: Receive = (data, isBinary) => {
      done();
      receive = (...message) => void backlog.push(message);
      const hello = isBinary ? undefined : this.#parseHello(client, textOf(data));
      if (isBinary) this.#reject(client, 4400, NO_HELLO);
      if (hello === undefined) return;
      client.pause();
      this.#admit(client, request, hello)
        .then((joined) => {
          if (joined === undefined) return;
          receive = joined;
          for (const [waiting, wasBinary] of backlog) joined(waiting, wasBinary);
        })
        .catch((error: unknown) => {
          const failure = failureFrom(error);
          if (failure.code === "internal") log.write("error", "an xr socket could not be admitted", {});
          this.#reject(client, ERROR_TABLE[failure.code].close, failure);
        })
        .finally(() => client.resume());
    };
    client.on("message", (data, isBinary) => receive(data, isBinary));
    takeShortcut(client, socket, (payload) => receive(payload, true));
  }

  #parseHello(client: WebSocket, text: string): HelloMessage | undefined {
    const parsed = parseClientMessage(text);
    if (parsed.outcome === "message" && parsed.message.type === "hello") return parsed.message;
    if (parsed.outcome === "error") {
      const { code, field, message } = parsed.error;
      const told = { code: gatewayCodeOf(code), message: `${field}: ${message}`, field };
      this.#reject(client, closeCodeOf(code), told);
      return undefined;
    }
    this.#reject(client, 4400, NO_HELLO);
    return undefined;
  }

  async #admit(client: WebSocket, request: IncomingMessage, hello: HelloMessage): Promise<Receive | undefined> {
    const headers =
      hello.token === undefined ? request.headers : { ...request.headers, authorization: `Bearer ${hello.token}` };
    const principal = await this.#parts.authenticate({ headers, url: request.url ?? XR_PATH });
    if (!principal.scopes.includes("session")) {
      throw new GatewayError("permission_denied", "the credential does not allow sessions", { scope: "session" });
    }
    if (client.readyState !== client.OPEN) return undefined;
    const loop = this.#resumable(hello, principal) ?? this.#open(principal);
    return this.#join(client, loop, hello);
  }

  #join(client: WebSocket, loop: SessionLoop, hello: HelloMessage): Receive {
    const { clock, log } = this.#parts;
    const { closeMs } = this.#limits;
    const queue = new OutboundQueue(client, OUTBOUND_LIMITS, () => {
      log.write("info", "an xr client reads too slowly", { sessionId: loop.session.sessionId });
      closeSocket(client, { code: 1013, reason: "the client reads too slowly" }, clock, closeMs);
    });
    const port: ClientPort = {
      send: (message) => queue.push(message),
      sendPacket: (bytes, epoch) => queue.pushPacket(bytes, epoch),
      close: (code, reason) => {
        closeSocket(client, { code, reason }, clock, closeMs);
        queue.close();
      },
    };
    client.on("close", () => {
      queue.close();
      loop.closed(port);
    });
    loop.attach(port, hello);
    return (data, isBinary) => {
      if (isBinary) loop.binary(port, bytesOf(data));
      else loop.text(port, textOf(data));
    };
  }

  /** Only for whoever began it: a token alone is not enough. */
  #resumable(hello: HelloMessage, principal: Principal): SessionLoop | undefined {
    const loop = hello.resumeToken === undefined ? undefined : this.#byToken.get(hello.resumeToken);
    if (loop === undefined || loop.session.isOver) return undefined;
    const { tenantId, userId } = loop.principal;
    return tenantId === principal.tenantId && userId === principal.userId ? loop : undefined;
  }

  #open(principal: Principal): SessionLoop {
    const { ids, clock, meter, gestures } = this.#parts;
    if (this.#isClosing) throw new GatewayError("shutting_down", "the gateway restarts");
    if (this.#byToken.size >= this.#limits.sessionsMax) {
      throw new GatewayError("session_limit", "the gateway has no room for another session", { retryAfterMs: 5_000 });
    }
    const resumeToken = ids.secret();
    const options = {
      sessionId: ids.next("session"),
      resumeToken,
      principal,
      startedMs: clock.monotonicMs(),
      limits: this.#limitsFor(principal),
      consentMax: this.#limits.consentMax,
      model: this.#limits.model,
      ...(gestures === undefined ? {} : { gestures }),
      listens: this.#listens(principal),
    };
    const loop = new SessionLoop(options, this.#loopParts, () => {
      this.#byToken.delete(resumeToken);
      meter.gauge("xr.sessions", {}, this.#byToken.size);
    });
    this.#byToken.set(resumeToken, loop);
    meter.gauge("xr.sessions", {}, this.#byToken.size);
    return loop;
  }

  /** Nobody is asked for images that no model could look at. */
  #limitsFor(principal: Principal): SessionLimits {
    const { session } = this.#limits;
    const isWatched = this.#parts.sight?.isUseful(principal) !== false;
    return isWatched ? session : { ...session, imageHz: 0, looksPerMinute: 0 };
  }

  /** Whether anything here understands speech. */
  #listens(principal: Principal): boolean {
    return this.#parts.engine.listModels(principal).some(({ features }) => features.includes("transcribe"));
  }

  #reject(
    client: WebSocket,
    closeCode: number,
    failure: {
      readonly code: string;
      readonly message: string;
      readonly field?: string;
      readonly retryAfterMs?: number;
    },
  ): void {
    const message: ServerMessage = { type: "error", ...failure, fatal: true };
    if (client.readyState === client.OPEN) client.send(JSON.stringify(message));
    closeSocket(client, { code: closeCode, reason: failure.message }, this.#parts.clock, this.#limits.closeMs);
  }
}

/** Lets whole binary messages bypass the stream that `ws` reads from; see `FrameShortcut`. */
function takeShortcut(client: WebSocket, socket: Duplex, binary: (payload: Buffer) => void): void {
  const readers = socket.listeners("data") as ((chunk: Buffer) => void)[];
  const [reader] = readers;
  // Another version of `ws` may read its socket in another way, which then is the only way.
  if (reader === undefined || readers.length > 1) return;
  const shortcut = new FrameShortcut({ binary, pass: (bytes) => reader.call(socket, bytes) });
  const read = (chunk: Buffer): void => shortcut.push(chunk);
  socket.off("data", reader);
  socket.on("data", read);
  // Before `ws` itself reads what is left in a socket that closes.
  socket.prependOnceListener("close", () => socket.off("data", read).on("data", reader));
  client.once("error", () => shortcut.stop());
}

/** A peer that does not answer the close is cut off. */
function closeSocket(
  client: WebSocket,
  why: { readonly code: number; readonly reason: string },
  clock: Clock,
  closeMs: number,
): void {
  if (client.readyState === client.CLOSED) return;
  client.close(why.code, closeReason(why.reason));
  const cancel = clock.schedule(closeMs, () => client.terminate());
  client.once("close", cancel);
}

function textOf(data: RawData): string {
  return bytesOf(data).toString("utf8");
}

/** `ws` gives one buffer as long as `binaryType` is left alone. */
function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
