// Rules OQ1..OQ5 of docs/spec/session.md. A socket that holds as many bytes as the test says; `drain` lets it send them.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerMessage } from "@fovea/protocol";
import { OutboundQueue } from "./outbound-queue.ts";

class Pipe {
  bufferedAmount = 0;
  readonly sent: string[] = [];
  readonly #callbacks: (() => void)[] = [];

  send(text: string, sent: () => void): void {
    this.bufferedAmount += text.length;
    const message = JSON.parse(text) as { type: string; text?: string; id?: number; seq?: number };
    this.sent.push(`${message.type}${message.text ?? message.id ?? message.seq ?? ""}`);
    this.#callbacks.push(sent);
  }

  drain(): void {
    this.bufferedAmount = 0;
    for (const callback of this.#callbacks.splice(0)) callback();
  }

  take(): string {
    return this.sent.splice(0).join(" ");
  }
}

const header = (seq: number, epoch = 1) => ({ turnId: "t", seq, epoch, provider: "p", cached: false });
const text = (name: string, epoch = 1): ServerMessage => ({ type: "text.delta", ...header(0, epoch), text: name });
const ping = (id: number): ServerMessage => ({ type: "ping", id });
const highlight = (seq: number, target: string): ServerMessage => ({
  type: "action",
  ...header(seq),
  action: { kind: "highlight", target, style: "glow", ttlMs: 1 },
});
const done = (seq: number, epoch: number): ServerMessage => ({
  type: "done",
  ...header(seq, epoch),
  outcome: "complete",
  model: "m",
  reason: "",
  latency: { total: 1 },
  steps: [],
  tokens: { input: 0, output: 0 },
  cost: { source: "free" },
});

function queue(waitingMax = 100): { pipe: Pipe; queue: OutboundQueue; overflows: () => number } {
  const pipe = new Pipe();
  let overflows = 0;
  const made = new OutboundQueue(pipe, { bufferedBytesMax: 10, waitingMax }, () => overflows++);
  return { pipe, queue: made, overflows: () => overflows };
}

test("[OQ1] messages leave in order, at once while the socket takes them", () => {
  const { pipe, queue: out } = queue();
  for (const name of ["a", "b"]) {
    out.push(text(name));
    pipe.drain();
  }
  assert.equal(pipe.take(), "text.deltaa text.deltab");
  assert.equal(out.waiting, 0);
});

test("[OQ2] newer highlights, pings and clocks replace waiting ones", () => {
  const { pipe, queue: out } = queue();
  out.push(text("fills the socket"));
  pipe.take();
  for (const message of [
    ping(1),
    highlight(1, "cup"),
    text("a"),
    ping(2),
    highlight(2, "cup"),
    highlight(3, "table"),
  ]) {
    out.push(message);
  }
  for (let i = 0; i < 6; i++) pipe.drain();
  assert.equal(pipe.take(), "text.deltaa ping2 action2 action3");
  assert.equal(out.coalesced, 2);
});

test("[OQ3] a flush drops waiting parts of older epochs, not their ends", () => {
  const { pipe, queue: out } = queue();
  out.push(text("fills the socket"));
  pipe.take();
  for (const message of [text("old"), done(3, 1), { type: "flush", epoch: 2 } as const, text("new", 2)])
    out.push(message);
  for (let i = 0; i < 5; i++) pipe.drain();
  assert.equal(pipe.take(), "done3 flush text.deltanew");
});

test("[OQ4] when too much waits the socket is given up, once", () => {
  const { pipe, queue: out, overflows } = queue(3);
  for (let i = 0; i < 10; i++) out.push(text(String(i)));
  pipe.drain();
  assert.equal(overflows(), 1);
  assert.equal(pipe.take(), "text.delta0");
});

test("[OQ5] waiting messages follow in order when the socket drains", () => {
  const { pipe, queue: out } = queue();
  for (let i = 0; i < 50; i++) out.push(text(String(i)));
  for (let i = 0; i < 50; i++) pipe.drain();
  assert.equal(pipe.take(), Array.from({ length: 50 }, (_, i) => `text.delta${i}`).join(" "));
  assert.equal(out.waiting, 0);
});
