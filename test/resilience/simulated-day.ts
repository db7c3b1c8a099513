// A day of failing providers, from a seed: virtual time, real engine. Nothing here knows how the engine decides; it only
// plays providers with faults, asks, and writes down what a client saw and what the providers saw.
import type { AnswerPart, ChatRequest, XRRequest } from "@fovea/core";
import { createEngine, GatewayError } from "@fovea/core";
import type { ScriptLine } from "@fovea/core/testing";
import { chatRequest, engineDoubles, ScriptedProvider, SeededRandom } from "@fovea/core/testing";
import { VirtualClock } from "./virtual-clock.ts";

export type FaultKind =
  | "dark"
  | "refused"
  | "brown-out"
  | "errors"
  | "half-errors"
  | "wall"
  | "cut"
  | "stall"
  | "flap"
  | "in-band"
  | "dead-key"
  | "drip-start"
  | "slow-start";

export const FAULT_KINDS: readonly FaultKind[] = [
  "dark",
  "refused",
  "brown-out",
  "errors",
  "half-errors",
  "wall",
  "cut",
  "stall",
  "flap",
  "in-band",
  "dead-key",
  "drip-start",
  "slow-start",
];

export interface Fault {
  readonly provider: number;
  readonly kind: FaultKind;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface DayOptions {
  readonly seed: number;
  readonly providers: number;
  readonly turns: number;
  readonly turnEveryMs: number;
  readonly faults: readonly Fault[];
  readonly commit: XRRequest["commit"];
  readonly latencyClass?: XRRequest["latencyClass"];
  readonly deadlineMs?: number;
  readonly canRescue?: boolean;
  readonly hedgeShare?: number;
  readonly hasDeadlines?: boolean;
  /** Lognormal times to first content: median seconds and sigma. */
  readonly ttft?: { readonly medianMs: number; readonly sigma: number };
}

export interface Turn {
  readonly startMs: number;
  endMs: number;
  firstContentMs: number | undefined;
  text: string;
  outcome: string;
  ends: number;
  /** Index of the provider that served first. */
  provider: string;
}

export interface Day {
  readonly turns: readonly Turn[];
  readonly calls: readonly { readonly atMs: number; readonly provider: number }[];
  /** What must never happen, in words. */
  readonly violations: readonly string[];
  readonly hash: string;
}

export const STORY =
  "The lamp stands on the table. It is two metres away from you. Do you see the red light? " +
  "Turn left and walk on. The chair is behind it. Nothing else has changed since then.";
const CHUNKS = STORY.match(/[^]{1,8}/g) ?? [];

export async function playDay(options: DayOptions): Promise<Day> {
  const clock = new VirtualClock();
  const random = new SeededRandom(options.seed);
  const doubles = engineDoubles({}, options.seed);
  const violations: string[] = [];
  const calls: { atMs: number; provider: number }[] = [];
  const hash = new TraceHash();
  const { canRescue, hedgeShare, hasDeadlines } = options;
  const controls = { canRescue: canRescue ?? true, hedgeShare: hedgeShare ?? 0.1, hasDeadlines: hasDeadlines ?? true };
  const engine = createEngine({ ...doubles, clock, controls });
  for (let index = 0; index < options.providers; index++) {
    const own = random.fork(index);
    const script = (request: ChatRequest): readonly ScriptLine[] => {
      const nowMs = clock.monotonicMs();
      calls.push({ atMs: nowMs, provider: index });
      hash.add(`call ${index} ${nowMs}`);
      checkOpen(index);
      return linesOf(options, index, nowMs, own, request);
    };
    doubles.registry.add(new ScriptedProvider({ id: `p${index}`, clock, script }));
  }
  const cells = doubles.registry.resolve("m1", "chat").tiers[0] ?? [];
  const checkOpen = (index: number): void => {
    const nowMs = clock.monotonicMs();
    const called = cells[index];
    if (called === undefined || engine.health.of(called).breaker.state !== "open") return;
    const other = cells.find((cell) => cell !== called && engine.health.look(cell, nowMs) === "closed");
    if (other !== undefined)
      violations.push(`called the open cell p${index} at ${nowMs} while ${other.cell.providerId} was closed`);
  };
  const turns: Turn[] = [];
  const running: Promise<void>[] = [];
  for (let index = 0; index < options.turns; index++) {
    clock.schedule(index * options.turnEveryMs, () => running.push(playTurn(index)));
  }
  async function playTurn(index: number): Promise<void> {
    const startMs = clock.monotonicMs();
    const turn: Turn = {
      startMs,
      endMs: NaN,
      firstContentMs: undefined,
      text: "",
      outcome: "none",
      ends: 0,
      provider: "",
    };
    turns.push(turn);
    const request = chatRequest("m1", "Tell me.", {
      requestId: `request_${index}`,
      deadlineMs: startMs + (options.deadlineMs ?? 20_000),
      latencyClass: options.latencyClass ?? "interactive",
      commit: options.commit,
    });
    try {
      for await (const part of engine.answer(request, new AbortController().signal)) see(turn, part);
    } catch (error) {
      if (!GatewayError.is(error)) violations.push(`untyped error: ${String(error)}`);
      turn.outcome = "error";
      turn.ends += 1;
    }
    turn.endMs = clock.monotonicMs();
    hash.add(`turn ${index} ${turn.outcome} ${turn.endMs} ${turn.text.length}`);
  }
  function see(turn: Turn, part: AnswerPart): void {
    if (turn.ends > 0) violations.push(`output after the end: ${part.type}`);
    if (part.type === "start") turn.provider = part.provider;
    else if (part.type === "text-delta") {
      turn.firstContentMs ??= clock.monotonicMs();
      turn.text += part.text;
    } else if (part.type === "end") {
      turn.ends += 1;
      turn.outcome = part.outcome;
    }
  }
  await clock.run();
  await Promise.all(running);
  return { turns, calls, violations, hash: hash.text };
}

/** What a provider does with a call that comes now. */
function linesOf(
  options: DayOptions,
  index: number,
  nowMs: number,
  random: SeededRandom,
  request: ChatRequest,
): readonly ScriptLine[] {
  const { medianMs, sigma } = options.ttft ?? { medianMs: 450, sigma: 0.65 };
  let ttftMs = medianMs * Math.exp(sigma * random.gaussian());
  const at = 1 + random.integer(CHUNKS.length - 2);
  const flips = random.next() < 0.5;
  const fault = options.faults.find((item) => item.provider === index && item.fromMs <= nowMs && nowMs < item.toMs);
  const whole = (): ScriptLine[] => [ttftMs, ...flow(answerTo(request, random), 20)];
  switch (fault?.kind) {
    case undefined:
      return whole();
    case "dark":
      return [{ hang: true }];
    case "refused":
      return [{ fail: "unreachable" }];
    case "brown-out":
      ttftMs *= 6;
      return whole();
    case "errors":
      return [80, { fail: "server_error" }];
    case "half-errors":
      return flips ? [80, { fail: "server_error" }] : whole();
    case "wall":
      return [30, { fail: "rate_limited", retryAfterMs: 1_000 + random.integer(4_000) }];
    case "cut":
      return [ttftMs, ...flow(answerTo(request, random), 20).slice(0, at * 2), { cut: true }];
    case "stall":
      return [ttftMs, ...flow(answerTo(request, random), 20).slice(0, at * 2), { hang: true }];
    case "in-band":
      return [ttftMs, ...flow(answerTo(request, random), 20).slice(0, at * 2), { fail: "overloaded" }];
    case "flap":
      return Math.floor(nowMs / 3_000) % 2 === 0 ? [{ fail: "unreachable" }] : whole();
    case "dead-key":
      return [40, { fail: "auth" }];
    case "slow-start":
      // A cell that has just been started is ten times slower, and warms up over the fault.
      ttftMs *= 1 + (9 * (fault.toMs - nowMs)) / (fault.toMs - fault.fromMs);
      return whole();
    case "drip-start":
      return [ttftMs, { type: "start" }, { type: "accepted" }, { hang: true }];
  }
}

/** A whole answer, or the rest of one: exactly, from the last word on, or from the beginning. */
function answerTo(request: ChatRequest, random: SeededRandom): string {
  const asked = request.messages
    .flatMap((message) => message.content.map((part) => (part.type === "text" ? part.text : "")))
    .join("");
  const received = /<received>([^]*)<\/received>/.exec(asked)?.[1];
  if (received === undefined) return STORY;
  const manner = random.integer(3);
  if (manner === 0) return STORY;
  if (manner === 1) return STORY.slice(received.length);
  return STORY.slice(Math.max(0, received.search(/\S+\s*$/)));
}

function flow(text: string, everyMs: number): ScriptLine[] {
  return (text.match(/[^]{1,8}/g) ?? []).flatMap((piece) => [everyMs, piece]);
}

/** A row of faults for every provider but, at any time, one. */
export function randomFaults(seed: number, providers: number, lengthMs: number): readonly Fault[] {
  const random = new SeededRandom(seed ^ 0x5eed);
  const faults: Fault[] = [];
  for (let fromMs = random.integer(4_000); fromMs < lengthMs; fromMs += 2_000 + random.integer(8_000)) {
    const toMs = fromMs + 1_000 + random.integer(9_000);
    const healthy = random.integer(providers);
    const bad = random.integer(providers);
    if (bad !== healthy) faults.push({ provider: bad, kind: random.pick(FAULT_KINDS), fromMs, toMs });
  }
  return faults;
}

/** FNV-1a over what happened and when: two runs of one seed must agree. */
class TraceHash {
  #hash = 0x811c9dc5;
  add(text: string): void {
    for (let index = 0; index < text.length; index++)
      this.#hash = Math.imul(this.#hash ^ text.charCodeAt(index), 0x01000193);
  }
  get text(): string {
    return (this.#hash >>> 0).toString(16);
  }
}
