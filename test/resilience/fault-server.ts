// A provider with the wire of OpenAI chat that misbehaves on the bytes of a real socket. Every case has its own path, so
// one server plays them all. What goes wrong is a function over the open connection.
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

export const STORY =
  "The lamp stands on the table. It is three metres away from you. Turn left and walk on. " +
  "The chair is right behind it. Nothing else has changed here.";

/** Where in an answer the fault strikes: after the headers, after the first sentence and a half, after the last word. */
export type Phase = "before" | "first" | "last";

export type Misbehaviour = (wire: Wire, phase: Phase) => Promise<void> | void;

export class Wire {
  readonly #socket: Socket;
  readonly rest: string;
  readonly #untilClosed: Promise<void>;

  /** `rest`: what is left to say of the story, after what the request says that the user has. */
  constructor(socket: Socket, rest: string, untilClosed: Promise<void>) {
    this.#socket = socket;
    this.rest = rest;
    this.#untilClosed = untilClosed;
  }

  raw(bytes: string | Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  head(status: string, headers: Readonly<Record<string, string>>): void {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.raw(`HTTP/1.1 ${status}\r\n${lines.join("")}\r\n`);
  }

  /** A whole reply with the length that it says. */
  whole(status: string, body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): void {
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    this.head(status, { "content-type": "application/json", "content-length": String(bytes.length), ...headers });
    this.raw(bytes);
    this.end();
  }

  error(status: string, error: object, headers: Readonly<Record<string, string>> = {}): void {
    this.whole(status, JSON.stringify({ error }), headers);
  }

  chunk(bytes: string | Uint8Array): void {
    const body = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
    this.raw(Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n")]));
  }

  event(value: object): void {
    this.chunk(`data: ${JSON.stringify(value)}\n\n`);
  }

  delta(text: string): void {
    this.event(chunkOf({ content: text }, null));
  }

  /** Headers, the role, and the content up to the phase. */
  begin(phase: Phase, headers: Readonly<Record<string, string>> = {}): void {
    this.head("200 OK", { "content-type": "text/event-stream", "transfer-encoding": "chunked", ...headers });
    this.event(chunkOf({ role: "assistant", content: "" }, null));
    for (const piece of upTo(this.rest, phase)) this.delta(piece);
  }

  finish(): void {
    this.event(chunkOf({}, "stop"));
  }

  done(): void {
    this.event({
      ...chunkOf({}, null),
      choices: [],
      usage: { prompt_tokens: 9, completion_tokens: 30, total_tokens: 39 },
    });
    this.chunk("data: [DONE]\n\n");
    this.endChunks();
  }

  endChunks(): void {
    this.raw("0\r\n\r\n");
    this.end();
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Nothing more is said; the caller has to leave. */
  silence(): Promise<void> {
    return this.#untilClosed;
  }
}

export const wellBehaved: Misbehaviour = (wire) => {
  wire.begin("last");
  wire.finish();
  wire.done();
};

export function gzipped(text: string): Buffer {
  return gzipSync(Buffer.from(text));
}

export interface FaultServer extends AsyncDisposable {
  readonly port: number;
  /** Requests by path prefix. */
  calls(path: string): number;
}

/** `behaviours`: by path prefix, as `c1a`. */
export async function startFaultServer(
  behaviours: ReadonlyMap<string, { readonly act: Misbehaviour; readonly phase: Phase }>,
): Promise<FaultServer> {
  const counts = new Map<string, number>();
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    const untilClosed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    void untilClosed.then(() => sockets.delete(socket));
    socket.on("error", () => undefined);
    let seen = Buffer.alloc(0);
    socket.on("data", (bytes) => {
      seen = Buffer.concat([seen, typeof bytes === "string" ? Buffer.from(bytes) : bytes]);
      const request = requestOf(seen);
      if (request === undefined) return;
      seen = Buffer.alloc(0);
      counts.set(request.path, (counts.get(request.path) ?? 0) + 1);
      const behaviour = behaviours.get(request.path);
      const wire = new Wire(socket, STORY.slice(request.received.length), untilClosed);
      if (behaviour === undefined) return wire.whole("404 Not Found", "{}");
      void (async () => behaviour.act(wire, behaviour.phase))();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    calls: (path) => counts.get(path) ?? 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function requestOf(bytes: Buffer): { readonly path: string; readonly received: string } | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const head = bytes.subarray(0, end).toString();
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
  if (bytes.length < end + 4 + length) return undefined;
  const body = bytes.subarray(end + 4, end + 4 + length).toString();
  const asked = JSON.parse(body) as { readonly messages: readonly { readonly content: unknown }[] };
  const text = asked.messages.map(({ content }) => (typeof content === "string" ? content : textOf(content))).join("");
  return {
    path: /^\w+ \/(\w+)\//.exec(head)?.[1] ?? "",
    received: /<received>([^]*)<\/received>/.exec(text)?.[1] ?? "",
  };
}

function textOf(content: unknown): string {
  if (!Array.isArray(content)) return "";
  return content.map((part: { readonly text?: string }) => part.text ?? "").join("");
}

function upTo(text: string, phase: Phase): readonly string[] {
  const pieces = text.match(/[^]{1,8}/g) ?? [];
  if (phase === "before") return [];
  return phase === "last" ? pieces : pieces.slice(0, Math.max(1, Math.min(5, pieces.length - 1)));
}

function chunkOf(delta: object, finishReason: string | null): object {
  return {
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  };
}
