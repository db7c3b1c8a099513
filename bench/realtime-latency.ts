// What the gateway adds to a bridged realtime session: the same question to an emulated vendor, directly and through the
// gateway, by turns. Measured where the client reads its first sound, with every process on this machine.
// node --conditions=@fovea/source bench/realtime-latency.ts [--rounds 400]
import { parseArgs } from "node:util";
import { WebSocket } from "ws";
import { startEmulator } from "../packages/gateway/emulator/index.ts";
import { Child } from "./gateway/child.ts";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { rounds } = parseArgs({ options: { rounds: { type: "string", default: "400" } } }).values;
const MODEL = "gpt-realtime-x";

interface Line {
  readonly name: string;
  readonly socket: WebSocket;
  /** Milliseconds to the first sound of an answer. */
  ask(): Promise<number>;
}

async function open(name: string, url: string): Promise<Line> {
  const socket = new WebSocket(url, { headers: { authorization: "Bearer k" } });
  let first: (() => void) | undefined;
  let done: (() => void) | undefined;
  socket.on("message", (data: Buffer) => {
    const head = data.subarray(0, 120).toString("latin1");
    if (head.includes('"response.output_audio.delta"')) first?.();
    else if (head.includes('"response.done"')) done?.();
  });
  await new Promise((resolve, reject) => (socket.on("open", resolve), socket.on("error", reject)));
  await new Promise((resolve) => setTimeout(resolve, 500));
  return {
    name,
    socket,
    ask: async () => {
      const sound = new Promise<void>((resolve) => (first = resolve));
      const end = new Promise<void>((resolve) => (done = resolve));
      const content = [{ type: "input_text", text: "what is this" }];
      const startedMs = performance.now();
      socket.send(
        JSON.stringify({ type: "conversation.item.create", item: { type: "message", role: "user", content } }),
      );
      socket.send(JSON.stringify({ type: "response.create" }));
      await sound;
      const tookMs = performance.now() - startedMs;
      await end;
      return tookMs;
    },
  };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

const scenario = { rules: [{ when: { method: "RESPONSE" }, answer: { text: "A red cup.", audioMs: 300 } }] };
await using emulator = await startEmulator({ provider: "openai", scenario });
const folder = mkdtempSync(join(tmpdir(), "fovea-bench-"));
const file = join(folder, "fovea.yaml");
const providers = [
  { id: "openai", type: "openai", baseUrl: emulator.baseUrl, apiKey: "k", models: [MODEL], allowPrivateAddress: true },
];
writeFileSync(file, JSON.stringify({ providers, store: { type: "memory" } }));
const gateway = await Child.start("gateway", [
  "packages/gateway/src/main.ts",
  "start",
  "--port",
  "0",
  "--config",
  file,
]);
const lines = [
  await open("direct", `ws://127.0.0.1:${emulator.port}/v1/realtime?model=${MODEL}`),
  await open("gateway", `${gateway.url.replace("http", "ws")}/v1/realtime?model=${MODEL}`),
] as const;
const times: Record<string, number[]> = { direct: [], gateway: [] };
for (let round = 0; round < Number(rounds) + 20; round++) {
  for (const line of round % 2 === 0 ? lines : [...lines].reverse()) {
    const tookMs = await line.ask();
    // The first rounds warm the compilers.
    if (round >= 20) times[line.name]?.push(tookMs);
  }
}
for (const list of Object.values(times)) list.sort((a, b) => a - b);
const at = (name: string, share: number): number => quantile(times[name] ?? [], share);
for (const name of ["direct", "gateway"]) {
  console.log(
    `${name.padEnd(8)} p50 ${at(name, 0.5).toFixed(2)} ms  p95 ${at(name, 0.95).toFixed(2)} ms  p99 ${at(name, 0.99).toFixed(2)} ms`,
  );
}
const added = [0.5, 0.95, 0.99].map((share) => (at("gateway", share) - at("direct", share)).toFixed(2));
console.log(
  `added    p50 ${added[0]} ms  p95 ${added[1]} ms  p99 ${added[2]} ms  (goal: p50 15, p99 50; ${rounds} questions each)`,
);
for (const { socket } of lines) socket.terminate();
await gateway.stop();
process.exit(0);
