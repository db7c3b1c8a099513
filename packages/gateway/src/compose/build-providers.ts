// From the configured providers to their adapters: one for each key, all under the provider's id.
import type { EntryOptions, IdentifiedAdapter, ProviderConfig } from "@fovea/core";
import type { ConfigProblem } from "../config/config-problem.ts";
import { ConfigurationError, shownValue } from "../config/config-problem.ts";
import type { ResolvedConfig } from "../config/resolve-config.ts";
import { EmbeddedAdapter } from "../providers/embedded/embedded-adapter.ts";
import { createProviderFactory } from "../providers/provider-factory.ts";

export interface BuiltProvider {
  readonly config: ProviderConfig;
  readonly adapter: IdentifiedAdapter;
  /** As the registry takes it. */
  readonly options: EntryOptions;
}

export type ProviderDeps = Parameters<typeof createProviderFactory>[0];

/** Providers that are not behind a wire. */
const MORE_TYPES: NonNullable<Parameters<typeof createProviderFactory>[1]> = {
  embedded: { create: (provider) => new EmbeddedAdapter(provider.id), needsKey: false, needsBaseUrl: false },
};

/**
 * Throws `ConfigurationError` with everything that is wrong with any provider. `isWanted` leaves out those that are there
 * already; they are checked all the same. Also what the doctor asks.
 */
export function buildProviders(
  config: ResolvedConfig,
  deps: ProviderDeps,
  isWanted: (provider: ProviderConfig) => boolean = () => true,
): BuiltProvider[] {
  const factory = createProviderFactory(deps, MORE_TYPES);
  const types = factory.getSupportedTypes();
  const known = config.providers.filter((provider) => types.includes(provider.type) || config.isWritten(provider.id));
  const problems = known.flatMap((provider) =>
    keysOf(provider).flatMap(({ config: single, field: keyField }) =>
      factory.explainConfig(provider.type, single).map(({ field, message }): ConfigProblem => {
        const isKey = field === "apiKey";
        const value = single[field];
        return {
          ...config.locateProvider(provider.id, isKey ? keyField : field),
          ...(value === undefined ? {} : { value: shownValue(value, isKey || field === "headers") }),
          message,
          remedy: remedyOf(provider, field),
        };
      }),
    ),
  );
  if (problems.length > 0) throw new ConfigurationError(problems);
  return known.filter(isWanted).flatMap((provider) =>
    keysOf(provider).map(({ config: single, keyId }) => ({
      config: provider,
      adapter: factory.createProvider(single, documentOf(provider)),
      options: { keyId, ...entryOptions(provider) },
    })),
  );
}

/** A provider without a list of models passes on any name asked of it by `provider/name`. */
function entryOptions({ weight, models }: ProviderConfig): EntryOptions {
  return { ...(weight === undefined ? {} : { weight }), acceptsUnlisted: models === undefined };
}

interface SingleKey {
  readonly config: ProviderConfig;
  readonly keyId: string;
  /** Where it was written. */
  readonly field: string;
}

/** Keys are named by their place in the list: nothing of a key itself appears in metrics or logs. */
function keysOf(provider: ProviderConfig): readonly SingleKey[] {
  const { apiKeys, ...rest } = provider;
  if (apiKeys === undefined) return [{ config: provider, keyId: "default", field: "apiKey" }];
  return apiKeys.map((apiKey, index) => ({
    config: { ...rest, apiKey },
    keyId: `key-${index + 1}`,
    field: `apiKeys[${index}]`,
  }));
}

function remedyOf(provider: ProviderConfig, field: keyof ProviderConfig): string {
  if (field === "apiKey") return "Write the vendor's key, best as `${ENV_NAME}`";
  if (field !== "baseUrl") return `Correct \`${field}\` of the provider \`${provider.id}\``;
  return provider.baseUrl === undefined
    ? "Add the address of the server, for example http://localhost:11434/v1"
    : "Use another address, or set `allowPrivateAddress: true` for this provider if you mean it";
}

function documentOf(
  provider: ProviderConfig,
): Parameters<ReturnType<typeof createProviderFactory>["createProvider"]>[1] {
  return { id: provider.id, type: provider.type, displayName: provider.id, models: [] };
}
