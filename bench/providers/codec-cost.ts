// What a streamed chunk and a whole call cost in CPU time, against bare undici with an SSE split, and against the
// vendor's own SDK. One run, rounds interleaved, the first dropped; the median of CPU time of this process is the result.
//   node --conditions=@fovea/source --expose-gc bench/providers/codec-cost.ts [rounds]
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import OpenAI from "openai";
import { Pool } from "undici";
import type { ChatRequest } from "@fovea/core";
import { MemoryLog } from "@fovea/core/testing";
import { SystemClock } from "../../packages/gateway/src/platform/system-clock.ts";
import { createHttpTransport } from "../../packages/gateway/src/providers/http-transport.ts";
import { createOpenAiAdapter } from "../../packages/gateway/src/providers/openai/adapter.ts";

const STREAMS = 32;
const CHUNKS = 200;
const ROUNDS = Number(process.argv[2] ?? 5);
const CALLS = 400;

const server = fork(join(import.meta.dirname, "chunk-server.ts"), { silent: true });
const [line] = (await once(server.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
const origin = `http://127.0.0.1:${line.toString().trim()}`;

const request = (model: string): ChatRequest => ({
  model,
  messages: [{ role: "user", content: [{ type: "text", text: "What is on the table?" }] }],
});
const http = createHttpTransport(new SystemClock());
const adapter = createOpenAiAdapter(
  { id: "bench", type: "openai", apiKey: "bench", baseUrl: origin },
  { clock: new SystemClock(), log: new MemoryLog(), http },
);
const pool = new Pool(origin, { connections: 64 });
const sdk = new OpenAI({ apiKey: "bench", baseURL: origin, maxRetries: 0 });

/** Bare undici: body bytes, lines, JSON, the text of the delta. Nothing is checked, limited or accounted. */
async function bareStream(model: string): Promise<number> {
  const body = JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "What is on the table?" }] });
  const headers = { "content-type": "application/json", authorization: "Bearer bench" };
  const answer = await pool.request({ method: "POST", path: "/chat/completions", headers, body });
  const decoder = new TextDecoder();
  let rest = "";
  let characters = 0;
  for await (const piece of answer.body) {
    rest += decoder.decode(piece as Uint8Array, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) {
      if (!text.startsWith("data: ") || text === "data: [DONE]") continue;
      const event = JSON.parse(text.slice(6)) as { choices: { delta: { content?: string } }[] };
      characters += event.choices[0]?.delta.content?.length ?? 0;
    }
  }
  return characters;
}

async function adapterStream(model: string): Promise<number> {
  let characters = 0;
  for await (const batch of adapter.chatStream(request(model))) characters += batch.text.length;
  return characters;
}

async function sdkStream(model: string): Promise<number> {
  let characters = 0;
  const messages = [{ role: "user" as const, content: "What is on the table?" }];
  for await (const event of await sdk.chat.completions.create({ model, stream: true, messages })) {
    characters += event.choices[0]?.delta.content?.length ?? 0;
  }
  return characters;
}

async function bareCall(): Promise<number> {
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "What is on the table?" }] });
  const headers = { "content-type": "application/json", authorization: "Bearer bench" };
  const answer = await pool.request({ method: "POST", path: "/chat/completions", headers, body });
  const whole = (await answer.body.json()) as { choices: { message: { content: string } }[] };
  return whole.choices[0]?.message.content.length ?? 0;
}

const adapterCall = async (): Promise<number> => (await adapter.chat(request("m"))).text.length;
const sdkCall = async (): Promise<number> => {
  const answer = await sdk.chat.completions.create({
    model: "m",
    messages: [{ role: "user", content: "What is on the table?" }],
  });
  return answer.choices[0]?.message.content?.length ?? 0;
};

async function cpuMicros(work: () => Promise<unknown>): Promise<number> {
  globalThis.gc?.();
  const before = process.cpuUsage();
  await work();
  const spent = process.cpuUsage(before);
  return spent.user + spent.system;
}

const many = (run: (model: string) => Promise<number>, model: string) => (): Promise<number[]> =>
  Promise.all(Array.from({ length: STREAMS }, () => run(model)));
const repeated = (run: () => Promise<number>) => async (): Promise<void> => {
  for (let count = 0; count < CALLS; count++) await run();
};

const CASES: readonly (readonly [string, number, Readonly<Record<string, () => Promise<unknown>>>])[] = [
  ["paced chunk, 32 streams x 100/s", STREAMS * CHUNKS, variants(`${CHUNKS}-10`)],
  ["coalesced chunk, 32 streams at once", STREAMS * 2_000, variants("2000-0")],
  ["whole call", CALLS, { bare: repeated(bareCall), adapter: repeated(adapterCall), sdk: repeated(sdkCall) }],
];

function variants(model: string): Readonly<Record<string, () => Promise<unknown>>> {
  return { bare: many(bareStream, model), adapter: many(adapterStream, model), sdk: many(sdkStream, model) };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

for (const [name, units, runs] of CASES) {
  const results = new Map<string, number[]>();
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [variant, run] of Object.entries(runs)) {
      const micros = (await cpuMicros(run)) / units;
      if (round > 0) results.set(variant, [...(results.get(variant) ?? []), micros]);
    }
  }
  const bare = results.get("bare") ?? [];
  console.log(name);
  for (const [variant, values] of results) {
    const spread = `${Math.min(...values).toFixed(1)}..${Math.max(...values).toFixed(1)}`;
    // Each round against its own baseline: other work on the machine slows both.
    const ratio = median(values.map((value, round) => value / (bare[round] ?? value)));
    console.log(
      `  ${variant.padEnd(8)} ${median(values).toFixed(1).padStart(7)} us CPU (${spread})  ${ratio.toFixed(2)} x bare`,
    );
  }
}

/** Bytes a 200-chunk stream allocates: growth of the heap over one stream, where no collection fell into it. */
async function allocated(run: (model: string) => Promise<number>, everyMs: number): Promise<number> {
  const samples: number[] = [];
  for (let round = 0; round < 15; round++) {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    await run(`${CHUNKS}-${everyMs}`);
    const grown = process.memoryUsage().heapUsed - before;
    if (grown > 0) samples.push(grown);
  }
  return median(samples);
}

console.log(`heap grown by one stream of ${CHUNKS} chunks, all at once and one every millisecond`);
for (const [variant, run] of [
  ["bare", bareStream],
  ["adapter", adapterStream],
  ["sdk", sdkStream],
] as const) {
  const [atOnce, paced] = [await allocated(run, 0), await allocated(run, 1)];
  console.log(
    `  ${variant.padEnd(8)} ${(atOnce / 1024).toFixed(0).padStart(7)} KiB ${(paced / 1024).toFixed(0).padStart(7)} KiB`,
  );
}

await http.close();
await pool.destroy();
server.disconnect();
