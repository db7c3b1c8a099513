import {
  GatewayError,
  type IAIProvider,
  type IdentifiedAdapter,
  type IProviderFactory,
  type ProviderConfig,
  type ProviderType,
} from "@fovea/core";
import { explainBaseUrl } from "./address-check.ts";
import { createAnthropicAdapter } from "./anthropic/adapter.ts";
import { createCohereAdapter } from "./cohere/adapter.ts";
import { createCustomAdapter } from "./custom/adapter.ts";
import { DIALECT_NAMES } from "./custom/dialects.ts";
import { createGoogleAdapter } from "./google/adapter.ts";
import { createHuggingFaceAdapter } from "./huggingface/adapter.ts";
import { createOpenAiAdapter } from "./openai/adapter.ts";
import { createTogetherAdapter } from "./together/adapter.ts";
import { createReplicateAdapter } from "./replicate/adapter.ts";
import { createWorldLabsAdapter } from "./worldlabs/adapter.ts";
import type { AdapterDeps } from "./provider-caller.ts";

type CreateAdapter = (config: ProviderConfig, deps: AdapterDeps) => IdentifiedAdapter;

/** How providers of one type are made, and what their configuration must have. */
export interface ProviderTypeRow {
  readonly create: CreateAdapter;
  readonly needsKey: boolean;
  readonly needsBaseUrl: boolean;
}

export type ProviderTypeTable = Readonly<Partial<Record<ProviderType, ProviderTypeRow>>>;

/** Types whose adapters this factory makes. `embedded` needs the scene engine and is made where that is. */
const TYPES: ProviderTypeTable = {
  openai: { create: createOpenAiAdapter, needsKey: true, needsBaseUrl: false },
  anthropic: { create: createAnthropicAdapter, needsKey: true, needsBaseUrl: false },
  google: { create: createGoogleAdapter, needsKey: true, needsBaseUrl: false },
  huggingface: { create: createHuggingFaceAdapter, needsKey: true, needsBaseUrl: false },
  cohere: { create: createCohereAdapter, needsKey: true, needsBaseUrl: false },
  replicate: { create: createReplicateAdapter, needsKey: true, needsBaseUrl: false },
  worldlabs: { create: createWorldLabsAdapter, needsKey: true, needsBaseUrl: false },
  together: { create: createTogetherAdapter, needsKey: true, needsBaseUrl: false },
  custom: { create: createCustomAdapter, needsKey: false, needsBaseUrl: true },
};

/** What is wrong with a configuration, and in which field. Secrets are never part of the message. */
export interface ConfigProblem {
  readonly field: keyof ProviderConfig;
  readonly message: string;
}

/** Specification section 1, plus the reasons behind a `false`. */
export interface ExplainingProviderFactory extends IProviderFactory {
  createProvider(config: ProviderConfig, providerDoc: IAIProvider): IdentifiedAdapter;
  /** Empty where `validateConfig` says true. */
  explainConfig(type: ProviderType, config: Partial<ProviderConfig>): readonly ConfigProblem[];
}

/** `more` adds the types whose adapters need what this layer does not have, such as `embedded` and the scene. */
export function createProviderFactory(deps: AdapterDeps, more: ProviderTypeTable = {}): ExplainingProviderFactory {
  const table: ProviderTypeTable = { ...TYPES, ...more };
  return {
    createProvider(config, providerDoc) {
      const whole = withDocument(config, providerDoc);
      const row = table[config.type];
      const problems = explain(table, config.type, whole);
      const first = problems[0];
      if (row === undefined || first !== undefined) {
        const why = problems.map((problem) => `${problem.field} ${problem.message}`).join("; ");
        throw new GatewayError("configuration_invalid", `provider ${config.id}: ${why}`, {
          providerId: config.id,
          ...(first === undefined ? {} : { param: first.field }),
        });
      }
      return row.create(whole, deps);
    },
    getSupportedTypes: () => Object.keys(table) as ProviderType[],
    validateConfig: (type, config) => explain(table, type, config).length === 0,
    explainConfig: (type, config) => explain(table, type, config),
  };
}

