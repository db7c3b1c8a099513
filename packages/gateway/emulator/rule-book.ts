import type { SeededRandom } from "@fovea/core/testing";
import type { Call } from "./exchange.ts";
import type { Rule } from "./scenario.ts";

interface Entry {
  readonly rule: Rule;
  readonly name: string;
  readonly path: RegExp | undefined;
  readonly model: RegExp | undefined;
  /** Requests that met every condition but `attempts`. */
  attempts: number;
}

/** Finds the first rule whose conditions a call meets. Counts attempts by rule, so that a fault may hit the first k only. */
export class RuleBook {
  readonly #entries: readonly Entry[];
  readonly #random: SeededRandom;

  constructor(rules: readonly Rule[], random: SeededRandom) {
    this.#random = random;
    this.#entries = rules.map((rule, index) => ({
      rule,
      name: rule.name ?? `rules[${index}]`,
      path: glob(rule.when?.path),
      model: glob(rule.when?.model),
      attempts: 0,
    }));
  }

  find(call: Call, model: string): { readonly rule: Rule; readonly name: string | undefined } {
    for (const entry of this.#entries) {
      if (this.#applies(entry, call, model)) return { rule: entry.rule, name: entry.name };
    }
    return { rule: {}, name: undefined };
  }

  #applies(entry: Entry, call: Call, model: string): boolean {
    const when = entry.rule.when;
    if (when === undefined) return true;
    if (when.method !== undefined && when.method.toUpperCase() !== call.method) return false;
    if (entry.path?.test(call.path) === false) return false;
    if (entry.model?.test(model) === false) return false;
    if (when.key !== undefined && when.key !== call.key) return false;
    if (when.stream !== undefined && when.stream !== isStreamAsked(call)) return false;
    if (when.bodyContains !== undefined && !Buffer.from(call.bytes).includes(when.bodyContains)) return false;
    if (when.share !== undefined && this.#random.next() >= when.share) return false;
    entry.attempts++;
    if (when.attempts === undefined) return true;
    const [from, to] = typeof when.attempts === "number" ? [when.attempts, when.attempts] : when.attempts;
    return entry.attempts >= from && entry.attempts <= to;
  }
}

function isStreamAsked(call: Call): boolean {
  const json = call.json;
  const field = typeof json === "object" && json !== null && "stream" in json ? json.stream : undefined;
  return field === true || call.path.includes("stream");
}

function glob(pattern: string | undefined): RegExp | undefined {
  if (pattern === undefined) return undefined;
  return new RegExp(
    `^${pattern
      .split("*")
      .map((piece) => piece.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
      .join("[\\s\\S]*")}$`,
  );
}
