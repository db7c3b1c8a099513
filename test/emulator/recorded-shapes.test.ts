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

/** Data of the caller or of the model, whose shape is its own. */
const OPAQUE = /\.(?:input|args|input_schema|parameters|output|openapi_schema|default_example)$/;

function addShape(shape: Shape, value: unknown, path: string): void {
  const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  const types = shape.get(path) ?? new Set();
  types.add(type);
  shape.set(path, types);
  if (Array.isArray(value) && OPAQUE.test(path)) return;
  if (Array.isArray(value)) for (const item of value) addShape(shape, item, `${path}[]`);
  else if (typeof value === "object" && value !== null) {
    if (OPAQUE.test(path)) return;
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
  /** Where nothing is said: 200, POST, at least five recordings, whole and streamed. */
  readonly status?: number;
  readonly method?: "GET";
  readonly least?: number;
  readonly forms?: readonly ("whole" | "stream")[];
  /** Of the scenario, beside the answers. */
  readonly rule?: NonNullable<ScenarioInput["rules"]>[number];
  /** What is asked first, to have something to ask for; its id takes the place of `ID` in the path. */
  readonly first?: { readonly path: string; readonly body: object };
  /** Members that recordings have and the emulator leaves out on purpose. */
  readonly left?: readonly RegExp[];
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
  "Together chat": {
    provider: "together",
    folder: "together",
    url: /together\.(?:ai|xyz)\/v1\/chat\/completions$/,
    path: "/v1/chat/completions",
    body: { model: "m", messages: user, tools: [tool] },
    least: 2,
    // Calls and cached tokens: types of npm package together-ai 0.52.
    newer: [/_tokens_details/, /\.delta\.tool_calls/],
  },
  "Together images": {
    provider: "together",
    folder: "together",
    url: /together\.xyz\/v1\/images\/generations$/,
    path: "/v1/images/generations",
    body: { model: "m", prompt: "a cup", response_format: "base64" },
    least: 2,
    forms: ["whole"],
    newer: [],
  },
  "Together refusals": {
    provider: "together",
    folder: "together",
    url: /together\.xyz\//,
    path: "/v1/chat/completions",
    body: { model: "m", messages: user },
    status: 400,
    rule: { status: 400 },
    least: 2,
    forms: ["whole"],
    newer: [],
  },
  "Hugging Face chat": {
    provider: "huggingface",
    folder: "huggingface",
    url: /router\.huggingface\.co\/.*\/v1\/chat\/completions$/,
    path: "/v1/chat/completions",
    body: { model: "m:hf-inference", messages: user },
    least: 4,
    // Calls and cached tokens of today's upstreams: types of npm package @huggingface/tasks.
    newer: [/_tokens_details/, /\.tool_calls/, /\.message\.content$/],
  },
  "Hugging Face objects": {
    provider: "huggingface",
    folder: "huggingface",
    url: /facebook\/detr-resnet-50$/,
    path: "/hf-inference/models/facebook/detr-resnet-50",
    body: { inputs: "aGk=" },
    least: 2,
    forms: ["whole"],
    newer: [],
  },
  "Hugging Face masks": {
    provider: "huggingface",
    folder: "huggingface",
    url: /detr-resnet-50-panoptic$/,
    path: "/hf-inference/models/nvidia/segformer-b0",
    body: { inputs: "aGk=" },
    least: 1,
    forms: ["whole"],
    newer: [],
  },
  "Hugging Face vectors": {
    provider: "huggingface",
    folder: "huggingface",
    url: /pipeline\/feature-extraction\//,
    path: "/hf-inference/models/sentence-transformers/all-MiniLM-L6-v2/pipeline/feature-extraction",
    body: { inputs: "hi" },
    least: 1,
    forms: ["whole"],
    newer: [],
  },
  "Replicate, made": {
    provider: "replicate",
    folder: "replicate",
    url: /\/v1\/(?:models\/[^/]+\/[^/]+\/)?predictions$/,
    path: "/v1/predictions",
    body: { version: "v", input: { prompt: "x" } },
    status: 201,
    forms: ["whole"],
    // Without waiting nothing is finished yet, so here it is made to take a second.
    rule: { answer: { jobMs: 1_000 } },
    newer: [],
  },
  "Replicate, asked for": {
    provider: "replicate",
    folder: "replicate",
    url: /\/v1\/predictions\/\w+$/,
    path: "/v1/predictions/ID",
    body: {},
    method: "GET",
    first: { path: "/v1/predictions", body: { version: "v", input: { prompt: "x" } } },
    forms: ["whole"],
    // Replicate's OpenAPI document of 2026.
    newer: [/^\.data_removed$/, /^\.urls\.stream$/],
  },
  "Replicate, a model": {
    provider: "replicate",
    folder: "replicate",
    url: /\/v1\/models\/[^/]+\/[^/]+$/,
    path: "/v1/models/meta/meta-llama-3-8b-instruct",
    body: {},
    method: "GET",
    forms: ["whole"],
    newer: [],
  },
  "Replicate refusals": {
    provider: "replicate",
    folder: "replicate",
    url: /predictions$/,
    path: "/v1/predictions",
    body: { version: "v", input: {} },
    status: 422,
    rule: { status: 422 },
    least: 3,
    forms: ["whole"],
    newer: [],
  },
};

function recordedShapes(surface: Surface, isStream: boolean): Shape[] {
  const shapes: Shape[] = [];
  for (const path of globSync(`${surface.folder}/http/*.meta.json`, { cwd: DATA })) {
    const { request, response } = JSON.parse(readFileSync(join(DATA, path), "utf8")) as Meta;
    if (response.status !== (surface.status ?? 200) || !surface.url.test(request.url.replace(/\?.*$/, ""))) continue;
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
  const answers: ScenarioInput["rules"] =
    surface.rule !== undefined
      ? [surface.rule]
      : [
          { answer: { text: "It is a red cup." } },
          { answer: { toolCalls: [{ name: "look", arguments: { at: "cup" } }] } },
          { answer: { text: "It is a red cup.", usage: { input: 20, cached: 8, output: 6 } } },
        ];
  const shapes: Shape[] = [];
  for (const rule of answers) {
    await using emulator = await startEmulator({ provider: surface.provider, scenario: { rules: [rule] } });
    const path =
      isStream && surface.provider === "google" ? "/v1beta/models/m:streamGenerateContent?alt=sse" : surface.path;
    const headers = { authorization: "Bearer k", "content-type": "application/json", ...surface.headers };
    const ask = async (to: string, body: object): Promise<Response> =>
      fetch(emulator.url + to, { method: "POST", headers, body: JSON.stringify(body) });
    const { first } = surface;
    const id = first === undefined ? "" : ((await (await ask(first.path, first.body)).json()) as { id: string }).id;
    const body = isStream && surface.provider !== "google" ? { ...surface.body, stream: true } : surface.body;
    const whole = path.replace("ID", id);
    const response = surface.method === "GET" ? await fetch(emulator.url + whole, { headers }) : await ask(whole, body);
    assert.equal(response.status, surface.status ?? 200, `${whole}: ${response.status}`);
    shapes.push(shapeOf(await response.text(), isStream));
  }
  return shapes;
}

for (const [name, surface] of Object.entries(SURFACES)) {
  for (const form of surface.forms ?? (["whole", "stream"] as const)) {
    const isStream = form === "stream";
    test(`[EM52] ${name}, ${isStream ? "streamed" : "whole"}`, { skip }, async () => {
      const recorded = recordedShapes(surface, isStream);
      const emulated = await emulatedShapes(surface, isStream);
      assert.ok(recorded.length >= (surface.least ?? 5), `only ${recorded.length} recordings`);
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
        const isLeft = surface.left?.some((pattern) => pattern.test(path)) === true;
        if (count >= recorded.length * 0.9 && !said.has(path) && !isLeft) {
          problems.push(`${path} is missing, recorded in ${count} of ${recorded.length}`);
        }
      }
      assert.deepEqual([...new Set(problems)], []);
    });
  }
}
