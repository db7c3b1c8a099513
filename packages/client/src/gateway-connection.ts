// One session over as many sockets as it takes. The connection owns the socket, the outbox and the way back; what the
// messages mean is the business of its owner.

import type { HelloMessage, ServerMessage, WelcomeMessage } from "@fovea/protocol";
import { closeCodeRow, encodeMessage, parseServerMessage, PROTOCOL_VERSION, SUBPROTOCOL } from "@fovea/protocol";
import { ClockSync } from "./clock-sync.ts";
import { Outbox } from "./outbox.ts";
import type { OutboxMessage } from "./outbox.ts";
import type { CancelTask, ClientClock, ClientRandom } from "./platform/client-clock.ts";
import type { SocketConstructor, SocketLike } from "./platform/socket.ts";
import { reconnectDelayMs } from "./reconnect.ts";

/** Why the SDK could not do what it was asked. Programs read `code`: a close code's name, or one of the SDK's own. */
export class FoveaError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "FoveaError";
    this.code = code;
  }
}

export interface ConnectionOptions {
  readonly url: string;
  /** Fetched anew for every socket: session tokens are short-lived. */
  readonly token?: () => string | Promise<string>;
  readonly socket: SocketConstructor;
  readonly clock: ClientClock;
  readonly random: ClientRandom;
  /** Everything of `hello` that only the owner knows. */
  readonly describe: () => Omit<HelloMessage, "type" | "protocol" | "token" | "resumeToken">;
  readonly onMessage: (message: ServerMessage) => void;
  readonly onPacket: (bytes: Uint8Array) => void;
  /** A welcome arrived, and the outbox holds what the session still needs. It goes out after this returns. */
  readonly onWelcome: (welcome: WelcomeMessage, isFirst: boolean) => void;
  readonly onDrop: (code: number, reason: string, retryMs: number) => void;
  /** The connection is over: by `close()` (no error) or because coming back makes no sense. */
  readonly onEnd: (error: FoveaError | undefined) => void;
}

type Phase =
  | { readonly state: "connecting"; readonly socket: SocketLike | undefined }
  | { readonly state: "open"; readonly socket: SocketLike }
  | { readonly state: "waiting"; readonly cancel: CancelTask }
  | { readonly state: "ended" };

/** No welcome within this time means that nobody is there: half-open sockets never close by themselves. */
const WELCOME_TIMEOUT_MS = 10_000;
/** Pings come every 2 s; five missed ones mean a dead path that TCP has not noticed. */
const SILENCE_TIMEOUT_MS = 12_000;
/** Above this the network is behind; samples are dropped rather than queued, because the next one is better. */
const BUFFERED_BYTES_MAX = 65_536;

