// A whole gateway in this process, in front of emulated vendors, for clients of the realtime doors.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Log } from "@fovea/core";
import {
  startEmulator,
  type Emulator,
  type ProviderName,
  type ScenarioInput,
} from "../../packages/gateway/emulator/index.ts";
import { composeGateway, resolveConfig, SystemClock, type Gateway } from "../../packages/gateway/src/index.ts";

export interface DoorGateway {
  readonly port: number;
  readonly gateway: Gateway;
  readonly emulators: Readonly<Record<string, Emulator>>;
  readonly logged: readonly string[];
  [Symbol.asyncDispose](): Promise<void>;
}

export interface DoorGatewayOptions {
  /** Emulated vendors by provider id. */
  readonly vendors?: Readonly<
    Record<
      string,
      { readonly type: ProviderName; readonly scenario?: ScenarioInput; readonly models: readonly string[] }
    >
  >;
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  /** With a key every call needs one. */
  readonly key?: string;
  readonly budgets?: readonly object[];
  /** Programs that speak and listen, by the machine's PATH. */
  readonly hasSpeech?: boolean;
}

export async function startDoorGateway(options: DoorGatewayOptions = {}): Promise<DoorGateway> {
  const folder = mkdtempSync(join(tmpdir(), "fovea-doors-"));
  const emulators: Record<string, Emulator> = {};
  const providers: object[] = [];
  for (const [id, { type, scenario, models }] of Object.entries(options.vendors ?? {})) {
    const emulator = await startEmulator({ provider: type, ...(scenario === undefined ? {} : { scenario }) });
    emulators[id] = emulator;
    providers.push({ id, type, baseUrl: emulator.baseUrl, apiKey: "k", models, allowPrivateAddress: true });
  }
  const config = {
    providers,
    store: { type: "memory" },
    routing: { aliases: options.aliases ?? {} },
    ...(options.budgets === undefined ? {} : { limits: { budgets: options.budgets } }),
    ...(options.key === undefined ? {} : { auth: { keys: [{ id: "app", key: options.key }] } }),
  };
  writeFileSync(join(folder, "fovea.yaml"), JSON.stringify(config));
  const logged: string[] = [];
  const log: Log = {
    write: (level, message, fields) => void logged.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`),
  } as Log;
  const gateway = await composeGateway({
    config: resolveConfig({ flags: { port: "0" }, environment: {}, workingFolder: folder }),
    clock: new SystemClock(),
    log,
    version: "test",
    searchPath: options.hasSpeech === true ? process.env["PATH"] : undefined,
  });
  const port = Number(new URL(await gateway.listen()).port);
  return {
    port,
    gateway,
    emulators,
    logged,
    [Symbol.asyncDispose]: async () => {
      await gateway.close("the test is over");
      for (const emulator of Object.values(emulators)) await emulator.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
