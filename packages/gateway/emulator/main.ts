// npm run emulator -- --provider openai --port 9001 --scenario file.yaml
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { PROVIDER_NAMES, type ProviderName } from "./exchange.ts";
import { FAULT_NAMES } from "./named-faults.ts";
import { parseScenario, ScenarioError } from "./scenario.ts";
import { startEmulator } from "./start-emulator.ts";

const USAGE = `emulator --provider <name> [--port 9001] [--host 127.0.0.1] [--scenario file.yaml]
providers: ${PROVIDER_NAMES.join(", ")}
faults by header x-emu-fault or model name emu/<fault>: ${FAULT_NAMES.join(", ")}`;

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

function readOptions(): { provider: ProviderName; port: number; host: string; file: string | undefined } {
  const options = {
    provider: { type: "string" },
    port: { type: "string", default: "0" },
    host: { type: "string", default: "127.0.0.1" },
    scenario: { type: "string" },
    help: { type: "boolean", default: false },
  } as const;
  let values;
  try {
    values = parseArgs({ options }).values;
  } catch (error) {
    return fail(`${(error as Error).message}\n${USAGE}`);
  }
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const provider = PROVIDER_NAMES.find((name) => name === values.provider);
  if (provider === undefined) return fail(`--provider ${values.provider ?? ""}: not a provider\n${USAGE}`);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) return fail(`--port ${values.port}: not a port`);
  return { provider, port, host: values.host, file: values.scenario };
}

async function main(): Promise<void> {
  const { provider, port, host, file } = readOptions();
  let scenario;
  try {
    scenario = file === undefined ? {} : parseScenario(readFileSync(file, "utf8"), basename(file));
  } catch (error) {
    return fail(error instanceof ScenarioError ? error.message : `--scenario ${file}: ${(error as Error).message}`);
  }
  const emulator = await startEmulator({ provider, port, host, scenario: { realDates: true, ...scenario } }).catch(
    (error: Error) => fail(`${host}:${port}: ${error.message}`),
  );
  console.log(`${provider} emulator: base URL ${emulator.baseUrl}`);
  const stop = (): void => void emulator.close().then(() => process.exit(0));
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}

await main();
