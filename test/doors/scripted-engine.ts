// An engine that plays a script, so that a door is tested without providers. Values in, parts out.
import type {
  AnswerEngine,
  AnswerPart,
  ModelListing,
  OperationInput,
  OperationOutput,
  OperationRequest,
  Served,
  UnaryOperation,
  XRRequest,
} from "@fovea/core";
import { CountingIds, MemoryLog } from "@fovea/core/testing";
import { NO_METER } from "@fovea/core";
import fastify, { type FastifyInstance } from "fastify";
import { realClock } from "../../packages/gateway/emulator/real-clock.ts";
import type { DoorParts } from "../../packages/gateway/src/http/door-parts.ts";

/** `hang` waits for the abort; an error is thrown where it stands; a function waits for its promise. */
export type Scripted = AnswerPart | "hang" | Error | (() => Promise<void>);

export const TRACE = {
  requestId: "req_1",
  provider: "primary",
  model: "m1",
  reason: "cheapest of 2",
  isCached: false,
  steps: [],
};
export const START: AnswerPart = {
  type: "start",
  requestId: "req_1",
  provider: "primary",
  model: "m1",
  warnings: [],
  decision: "cheapest of 2",
};
export const USAGE: AnswerPart = {
  type: "usage",
  usage: { input: { total: 12, cacheRead: 4, cacheWrite: 0 }, output: { total: 3, reasoning: 1 }, source: "provider" },
  cost: { microUsd: 42.5, source: "price-list" },
};
export const END: AnswerPart = { type: "end", outcome: "complete", finishReason: "stop", trace: TRACE };
export const FAILED_END: AnswerPart = { type: "end", outcome: "error", finishReason: "other", trace: TRACE };
export const BROKEN: AnswerPart = {
  type: "error",
  code: "answer_broken",
  message: "the stream broke",
  retryable: true,
  providerId: "primary",
};

export function text(value: string): AnswerPart {
  return { type: "text-delta", text: value };
}

export function endWith(finishReason: Extract<AnswerPart, { type: "end" }>["finishReason"]): AnswerPart {
  return { type: "end", outcome: "complete", finishReason, trace: TRACE };
}

type Results = { readonly [O in UnaryOperation]?: OperationOutput[O] | Error };

export class ScriptedEngine implements AnswerEngine {
  script: readonly Scripted[] = [];
  results: Results = {};
  readonly requests: XRRequest[] = [];
  readonly operations: OperationRequest<UnaryOperation>[] = [];
  signal: AbortSignal | undefined;
  abortedAtMs: number | undefined;
  models: readonly ModelListing[] = [
    { name: "primary/m1", providerId: "primary", features: ["chat", "streaming", "tools"], contextTokens: 128_000 },
    { name: "assistant", providerId: "alias", features: ["chat"] },
  ];

  async *answer(request: XRRequest, signal: AbortSignal): AsyncGenerator<AnswerPart> {
    this.requests.push(request);
    this.signal = signal;
    signal.addEventListener("abort", () => (this.abortedAtMs = performance.now()), { once: true });
    for (const step of this.script) {
      if (step === "hang") await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      else if (step instanceof Error) throw step;
      else if (typeof step === "function") await step();
      else yield step;
    }
  }

  async perform<O extends UnaryOperation>(
    request: OperationRequest<O>,
    signal: AbortSignal,
  ): Promise<Served<OperationOutput[O]>> {
    this.operations.push(request as unknown as OperationRequest<UnaryOperation>);
    this.signal = signal;
    signal.addEventListener("abort", () => (this.abortedAtMs = performance.now()), { once: true });
    const result = this.results[request.operation] as OperationOutput[O] | Error | undefined;
    if (result instanceof Error) throw result;
    if (result === undefined) throw new Error(`no result scripted for ${request.operation}`);
    return {
      result,
      providerId: "primary",
      model: "m1",
      cost: { microUsd: undefined, source: "unpriced" },
      plan: { cells: [], excluded: [], deadlineShares: [], reason: "cheapest of 2" },
    };
  }

  get lastInput(): OperationInput[UnaryOperation] | undefined {
    return this.operations.at(-1)?.input;
  }

  listModels(): readonly ModelListing[] {
    return this.models;
  }
}

export interface OpenDoors extends AsyncDisposable {
  readonly app: FastifyInstance;
  readonly engine: ScriptedEngine;
  readonly log: MemoryLog;
  readonly url: string;
}

/** A listening server with the given doors in front of a scripted engine. */
export async function openDoors(
  registrations: readonly ((app: FastifyInstance, parts: DoorParts) => void)[],
  more: Partial<DoorParts> = {},
): Promise<OpenDoors> {
  const engine = new ScriptedEngine();
  const log = new MemoryLog();
  const app = fastify({ forceCloseConnections: true });
  const parts: DoorParts = {
    engine,
    clock: realClock,
    ids: new CountingIds(),
    log,
    meter: NO_METER,
    principalOf: () => ({ tenantId: "t", userId: "u", scopes: ["chat"], via: "open" }),
    ...more,
  };
  for (const register of registrations) register(app, parts);
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return { app, engine, log, url, [Symbol.asyncDispose]: () => app.close() };
}
