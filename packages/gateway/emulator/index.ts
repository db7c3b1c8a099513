// The provider emulator as tests and benches use it. `npm run emulator` is emulator/main.ts.
export { startEmulator } from "./start-emulator.ts";
export type { Emulator, EmulatorOptions, RecordedCall } from "./start-emulator.ts";
export { PROVIDER_NAMES } from "./exchange.ts";
export type { ProviderName } from "./exchange.ts";
export { parseScenario, ScenarioError } from "./scenario.ts";
export type { ScenarioInput } from "./scenario.ts";
export { FAULT_NAMES } from "./named-faults.ts";
