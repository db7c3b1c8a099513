// What the emulator says beside what the vendors really said: every member and its type must occur in the recorded
// exchanges, and what nearly all of them have must not be missing. Values are free.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import { startEmulator, type ProviderName, type ScenarioInput } from "../../packages/gateway/emulator/index.ts";

const DATA = join(process.env["FOVEA_DATA"] ?? join(import.meta.dirname, "../../../shared/data"), "providers");
const skip = existsSync(DATA) ? false : "FOVEA_DATA absent";

interface Meta {
  readonly request: { readonly url: string };
  readonly response: { readonly status: number; readonly body: string };
}

/** Types by path, of one document: `choices[].delta.content` → `string`. Events carry their type in front. */
type Shape = Map<string, Set<string>>;

function addShape(shape: Shape, value: unknown, path: string): void {
  const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  const types = shape.get(path) ?? new Set();
  types.add(type);
  shape.set(path, types);
  if (Array.isArray(value)) for (const item of value) addShape(shape, item, `${path}[]`);
  else if (typeof value === "object" && value !== null) {
    // Arguments of a tool are the caller's own data.
    if (/\.(?:input|args|input_schema|parameters)$/.test(path)) return;
    for (const [key, inner] of Object.entries(value)) addShape(shape, inner, `${path}.${key}`);
  }
}

function shapeOf(body: string, isStream: boolean): Shape {
  const shape: Shape = new Map();
  if (!isStream) {
    addShape(shape, JSON.parse(body), "");
    return shape;
  }
  for (const line of body.split(/\r\n|\n|\r/)) {
    if (!line.startsWith("data: ") || line === "data: [DONE]") continue;
    const event = JSON.parse(line.slice(6)) as { readonly type?: string };
    addShape(shape, event, event.type ?? "");
  }
  return shape;
}

interface Surface {
  readonly provider: ProviderName;
  readonly folder: string;
  readonly url: RegExp;
  readonly path: string;
  readonly body: object;
  readonly headers?: Record<string, string>;
  /** What the recordings cannot show because they are older than the member, with where it comes from. */
  readonly newer: readonly RegExp[];
}

const user = [{ role: "user", content: "what is this" }];
const tool = {
  type: "function",
  function: { name: "look", parameters: { type: "object", properties: { at: { type: "string" } } } },
};

const SURFACES: Readonly<Record<string, Surface>> = {
  "OpenAI chat": {
    provider: "openai",
    folder: "openai",
    url: /api\.openai\.com\/v1\/chat\/completions$/,
    path: "/v1/chat/completions",
    body: { model: "m", messages: user, tools: [tool], stream_options: { include_usage: true } },
    newer: [],
  },
  Anthropic: {
    provider: "anthropic",
    folder: "anthropic",
    url: /api\.anthropic\.com\/v1\/messages$/,
    path: "/v1/messages",
    headers: { "anthropic-version": "2023-06-01" },
    body: {
      model: "m",
      max_tokens: 99,
      messages: user,
      tools: [{ name: "look", input_schema: tool.function.parameters }],
    },
    newer: [],
  },
  Google: {
    provider: "google",
    folder: "google",
    url: /:(?:stream)?[gG]enerateContent$/,
    path: "/v1beta/models/m:generateContent",
    body: {
      contents: [{ role: "user", parts: [{ text: "what is this" }] }],
      tools: [{ functionDeclarations: [{ name: "look" }] }],
    },
    // Gemini 3's signatures and implicit caching: types of npm package @google/genai 3.1.
    newer: [/\.thoughtSignature$/, /\.cachedContentTokenCount$/],
  },
  Cohere: {
    provider: "cohere",
    folder: "cohere",
    url: /api\.cohere\.com\/v2\/chat$/,
    path: "/v2/chat",
    body: { model: "m", messages: user, tools: [tool] },
    newer: [],
  },
};

function recordedShapes(surface: Surface, isStream: boolean): Shape[] {
  const shapes: Shape[] = [];
  for (const path of globSync(`${surface.folder}/http/*.meta.json`, { cwd: DATA })) {
    const { request, response } = JSON.parse(readFileSync(join(DATA, path), "utf8")) as Meta;
    if (response.status !== 200 || !surface.url.test(request.url.replace(/\?.*$/, ""))) continue;
    const body = readFileSync(join(DATA, dirname(path), response.body), "utf8");
    const looksStreamed = /^(?:event|data|id):|^: /m.test(body.slice(0, 200));
    if (looksStreamed !== isStream || body.trim() === "") continue;
    try {
      shapes.push(shapeOf(body, isStream));
    } catch {
      // Some recordings were cut by the tool that made them.
    }
  }
  return shapes;
}

async function emulatedShapes(surface: Surface, isStream: boolean): Promise<Shape[]> {
  const answers: ScenarioInput["rules"] = [
    { answer: { text: "It is a red cup." } },
    { answer: { toolCalls: [{ name: "look", arguments: { at: "cup" } }] } },
    { answer: { text: "It is a red cup.", usage: { input: 20, cached: 8, output: 6 } } },
  ];
  const shapes: Shape[] = [];
  for (const rule of answers) {
    await using emulator = await startEmulator({ provider: surface.provider, scenario: { rules: [rule] } });
    const path =
      isStream && surface.provider === "google" ? "/v1beta/models/m:streamGenerateContent?alt=sse" : surface.path;
    const response = await fetch(emulator.url + path, {
      method: "POST",
      headers: { authorization: "Bearer k", "content-type": "application/json", ...surface.headers },
      body: JSON.stringify(
        isStream && surface.provider !== "google" ? { ...surface.body, stream: true } : surface.body,
      ),
    });
    shapes.push(shapeOf(await response.text(), isStream));
  }
  return shapes;
}

for (const [name, surface] of Object.entries(SURFACES)) {
  for (const isStream of [false, true]) {
    test(`[EM52] ${name}, ${isStream ? "streamed" : "whole"}`, { skip }, async () => {
      const recorded = recordedShapes(surface, isStream);
      const emulated = await emulatedShapes(surface, isStream);
      assert.ok(recorded.length >= 5, `only ${recorded.length} recordings`);
      const known: Shape = new Map();
      const often = new Map<string, number>();
      for (const shape of recorded) {
        for (const [path, types] of shape) {
          known.set(path, new Set([...(known.get(path) ?? []), ...types]));
          often.set(path, (often.get(path) ?? 0) + 1);
        }
      }
      const problems: string[] = [];
      const said = new Set<string>();
      for (const shape of emulated) {
        for (const [path, types] of shape) {
          said.add(path);
          const seen = known.get(path);
          const odd = [...types].filter((type) => seen === undefined || !seen.has(type));
          if (odd.length > 0 && !surface.newer.some((pattern) => pattern.test(path))) {
            problems.push(`${path} is ${odd.join()}, recorded ${seen === undefined ? "never" : [...seen].join()}`);
          }
        }
      }
      for (const [path, count] of often) {
        if (count >= recorded.length * 0.9 && !said.has(path)) {
          problems.push(`${path} is missing, recorded in ${count} of ${recorded.length}`);
        }
      }
      assert.deepEqual([...new Set(problems)], []);
    });
  }
}
