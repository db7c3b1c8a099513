import type { AnswerEngine, BudgetRemainder, Clock, Ids, Log, Meter, Principal, UnaryOperation } from "@fovea/core";
import type { FastifyRequest } from "fastify";

/** What every door is built from. The caller registers doors behind its own authentication hook. */
export interface DoorParts {
  readonly engine: AnswerEngine;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly meter: Meter;
  /** Who was recognised on this request. Called after the authentication hook has let it pass. */
  principalOf(request: FastifyRequest): Principal;
  /** What is left of the budgets that hold for a caller. */
  limitsOf?(principal: Principal): readonly BudgetRemainder[];
  /** How long a caller who names no deadline of their own may wait. */
  readonly deadlinesMs?: Partial<DoorDeadlines>;
  /** A waiting stream shows life this often: proxies close silent connections after 30 s and more. */
  readonly keepAliveMs?: number;
}

export type DoorDeadlines = Readonly<Record<"chat" | UnaryOperation, number>>;

export const DOOR_DEADLINES: DoorDeadlines = {
  chat: 120_000,
  embed: 30_000,
  rerank: 30_000,
  transcribe: 120_000,
  speak: 60_000,
  image: 180_000,
  vision: 30_000,
  job: 60_000,
};

export const KEEP_ALIVE_MS = 10_000;

/** 32 MiB: a few photographs as base64. */
export const BODY_BYTES_MAX = 32 * 1024 * 1024;
