// A plain WebSocket client of the native wire and a server to talk to, for the tests of this folder.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { AnswerEngine, AnswerPart, AuditRecord, Principal, XRRequest } from "@fovea/core";
import { GatewayError, NO_METER, SESSION_LIMITS } from "@fovea/core";
import { helloMessage, MemoryLog, PARTS } from "@fovea/core/testing";
import type { ClientMessageBody, HelloMessage, PoseSample, ServerMessage } from "@fovea/protocol";
import { createPoseSample, encodePosePacket, parseServerMessage, SourceTable } from "@fovea/protocol";
import { WebSocket } from "ws";
import { SystemClock } from "../../packages/gateway/src/platform/system-clock.ts";
import { SystemIds } from "../../packages/gateway/src/platform/system-ids.ts";
import type { XRSocket, XRSocketLimits } from "../../packages/gateway/src/realtime/xr-socket.ts";
import { attachXRSocket } from "../../packages/gateway/src/realtime/xr-socket.ts";

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly socket: XRSocket;
  readonly log: MemoryLog;
  readonly audit: AuditRecord[];
}

type AnswerWith = (request: XRRequest, signal: AbortSignal) => AsyncIterable<AnswerPart>;

/** Says what the context says: the label attended to and the size of the room. */
export async function* describeContext(request: XRRequest): AsyncGenerator<AnswerPart> {
  const { attention, scene, viewer } = request.context;
  yield PARTS.start();
  const target = attention.find((entry) => entry.source === "head-gaze");
  yield PARTS.text(`${target?.entityId ?? "nothing"} of ${scene.entities.length}, tracked ${viewer.isTracked}`);
  if (target !== undefined) yield PARTS.highlight(target.entityId);
  yield PARTS.end();
}

export interface ServerOptions {
  readonly answer?: AnswerWith;
  readonly perform?: AnswerEngine["perform"];
  readonly listModels?: AnswerEngine["listModels"];
  readonly limits?: Partial<XRSocketLimits>;
  readonly authenticate?: (authorization: string | undefined) => Principal;
}

export const OPEN: Principal = { tenantId: "local", userId: "local", scopes: ["session", "chat"], via: "open" };

export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const server = createServer((_request, response) => response.end("ok"));
  const log = new MemoryLog();
  const audit: AuditRecord[] = [];
  const unsupported = (): never => {
    throw new GatewayError("request_unsupported", "not in this test");
  };
  const engine: AnswerEngine = {
    answer: options.answer ?? describeContext,
    perform: options.perform ?? unsupported,
    listModels: options.listModels ?? (() => []),
  };
  const socket = attachXRSocket(server, {
    authenticate: ({ headers }) => options.authenticate?.(headers.authorization) ?? OPEN,
    engine,
    clock: new SystemClock(),
    ids: new SystemIds(),
    log,
    meter: NO_METER,
    audit: { append: (record) => void audit.push(record) },
    limits: { closeMs: 200, ...options.limits },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}/xr`,
    socket,
    log,
    audit,
    [Symbol.asyncDispose]: async () => {
      await socket.close("test over");
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export const sessionLimits = (more: Partial<typeof SESSION_LIMITS>): Partial<XRSocketLimits> => ({
  session: { ...SESSION_LIMITS, ...more },
});

export class XRClient {
  readonly socket: WebSocket;
  readonly messages: ServerMessage[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #table = new SourceTable();
  #closed: { readonly code: number; readonly reason: string } | undefined;
  #seq = 0;

  constructor(url: string, options: { readonly answersPings?: boolean } = {}) {
    this.socket = new WebSocket(url, "fovea.v1", { perMessageDeflate: false });
    this.socket.on("message", (data: Buffer) => {
      const parsed = parseServerMessage(data.toString());
      if (parsed.outcome !== "message") throw new Error(`unreadable: ${data.toString().slice(0, 200)}`);
      const { message } = parsed;
      this.messages.push(message);
      if (message.type === "ping" && options.answersPings !== false) {
        const t = performance.now();
        this.send({ type: "pong", id: message.id, t1: t, t2: t });
      }
      this.#wake();
    });
    this.socket.on("close", (code, reason) => {
      this.#closed = { code, reason: reason.toString() };
      this.#wake();
    });
    this.socket.on("error", () => this.#wake());
  }

  static async connect(url: string, hello: Partial<HelloMessage> = {}): Promise<XRClient> {
    const client = new XRClient(url);
    await client.opened();
    client.hello(hello);
    await client.until((message) => message.type === "welcome");
    return client;
  }

  opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once("open", resolve);
      this.socket.once("error", reject);
    });
  }

  hello(more: Partial<HelloMessage> = {}): void {
    const hello = helloMessage(more);
    for (const source of hello.inputSources) this.#table.set(source);
    this.send(hello);
  }

  send(message: ClientMessageBody): void {
    this.socket.send(JSON.stringify(message));
  }

  pose(change: (sample: PoseSample) => void = () => {}): void {
    this.socket.send(this.posePacket(change));
  }

  posePacket(change: (sample: PoseSample) => void = () => {}): Uint8Array {
    const sample = createPoseSample();
    sample.t = performance.now();
    sample.seq = this.#seq++ & 0xffff;
    sample.viewer.set([0, 1.6, 0, 0, 0, 0, 1]);
    change(sample);
    const bytes = new Uint8Array(4_096);
    const size = encodePosePacket(sample, this.#table, bytes);
    if (typeof size !== "number") throw new Error(size.message);
    return bytes.subarray(0, size);
  }

  ask(turnId: string, text = "what is that?"): void {
    this.send({ type: "ask", turnId, text, include: [], modalities: ["text", "action"] });
  }

  /** The first message that fits, from those that came and those that come. */
  async until(fits: (message: ServerMessage) => boolean, timeoutMs = 5_000): Promise<ServerMessage> {
    const timer = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const found = this.messages.find(fits);
      if (found !== undefined) return found;
      if (this.#closed !== undefined) throw new Error(`closed ${this.#closed.code} ${this.#closed.reason}`);
      await this.#change(timer);
    }
  }

  async done(turnId: string): Promise<readonly ServerMessage[]> {
    await this.until((message) => message.type === "done" && message.turnId === turnId);
    return this.messages.filter((message) => "turnId" in message && message.turnId === turnId);
  }

  async closed(timeoutMs = 5_000): Promise<{ readonly code: number; readonly reason: string }> {
    const timer = AbortSignal.timeout(timeoutMs);
    while (this.#closed === undefined) await this.#change(timer);
    return this.#closed;
  }

  drop(): void {
    this.socket.terminate();
  }

  #change(timer: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        timer.removeEventListener("abort", late);
        resolve();
      };
      const late = (): void => {
        this.#waiting.delete(wake);
        reject(new Error(`waited too long; last: ${JSON.stringify(this.messages.at(-1))?.slice(0, 200)}`));
      };
      this.#waiting.add(wake);
      timer.addEventListener("abort", late, { once: true });
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}
