// One call to one provider: a dispatch handler that owns its timers, its place on the socket and the caller's abort
// listener, and gives all three back on every way out. Bodies are pulled: `take` what has arrived, `wait` for more.
//
//   dispatch --connect--> socket --headers--> status --firstContent--> content --idle--> ... end
//   total runs over everything. The timers are Fovea's own (undici's are switched off): undici rounds to 500 ms.
import type { Clock } from "@fovea/core";
import type { Dispatcher } from "undici";
import { createBrotliDecompress, createGunzip, createInflate, type Gunzip } from "node:zlib";
import { CallTimers, type HttpCallOptions } from "./call-timers.ts";
import { WireFault } from "./wire-fault.ts";

/** Above this the socket is paused until the reader catches up. */
const HELD_BYTES_MAX = 256 * 1024;

export type HttpHeaders = Readonly<Record<string, string | undefined>>;

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "QUERY";
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** Status and headers have arrived; the body is still coming. Whoever holds it must read to the end or `discard`. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** What has arrived since the last take, or undefined. Never waits. */
  take(): Uint8Array | undefined;
  /** True when there is something to take, false at the clean end. Rejects with `WireFault`. */
  wait(): Promise<boolean>;
  /** Stops the first-content timer and starts the idle timer. */
  contentArrived(): void;
  /** Lets go of the socket, timers and listener. Idempotent. */
  discard(): void;
  /** The answer is complete but the body may not have ended: waits shortly for the end, so that the socket is kept. */
  letEnd(): void;
  /** The whole body. Rejects with `WireFault`, of code `protocol` past the limit. */
  readAll(bytesMax: number): Promise<Uint8Array>;
}

export class HttpCall implements Dispatcher.DispatchHandler, HttpAnswer {
  status = 0;
  headers: HttpHeaders = {};
  readonly #timers: CallTimers;
  readonly #signal: AbortSignal | undefined;
  readonly #settleHead: { resolve: (answer: HttpAnswer) => void; reject: (fault: WireFault) => void };
  #controller: Dispatcher.DispatchController | undefined;
  #hasHead = false;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #isEnded = false;
  #isDropping = false;
  #fault: WireFault | undefined;
  #wake: { readonly resolve: (isThere: boolean) => void; readonly reject: (fault: WireFault) => void } | undefined;
  #unzip: Gunzip | undefined;
  /** Promise of the status line. */
  readonly head: Promise<HttpAnswer>;

  constructor(clock: Clock, options: HttpCallOptions) {
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    this.head = promise;
    this.#settleHead = { resolve, reject };
    this.#timers = new CallTimers(clock, options, (code, message) => this.#fail(new WireFault(code, message)));
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#onAbort);
  }

  /** Must be called once, before dispatch. False when the caller's signal had already fired. */
  start(): boolean {
    if (this.#signal?.aborted === true) this.#onAbort();
    else this.#timers.dispatched();
    return this.#fault === undefined;
  }

  readonly #onAbort = (): void => this.#fail(new WireFault("aborted", "the caller cancelled"));

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isEnded) controller.abort(this.#fault ?? new WireFault("aborted", "cancelled before it was sent"));
    else this.#timers.connected();
  }

