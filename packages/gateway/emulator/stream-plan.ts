// Turns a vendor's frames and a rule into what is written when. Pure: the same frames, rule and seed give the same plan.
import type { SeededRandom } from "@fovea/core/testing";
import type { Frame, StreamFormat } from "./exchange.ts";
import type { Rule } from "./scenario.ts";

/** `delayMs` counts from the step before. */
export interface Step {
  readonly delayMs: number;
  readonly bytes: Uint8Array;
}

export interface StreamPlan {
  readonly steps: readonly Step[];
  /** `repeat` plays the content again for ever. */
  readonly finale: "end" | "cut" | "stall" | "repeat";
  readonly repeat: readonly Step[];
}

export interface PlanParts {
  readonly format: StreamFormat;
  readonly rule: Rule;
  readonly random: SeededRandom;
  /** The frames of a failure inside the stream. */
  readonly failure: () => readonly Frame[];
  /** A second message, for `splice`. */
  readonly again: () => readonly Frame[];
}

const encoder = new TextEncoder();

export function planStream(frames: readonly Frame[], parts: PlanParts): StreamPlan {
  const { rule } = parts;
  const { frames: shaped, finale } = applyEnding(placeUsage(frames, rule.usage), parts);
  const timed = timeFrames(shaped, parts);
  const steps = coalesce(timed, rule.bytes?.coalesce ?? 1).map((step) => serializeStep(step, parts));
  const opening = openingBytes(parts);
  const closing =
    finale === "end" && parts.format === "json-array" && isWhole(rule)
      ? [{ delayMs: 0, bytes: encoder.encode("]") }]
      : [];
  const content = finale === "repeat" ? shaped.filter((frame) => frame.kind === "content") : [];
  const repeat = timeFrames(content, parts).map((step) => serializeStep({ ...step, frames: step.frames }, parts));
  return { steps: [...opening, ...steps, ...closing], finale, repeat };
}

function isWhole(rule: Rule): boolean {
  const kind = rule.ending?.kind ?? "complete";
  return kind !== "eof" && kind !== "cut" && kind !== "stall";
}

function placeUsage(frames: readonly Frame[], mode: Rule["usage"]): readonly Frame[] {
  if (mode === undefined || mode === "normal") return frames;
  const usage = frames.filter((frame) => frame.kind === "usage");
  if (mode === "duplicate") return frames.flatMap((frame) => (frame.kind === "usage" ? [frame, frame] : [frame]));
  const rest = frames.filter((frame) => frame.kind !== "usage");
  return mode === "late" ? [...rest, ...usage] : rest;
}

/** The index of the frame before which the ending strikes. */
function strikeIndex(frames: readonly Frame[], after: number | undefined): number {
  if (after === undefined) {
    const terminal = frames.findIndex((frame) => frame.kind === "terminal");
    return terminal < 0 ? frames.length : terminal;
  }
  let seen = 0;
  for (const [index, frame] of frames.entries()) {
    if (frame.kind !== "content") continue;
    if (seen === after) return index;
    seen++;
  }
  const last = frames.findLastIndex((frame) => frame.kind === "content");
  return last + 1;
}

function applyEnding(
  frames: readonly Frame[],
  parts: PlanParts,
): { frames: readonly Frame[]; finale: StreamPlan["finale"] } {
  const ending = parts.rule.ending;
  if (ending === undefined || ending.kind === "complete") return { frames, finale: "end" };
  const at = strikeIndex(frames, ending.after);
  const before = frames.slice(0, at);
  const rest = frames.slice(at);
  switch (ending.kind) {
    case "eof":
      return { frames: before, finale: "end" };
    case "cut":
      return { frames: before, finale: "cut" };
    case "stall":
      return { frames: before, finale: "stall" };
    case "endless":
      return {
        frames: frames.filter((frame) => frame.kind === "lifecycle" || frame.kind === "content"),
        finale: "repeat",
      };
    case "error":
      return { frames: [...before, ...parts.failure()], finale: "end" };
    case "malformed":
      return { frames: [...before, broken(rest[0]), ...rest], finale: "end" };
    case "duplicate":
      return { frames: [...before, ...rest.slice(0, 1), ...rest], finale: "end" };
    case "reorder":
      return { frames: [...before, ...rest.slice(1, 2), ...rest.slice(0, 1), ...rest.slice(2)], finale: "end" };
    case "splice":
      return { frames: [...before, ...parts.again()], finale: "end" };
  }
}

/** Half of the next frame's data: what a lost packet in a badly framed proxy leaves. */
function broken(next: Frame | undefined): Frame {
  const whole = next?.data ?? '{"unfinished":';
  const event = next?.event;
  const data = whole.slice(0, Math.max(1, whole.length >> 1));
  return { kind: "lifecycle", data, ...(event === undefined ? {} : { event }) };
}

