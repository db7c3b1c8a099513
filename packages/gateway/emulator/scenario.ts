// A scenario says how the emulated vendor behaves: rules, first match wins, each with conditions, faults and content.
// The same words serve the YAML file, the `x-emu-rule` header and tests. Meaning of each: docs/spec/emulator.md.
import { parse as parseYaml, YAMLParseError } from "yaml";
import { z } from "zod";
import { FAULT_NAMES, faultNamed } from "./named-faults.ts";

const count = z.int().min(0);
const milliseconds = z.number().min(0).max(3_600_000);

const when = z.strictObject({
  method: z.string().optional(),
  /** `*` stands for any run of characters. */
  path: z.string().optional(),
  model: z.string().optional(),
  key: z.string().optional(),
  stream: z.boolean().optional(),
  /** Of the requests that meet the other conditions: only the nth, or only those from..to, counted from 1. */
  attempts: z.union([count, z.tuple([count, count])]).optional(),
  /** Probability, drawn from the scenario's seed. */
  share: z.number().min(0).max(1).optional(),
  bodyContains: z.string().optional(),
});

const toolCall = z.strictObject({
  name: z.string().min(1),
  /** JSON text as written, also when invalid; or a value. */
  arguments: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  id: z.string().optional(),
  /** The arguments arrive in one piece instead of fragments. */
  whole: z.boolean().optional(),
});

const answer = z.strictObject({
  text: z.string().optional(),
  /** Words of generated text, when no `text` is given. */
  words: count.max(100_000).optional(),
  /** The exact pieces of the stream, when their borders matter. */
  tokens: z.array(z.string()).optional(),
  reasoning: z.string().optional(),
  refusal: z.string().optional(),
  toolCalls: z.array(toolCall).optional(),
  /** The vendor's own finish string, known to it or not. */
  finish: z.string().optional(),
  /** A block of the prompt or the answer, in the vendor's own form. */
  filter: z.enum(["before", "after"]).optional(),
  usage: z
    .strictObject({
      input: count.optional(),
      output: count.optional(),
      cached: count.optional(),
      cacheWrite: count.optional(),
      reasoning: count.optional(),
    })
    .optional(),
  /** Vectors of embedding answers have this many dimensions unless the request says. */
  dimensions: count.max(8192).optional(),
  /** Length of generated audio. */
  audioMs: count.max(600_000).optional(),
  /** How long a job takes from its start to its end, and how it ends. */
  jobMs: milliseconds.optional(),
  jobOutcome: z.enum(["succeeded", "failed", "canceled"]).optional(),
  filesExpireMs: milliseconds.optional(),
  /** Vendor-specific extras, as `continuation` of Google or `pause` of Anthropic. */
  extra: z.record(z.string(), z.unknown()).optional(),
});

const ending = z.strictObject({
  kind: z.enum(["complete", "stall", "cut", "eof", "error", "malformed", "duplicate", "reorder", "splice", "endless"]),
  /** Content frames that arrive before it; without it the whole content does, and only the terminal is missing. */
  after: count.optional(),
  /** Of `error`: the status whose in-stream form is sent, and the vendor's variant. */
  status: z.int().min(400).max(599).optional(),
  error: z.string().optional(),
});

/** Of a realtime connection: what it hears, and how and when it ends. */
const realtime = z.strictObject({
  /** What the recogniser makes of the utterances, in order. */
  hears: z.array(z.string()).optional(),
  /** The server announces its end after this time and closes when `timeLeftMs` is over (Gemini). */
  goAwayMs: milliseconds.optional(),
  timeLeftMs: milliseconds.optional(),
  /** The session expires after this time. */
  sessionMs: milliseconds.optional(),
  /** Resumption handles are refused. */
  forgets: z.boolean().optional(),
});

