// What an emulated model says: the scenario's words, else something that follows from the request alone, so that a test
// can tell whose answer it got and that its own question arrived.
import type { JsonSchema } from "@fovea/core";
import type { SeededRandom } from "@fovea/core/testing";
import type { Answer } from "./scenario.ts";

/** The vendor-neutral reading of a chat request that a script needs. */
export interface Prompt {
  readonly lastUserText: string;
  /** All text of the request, for the token count. */
  readonly allText: string;
  readonly imageCount: number;
  readonly tools: readonly { readonly name: string; readonly schema: JsonSchema }[];
  readonly toolChoice: "auto" | "none" | "required" | { readonly name: string };
  readonly endsWithToolResult: boolean;
  readonly schema?: JsonSchema;
  readonly wantsJson?: boolean;
  readonly maxTokens?: number;
}

export interface Script {
  readonly reasoning: readonly string[];
  readonly tokens: readonly string[];
  readonly text: string;
  readonly refusal: string | undefined;
  readonly toolCalls: readonly ScriptedCall[];
  /** The vendor's own string where the scenario names one. */
  readonly finish: string | undefined;
  readonly outcome: "stop" | "length" | "tool_calls" | "filter";
  readonly filter: "before" | "after" | undefined;
  readonly usage: ScriptedUsage;
}

export interface ScriptedCall {
  readonly id: string | undefined;
  readonly name: string;
  readonly args: string;
  /** The same text in pieces; one piece where the scenario wants it whole. */
  readonly pieces: readonly string[];
}

export interface ScriptedUsage {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly reasoning: number;
}

const WORDS = "the lamp on a shelf near one window glows while dust drifts past your chair and the red cup waits".split(
  " ",
);

export function writeScript(answer: Answer, prompt: Prompt, random: SeededRandom): Script {
  const toolCalls = scriptedCalls(answer, prompt);
  const whole = toolCalls.length > 0 && answer.text === undefined ? [] : tokensOf(answer, prompt, random);
  const limit = prompt.maxTokens ?? Infinity;
  const tokens = whole.slice(0, limit);
  const reasoning = answer.reasoning === undefined ? [] : pieces(answer.reasoning);
  const argsTokens = toolCalls.reduce((sum, call) => sum + call.pieces.length, 0);
  const reasoningTokens = answer.usage?.reasoning ?? reasoning.length;
  return {
    reasoning,
    tokens: answer.refusal === undefined && answer.filter !== "before" ? tokens : [],
    text: answer.refusal === undefined && answer.filter !== "before" ? tokens.join("") : "",
    refusal: answer.refusal,
    toolCalls,
    finish: answer.finish,
    outcome: outcomeOf(answer, toolCalls, whole.length > limit),
    filter: answer.filter,
    usage: {
      input: answer.usage?.input ?? countTokens(prompt.allText) + 7,
      output: answer.usage?.output ?? tokens.length + argsTokens + reasoningTokens,
      cached: answer.usage?.cached ?? 0,
      cacheWrite: answer.usage?.cacheWrite ?? 0,
      reasoning: reasoningTokens,
    },
  };
}

function outcomeOf(answer: Answer, calls: readonly ScriptedCall[], isCut: boolean): Script["outcome"] {
  if (answer.filter !== undefined) return "filter";
  if (calls.length > 0) return "tool_calls";
  return isCut ? "length" : "stop";
}

function tokensOf(answer: Answer, prompt: Prompt, random: SeededRandom): readonly string[] {
  if (answer.tokens !== undefined) return answer.tokens;
  if (answer.text !== undefined) return pieces(answer.text);
  if (answer.words !== undefined) return pieces(words(answer.words, random));
  if (prompt.schema !== undefined) return pieces(JSON.stringify(exampleOf(prompt.schema)));
  if (prompt.wantsJson === true) return pieces(JSON.stringify({ answer: prompt.lastUserText }));
  const seen = prompt.imageCount === 0 ? "" : ` I see ${prompt.imageCount} image${prompt.imageCount === 1 ? "" : "s"}.`;
  return pieces(`You said: ${prompt.lastUserText}${seen}`);
}

