import { GatewayError, type IdentifiedAdapter, type ProviderConfig, type SupportedFeatures } from "@fovea/core";
import { bearer } from "../bearer.ts";
import { withVersion } from "../base-url.ts";
import type { OpenAiProfile } from "../openai/profile.ts";
import { openAiWire } from "../openai/wire.ts";
import type { AdapterDeps } from "../provider-caller.ts";
import { WireAdapter } from "../wire-adapter.ts";
import { azureQuery, DIALECTS } from "./dialects.ts";

const FEATURES: readonly SupportedFeatures[] = [
  "chat",
  "embed",
  "streaming",
  "tools",
  "structured-output",
  "vision-input",
  "audio-input",
  "reasoning",
];

/** Nothing describes the models of a custom server; names that say what they are for are believed. */
export function featuresOfCustom(model: string): readonly SupportedFeatures[] {
  if (/embed|bge-|e5-|gte-|minilm/i.test(model)) return ["embed"];
  if (/whisper|transcrib/i.test(model)) return ["transcribe"];
  if (/rerank/i.test(model)) return ["rerank"];
  return FEATURES.filter((feature) => feature !== "embed");
}

export function createCustomAdapter(config: ProviderConfig, deps: AdapterDeps): IdentifiedAdapter {
  const name = config.dialect ?? "openai-compatible";
  const dialect = DIALECTS[name];
  if (dialect === undefined || config.baseUrl === undefined) {
    throw new GatewayError("configuration_invalid", `provider ${config.id} has no base URL or an unknown dialect`, {
      providerId: config.id,
      param: dialect === undefined ? "dialect" : "baseUrl",
    });
  }
  const key = config.apiKey;
  const baseUrl = dialect.path === "" ? config.baseUrl : withVersion(config.baseUrl, dialect.path);
  const query = name === "azure" ? azureQuery(baseUrl) : undefined;
  return new WireAdapter(
    {
      config,
      features: FEATURES,
      baseUrl,
      headers: dialect.keyHeader === undefined || key === undefined ? bearer(config) : { [dialect.keyHeader]: key },
      wire: openAiWire(query === undefined ? dialect.profile : withQuery(dialect.profile, query), featuresOfCustom),
      knownModels: [],
      featuresOf: featuresOfCustom,
    },
    deps,
  );
}

function withQuery(profile: OpenAiProfile, query: string): OpenAiProfile {
  const add = (path: string): string => `${path}?${query}`;
  return {
    ...profile,
    chatPath: add(profile.chatPath),
    embedPath: add(profile.embedPath),
    modelsPath: add(profile.modelsPath),
  };
}
