import type { AnswerPart, Usage, Cost } from "@fovea/core";
import type { CollectedAnswer } from "./collected-answer.ts";
import type { DoorFailure } from "./error-response.ts";

export type StartPart = Extract<AnswerPart, { type: "start" }>;
export type EndPart = Extract<AnswerPart, { type: "end" }>;

/** Words one answer's parts as text on the wire. Called in order; an empty string writes nothing. */
export interface AnswerEncoder {
  /** Before the first part that has content. */
  begin(): string;
  part(part: AnswerPart): string;
  /** The clean end, with what the answer used. Never called after `fail`. */
  end(end: EndPart, spent: Spent): string;
  /** In the dialect's own form, and so that no client takes it for a clean end. */
  fail(failure: DoorFailure): string;
}

export interface Spent {
  readonly usage: Usage | undefined;
  readonly cost: Cost | undefined;
}

/** How one kind of client wants its answers. */
export interface AnswerDialect {
  readonly streamType: string;
  /** What shows that a silent stream lives; "" where the dialect has nothing of the kind. */
  readonly keepAlive: string;
  whole(answer: CollectedAnswer): unknown;
  encoder(start: StartPart): AnswerEncoder;
}
