// Recorded exchanges of FOVEA_DATA as a codec sees them: which codec they belong to, the bytes, the request's model.
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ChatCodec } from "../../packages/gateway/src/providers/vendor-wire.ts";
import { ANTHROPIC_WIRE } from "../../packages/gateway/src/providers/anthropic/adapter.ts";
import { COHERE_WIRE } from "../../packages/gateway/src/providers/cohere/adapter.ts";
import { COMPATIBLE_PROFILE } from "../../packages/gateway/src/providers/custom/dialects.ts";
import { GOOGLE_WIRE } from "../../packages/gateway/src/providers/google/adapter.ts";
import { openAiWire, responsesWire } from "../../packages/gateway/src/providers/openai/wire.ts";

const ROOT = join(import.meta.dirname, "../..");
const DATA = join(process.env["FOVEA_DATA"] ?? join(ROOT, "../shared/data"), "providers");

/** Reason to skip, shown by the runner; false when the recordings are there. */
export const SKIP: string | false = existsSync(DATA) ? false : "FOVEA_DATA absent";

export interface Recording {
  readonly name: string;
  readonly codec: ChatCodec;
  readonly codecName: string;
  readonly isStream: boolean;
  readonly bytes: Uint8Array;
  readonly status: number;
  readonly model: string;
}

function codecOf(wire: { readonly chat?: ChatCodec }): ChatCodec {
  if (wire.chat === undefined) throw new Error("no chat codec");
  return wire.chat;
}

const OPENAI = codecOf(openAiWire(COMPATIBLE_PROFILE, () => []));
const RESPONSES = codecOf(responsesWire(COMPATIBLE_PROFILE, () => []));
const CODECS: readonly (readonly [RegExp, string, ChatCodec])[] = [
  [/\/chat\/completions$/, "openai-chat", OPENAI],
  [/api\.openai\.com\/v1\/responses$/, "openai-responses", RESPONSES],
  [/api\.anthropic\.com\/v1\/messages$/, "anthropic", codecOf(ANTHROPIC_WIRE)],
  [/:(?:stream)?[gG]enerateContent$/, "google", codecOf(GOOGLE_WIRE)],
  [/api\.cohere\.com\/v2\/chat$/, "cohere", codecOf(COHERE_WIRE)],
];

/** Google's Interactions and Live interfaces, which are not generateContent; completions and realtime of OpenAI. */
const OTHER_INTERFACES =
  /openai__(?:openai-completion|openai-realtime)|google__(?:basic|google-live|google-search|multi-turn|tool-call-step)/;

interface Meta {
  readonly request: { readonly url: string; readonly body?: string };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
}

export function loadHttpRecordings(): Recording[] {
  if (SKIP !== false) return [];
  const found: Recording[] = [];
  for (const path of globSync("*/http/*.meta.json", { cwd: DATA }).sort()) {
    const meta = JSON.parse(readFileSync(join(DATA, path), "utf8")) as Meta;
    const url = meta.request.url.replace(/\?.*$/, "");
    const codec = CODECS.find(([pattern]) => pattern.test(url));
    if (codec === undefined) continue;
    found.push({
      name: `${dirname(dirname(path))}/${meta.response.body}`,
      codecName: codec[1],
      codec: codec[2],
      isStream: meta.response.body.endsWith(".sse"),
      bytes: readFileSync(join(DATA, dirname(path), meta.response.body)),
      status: meta.response.status,
      model: /"model":\s*"([^"]+)"/.exec(meta.request.body ?? "")?.[1] ?? "unknown",
    });
  }
  return found;
}

/** Fixtures of one JSON event a line, without their framing: it is rebuilt as the vendor sends it. */
export function loadChunkRecordings(): Recording[] {
  if (SKIP !== false) return [];
  const found: Recording[] = [];
  const families: readonly (readonly [string, string, ChatCodec])[] = [
    ["custom/chunks/{groq,deepseek,openai-compatible}__*.chunks.txt", "openai-chat", OPENAI],
    ["openai/chunks/openai__{openai-text,azure-model-router.1}.chunks.txt", "openai-chat", OPENAI],
    ["openai/chunks/*.chunks.txt", "openai-responses", RESPONSES],
    ["custom/chunks/open-responses__*.chunks.txt", "openai-responses", RESPONSES],
    ["together/chunks/*.chunks.txt", "openai-chat", OPENAI],
    ["anthropic/chunks/*.chunks.txt", "anthropic", codecOf(ANTHROPIC_WIRE)],
    ["google/chunks/*.chunks.txt", "google", codecOf(GOOGLE_WIRE)],
    ["cohere/chunks/*.chunks.txt", "cohere", codecOf(COHERE_WIRE)],
  ];
  for (const [pattern, codecName, codec] of families) {
    for (const path of globSync(pattern, { cwd: DATA }).sort()) {
      if (OTHER_INTERFACES.test(path) || found.some(({ name }) => name === path)) continue;
      const lines = readFileSync(join(DATA, path), "utf8")
        .split("\n")
        .filter((line) => line.trim() !== "");
      const isNamed = codecName === "anthropic" || codecName === "cohere" || codecName === "openai-responses";
      const name = (line: string): string => (isNamed ? `event: ${/"type":\s*"([^"]+)"/.exec(line)?.[1] ?? ""}\n` : "");
      const text =
        lines.map((line) => `${name(line)}data: ${line}\n\n`).join("") +
        (codecName === "openai-chat" ? "data: [DONE]\n\n" : "");
      found.push({
        name: path,
        codecName,
        codec,
        isStream: true,
        bytes: Buffer.from(text),
        status: 200,
        model: "unknown",
      });
    }
  }
  return found;
}
