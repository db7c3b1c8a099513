// What the realtime doors share below their protocols: upgrades, who is calling, how many, and the bounds of one socket.
// A client that floods is slowed by not being read; one that does not read, or has gone without a word, is cut off.
import type { IncomingHttpHeaders, IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type { AuditSink, Cancel, Clock, Ids, Log, Meter, Principal } from "@fovea/core";
import { ERROR_TABLE, GatewayError } from "@fovea/core";
import type { RawData, WebSocket } from "ws";
import { WebSocketServer } from "ws";
import { ReadingPace } from "./reading-pace.ts";

export interface DoorSocketParts {
  /** Throws `GatewayError` to refuse. */
  readonly authenticate: (caller: { readonly headers: IncomingHttpHeaders; readonly url: string }) => Principal;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly meter: Meter;
  readonly audit?: AuditSink;
  readonly limits?: Partial<DoorLimits>;
}

export interface DoorLimits {
  readonly sessionsMax: number;
  readonly messageBytesMax: number;
  /** Sustained and at once: about forty times what a microphone sends. */
  readonly bytesPerSecond: number;
  readonly messagesPerSecond: number;
  readonly outboundBytesMax: number;
  readonly pingMs: number;
  /** Without any sign of life, pongs included. */
  readonly silenceMs: number;
  readonly closeMs: number;
}

export const DOOR_LIMITS: DoorLimits = {
  sessionsMax: 500,
  messageBytesMax: 24 * 1024 * 1024,
  bytesPerSecond: 2_500_000,
  messagesPerSecond: 400,
  outboundBytesMax: 16 * 1024 * 1024,
  pingMs: 15_000,
  silenceMs: 40_000,
  closeMs: 2_000,
};

/** A connected client as a door's session sees it. */
export interface DoorPort {
  send(data: string | Uint8Array): void;
  close(code: number, reason: string): void;
}

export interface DoorSession {
  text(text: string): void;
  binary(bytes: Uint8Array): void;
  /** The gateway closes; the socket is closed next. */
  goingAway?(): void;
  /** The socket is gone, or the gateway closes. */
  closed(): void;
}

export interface DoorRequest {
  readonly principal: Principal;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
}

/** One protocol. `open` may throw `GatewayError`: the upgrade is refused with its status. */
export interface RealtimeDoor {
  readonly protocol: string;
  readonly path: RegExp;
  chooseSubprotocol(offered: ReadonlySet<string>): string | false;
  open(port: DoorPort, request: DoorRequest): DoorSession;
}

export interface DoorSockets {
  readonly sessions: number;
  serves(path: string): boolean;
  /** Ends the sessions of callers who are not to be served any more, with close code 4401. */
  endWhere(isOver: (principal: Principal) => boolean, message: string): void;
  close(message: string): Promise<void>;
}

/** The path without its query, with double slashes as one: the official Gemini client sends them. */
export function pathOf(url: string | undefined): string {
  return (url ?? "").split("?", 1)[0]?.replace(/\/{2,}/g, "/") ?? "";
}

export function attachDoors(server: Server, doors: readonly RealtimeDoor[], parts: DoorSocketParts): DoorSockets {
  return new Doors(server, doors, parts);
}

class Doors implements DoorSockets {
  readonly #parts: DoorSocketParts;
  readonly #limits: DoorLimits;
  readonly #doors: readonly RealtimeDoor[];
  readonly #servers: ReadonlyMap<RealtimeDoor, WebSocketServer>;
  readonly #open = new Map<() => void, DoorSession>();
  readonly #server: Server;
  readonly #counts = new Map<string, number>();
  readonly #principals = new Map<WebSocket, Principal>();
  #isClosing = false;

  constructor(server: Server, doors: readonly RealtimeDoor[], parts: DoorSocketParts) {
    this.#server = server;
    this.#parts = parts;
    this.#doors = doors;
    this.#limits = { ...DOOR_LIMITS, ...parts.limits };
    this.#servers = new Map(
      doors.map((door) => [
        door,
        new WebSocketServer({
          noServer: true,
          maxPayload: this.#limits.messageBytesMax,
          perMessageDeflate: false,
          handleProtocols: (offered) => door.chooseSubprotocol(offered),
        }),
      ]),
    );
    server.on("upgrade", this.#onUpgrade);
  }

  get sessions(): number {
    return this.#open.size;
  }

  serves(path: string): boolean {
    return this.#doors.some((door) => door.path.test(path));
  }

  endWhere(isOver: (principal: Principal) => boolean, message: string): void {
    for (const [client, principal] of this.#principals)
      if (isOver(principal)) this.#end(client, ERROR_TABLE.credentials_invalid.close, message);
  }

  async close(message: string): Promise<void> {
    this.#isClosing = true;
    this.#server.off("upgrade", this.#onUpgrade);
    for (const session of this.#open.values()) session.goingAway?.();
    for (const server of this.#servers.values()) {
      for (const client of server.clients) this.#end(client, 1012, message);
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const path = pathOf(request.url);
    const door = this.#doors.find((candidate) => candidate.path.test(path));
    if (door === undefined) return;
    socket.on("error", () => socket.destroy());
    try {
      if (this.#isClosing) throw new GatewayError("shutting_down", "the gateway restarts");
      if (this.#open.size >= this.#limits.sessionsMax) {
        throw new GatewayError("session_limit", "the gateway has no room for another session", { retryAfterMs: 5_000 });
      }
      const principal = this.#parts.authenticate({ headers: request.headers, url: request.url ?? "" });
      if (!principal.scopes.includes("session")) {
        throw new GatewayError("permission_denied", "the credential does not allow sessions", { scope: "session" });
      }
      this.#accept(
        door,
        {
          principal,
          url: new URL(`http://gateway${request.url ?? ""}`.replace(/([^:])\/{2,}/g, "$1/")),
          headers: request.headers,
        },
        [request, socket, head],
      );
    } catch (error) {
      refuse(socket, error, this.#parts.log);
    }
  };

  #accept(door: RealtimeDoor, asked: DoorRequest, upgrade: [IncomingMessage, Duplex, Buffer]): void {
    // The session is made first, so that what cannot be served is refused before any protocol is spoken.
    const held: [data: string | Uint8Array][] = [];
    let client: WebSocket | undefined;
    let ending: { readonly code: number; readonly reason: string } | undefined;
    const port: DoorPort = {
      send: (data) => {
        if (client === undefined) held.push([data]);
        else this.#send(client, data);
      },
      close: (code, reason) => {
        if (client === undefined) ending = { code, reason };
        else this.#end(client, code, reason);
      },
    };
    const session = door.open(port, asked);
    let isOver = false;
    const over = (): void => {
      if (isOver) return;
      isOver = true;
      this.#open.delete(over);
      this.#count(door, -1);
      this.#note("realtime-session-ended", door, asked.principal);
      session.closed();
    };
    this.#open.set(over, session);
    this.#count(door, 1);
    this.#note("realtime-session-started", door, asked.principal);
    upgrade[1].once("close", over);
    this.#servers.get(door)?.handleUpgrade(...upgrade, (socket) => {
      client = socket;
      this.#principals.set(socket, asked.principal);
      socket.once("close", () => this.#principals.delete(socket));
      this.#run(socket, session, over);
      for (const [data] of held) this.#send(socket, data);
      if (ending !== undefined) this.#end(socket, ending.code, ending.reason);
    });
  }

  #run(client: WebSocket, session: DoorSession, over: () => void): void {
    const { clock, log } = this.#parts;
    const limits = this.#limits;
    let aliveMs = clock.monotonicMs();
    const pace = new ReadingPace(clock, limits, client);
    let cancelPing: Cancel = () => {};
    const watch = (): void => {
      cancelPing = clock.schedule(limits.pingMs, () => {
        if (clock.monotonicMs() - aliveMs > limits.silenceMs) client.terminate();
        else {
          client.ping();
          watch();
        }
      });
    };
    watch();
    client.on("pong", () => (aliveMs = clock.monotonicMs()));
    client.on("message", (data: RawData, isBinary: boolean) => {
      aliveMs = clock.monotonicMs();
      const bytes = bytesOf(data);
      pace.took(bytes.length);
      try {
        if (isBinary) session.binary(bytes);
        else session.text(bytes.toString("utf8"));
      } catch (error) {
        log.write("error", "a realtime session failed", { error: error instanceof Error ? error.name : typeof error });
        this.#end(client, 1011, "the gateway failed");
      }
    });
    client.on("error", () => {});
    client.once("close", () => {
      cancelPing();
      pace.close();
      over();
    });
  }

  #send(client: WebSocket, data: string | Uint8Array): void {
    if (client.readyState !== client.OPEN) return;
    if (client.bufferedAmount > this.#limits.outboundBytesMax) {
      this.#end(client, 1013, "the client reads too slowly");
      return;
    }
    client.send(data);
  }

  /** A peer that does not answer the close is cut off. */
  #end(client: WebSocket, code: number, reason: string): void {
    if (client.readyState === client.CLOSED) return;
    client.resume();
    client.close(code, reason.slice(0, 120));
    const cancel = this.#parts.clock.schedule(this.#limits.closeMs, () => client.terminate());
    client.once("close", cancel);
  }

  #note(action: string, door: RealtimeDoor, { tenantId, userId }: Principal): void {
    const atUnixMs = this.#parts.clock.unixMs();
    const details = { protocol: door.protocol };
    this.#parts.audit?.append({ atUnixMs, action, tenantId, userId, outcome: "ok", details });
  }

  #count(door: RealtimeDoor, by: number): void {
    const count = (this.#counts.get(door.protocol) ?? 0) + by;
    this.#counts.set(door.protocol, count);
    this.#parts.meter.gauge("xr.realtime.sessions", { protocol: door.protocol }, count);
  }
}

function refuse(socket: Duplex, error: unknown, log: Log): void {
  const known = GatewayError.is(error) ? error : undefined;
  if (known === undefined)
    log.write("error", "a realtime upgrade failed", { error: error instanceof Error ? error.name : typeof error });
  const { code, message } = known ?? { code: "internal" as const, message: "the gateway failed" };
  const row = ERROR_TABLE[code];
  const body = JSON.stringify({
    error: { message: row.expose ? message : "the gateway failed", type: "invalid_request_error", code },
  });
  const head = [
    `HTTP/1.1 ${row.http} Refused`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    `x-fovea-error: ${code}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

/** `ws` gives one buffer as long as `binaryType` is left alone. */
function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
