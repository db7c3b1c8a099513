import type { ModelInfo, SupportedFeatures } from "@fovea/core";
import { GatewayError } from "@fovea/core";
import { arrayOf, countOf, recordOf, stringOf } from "../json-body.ts";

const CHAT: readonly SupportedFeatures[] = [
  "chat",
  "streaming",
  "tools",
  "structured-output",
  "vision-input",
  "vision",
  "audio-input",
  "transcribe",
];

/** PaLM names that applications still hold, and what answers in their place today. Source: Gemini deprecations page. */
const RETIRED: readonly (readonly [RegExp, string])[] = [
  [/^(?:chat|text|code|codechat)-(?:bison|unicorn)/, "gemini-2.5-flash"],
  [/^code-gecko/, "gemini-2.5-flash"],
  [/^(?:text|multimodal)?embedding-gecko/, "gemini-embedding-001"],
  [/^gemini-(?:pro|1\.0|1\.5)/, "gemini-2.5-flash"],
];

/** The successor of a retired name, or undefined while the name is in use. */
export function successorOf(model: string): string | undefined {
  const name = model.replace(/^models\//, "");
  return RETIRED.find(([pattern]) => pattern.test(name))?.[1];
}

/** The retired names that applications were written with, for the catalogue; `modelPath` knows their variants too. */
export const RETIRED_GOOGLE_MODELS: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ...["chat-bison", "text-bison", "code-bison", "codechat-bison"].flatMap(dated("", "-32k", "-001", "-002", "@001")),
    ...["text-unicorn", "code-gecko", "embedding-gecko", "textembedding-gecko"].flatMap(
      dated("", "-001", "-002", "@001"),
    ),
    "textembedding-gecko@003",
    "textembedding-gecko-multilingual",
    "gemini-pro",
    "gemini-pro-vision",
    "gemini-1.0-pro",
    "gemini-1.0-pro-001",
    "gemini-1.0-pro-vision",
    "gemini-1.0-pro-latest",
    ...["gemini-1.5-pro", "gemini-1.5-flash", "gemini-1.5-flash-8b"].flatMap(dated("", "-001", "-002", "-latest")),
  ].map((name) => [name, successorOf(name) ?? "gemini-2.5-flash"]),
);

function dated(...endings: readonly string[]): (name: string) => string[] {
  return (name) => endings.map((ending) => name + ending);
}

/** `/models/{m}`. Throws `model_retired` with the successor's name for models that no server answers any more. */
export function modelPath(model: string): string {
  const name = model.replace(/^models\//, "");
  const successor = successorOf(name);
  if (successor !== undefined) {
    throw new GatewayError("model_retired", `${name} was retired by Google; today's successor is ${successor}`, {
      param: "model",
      successor,
    });
  }
  const kind = name.startsWith("tunedModels/") ? "" : "models/";
  // An @ (as in dated model names) may stand in a path as it is, and servers compare before they decode.
  return `/${kind}${name.split("/").map(encodeURIComponent).join("/").replaceAll("%40", "@")}`;
}

/** Gemini 3 and later think in levels; 2.5 by a budget. */
export function thinksInLevels(model: string): boolean {
  return /gemini-(?:[3-9]|\d\d)/.test(model);
}

export function featuresOfGoogle(model: string): readonly SupportedFeatures[] {
  if (/embedding/.test(model)) return ["embed"];
  if (/imagen|-image/.test(model)) return ["image"];
  if (/veo/.test(model)) return ["job"];
  if (/-tts/.test(model)) return ["speak"];
  if (/live|native-audio/.test(model)) return ["realtime", "audio-input"];
  return /gemini-(?:2\.5|[3-9])/.test(model) ? [...CHAT, "reasoning"] : CHAT;
}

/** Models of the developer documentation as of 2026-11. */
export const GOOGLE_MODELS: readonly ModelInfo[] = [
  { id: "gemini-3-pro-preview", contextTokens: 1_048_576, outputTokensMax: 65_536 },
  { id: "gemini-2.5-pro", contextTokens: 1_048_576, outputTokensMax: 65_536 },
  { id: "gemini-2.5-flash", contextTokens: 1_048_576, outputTokensMax: 65_536 },
  { id: "gemini-2.5-flash-lite", contextTokens: 1_048_576, outputTokensMax: 65_536 },
  { id: "gemini-embedding-001", contextTokens: 2_048 },
].map((model) => ({ ...model, features: featuresOfGoogle(model.id) }));

export function decodeModels(body: unknown): readonly ModelInfo[] {
  return arrayOf(recordOf(body)?.["models"]).flatMap((row) => {
    const model = recordOf(row);
    const id = stringOf(model?.["name"])?.replace(/^models\//, "");
    if (model === undefined || id === undefined) return [];
    const contextTokens = countOf(model["inputTokenLimit"]);
    const outputTokensMax = countOf(model["outputTokenLimit"]);
    return [
      {
        id,
        features: featuresOfGoogle(id),
        ...(contextTokens === undefined ? {} : { contextTokens }),
        ...(outputTokensMax === undefined ? {} : { outputTokensMax }),
      },
    ];
  });
}

export function nextModelsPath(body: unknown): string | undefined {
  const token = stringOf(recordOf(body)?.["nextPageToken"]);
  return token === undefined || token === ""
    ? undefined
    : `/models?pageSize=1000&pageToken=${encodeURIComponent(token)}`;
}
