import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";

/** A server with any upgrade listener leaves the others' sockets open for ever: paths that nobody serves are refused here. */
export function refuseOtherUpgrades(server: Server, isServed: (path: string) => boolean): void {
  server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
    const path = (request.url ?? "").split("?", 1)[0]?.replace(/\/{2,}/g, "/") ?? "";
    if (!isServed(path)) socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
  });
}