/** What the provider's document adds where the configuration is silent. */
function withDocument(config: ProviderConfig, document: IAIProvider | undefined): ProviderConfig {
  if (document === undefined) return config;
  const models = document.models.map((model) => model.id);
  return {
    ...(models.length === 0 ? {} : { models }),
    ...(document.region === undefined ? {} : { region: document.region }),
    ...config,
  };
}

function explain(
  table: ProviderTypeTable,
  type: ProviderType,
  config: Partial<ProviderConfig>,
): readonly ConfigProblem[] {
  const row = Object.hasOwn(table, type) ? table[type] : undefined;
  if (row === undefined)
    return [{ field: "type", message: `${String(type)} is not one of ${Object.keys(table).join(", ")}` }];
  const problems: ConfigProblem[] = [];
  const complain = (field: ConfigProblem["field"], message: string | undefined): void => {
    if (message !== undefined) problems.push({ field, message });
  };
  complain("type", config.type !== undefined && config.type !== type ? `is ${config.type}, not ${type}` : undefined);
  complain(
    "id",
    config.id !== undefined && !/^[\w.-]{1,64}$/.test(config.id)
      ? "must be 1 to 64 letters, digits, dots, dashes"
      : undefined,
  );
  complain("apiKey", keyProblem(isKeyless(type, config) ? { ...row, needsKey: false } : row, config.apiKey));
  const needsOwnUrl = config.dialect === "cog" || config.dialect === "endpoint";
  complain("baseUrl", baseUrlProblem(needsOwnUrl ? { ...row, needsBaseUrl: true } : row, config));
  complain(
    "weight",
    config.weight !== undefined && !(config.weight >= 0 && Number.isFinite(config.weight))
      ? "must be a number of at least 0"
      : undefined,
  );
  complain(
    "models",
    config.models?.some((model) => typeof model !== "string" || model.trim() === "") === true
      ? "must be model names"
      : undefined,
  );
  const dialects = DIALECTS_OF[type] ?? [];
  const isKnownDialect = config.dialect === undefined || dialects.includes(config.dialect);
  complain("dialect", isKnownDialect ? undefined : `is not one of ${dialects.join(", ")}`);
  complain("headers", headerProblem(config.headers));
  return problems;
}

const DIALECTS_OF: Readonly<Partial<Record<ProviderType, readonly string[]>>> = {
  custom: DIALECT_NAMES,
  openai: ["chat", "responses"],
  replicate: ["replicate", "cog"],
  huggingface: ["router", "endpoint"],
};

/** A container of one's own has no key unless somebody put a proxy before it. */
function isKeyless(type: ProviderType, config: Partial<ProviderConfig>): boolean {
  return type === "replicate" && config.dialect === "cog";
}

function keyProblem(row: ProviderTypeRow, key: string | undefined): string | undefined {
  if (key === undefined) return row.needsKey ? "is missing" : undefined;
  if (key.trim() === "") return "is empty";
  // A line break or blank inside a key is a copying mistake, and would be refused by the HTTP layer at every call.
  return /[^\x21-\x7e]/.test(key) ? "contains characters that no key has" : undefined;
}

function baseUrlProblem(row: ProviderTypeRow, config: Partial<ProviderConfig>): string | undefined {
  if (config.baseUrl === undefined) return row.needsBaseUrl ? "is missing" : undefined;
  return explainBaseUrl(config.baseUrl, config.allowPrivateAddress === true);
}

function headerProblem(headers: ProviderConfig["headers"]): string | undefined {
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return `has the invalid name ${JSON.stringify(name)}`;
    if (/[\r\n\0]/.test(value)) return `has a line break in ${name}`;
  }
  return undefined;
}
