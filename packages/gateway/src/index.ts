// For those who run the gateway inside their own process, and for tests.
export { composeGateway } from "./compose.ts";
export type { ComposeParts, Found, Gateway } from "./compose.ts";
export { ConfigurationError } from "./config/config-problem.ts";
export type { ConfigProblem } from "./config/config-problem.ts";
export { resolveConfig } from "./config/resolve-config.ts";
export type { ConfigInput, ResolvedConfig } from "./config/resolve-config.ts";
export { runCommandLine } from "./cli/command-line.ts";
export type { Terminal } from "./cli/command.ts";
export { createAiSdkAdapter } from "./providers/ai-sdk-bridge/adapter.ts";
export type { BridgeOptions } from "./providers/ai-sdk-bridge/adapter.ts";
export type { LanguageModelV4 } from "./providers/ai-sdk-bridge/language-model.ts";
export { SystemClock } from "./platform/system-clock.ts";
export { SystemIds } from "./platform/system-ids.ts";
export { SystemRandom } from "./platform/system-random.ts";
export { MemoryStore } from "@fovea/core";
export { SqliteStore } from "./stores/sqlite-store.ts";
export { PrometheusMeter } from "./telemetry/prometheus-meter.ts";
export { JsonLog, ReadableLog } from "./telemetry/json-log.ts";