interface TimedStep {
  readonly delayMs: number;
  readonly frames: readonly (Frame | "ping")[];
  readonly isFirst: boolean;
}

function timeFrames(frames: readonly Frame[], parts: PlanParts): readonly TimedStep[] {
  const delay = parts.rule.delay ?? {};
  const firstTokenMs = delay.firstTokenMs ?? 0;
  const steps: TimedStep[] = [];
  let contentSeen = 0;
  let pauseMs = delay.tokenMs ?? 0;
  for (const [index, frame] of frames.entries()) {
    let delayMs = 0;
    const waitsHere = delay.lifecycleFirst === true ? frame.kind === "content" && contentSeen === 0 : index === 0;
    if (waitsHere && firstTokenMs > 0) delayMs = pushPings(steps, firstTokenMs, delay.pingEveryMs);
    if (frame.kind === "content") {
      if (contentSeen > 0) {
        const jitterMs = (delay.jitterMs ?? 0) * (parts.random.next() * 2 - 1);
        delayMs += Math.max(0, pauseMs + jitterMs);
        pauseMs *= delay.decay ?? 1;
      }
      contentSeen++;
    }
    steps.push({ delayMs, frames: [frame], isFirst: index === 0 });
  }
  return steps;
}

/** Adds the pings of a wait and returns what is left of it. */
function pushPings(steps: TimedStep[], waitMs: number, everyMs: number | undefined): number {
  if (everyMs === undefined || everyMs <= 0) return waitMs;
  const total = Math.min(100_000, Math.floor((waitMs - 1) / everyMs));
  for (let index = 0; index < total; index++) steps.push({ delayMs: everyMs, frames: ["ping"], isFirst: false });
  return waitMs - total * everyMs;
}

function coalesce(steps: readonly TimedStep[], size: number): readonly TimedStep[] {
  if (size <= 1) return steps;
  const groups: TimedStep[] = [];
  for (let index = 0; index < steps.length; index += size) {
    const group = steps.slice(index, index + size);
    groups.push({
      delayMs: group.reduce((sum, step) => sum + step.delayMs, 0),
      frames: group.flatMap((step) => step.frames),
      isFirst: group[0]?.isFirst === true,
    });
  }
  return groups;
}

function serializeStep(step: TimedStep, parts: PlanParts): Step {
  let text = "";
  let isFirst = step.isFirst;
  for (const frame of step.frames) {
    text += serialize(frame, parts, isFirst);
    isFirst = false;
  }
  return { delayMs: step.delayMs, bytes: encoder.encode(text) };
}

function serialize(frame: Frame | "ping", parts: PlanParts, isFirst: boolean): string {
  const { format, rule } = parts;
  if (format === "ndjson") return frame === "ping" ? "" : `${pad(frame.data, rule)}\n`;
  if (format === "json-array") return frame === "ping" ? "" : `${isFirst ? "[" : ",\r\n"}${pad(frame.data, rule)}`;
  const newline = NEWLINES[rule.bytes?.newline ?? (format === "sse-crlf" ? "crlf" : "lf")];
  if (frame === "ping") return `: ping${newline}${newline}`;
  let text = rule.bytes?.comments === true ? `: a comment${newline}${newline}` : "";
  if (rule.bytes?.unknownEvents === true && !isFirst) text += unknownEvent(newline);
  if (frame.id !== undefined) text += `id: ${frame.id}${newline}`;
  if (frame.event !== undefined) text += `event: ${frame.event}${newline}`;
  for (const line of pad(frame.data, rule).split("\n")) text += `data: ${line}${newline}`;
  return text + newline;
}

const NEWLINES = { lf: "\n", crlf: "\r\n", cr: "\r" } as const;

function unknownEvent(newline: string): string {
  return `event: event_from_next_year${newline}data: {"type":"event_from_next_year","choices":[]}${newline}${newline}`;
}

/** Spaces inside the JSON, as Anthropic pads its frames. */
function pad(data: string, rule: Rule): string {
  if (rule.bytes?.padding !== true || !data.endsWith("}")) return data;
  return `${data.slice(0, -1)}${" ".repeat(1 + (data.length % 37))}}`;
}

function openingBytes(parts: PlanParts): readonly Step[] {
  const size = parts.rule.bytes?.hugeLineBytes;
  if (size === undefined) return [];
  const line = parts.format.startsWith("sse") ? `: ${"x".repeat(size)}\n\n` : `${" ".repeat(size)}\n`;
  return [{ delayMs: 0, bytes: encoder.encode(line) }];
}
