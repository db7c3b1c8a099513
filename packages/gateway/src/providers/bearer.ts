import type { ProviderConfig } from "@fovea/core";

export function bearer(config: ProviderConfig): Record<string, string> {
  return config.apiKey === undefined ? {} : { authorization: `Bearer ${config.apiKey}` };
}