function words(total: number, random: SeededRandom): string {
  const chosen: string[] = [];
  for (let index = 0; index < total; index++) {
    const word = random.pick(WORDS);
    chosen.push((index + 1) % 12 === 0 ? `${word}.` : word);
  }
  return chosen.join(" ");
}

/** A call comes from the scenario, or because the request insists on one, or because it offers tools to a fresh question. */
function scriptedCalls(answer: Answer, prompt: Prompt): readonly ScriptedCall[] {
  if (answer.toolCalls !== undefined) {
    return answer.toolCalls.map((call) => {
      const given = call.arguments ?? {};
      return buildCall(
        call.name,
        typeof given === "string" ? given : JSON.stringify(given),
        call.id,
        call.whole === true,
      );
    });
  }
  if (answer.text !== undefined || answer.tokens !== undefined || answer.refusal !== undefined) return [];
  const wanted = wantedTool(prompt);
  return wanted === undefined
    ? []
    : [buildCall(wanted.name, JSON.stringify(exampleOf(wanted.schema)), undefined, false)];
}

function wantedTool(prompt: Prompt): Prompt["tools"][number] | undefined {
  const { toolChoice, tools } = prompt;
  if (toolChoice === "none" || prompt.endsWithToolResult) return undefined;
  if (typeof toolChoice === "object") return tools.find((tool) => tool.name === toolChoice.name);
  return tools[0];
}

function buildCall(name: string, args: string, id: string | undefined, isWhole: boolean): ScriptedCall {
  return { id, name, args, pieces: isWhole ? [args] : (args.match(/[\s\S]{1,8}/g) ?? [""]) };
}

/** Pieces of text as a tokenizer would make them: a word with the space before it. Joined they are the text again. */
export function pieces(text: string): readonly string[] {
  return text.match(/\s*\S+|\s+$/g) ?? (text === "" ? [] : [text]);
}

export function countTokens(text: string): number {
  return pieces(text).length;
}

/** The smallest value that satisfies the schema, as far as type, enum, const, properties and items go. */
export function exampleOf(schema: JsonSchema, depth = 0): unknown {
  if ("const" in schema) return schema["const"];
  if (Array.isArray(schema["enum"])) return schema["enum"][0] as unknown;
  const choices = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(choices) && depth < 16) return exampleOf((choices[0] ?? {}) as JsonSchema, depth + 1);
  const type: unknown = Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"];
  switch (typeof type === "string" ? type.toLowerCase() : undefined) {
    case "object":
      return depth >= 16 ? {} : exampleObject(schema, depth);
    case "array":
      return depth >= 16 ? [] : [exampleOf((schema["items"] ?? {}) as JsonSchema, depth + 1)];
    case "integer":
    case "number":
      return typeof schema["minimum"] === "number" ? schema["minimum"] : 1;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return "example";
  }
}

function exampleObject(schema: JsonSchema, depth: number): Record<string, unknown> {
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
  return Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, exampleOf(inner, depth + 1)]));
}

/** A unit vector that depends on the text alone: equal texts are equal, different texts are nearly orthogonal. */
export function vectorOf(text: string, dimensions: number): Float32Array {
  let state = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) state = Math.imul(state ^ text.charCodeAt(index), 0x01000193) >>> 0;
  const vector = new Float32Array(dimensions);
  let squares = 0;
  for (let index = 0; index < dimensions; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const value = state / 2_147_483_648 - 1;
    vector[index] = value;
    squares += value * value;
  }
  const length = Math.sqrt(squares) || 1;
  for (let index = 0; index < dimensions; index++) vector[index] = (vector[index] ?? 0) / length;
  return vector;
}
