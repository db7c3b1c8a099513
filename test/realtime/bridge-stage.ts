// A bridged conversation on emulated vendors, without a door: what it says is kept as a list of words.
import type { Candidate, ProviderConfig } from "@fovea/core";
import { NO_METER, ProviderRegistry } from "@fovea/core";
import { CellHealthBook } from "../../packages/core/src/resilience/cell-health.ts";
import { MemoryLog, SeededRandom } from "@fovea/core/testing";
import {
  startEmulator,
  type Emulator,
  type ProviderName,
  type ScenarioInput,
} from "../../packages/gateway/emulator/index.ts";
import { SystemClock } from "../../packages/gateway/src/platform/system-clock.ts";
import { SystemIds } from "../../packages/gateway/src/platform/system-ids.ts";
import { createHttpTransport } from "../../packages/gateway/src/providers/http-transport.ts";
import { createProviderFactory } from "../../packages/gateway/src/providers/provider-factory.ts";
import { openBridge, type BridgeOptions } from "../../packages/gateway/src/realtime/bridge/bridged-voice.ts";
import type {
  VoiceHandle,
  VoiceOutputPort,
  VoiceSettings,
} from "../../packages/gateway/src/realtime/voice/voice-port.ts";
import { Seen } from "./realtime-clients.ts";

export interface Told {
  readonly type: string;
  readonly atMs: number;
  readonly [name: string]: unknown;
}

export interface BridgeStage {
  readonly voice: VoiceHandle;
  readonly told: Seen<Told>;
  readonly emulators: readonly Emulator[];
  [Symbol.asyncDispose](): Promise<void>;
}

export interface StageVendor {
  readonly type: ProviderName;
  readonly scenario?: ScenarioInput;
  /** Another port in front of the emulator's. */
  readonly through?: (port: number) => Promise<number>;
}

const MODELS: Readonly<Record<string, string>> = {
  openai: "gpt-realtime-x",
  google: "gemini-live-x",
  custom: "my-realtime",
};

export async function openStage(
  vendors: readonly StageVendor[],
  settings: Partial<VoiceSettings> = {},
  more: Pick<BridgeOptions, "limits" | "answerLimits"> = {},
): Promise<BridgeStage> {
  const clock = new SystemClock();
  const http = createHttpTransport(clock);
  const factory = createProviderFactory({ clock, log: new MemoryLog(), http });
  const registry = new ProviderRegistry();
  const emulators: Emulator[] = [];
  const candidates: Candidate[] = [];
  for (const [index, { type, scenario, through }] of vendors.entries()) {
    const emulator = await startEmulator({ provider: type, ...(scenario === undefined ? {} : { scenario }) });
    emulators.push(emulator);
    const id = `${type}${index}`;
    const port = (await through?.(emulator.port)) ?? emulator.port;
    const baseUrl = emulator.baseUrl.replace(String(emulator.port), String(port));
    const model = MODELS[type] ?? "";
    const config: ProviderConfig = {
      id,
      type,
      apiKey: "k",
      baseUrl,
      models: [model],
      allowPrivateAddress: true,
    };
    registry.add(factory.createProvider(config, { id, type, displayName: id, models: [] }));
    candidates.push(...registry.resolve(`${id}/${model}`, "realtime").tiers.flat());
  }
  const told = new Seen<Told>();
  const ids = new SystemIds();
  const voice = openBridge({
    clock,
    ids,
    log: new MemoryLog(),
    meter: NO_METER,
    health: new CellHealthBook(new SeededRandom(1)),
    candidates,
    settings: { leadMs: Infinity, playback: "estimated", ...settings },
    output: noting(told),
    ...more,
  });
  return {
    voice,
    told,
    emulators,
    [Symbol.asyncDispose]: async () => {
      voice.close();
      for (const emulator of emulators) await emulator.close();
      await http.close();
    },
  };
}

const CALLS = [
  "speechStarted",
  "speechStopped",
  "committed",
  "transcriptPart",
  "transcriptDone",
  "transcriptFailed",
  "answerStarted",
  "answerText",
  "wordMark",
  "audioDone",
  "duck",
  "unduck",
  "flush",
  "filler",
  "toolCall",
  "turnDone",
  "degraded",
  "error",
] as const;

function noting(told: Seen<Told>): VoiceOutputPort {
  const port: Record<string, (event: object) => void> = {};
  for (const type of CALLS) port[type] = (event) => told.push({ ...event, type, atMs: performance.now() });
  port["audio"] = (event) => {
    const { pcm, ...rest } = event as { pcm: Int16Array };
    told.push({ ...rest, samples: pcm.length, type: "audio", atMs: performance.now() });
  };
  return port as unknown as VoiceOutputPort;
}

/** What a vendor was asked for its nth answer: the words of the whole conversation as it knows it. */
export function askedOf(emulator: Emulator | undefined, nth = -1): string {
  const asked = emulator?.requests.filter((request) => request.method === "RESPONSE") ?? [];
  return String((asked.at(nth)?.json as { all?: string } | undefined)?.all ?? "");
}

export function connectionsTo(emulator: Emulator | undefined): number {
  return emulator?.requests.filter((request) => request.method === "GET").length ?? 0;
}
