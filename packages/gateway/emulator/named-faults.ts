// Short names for common faults, usable as `fault: cut@3`, as the header `x-emu-fault: cut@3` and as the model name
// `emu/cut@3`. The number means: content frames before it, or the status, or milliseconds, as the table says.
import type { Rule } from "./scenario.ts";

const FAULTS: Readonly<Record<string, (n: number | undefined) => Rule>> = {
  hang: () => ({ connection: "hang" }),
  reset: () => ({ connection: "reset" }),
  "slow-headers": (ms = 1000) => ({ delay: { headersMs: ms } }),
  "slow-first-token": (ms = 1000) => ({ delay: { firstTokenMs: ms, lifecycleFirst: true } }),
  "pings-only": () => ({ delay: { firstTokenMs: 3_600_000, lifecycleFirst: true, pingEveryMs: 100 } }),
  status: (status = 500) => ({ status }),
  html: (status = 502) => ({ status, body: "html" }),
  "html-200": () => ({ status: 200, body: "html" }),
  empty: (status = 200) => ({ status, body: "empty" }),
  "retry-after-200": (seconds = 2) => ({ retryAfter: seconds }),
  "rate-limit": (seconds = 2) => ({ status: 429, retryAfter: seconds }),
  stall: (after = 0) => ({ ending: { kind: "stall", after } }),
  cut: (after = 0) => ({ ending: { kind: "cut", after } }),
  eof: (after) => ({ ending: after === undefined ? { kind: "eof" } : { kind: "eof", after } }),
  error: (after = 0) => ({ ending: { kind: "error", after } }),
  malformed: (after = 0) => ({ ending: { kind: "malformed", after } }),
  duplicate: (after = 0) => ({ ending: { kind: "duplicate", after } }),
  reorder: (after = 0) => ({ ending: { kind: "reorder", after } }),
  splice: (after = 1) => ({ ending: { kind: "splice", after } }),
  endless: () => ({ ending: { kind: "endless" } }),
  crlf: () => ({ bytes: { newline: "crlf" } }),
  cr: () => ({ bytes: { newline: "cr" } }),
  comments: () => ({ bytes: { comments: true } }),
  padding: () => ({ bytes: { padding: true } }),
  "unknown-events": () => ({ bytes: { unknownEvents: true } }),
  dribble: (bytes = 1) => ({ bytes: { splitEvery: bytes } }),
  "huge-line": (bytes = 16_000_000) => ({ bytes: { hugeLineBytes: bytes } }),
  coalesce: (frames = 8) => ({ bytes: { coalesce: frames } }),
  gzip: () => ({ gzip: true }),
  redirect: () => ({ status: 302, redirect: "/elsewhere" }),
  "no-usage": () => ({ usage: "missing" }),
  "late-usage": () => ({ usage: "late" }),
  "duplicate-usage": () => ({ usage: "duplicate" }),
  "unknown-finish": () => ({ answer: { finish: "a_reason_from_next_year" } }),
  refusal: () => ({ answer: { refusal: "I cannot help with that." } }),
  "filter-before": () => ({ answer: { filter: "before" } }),
  "filter-after": () => ({ answer: { filter: "after" } }),
  "invalid-tool-json": () => ({ answer: { toolCalls: [{ name: "look", arguments: '{"target": "cup' }] } }),
};

export const FAULT_NAMES: readonly string[] = Object.keys(FAULTS);

/** Undefined for a name that is not in the table or a number that is not one. */
export function faultNamed(text: string): Rule | undefined {
  const [name = "", number] = text.split("@");
  const build = Object.hasOwn(FAULTS, name) ? FAULTS[name] : undefined;
  if (build === undefined) return undefined;
  if (number === undefined) return build(undefined);
  return /^\d{1,9}$/.test(number) ? build(Number(number)) : undefined;
}
