// A real HTTP server on a free loopback port, and the observations a transport test needs: who left, when, and whether
// the sockets are gone.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly bytes: Uint8Array;
  /** Settles when the connection is closed before the answer ended, or the answer was sent. */
  readonly closed: Promise<"finished" | "left">;
}

export type Handle = (received: Received, response: ServerResponse, socket: Socket) => void | Promise<void>;

export interface LoopbackServer extends AsyncDisposable {
  readonly origin: string;
  readonly requests: Received[];
  /** Resolves with the next request that arrives. */
  nextRequest(): Promise<Received>;
  openSockets(): number;
}

export async function startServer(handle: Handle): Promise<LoopbackServer> {
  const requests: Received[] = [];
  const sockets = new Set<Socket>();
  let waiting: ((received: Received) => void)[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const bytes = Buffer.concat(chunks);
      const closed = new Promise<"finished" | "left">((resolve) => {
        response.on("close", () => resolve(response.writableFinished ? "finished" : "left"));
      });
      const received: Received = {
        method: request.method ?? "",
        url: request.url ?? "",
        headers: request.headers,
        body: bytes.toString("utf8"),
        bytes,
        closed,
      };
      requests.push(received);
      const wake = waiting;
      waiting = [];
      for (const resolve of wake) resolve(received);
      void handle(received, response, request.socket);
    });
    request.on("error", () => undefined);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    nextRequest: () => new Promise((resolve) => waiting.push(resolve)),
    openSockets: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Lets sockets and timers of the platform run until the claim holds, or fails after two seconds. */
export async function until(claim: () => boolean, what: string): Promise<void> {
  const endMs = Date.now() + 2_000;
  while (!claim()) {
    if (Date.now() > endMs) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
