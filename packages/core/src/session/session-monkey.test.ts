// Rule SI5 of docs/spec/session.md: whatever comes in, in whatever order, a session keeps its promises. Each seed is a
// random script of valid inputs: questions, parts of turns that exist, are over, or never were, sockets that come and go,
// consent up and down, rooms, clocks that jump.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionOutput } from "./session-ports.ts";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { FULL_CONSENT, PARTS, sceneNode, SessionDriver, sourceDescription } from "../../testing/session-driver.ts";
import type { AnswerPart } from "../model/answer-part.ts";

const PARTS_ALL: readonly AnswerPart[] = [
  PARTS.start(),
  PARTS.text("A sentence."),
  PARTS.highlight("e1"),
  {
    type: "usage",
    usage: { input: { total: 1, cacheRead: 0, cacheWrite: 0 }, output: { total: 2 }, source: "provider" },
    cost: { microUsd: 3, source: "operator" },
  },
  { type: "replaced", fromUnit: 0, text: "Another." },
  { type: "resumed", fromUnit: 1, provider: "two", model: "m" },
  { type: "degraded", from: "a", to: "b", reason: "c" },
  { type: "tool-call", id: "c", name: "open", args: "not json" },
  { type: "error", code: "provider_failed", message: "gone", retryable: true },
  PARTS.end(),
];

/** Checks one handling's outputs against what a client may see; returns what is wrong. */
class Watcher {
  ready = 0;
  #next = new Map<string, number>();
  #epoch = 0;

  see(outputs: readonly SessionOutput[], wasAttached: boolean): string | undefined {
    for (const output of outputs) {
      if (output.type === "turn-ready") {
        this.ready++;
        // An id that was forgotten may be used again.
        this.#next.delete(output.turn.turnId);
      }
      if (output.type !== "send") continue;
      const { message } = output;
      if (!wasAttached) return `sent ${message.type} to nobody`;
      if (message.type === "welcome" || message.type === "flush") this.#epoch = Math.max(this.#epoch, message.epoch);
      if (message.type === "welcome") this.#next = new Map();
      if (!("seq" in message)) continue;
      if (message.epoch < this.#epoch) return `${message.turnId} is of epoch ${message.epoch} in ${this.#epoch}`;
      const next = this.#next.get(message.turnId);
      if (next !== undefined && message.seq !== next) return `${message.turnId} part ${message.seq} instead of ${next}`;
      this.#next.set(message.turnId, message.seq + 1);
    }
    return undefined;
  }
}

function run(
  seed: number,
  steps: number,
): { readonly turns: number; readonly ended: number; readonly kinds: Set<string> } {
  const random = new SeededRandom(seed);
  const policy = random.pick(["supersede", "parallel"] as const);
  const driver = new SessionDriver({
    limits: { turnPolicy: policy, turnMsMax: 3_000, resumeMs: 4_000, keptPartsMax: 40 },
  });
  const watcher = new Watcher();
  const kinds = new Set<string>();
  let asked = 0;
  let read = 0;
  const turn = (): string => `t${1 + random.integer(asked + 2)}`;
  const actions: readonly (readonly [name: string, act: () => void])[] = [
    ["ask", () => driver.ask(`t${++asked}`)],
    ["ask again", () => driver.ask(turn())],
    ["cancel", () => driver.send({ type: "cancel", turnId: turn() })],
    ["part", () => driver.part(turn(), random.pick(PARTS_ALL))],
    ["part of the newest", () => driver.part(`t${asked}`, random.pick(PARTS_ALL))],
    ["over", () => driver.feed({ type: "turn-over", turnId: turn() })],
    ["failed", () => driver.feed({ type: "turn-failed", turnId: turn(), failure: { code: "internal", message: "x" } })],
    ["pose", () => driver.pose((sample) => (sample.t += random.integer(3) === 0 ? random.gaussian() * 5_000 : 0))],
    ["room", () => driver.room(sceneNode(`e${random.integer(5)}`, [random.gaussian(), 1, -2]))],
    [
      "forget room",
      () => driver.send({ type: "scene.update", frame: "local-floor", full: true, add: [], update: [], remove: [] }),
    ],
    [
      "inputs",
      () => driver.send({ type: "inputs", add: [sourceDescription(random.integer(4))], remove: [random.integer(4)] }),
    ],
    [
      "consent",
      () =>
        driver.send({
          type: "consent",
          consent: {
            ...FULL_CONSENT,
            head: random.next() < 0.5,
            room: random.pick(["none", "full"]),
            hands: random.pick(["none", "gesture", "rounded", "raw"]),
          },
        }),
    ],
    [
      "pong",
      () => driver.send({ type: "pong", id: random.integer(20), t1: random.next() * 1e6, t2: random.next() * 1e6 }),
    ],
    [
      "receipt",
      () =>
        driver.send({ type: "receipt", turnId: turn(), seq: random.integer(6), delivered: true, via: "visual", t: 0 }),
    ],
    ["detach", () => driver.feed({ type: "detach" })],
    [
      "attach",
      () =>
        driver.hello({
          openTurns: [
            { turnId: turn(), seq: random.integer(4) - 1 },
            { turnId: `x`, seq: 0 },
          ],
        }),
    ],
    ["tick", () => driver.feed({ type: "tick" })],
    ["wait", () => driver.advance(random.next() * 1_500)],
    ["refused", () => driver.feed({ type: "refused", error: { code: "wrong_type", field: "x", message: "y" } })],
  ];
  driver.hello();
  for (let step = 0; step < steps && !driver.session.isOver; step++) {
    const [name, act] = random.pick(actions);
    // Attaching comes first in its outputs; whatever else is sent needs a client that was there.
    const wasAttached = driver.session.isAttached || name === "attach" || name === "wait";
    act();
    kinds.add(name);
    const wrong = watcher.see(driver.outputs.slice(read), wasAttached);
    read = driver.outputs.length;
    assert.equal(wrong, undefined, `seed ${seed}, step ${step}, ${name}`);
    assert.ok(
      driver.session.keptTurns <= 8 + driver.session.openTurns,
      `seed ${seed}: ${driver.session.keptTurns} turns`,
    );
  }
  const spared = driver.session.isOver ? 0 : driver.session.openTurns;
  driver.feed({ type: "end", code: "shutting_down", message: "over" });
  assert.ok(driver.session.isOver);
  const ended = driver.outputs.filter((output) => output.type === "event" && output.event.name === "turn-ended").length;
  assert.equal(ended, watcher.ready, `seed ${seed}: every turn ends exactly once (${spared} were open)`);
  assert.equal(driver.outputs.filter((output) => output.type === "close" && output.isOver).length, 1, `seed ${seed}`);
  return { turns: watcher.ready, ended, kinds };
}

test("[SI5] a session keeps its promises under random scripts", (t) => {
  const base = 51;
  let turns = 0;
  const kinds = new Set<string>();
  for (let seed = base; seed < base + 60; seed++) {
    const result = run(seed, 250);
    turns += result.turns;
    for (const kind of result.kinds) kinds.add(kind);
  }
  t.diagnostic(`seeds ${base} to ${base + 59}: ${turns} turns`);
  assert.ok(turns > 500 && kinds.size === 19, `${turns} turns, ${kinds.size} kinds of input`);
});
