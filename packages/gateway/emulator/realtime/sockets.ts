// Upgrades on the emulator's server: which surface a path has, the rule of the connection, and one rule for each answer.
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "@fovea/core";
import type { SeededRandom } from "@fovea/core/testing";
import { WebSocketServer, type RawData, type WebSocket } from "ws";
import { writeScript, type Prompt } from "../answer-script.ts";
import type { Call, ProviderName, Vendor } from "../exchange.ts";
import { readCall } from "../request-reading.ts";
import type { Rule } from "../scenario.ts";
import { geminiLive } from "./gemini-live.ts";
import { openAiRealtime } from "./openai-realtime.ts";
import type { RealtimeStage, RealtimeSurface, SurfaceMaker } from "./stage.ts";
import { togetherSocket } from "./together-sockets.ts";

/** What the server behind the sockets knows; the scenario may be replaced while sessions run. */
export interface SocketHost {
  readonly vendor: Vendor;
  readonly clock: Clock;
  random(): SeededRandom;
  memory(): Map<string, unknown>;
  nextId(prefix: string): string;
  order(): number;
  isKnownKey(key: string): boolean;
  /** Records the call and finds its rule. `method` is GET for a connection, RESPONSE for one answer in it. */
  ruleFor(call: Call, model: string): Rule;
}

const OPENAI_PATH = /\/realtime$/;
const GEMINI_PATH =
  /\/ws\/google\.ai\.generativelanguage\.v\w+\.GenerativeService\.BidiGenerateContent(?:Constrained)?$/;

const SURFACES: Readonly<
  Partial<Record<ProviderName, readonly { path: RegExp; make: SurfaceMaker; isBinary: boolean }[]>>
> = {
  openai: [{ path: OPENAI_PATH, make: openAiRealtime, isBinary: false }],
  custom: [{ path: OPENAI_PATH, make: openAiRealtime, isBinary: false }],
  google: [{ path: GEMINI_PATH, make: geminiLive, isBinary: true }],
  together: [
    { path: OPENAI_PATH, make: togetherSocket, isBinary: false },
    { path: /\/audio\/speech\/websocket$/, make: togetherSocket, isBinary: false },
  ],
};

/** Serves the realtime wires of `host.vendor` on a server that answers plain HTTP already. */
export function attachSockets(server: Server, host: SocketHost): () => void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 64 * 1024 * 1024,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has("realtime") ? "realtime" : false),
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const call = readCall(request, new Uint8Array(0), host.order(), host.vendor);
    const found = SURFACES[host.vendor.name]?.find(({ path }) => path.test(call.path));
    const model = call.query.get("model") ?? "";
    const rule = host.ruleFor(call, model);
    const key = keyOf(call);
    if (rule.connection === "hang") return;
    if (rule.connection === "reset") return void socket.destroy();
    const status = rule.status ?? (found === undefined ? 404 : key === "" || !host.isKnownKey(key) ? 401 : undefined);
    if (found === undefined || (status !== undefined && status >= 400)) {
      refuse(socket, status ?? 404);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => run(client, found, { call, rule, model, host }));
  });
  return () => {
    for (const client of sockets.clients) client.terminate();
  };
}

interface Connection {
  readonly call: Call;
  readonly rule: Rule;
  readonly model: string;
  readonly host: SocketHost;
}

function run(client: WebSocket, row: { make: SurfaceMaker; isBinary: boolean }, connection: Connection): void {
  const { call, rule, model, host } = connection;
  const stage: RealtimeStage = {
    clock: host.clock,
    rule,
    model,
    query: call.query,
    memory: host.memory(),
    nextId: (prefix) => host.nextId(prefix),
    send: (message) => {
      const text = typeof message === "string" ? message : JSON.stringify(message);
      if (client.readyState === client.OPEN) client.send(row.isBinary ? Buffer.from(text) : text);
    },
    close: (code, reason) => client.close(code, reason),
    cut: () => client.terminate(),
    script: (prompt) => {
      const own = host.ruleFor(answerCall(call, prompt), model);
      return { script: writeScript(own.answer ?? {}, prompt, host.random()), rule: own };
    },
  };
  const surface: RealtimeSurface = row.make(stage);
  client.on("message", (data: RawData) => surface.receive(textOf(data)));
  client.on("close", () => surface.closed());
  client.on("error", () => {});
  surface.open();
}

function textOf(data: RawData): string {
  if (Buffer.isBuffer(data)) return data.toString("utf8");
  return (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)).toString("utf8");
}

/** One answer of a session, for rules: `when: { method: RESPONSE, bodyContains: … }`. */
function answerCall(call: Call, prompt: Prompt): Call {
  const json = { stream: true, input: prompt.lastUserText, all: prompt.allText };
  return { ...call, method: "RESPONSE", json, bytes: Buffer.from(JSON.stringify(json)) };
}

/** Where the vendors' socket clients put their keys: header, query or subprotocol. */
function keyOf(call: Call): string {
  if (call.key !== "") return call.key;
  const fromQuery = call.query.get("key") ?? call.query.get("access_token");
  if (fromQuery !== null) return fromQuery;
  return /openai-insecure-api-key\.([^\s,]+)/.exec(call.headers["sec-websocket-protocol"] ?? "")?.[1] ?? "";
}

function refuse(socket: Duplex, status: number): void {
  const body = JSON.stringify({ error: { message: `refused (${status})`, type: "invalid_request_error", code: null } });
  const head = `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close`;
  socket.end(`${head}\r\n\r\n${body}`);
}