const behaviour = {
  connection: z.enum(["normal", "hang", "reset", "close-after"]).optional(),
  status: z.int().min(200).max(599).optional(),
  /** The vendor's variant of that status. */
  error: z.string().optional(),
  message: z.string().optional(),
  body: z.enum(["vendor", "html", "empty", "text"]).optional(),
  /** Sent on any status, 200 too. A string is sent as it is, as an HTTP date. */
  retryAfter: z.union([z.number().min(0), z.string()]).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  contentType: z.string().optional(),
  gzip: z.boolean().optional(),
  redirect: z.string().optional(),
  delay: z
    .strictObject({
      headersMs: milliseconds.optional(),
      firstTokenMs: milliseconds.optional(),
      /** Drawn anew for every request instead: p50, p90, p95, p99, with straight lines between them. */
      firstTokenPercentilesMs: z.tuple([milliseconds, milliseconds, milliseconds, milliseconds]).optional(),
      tokenMs: milliseconds.optional(),
      jitterMs: milliseconds.optional(),
      /** Each pause is this many times the one before. */
      decay: z.number().min(1).max(10).optional(),
      /** Lifecycle frames arrive before the first-token delay instead of with the first token. */
      lifecycleFirst: z.boolean().optional(),
      /** Pings or comments while waiting for the first token. */
      pingEveryMs: milliseconds.optional(),
    })
    .optional(),
  bytes: z
    .strictObject({
      newline: z.enum(["lf", "crlf", "cr"]).optional(),
      /** Every write has at most this many bytes; 1 dribbles, and splits UTF-8. */
      splitEvery: z.int().min(1).optional(),
      /** Frames in one write. */
      coalesce: z.int().min(1).optional(),
      comments: z.boolean().optional(),
      padding: z.boolean().optional(),
      unknownEvents: z.boolean().optional(),
      /** A comment or padding line of this size comes first. */
      hugeLineBytes: z.int().min(1).max(200_000_000).optional(),
    })
    .optional(),
  usage: z.enum(["normal", "missing", "late", "duplicate"]).optional(),
  ending: ending.optional(),
  answer: answer.optional(),
  realtime: realtime.optional(),
};

const rule = z.strictObject({
  name: z.string().optional(),
  when: when.optional(),
  fault: z.string().optional(),
  ...behaviour,
});

const scenario = z.strictObject({
  seed: z.int().min(0).default(1),
  /** Dates in answers follow the clock; without it they are fixed, so that the same seed gives the same bytes. */
  realDates: z.boolean().default(false),
  /** A key that is not listed is refused; without a list every non-empty key is accepted. */
  keys: z.array(z.string()).optional(),
  models: z.array(z.string().min(1)).optional(),
  limits: z
    .strictObject({
      requests: z.int().min(1).default(10_000),
      tokens: z.int().min(1).default(2_000_000),
      windowMs: milliseconds.default(60_000),
      /** Which 429 it is when the window is used up. */
      error: z.string().optional(),
    })
    .optional(),
  /** Where signed callbacks of jobs are sent is the request's business; this is the secret they are signed with. */
  webhookSecret: z.string().optional(),
  defaults: z.strictObject(behaviour).optional(),
  rules: z.array(rule).default([]),
});

export type Scenario = z.output<typeof scenario>;
/** What tests and files write: everything optional. */
export type ScenarioInput = z.input<typeof scenario>;
export type Rule = z.output<typeof rule>;
export type Answer = z.output<typeof answer>;
export type Ending = z.output<typeof ending>;

/** A scenario that cannot be used. The message names the place, the value's fault and the words that are allowed. */
export class ScenarioError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ScenarioError";
  }
}

/** Checks and completes a scenario. Named faults (`fault: cut@3`) are spelled out, with what stands beside them winning. */
export function readScenario(value: unknown, source = "scenario"): Scenario {
  const parsed = scenario.safeParse(value ?? {});
  if (!parsed.success) throw new ScenarioError(describe(parsed.error.issues, source));
  return {
    ...parsed.data,
    rules: parsed.data.rules.map((entry, index) => spellOut(entry, `${source}: rules[${index}]`)),
  };
}

export function parseScenario(text: string, source = "scenario"): Scenario {
  try {
    return readScenario(parseYaml(text), source);
  } catch (error) {
    if (error instanceof YAMLParseError) throw new ScenarioError(`${source}: ${error.message}`);
    throw error;
  }
}

/** One rule from a header or a model name. */
export function readRule(value: unknown, source: string): Rule {
  const parsed = rule.safeParse(value);
  if (!parsed.success) throw new ScenarioError(describe(parsed.error.issues, source));
  return spellOut(parsed.data, source);
}

function spellOut(entry: Rule, source: string): Rule {
  if (entry.fault === undefined) return entry;
  const named = faultNamed(entry.fault);
  if (named === undefined) {
    throw new ScenarioError(
      `${source}.fault: "${entry.fault}" is not a fault; known are ${FAULT_NAMES.join(", ")}, each with @n`,
    );
  }
  return mergeRules(named, entry);
}

/** `over` wins field by field, one level deep: its `delay.tokenMs` leaves the `delay.headersMs` of `base` alone. */
export function mergeRules(base: Rule, over: Rule): Rule {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key];
    merged[key] = isPlain(before) && isPlain(value) ? { ...before, ...value } : (value ?? before);
  }
  return merged as Rule;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(issues: readonly z.core.$ZodIssue[], source: string): string {
  return issues.map((issue) => `${source}: ${pathText(issue.path)}${issue.message}`).join("\n");
}

function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return "";
  const text = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
  return `${text.replace(/^\./, "")}: `;
}
