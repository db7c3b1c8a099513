// One adapter as the factory makes it, with the provider emulator behind it.
import type { ProviderConfig } from "@fovea/core";
import { MemoryLog } from "@fovea/core/testing";
import {
  startEmulator,
  type Emulator,
  type ProviderName,
  type ScenarioInput,
} from "../../packages/gateway/emulator/index.ts";
import { SystemClock } from "../../packages/gateway/src/platform/system-clock.ts";
import { createHttpTransport } from "../../packages/gateway/src/providers/http-transport.ts";
import type { OperationAdapter } from "../../packages/gateway/src/providers/operation-adapter.ts";
import { createProviderFactory } from "../../packages/gateway/src/providers/provider-factory.ts";

export interface Scene {
  readonly adapter: OperationAdapter;
  readonly emulator: Emulator;
}

export async function onEmulator<T>(
  vendor: ProviderName,
  scenario: ScenarioInput,
  use: (scene: Scene) => Promise<T>,
  config: Partial<ProviderConfig> | ((baseUrl: string) => Partial<ProviderConfig>) = {},
): Promise<T> {
  await using emulator = await startEmulator({ provider: vendor, scenario });
  const clock = new SystemClock();
  const http = createHttpTransport(clock);
  const factory = createProviderFactory({ clock, log: new MemoryLog(), http });
  const more = typeof config === "function" ? config(emulator.baseUrl) : config;
  const whole: ProviderConfig = { id: "p", type: vendor, apiKey: "test-key", baseUrl: emulator.baseUrl, ...more };
  const adapter = factory.createProvider(whole, { id: "p", type: whole.type, displayName: "p", models: [] });
  try {
    return await use({ adapter: adapter as OperationAdapter, emulator });
  } finally {
    await http.close();
  }
}
