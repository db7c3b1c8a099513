// The operator's routing rules, as data. The first rule that matches a request applies; a new set replaces the old one
// as a whole and at once. Rules: docs/spec/routing.md RR1..RR9.
import { GatewayError } from "../errors/gateway-error.ts";
import type { LatencyClass, XRRequest } from "../model/xr-request.ts";

export interface RoutingRule {
  readonly name: string;
  readonly when: {
    readonly tenant?: string;
    readonly user?: string;
    /** As the caller named it; a trailing `*` matches any rest. */
    readonly model?: string;
    readonly kind?: XRRequest["kind"];
    readonly latencyClass?: LatencyClass;
    readonly complexityMin?: number;
    readonly complexityMax?: number;
  };
  readonly then: {
    /** Models to use instead of the named one, first preferred. */
    readonly use?: readonly string[];
    /** Models to try after those of the named one. */
    readonly fallbacks?: readonly string[];
    /** Providers that must not serve it. */
    readonly avoid?: readonly string[];
    /** Data must stay here. */
    readonly region?: string;
    /** A share of the users goes to each target: the same user always to the same one. */
    readonly split?: readonly { readonly model: string; readonly share: number }[];
    /** Gets a copy of the request; its answer is measured and thrown away. */
    readonly mirror?: string;
    /** Cells where one request would cost more than this are left out, in US dollars. */
    readonly costUsdMax?: number;
  };
}

export class RoutingRules {
  #rules: readonly RoutingRule[];
  #version = 1;

  constructor(rules: readonly RoutingRule[] = []) {
    this.#rules = rules;
  }

  get version(): number {
    return this.#version;
  }

  get rules(): readonly RoutingRule[] {
    return this.#rules;
  }

  /** Requests that are planned already keep their plan. */
  replace(rules: readonly RoutingRule[]): void {
    this.#rules = rules;
    this.#version += 1;
  }

  match(request: XRRequest, complexity: () => number): RoutingRule | undefined {
    if (this.#rules.length === 0) return undefined;
    return this.#rules.find((rule) => isMatch(rule.when, request, complexity));
  }
}

function isMatch(when: RoutingRule["when"], request: XRRequest, complexity: () => number): boolean {
  if (when.tenant !== undefined && when.tenant !== request.principal.tenantId) return false;
  if (when.user !== undefined && when.user !== request.principal.userId) return false;
  if (when.model !== undefined && !isName(when.model, request.model)) return false;
  if (when.kind !== undefined && when.kind !== request.kind) return false;
  if (when.latencyClass !== undefined && when.latencyClass !== request.latencyClass) return false;
  if (when.complexityMin !== undefined && complexity() < when.complexityMin) return false;
  return when.complexityMax === undefined || complexity() <= when.complexityMax;
}

function isName(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** Which arm of a split a user belongs to. The same words give the same arm in every process (FNV-1a). */
export function armOf(split: NonNullable<RoutingRule["then"]["split"]>, ruleName: string, userId: string): string {
  let hash = 0x811c9dc5;
  for (const character of `${ruleName} ${userId}`) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  // Mixed once more: short names differ in their last bits only.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  const total = split.reduce((sum, arm) => sum + arm.share, 0);
  let rest = (((hash ^ (hash >>> 12)) >>> 0) / 4_294_967_296) * total;
  for (const arm of split) {
    rest -= arm.share;
    if (rest < 0) return arm.model;
  }
  return split.at(-1)?.model ?? "";
}

/** Throws `configuration_invalid` naming the path, the value and what is allowed. */
export function parseRoutingRules(input: unknown): readonly RoutingRule[] {
  if (input === undefined || input === null) return [];
  if (!Array.isArray(input)) throw invalid("routing.rules", input, "must be a list");
  return input.map((item, index) => parseRule(item, `routing.rules[${index}]`));
}

function parseRule(item: unknown, path: string): RoutingRule {
  const rule = fieldsOf(item, path, ["name", "when", "then"]);
  const { name } = rule;
  if (typeof name !== "string" || name === "") throw invalid(`${path}.name`, name, "must be a name");
  const when = fieldsOf(rule["when"] ?? {}, `${path}.when`, Object.keys(WHEN));
  const then = fieldsOf(rule["then"] ?? {}, `${path}.then`, Object.keys(THEN));
  for (const [key, value] of Object.entries(when)) checkField(WHEN, key, value, `${path}.when.${key}`);
  for (const [key, value] of Object.entries(then)) checkField(THEN, key, value, `${path}.then.${key}`);
  if (Object.keys(then).length === 0) throw invalid(`${path}.then`, rule["then"], "must say what to do");
  // A rule is awaited by nobody; `then` is the operator's word for it.
  // oxlint-disable-next-line unicorn/no-thenable
  return { name, when, then };
}

type Check = readonly [test: (value: unknown) => boolean, meaning: string];
const TEXT: Check = [(value) => typeof value === "string" && value !== "", "must be a text"];
const TEXTS: Check = [
  (value) => Array.isArray(value) && value.length > 0 && value.every((item) => TEXT[0](item)),
  "must be a list of texts",
];
const PART: Check = [(value) => typeof value === "number" && value >= 0 && value <= 1, "must be between 0 and 1"];
const CLASS: Check = [
  (value) => value === "interactive" || value === "conversational" || value === "background",
  "must be interactive, conversational or background",
];
const SPLIT: Check = [
  (value) => Array.isArray(value) && value.length > 0 && value.every(isArm),
  "must be a list of {model, share} with shares above 0",
];
const WHEN: Readonly<Record<string, Check>> = {
  tenant: TEXT,
  user: TEXT,
  model: TEXT,
  kind: TEXT,
  latencyClass: CLASS,
  complexityMin: PART,
  complexityMax: PART,
};
const THEN: Readonly<Record<string, Check>> = {
  use: TEXTS,
  fallbacks: TEXTS,
  avoid: TEXTS,
  region: TEXT,
  split: SPLIT,
  mirror: TEXT,
  costUsdMax: [(value) => typeof value === "number" && value > 0, "must be a number above 0"],
};

function isArm(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { model, share } = value as Readonly<Record<string, unknown>>;
  return typeof model === "string" && typeof share === "number" && share > 0 && Number.isFinite(share);
}

function checkField(checks: Readonly<Record<string, Check>>, key: string, value: unknown, path: string): void {
  const check = checks[key];
  if (check !== undefined && !check[0](value)) throw invalid(path, value, check[1]);
}

function fieldsOf(value: unknown, path: string, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid(path, value, "must be an object");
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) throw invalid(`${path}.${key}`, key, `is not known; known are ${known.join(", ")}`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function invalid(path: string, value: unknown, meaning: string): GatewayError {
  const shown = JSON.stringify(value)?.slice(0, 100) ?? "nothing";
  return new GatewayError("configuration_invalid", `${path} ${meaning}, not ${shown}`, { param: path });
}
