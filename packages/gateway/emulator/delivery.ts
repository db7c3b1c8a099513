// Puts a reply on the socket, with everything the rule says shall go wrong on the way.
import type { ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { Clock } from "@fovea/core";
import type { SeededRandom } from "@fovea/core/testing";
import type { BytesReply, Call, Frame, Reply, StreamReply, Vendor, WholeReply } from "./exchange.ts";
import type { Rule } from "./scenario.ts";
import type { Step, StreamPlan } from "./stream-plan.ts";
import { planStream } from "./stream-plan.ts";

const cutHere = new WeakSet<ServerResponse>();

/** True where the emulator broke the connection, so that it is not taken for a client that left. */
export function wasCut(response: ServerResponse): boolean {
  return cutHere.has(response);
}

export interface Delivery {
  readonly response: ServerResponse;
  readonly rule: Rule;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly vendor: Vendor;
  /** Aborted when the client has gone or the emulator closes. */
  readonly signal: AbortSignal;
  readonly call: Call;
  /** The same call answered once more, for spliced messages. */
  readonly again: () => Reply;
}

/** Ends when the reply is out, was cut, or the signal has fired. */
export async function deliver(
  reply: Reply,
  headers: Readonly<Record<string, string>>,
  delivery: Delivery,
): Promise<void> {
  const { rule, response, clock, signal } = delivery;
  if (rule.connection === "hang") return untilAborted(signal);
  if (rule.connection === "reset") {
    cutHere.add(response);
    return void response.socket?.resetAndDestroy();
  }
  await pause(clock, rule.delay?.headersMs ?? 0, signal);
  if (signal.aborted) return;
  if (rule.connection === "close-after") response.shouldKeepAlive = false;
  if ("frames" in reply) await deliverStream(reply, headers, delivery);
  else if ("pieces" in reply) await deliverBytes(reply, headers, delivery);
  else await deliverWhole(reply, headers, delivery);
}

async function deliverWhole(
  reply: WholeReply,
  headers: Readonly<Record<string, string>>,
  delivery: Delivery,
): Promise<void> {
  const { response, rule, clock, signal } = delivery;
  await pause(clock, (rule.delay?.firstTokenMs ?? 0) + (reply.delayMs ?? 0), signal);
  if (signal.aborted) return;
  let bytes = typeof reply.body === "string" ? Buffer.from(reply.body) : Buffer.from(reply.body);
  const sent: Record<string, string> = { ...headers, "content-type": rule.contentType ?? reply.contentType };
  if (rule.gzip === true) {
    bytes = gzipSync(bytes);
    sent["content-encoding"] = "gzip";
  }
  const kind = rule.ending?.kind;
  if (kind === "malformed" || kind === "eof") bytes = bytes.subarray(0, bytes.length >> 1);
  sent["content-length"] = String(bytes.length);
  response.writeHead(reply.status, sent);
  const isBroken = kind === "cut" || kind === "stall";
  await write(isBroken ? bytes.subarray(0, bytes.length >> 1) : bytes, delivery);
  if (signal.aborted) return;
  if (kind === "stall") return untilAborted(signal);
  if (kind === "cut") return cut(response);
  response.end();
}

async function deliverStream(
  reply: StreamReply,
  headers: Readonly<Record<string, string>>,
  delivery: Delivery,
): Promise<void> {
  const { rule, random, vendor, response } = delivery;
  const ending = rule.ending;
  const plan = planStream(reply.frames, {
    format: reply.format,
    rule,
    random,
    failure: () =>
      vendor.streamFailure(
        { status: ending?.status ?? 503, ...(ending?.error === undefined ? {} : { kind: ending.error }) },
        reply.format,
        delivery.call,
      ),
    again: () => framesOf(delivery.again()),
  });
  response.writeHead(reply.status, {
    ...headers,
    "content-type": rule.contentType ?? reply.contentType,
    "cache-control": "no-cache",
  });
  response.flushHeaders();
  await perform(plan, delivery);
}

function framesOf(reply: Reply): readonly Frame[] {
  return "frames" in reply ? reply.frames : [];
}

async function deliverBytes(
  reply: BytesReply,
  headers: Readonly<Record<string, string>>,
  delivery: Delivery,
): Promise<void> {
  const { rule, response } = delivery;
  const delay = rule.delay ?? {};
  const kind = rule.ending?.kind;
  const strikes = kind === "cut" || kind === "stall" || kind === "eof" || kind === "error";
  const pieces = strikes ? reply.pieces.slice(0, rule.ending?.after ?? reply.pieces.length >> 1) : reply.pieces;
  const steps = pieces.map((bytes, index) => ({
    delayMs: (index === 0 ? delay.firstTokenMs : delay.tokenMs) ?? 0,
    bytes,
  }));
  const finale = kind === "stall" ? "stall" : kind === "cut" || kind === "error" ? "cut" : "end";
  response.writeHead(reply.status, { ...headers, "content-type": rule.contentType ?? reply.contentType });
  response.flushHeaders();
  await perform({ steps, finale, repeat: [] }, delivery);
}

async function perform(plan: StreamPlan, delivery: Delivery): Promise<void> {
  const { response, signal } = delivery;
  await play(plan.steps, delivery);
  while (plan.finale === "repeat" && plan.repeat.length > 0 && !signal.aborted) {
    await play(plan.repeat, delivery);
    await nextTurn();
  }
  if (signal.aborted) return;
  if (plan.finale === "stall") await untilAborted(signal);
  else if (plan.finale === "cut") await cut(response);
  else response.end();
}

async function play(steps: readonly Step[], delivery: Delivery): Promise<void> {
  for (const step of steps) {
    if (step.delayMs > 0) await pause(delivery.clock, step.delayMs, delivery.signal);
    if (delivery.signal.aborted) return;
    await write(step.bytes, delivery);
  }
}

async function write(bytes: Uint8Array, delivery: Delivery): Promise<void> {
  const { response, rule, signal } = delivery;
  const size = rule.bytes?.splitEvery;
  if (size === undefined || bytes.length <= size) {
    if (bytes.length > 0 && !response.write(bytes)) await drained(response, signal);
    return;
  }
  for (let offset = 0; offset < bytes.length && !signal.aborted; offset += size) {
    if (!response.write(bytes.subarray(offset, offset + size))) await drained(response, signal);
    // A turn of the event loop between the writes keeps them apart on the wire.
    await nextTurn();
  }
}

/** What was written arrives, then the socket breaks. */
async function cut(response: ServerResponse): Promise<void> {
  const { socket } = response;
  if (socket === null) return;
  if (socket.writableLength > 0) await new Promise<void>((resolve) => socket.write("", () => resolve()));
  await nextTurn();
  cutHere.add(response);
  socket.destroy();
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    response.once("drain", done);
    signal.addEventListener("abort", done, { once: true });
  });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (delayMs <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.schedule(delayMs, done);
    signal.addEventListener("abort", done, { once: true });
  });
}