export class GatewayConnection {
  readonly clockSync = new ClockSync();
  readonly #options: ConnectionOptions;
  readonly #outbox = new Outbox();
  #phase: Phase = { state: "ended" };
  #attempt = 0;
  #resumeToken: string | undefined;
  #wasWelcomed = false;
  #tokenWasRefused = false;
  #cancelWatch: CancelTask = () => {};
  readonly counts = { packetsSent: 0, packetsDropped: 0, unknownMessages: 0, faultyMessages: 0, reconnects: 0 };

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#phase.state === "open";
  }

  get outboxSize(): number {
    return this.#outbox.size;
  }

  unsentTurnIds(): Set<string> {
    return this.#outbox.unsentTurnIds();
  }

  start(): void {
    void this.#connect();
  }

  /** Sends now or after the connection is back. False when the outbox is full. */
  send(message: OutboxMessage): boolean {
    if (this.#phase.state === "ended") return false;
    if (!this.#outbox.push(message)) return false;
    this.#drain();
    return true;
  }

  /** For messages that are only worth something now: false, and nothing sent, while the connection is down. */
  sendNow(message: OutboxMessage): boolean {
    if (this.#phase.state !== "open") return false;
    this.#phase.socket.send(encodeMessage(message));
    return true;
  }

  /** Sends a packet, or drops it and counts that: while down, and while the socket is behind. */
  sendPacket(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.#phase.state !== "open" || this.#phase.socket.bufferedAmount > BUFFERED_BYTES_MAX) {
      this.counts.packetsDropped++;
      return false;
    }
    this.#phase.socket.send(bytes);
    this.counts.packetsSent++;
    return true;
  }

  close(): void {
    this.#end(undefined, true);
  }

  async #connect(): Promise<void> {
    const attempt: Phase = { state: "connecting", socket: undefined };
    this.#phase = attempt;
    let token: string | undefined;
    try {
      token = await this.#options.token?.();
    } catch (error) {
      if (this.#phase === attempt) this.#dropped(4401, `no token: ${String(error)}`);
      return;
    }
    // While the token was fetched the owner may have closed the connection.
    if (this.#phase !== attempt) return;
    let socket: SocketLike;
    try {
      socket = new this.#options.socket(this.#options.url, SUBPROTOCOL);
    } catch (error) {
      this.#end(new FoveaError("url_invalid", String(error)), false);
      return;
    }
    socket.binaryType = "arraybuffer";
    this.#phase = { state: "connecting", socket };
    const isCurrent = (): boolean => "socket" in this.#phase && this.#phase.socket === socket;
    socket.addEventListener("open", () => {
      if (isCurrent()) socket.send(encodeMessage(this.#hello(token)));
    });
    socket.addEventListener("message", ({ data }) => {
      if (isCurrent()) this.#receive(data, socket);
    });
    socket.addEventListener("close", ({ code, reason }) => {
      if (isCurrent()) this.#dropped(code, reason);
    });
    // A close event follows every error; it carries the code.
    socket.addEventListener("error", () => {});
    this.#watch(WELCOME_TIMEOUT_MS);
  }

  #hello(token: string | undefined): HelloMessage {
    const { openTurns, ...described } = this.#options.describe();
    return {
      type: "hello",
      protocol: PROTOCOL_VERSION,
      ...described,
      ...(token === undefined ? {} : { token }),
      ...(this.#resumeToken === undefined
        ? {}
        : { resumeToken: this.#resumeToken, ...(openTurns === undefined ? {} : { openTurns }) }),
    };
  }

  #receive(data: unknown, socket: SocketLike): void {
    if (this.#phase.state === "open") this.#watch(SILENCE_TIMEOUT_MS);
    if (typeof data !== "string") {
      if (data instanceof ArrayBuffer) this.#options.onPacket(new Uint8Array(data));
      return;
    }
    const receivedMs = this.#options.clock.nowMs();
    const parsed = parseServerMessage(data);
    if (parsed.outcome === "unknown") this.counts.unknownMessages++;
    else if (parsed.outcome === "error") this.#faulty(parsed.error.code, parsed.error.field, parsed.error.message);
    else if (parsed.message.type === "welcome") this.#welcome(parsed.message, socket);
    else if (parsed.message.type === "ping") {
      this.#outbox.acknowledge(parsed.message.ack);
      socket.send(encodeMessage(this.clockSync.answer(parsed.message, receivedMs, this.#options.clock.nowMs())));
    } else {
      if (parsed.message.type === "clock") this.clockSync.accept(parsed.message);
      this.#options.onMessage(parsed.message);
    }
  }

  #faulty(code: string, field: string, message: string): void {
    this.counts.faultyMessages++;
    if (code === "version_unsupported") this.#end(new FoveaError("protocol_version_unsupported", message), true);
    else
      this.#options.onMessage({ type: "error", code: "answer_broken", message: `${field}: ${message}`, fatal: false });
  }

  #welcome(welcome: WelcomeMessage, socket: SocketLike): void {
    this.#phase = { state: "open", socket };
    const isFirst = !this.#wasWelcomed;
    this.#wasWelcomed = true;
    this.#attempt = 0;
    this.#tokenWasRefused = false;
    this.#resumeToken = welcome.resumeToken;
    this.#watch(SILENCE_TIMEOUT_MS);
    if (!isFirst) this.counts.reconnects++;
    // The box first: what the owner says in answer to the welcome belongs to the session that begins now.
    if (welcome.resumed) this.#outbox.resume(welcome.ack);
    else if (!isFirst) this.#outbox.restart();
    this.#options.onWelcome(welcome, isFirst);
    this.#drain();
  }

  #drain(): void {
    if (this.#phase.state !== "open") return;
    for (const message of this.#outbox.take()) this.#phase.socket.send(encodeMessage(message));
  }

  #dropped(code: number, reason: string): void {
    this.#cancelWatch();
    const row = closeCodeRow(code);
    const isRefusedToken = code === 4401 && this.#options.token !== undefined && !this.#tokenWasRefused;
    if (isRefusedToken) this.#tokenWasRefused = true;
    if (row.reconnect === "never" && !isRefusedToken) {
      this.#end(new FoveaError(row.name, reason === "" ? row.meaning : reason), false);
      return;
    }
    if (row.reconnect === "fresh") this.#resumeToken = undefined;
    const share = this.#options.random();
    const delayMs = reconnectDelayMs(this.#attempt++, share, row.waitMsMin);
    this.#phase = { state: "waiting", cancel: this.#options.clock.schedule(delayMs, () => void this.#connect()) };
    this.#options.onDrop(code, reason, delayMs);
  }

  /** Gives the socket up when nothing arrives within the time. */
  #watch(timeoutMs: number): void {
    this.#cancelWatch();
    this.#cancelWatch = this.#options.clock.schedule(timeoutMs, () => {
      const phase = this.#phase;
      if (!("socket" in phase) || phase.socket === undefined) return;
      const silent = phase.socket;
      // The socket is let go before it is closed: its own close event may come a minute later.
      this.#dropped(1006, `nothing arrived for ${timeoutMs} ms`);
      silent.close();
    });
  }

  #end(error: FoveaError | undefined, closeSocket: boolean): void {
    const phase = this.#phase;
    if (phase.state === "ended") return;
    this.#phase = { state: "ended" };
    this.#cancelWatch();
    if (phase.state === "waiting") phase.cancel();
    else if (closeSocket) phase.socket?.close(1000, "done");
    this.#options.onEnd(error);
  }
}