  onRequestSent(): void {
    if (!this.#isEnded) this.#timers.sent();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Record<string, unknown>): void {
    if (status < 200 || this.#isEnded) return;
    this.status = status;
    this.headers = flatHeaders(headers);
    this.#unzip = this.#decompressor(this.headers["content-encoding"]);
    this.#hasHead = true;
    this.#timers.headersArrived();
    this.#settleHead.resolve(this);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#isEnded || this.status < 200) return;
    this.#timers.bytesArrived();
    if (this.#unzip === undefined) this.#hold(chunk);
    else this.#unzip.write(chunk);
  }

  onResponseEnd(): void {
    if (this.#unzip === undefined) this.#finish(undefined);
    else this.#unzip.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error instanceof WireFault ? error : transportFault(error, this.#hasHead));
  }

  take(): Uint8Array | undefined {
    const first = this.#held[0];
    if (first === undefined) return undefined;
    const all = this.#held.length === 1 ? first : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    if (this.#controller?.paused === true && !this.#isEnded) this.#controller.resume();
    return all;
  }

  wait(): Promise<boolean> {
    if (this.#held.length > 0) return THERE;
    if (this.#fault !== undefined) return Promise.reject(this.#fault);
    if (this.#isEnded) return OVER;
    return new Promise<boolean>((resolve, reject) => (this.#wake = { resolve, reject }));
  }

  contentArrived(): void {
    this.#timers.contentArrived();
  }

  discard(): void {
    // After a complete answer too: an error and its stack would be made for nothing.
    if (!this.#isEnded) this.#finish(new WireFault("aborted", "the reader stopped"));
  }

  letEnd(): void {
    if (this.#isEnded) return;
    this.#isDropping = true;
    this.#held = [];
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#timers.ending(() => this.discard());
    if (this.#controller?.paused === true) this.#controller.resume();
  }

  async readAll(bytesMax: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    try {
      for (;;) {
        const piece = this.take();
        if (piece === undefined) {
          // A short body is there with its head: then nothing is awaited.
          if (this.#isEnded && this.#fault === undefined) break;
          if (await this.wait()) continue;
          break;
        }
        size += piece.byteLength;
        if (size > bytesMax) throw new WireFault("protocol", `body larger than ${bytesMax} bytes`);
        pieces.push(piece);
      }
    } finally {
      this.discard();
    }
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
  }

  #hold(chunk: Uint8Array): void {
    if (this.#isEnded || this.#isDropping) return;
    this.#held.push(chunk);
    this.#heldBytes += chunk.byteLength;
    if (this.#heldBytes > HELD_BYTES_MAX) this.#controller?.pause();
    this.#awake();
  }

  #decompressor(encoding: string | undefined): Gunzip | undefined {
    const make = DECOMPRESSORS[(encoding ?? "").trim().toLowerCase()];
    if (make === undefined) return undefined;
    const unzip = make();
    unzip.on("data", (chunk: Uint8Array) => this.#hold(chunk));
    unzip.on("end", () => this.#finish(undefined));
    unzip.on("error", () => this.#fail(new WireFault("protocol", "broken content encoding")));
    return unzip;
  }

  #fail(fault: WireFault): void {
    this.#finish(fault);
  }

  #finish(fault: WireFault | undefined): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#fault = fault;
    this.#timers.stop();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    if (fault !== undefined) {
      this.#unzip?.destroy();
      // Before the socket exists there is no controller yet; `onRequestStart` aborts then.
      if (this.#controller?.aborted === false) this.#controller.abort(fault);
      if (!this.#hasHead) this.#settleHead.reject(fault);
    }
    this.#awake();
  }

  #awake(): void {
    const wake = this.#wake;
    if (wake === undefined) return;
    this.#wake = undefined;
    if (this.#held.length === 0 && this.#fault !== undefined) wake.reject(this.#fault);
    else wake.resolve(this.#held.length > 0 || !this.#isEnded);
  }
}

const THERE = Promise.resolve(true);
const OVER = Promise.resolve(false);

const DECOMPRESSORS: Readonly<Record<string, (() => Gunzip) | undefined>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate as () => Gunzip,
  br: createBrotliDecompress as () => Gunzip,
};

function flatHeaders(headers: Record<string, unknown>): HttpHeaders {
  const flat: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (typeof value === "string") flat[name] = value;
    else if (Array.isArray(value)) flat[name] = value.join(", ");
  }
  return flat;
}

function transportFault(error: Error, hasHead: boolean): WireFault {
  const code = (error as { code?: unknown }).code;
  if (code === "UND_ERR_CONNECT_TIMEOUT")
    return new WireFault("timeout_connect", "no connection in time", { cause: error });
  if (code === "ADDRESS_REFUSED")
    return new WireFault("unreachable", "address not allowed for this provider (allowPrivateAddress permits it)", {
      cause: error,
    });
  const reason = typeof code === "string" ? code : error.name;
  return hasHead
    ? new WireFault("truncated", `connection lost in the middle of the answer (${reason})`, { cause: error })
    : new WireFault("unreachable", `no answer: ${reason}`, { cause: error });
}
