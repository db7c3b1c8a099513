// What waits for a socket that is not taking more. Order is kept: an answer is read from front to back. Two things do not
// wait in line: a highlight that another of the same target will replace, and a ping or clock message that a newer one
// makes old. A flush drops what is waiting of older epochs. When too much waits the socket is given up; the session keeps
// the parts of its turns and sends them again to the client that comes back.
import type { ServerMessage } from "@fovea/protocol";
import { encodeMessage } from "@fovea/protocol";

/** The part of a WebSocket that is needed. `sent` is called when the bytes have left for the system. */
export interface OutboundSocket {
  readonly bufferedAmount: number;
  send(data: string | Uint8Array, sent: (error?: Error | null) => void): void;
}

export interface OutboundLimits {
  /** Bytes in the socket's own buffer above which messages wait here. */
  readonly bufferedBytesMax: number;
  readonly waitingMax: number;
}

export const OUTBOUND_LIMITS: OutboundLimits = { bufferedBytesMax: 262_144, waitingMax: 4_000 };

/** Survive a flush: without them the client would wait for ever. */
const UNINTERRUPTIBLE = new Set<ServerMessage["type"]>(["done", "tool.call", "start"]);

/** Sound that waits, in line with the messages around it. */
interface WaitingPacket {
  readonly type: "packet";
  readonly bytes: Uint8Array;
  readonly epoch: number;
}

export class OutboundQueue {
  readonly #socket: OutboundSocket;
  readonly #limits: OutboundLimits;
  readonly #onOverflow: () => void;
  /** Undefined where a message was superseded. Read from `#first`, so that nothing is shifted. */
  #waiting: (ServerMessage | WaitingPacket | undefined)[] = [];
  #first = 0;
  #isClosed = false;
  #coalesced = 0;

  constructor(socket: OutboundSocket, limits: OutboundLimits, onOverflow: () => void) {
    this.#socket = socket;
    this.#limits = limits;
    this.#onOverflow = onOverflow;
  }

  get waiting(): number {
    return this.#waiting.length - this.#first;
  }

  /** Messages that were never sent because a newer one stood for them. */
  get coalesced(): number {
    return this.#coalesced;
  }

  push(message: ServerMessage): void {
    if (this.#isClosed) return;
    if (this.waiting === 0 && this.#socket.bufferedAmount <= this.#limits.bufferedBytesMax) {
      this.#send(message);
      return;
    }
    if (message.type === "flush") this.#dropOlder(message.epoch);
    this.#supersede(message);
    if (this.waiting >= this.#limits.waitingMax) {
      this.close();
      this.#onOverflow();
      return;
    }
    this.#waiting.push(message);
  }

  /** Sound keeps its place among the messages; what waits of an older epoch goes with a flush. */
  pushPacket(bytes: Uint8Array, epoch: number): void {
    if (this.#isClosed) return;
    if (this.waiting === 0 && this.#socket.bufferedAmount <= this.#limits.bufferedBytesMax) {
      this.#socket.send(bytes, this.#drain);
      return;
    }
    if (this.waiting >= this.#limits.waitingMax) {
      this.close();
      this.#onOverflow();
      return;
    }
    this.#waiting.push({ type: "packet", bytes, epoch });
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    this.#first = 0;
  }

  readonly #drain = (): void => {
    while (!this.#isClosed && this.waiting > 0 && this.#socket.bufferedAmount <= this.#limits.bufferedBytesMax) {
      const message = this.#waiting[this.#first];
      this.#waiting[this.#first++] = undefined;
      if (message?.type === "packet") this.#socket.send(message.bytes, this.#drain);
      else if (message !== undefined) this.#send(message);
    }
    if (this.waiting === 0 && this.#first > 0) {
      this.#waiting = [];
      this.#first = 0;
    }
  };

  #send(message: ServerMessage): void {
    this.#socket.send(encodeMessage(message), this.#drain);
  }

  #dropOlder(epoch: number): void {
    this.#replaceWhere((message) => message.type === "packet" && message.epoch < epoch);
    this.#replaceWhere(
      (message) =>
        message.type !== "packet" && "seq" in message && message.epoch < epoch && !UNINTERRUPTIBLE.has(message.type),
    );
  }

  #supersede(message: ServerMessage): void {
    if (message.type === "ping" || message.type === "clock") {
      this.#replaceWhere((waiting) => waiting.type === message.type);
      return;
    }
    if (message.type !== "action" || message.action.kind !== "highlight") return;
    const { target } = message.action;
    if (target === undefined) return;
    this.#replaceWhere(
      (waiting) => waiting.type === "action" && waiting.action.kind === "highlight" && waiting.action.target === target,
    );
  }

  #replaceWhere(isOld: (message: ServerMessage | WaitingPacket) => boolean): void {
    for (let index = this.#first; index < this.#waiting.length; index++) {
      const message = this.#waiting[index];
      if (message === undefined || !isOld(message)) continue;
      this.#waiting[index] = undefined;
      this.#coalesced++;
    }
  }
}
