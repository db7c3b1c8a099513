// One socket to a vendor. Every wait has an end: the handshake, the silence of the other side, the closing. What cannot be
// sent because the vendor does not read is bounded; past the bound the connection is given up.
import type { Cancel, Clock, RealtimeOpening } from "@fovea/core";
import type { RawData } from "ws";
import { WebSocket } from "ws";

export interface ConnectionLimits {
  readonly handshakeMs: number;
  /** Pings leave this often; Gemini may take half a minute to answer one. */
  readonly pingMs: number;
  readonly silenceMs: number;
  readonly bufferedBytesMax: number;
  readonly messageBytesMax: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  handshakeMs: 5_000,
  pingMs: 10_000,
  silenceMs: 45_000,
  bufferedBytesMax: 4 * 1024 * 1024,
  messageBytesMax: 16 * 1024 * 1024,
};

export interface ConnectionHost {
  opened(): void;
  message(text: string): void;
  /** Called once. `isRefused`: the vendor answered the handshake with this HTTP status. */
  ended(end: { readonly code: number; readonly reason: string; readonly refusedStatus?: number }): void;
}

export class LiveConnection {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #limits: ConnectionLimits;
  readonly #host: ConnectionHost;
  #cancelPing: Cancel | undefined;
  #heardMs: number;
  #isOver = false;

  constructor(
    opening: Pick<RealtimeOpening, "url" | "headers">,
    clock: Clock,
    host: ConnectionHost,
    limits = CONNECTION_LIMITS,
  ) {
    this.#clock = clock;
    this.#host = host;
    this.#limits = limits;
    this.#heardMs = clock.monotonicMs();
    const socket = new WebSocket(opening.url, {
      headers: opening.headers,
      handshakeTimeout: limits.handshakeMs,
      maxPayload: limits.messageBytesMax,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    socket.on("open", () => {
      this.#watch();
      host.opened();
    });
    socket.on("message", (data: RawData) => {
      this.#heardMs = clock.monotonicMs();
      if (!this.#isOver) host.message(textOf(data));
    });
    socket.on("pong", () => (this.#heardMs = clock.monotonicMs()));
    let refusedStatus: number | undefined;
    socket.on("unexpected-response", (request, response) => {
      refusedStatus = response.statusCode ?? 0;
      response.resume();
      request.destroy();
      this.#end(1006, `refused with status ${refusedStatus}`, refusedStatus);
    });
    socket.on("error", (error) => this.#end(1006, "code" in error ? String(error.code) : error.name, refusedStatus));
    socket.on("close", (code: number, reason: Buffer) =>
      this.#end(code, reason.toString("utf8").slice(0, 200), refusedStatus),
    );
  }

  /** False where the connection cannot take it: it has ended, or ends now. */
  send(text: string): boolean {
    if (this.#isOver || this.#socket.readyState !== WebSocket.OPEN) return false;
    if (this.#socket.bufferedAmount > this.#limits.bufferedBytesMax) {
      this.#end(1013, "the vendor reads too slowly");
      return false;
    }
    this.#socket.send(text);
    return true;
  }

  /** The host is not told: it knows. */
  close(): void {
    this.#isOver = true;
    this.#cancelPing?.();
    if (this.#socket.readyState === WebSocket.CONNECTING || this.#socket.readyState === WebSocket.CLOSED) {
      this.#socket.terminate();
      return;
    }
    this.#socket.close(1000);
    const cancel = this.#clock.schedule(1_000, () => this.#socket.terminate());
    this.#socket.once("close", cancel);
  }

  #watch(): void {
    this.#cancelPing = this.#clock.schedule(this.#limits.pingMs, () => {
      if (this.#isOver) return;
      if (this.#clock.monotonicMs() - this.#heardMs > this.#limits.silenceMs) {
        this.#end(1006, "the vendor has gone silent");
        return;
      }
      this.#socket.ping();
      this.#watch();
    });
  }

  #end(code: number, reason: string, refusedStatus?: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelPing?.();
    this.#socket.terminate();
    this.#host.ended({ code, reason, ...(refusedStatus === undefined ? {} : { refusedStatus }) });
  }
}

function textOf(data: RawData): string {
  if (Buffer.isBuffer(data)) return data.toString("utf8");
  return (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)).toString("utf8");
}
