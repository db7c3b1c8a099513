// A whole gateway in this process, with an emulator behind every provider.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Gateway } from "../../packages/gateway/src/compose.ts";
import { composeGateway } from "../../packages/gateway/src/compose.ts";
import { resolveConfig } from "../../packages/gateway/src/config/resolve-config.ts";
import { SystemClock } from "../../packages/gateway/src/platform/system-clock.ts";
import { MemoryLog } from "@fovea/core/testing";
import { startEmulator, type Emulator, type ProviderName } from "../../packages/gateway/emulator/index.ts";

export interface VendorGateway extends AsyncDisposable {
  readonly url: string;
  readonly gateway: Gateway;
  readonly log: MemoryLog;
  /** By provider name. */
  readonly emulators: Readonly<Record<string, Emulator>>;
}

/**
 * Every vendor gets the models given to it, all reachable as `vendor/model`; none of them means that none are named.
 * `more` is YAML at the top level, `extras` YAML lines of one provider, which may change its id.
 */
export async function openGateway(
  vendors: Readonly<Partial<Record<ProviderName, readonly string[]>>>,
  more = "",
  extras: Readonly<Partial<Record<ProviderName, readonly string[]>>> = {},
): Promise<VendorGateway> {
  const emulators: Record<string, Emulator> = {};
  const lines = ["providers:"];
  for (const [name, models] of Object.entries(vendors)) {
    const provider = name as ProviderName;
    const emulator = await startEmulator({ provider });
    emulators[name] = emulator;
    const own = extras[provider] ?? [];
    const id = own.some((line) => line.startsWith("id:")) ? [] : [`id: ${name}`];
    const listed = models.length === 0 ? [] : [`models: ${JSON.stringify(models)}`];
    const entry = [...id, `type: ${name}`, `baseUrl: ${emulator.baseUrl}`, "apiKey: test-key", ...listed];
    lines.push("  -", ...[...entry, "allowPrivateAddress: true", ...own].map((line) => `    ${line}`));
  }
  const folder = mkdtempSync(join(tmpdir(), "fovea-doors-"));
  const config = join(folder, "fovea.yaml");
  writeFileSync(config, `${lines.join("\n")}\n${more}\n`);
  const log = new MemoryLog();
  const gateway = await composeGateway({
    config: resolveConfig({
      flags: { config, host: "127.0.0.1", port: "0", data: folder },
      environment: { FOVEA_PROBE: "false" },
      workingFolder: folder,
    }),
    clock: new SystemClock(),
    log,
    version: "test",
    searchPath: "",
  });
  const listening = await gateway.listen();
  const url = new URL(listening).origin.replace("localhost", "127.0.0.1");
  return {
    url,
    gateway,
    log,
    emulators,
    async [Symbol.asyncDispose]() {
      await gateway.close("test ended");
      for (const emulator of Object.values(emulators)) await emulator.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
