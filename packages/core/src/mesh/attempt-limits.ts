import type { LatencyClass } from "../model/xr-request.ts";
import type { AttemptLimits } from "./attempt.ts";

/** Start values until a cell has shown its own times; the caller's deadline always ends the attempt. */
const FIRST_CONTENT_MS: Readonly<Record<LatencyClass, number>> = {
  interactive: 4_000,
  conversational: 10_000,
  background: 20_000,
};

/** A whole answer may take this long before another cell is asked instead. */
const WHOLE_MS_MAX = 120_000;

export interface LimitsRequest {
  readonly latencyClass: LatencyClass;
  /** Left until the caller's deadline. */
  readonly leftMs: number;
  /** Share of the time left that this attempt may spend before its first content, 0 to 1. */
  readonly share: number;
  /** True where no other cell could take over: then waiting costs nothing that giving up would save. */
  readonly isLast: boolean;
  readonly whole: boolean;
  readonly isSpeech: boolean;
  readonly idleMs: number;
  /** What the cell's own history suggests, if there is enough of it. */
  readonly firstContentMs: number | undefined;
}

/** One deadline divided: each attempt gets a part of what is left, never a fresh full one. */
export function limitsFor(request: LimitsRequest): AttemptLimits {
  const { leftMs, isLast, whole } = request;
  const startMs = request.firstContentMs ?? FIRST_CONTENT_MS[request.latencyClass];
  const shareMs = isLast ? leftMs : Math.max(1, Math.min(WHOLE_MS_MAX, leftMs * request.share));
  // A whole answer shows nothing before its end: its first content is its last.
  const firstContentMs = whole || isLast ? shareMs : Math.min(startMs, shareMs);
  return {
    connectMs: isLast ? Math.min(3_000, leftMs) : Math.min(1_000, shareMs),
    headersMs: isLast ? leftMs : firstContentMs,
    firstContentMs,
    idleMs: request.idleMs,
    lateAfterMs: isLast ? startMs : firstContentMs,
    slowAfterMs: whole ? Infinity : FIRST_CONTENT_MS[request.latencyClass] / 2,
    totalMs: whole && !isLast ? shareMs : leftMs,
    charactersPerSecondMin: request.isSpeech ? 20 : 0,
    reasoningCounts: request.latencyClass !== "interactive",
  };
}

/** For the negative control: every timer but the total is off. */
export function withoutDeadlines(limits: AttemptLimits, leftMs: number): AttemptLimits {
  const never = { connectMs: leftMs, headersMs: leftMs, firstContentMs: leftMs, idleMs: leftMs };
  return { ...limits, ...never, totalMs: leftMs, charactersPerSecondMin: 0 };
}
