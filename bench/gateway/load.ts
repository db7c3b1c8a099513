import { Pool } from "undici";

const BODY = JSON.stringify({
  model: "bench/bench-model",
  messages: [
    { role: "system", content: "You are a guide in a room. Answer briefly and name what you refer to." },
    { role: "user", content: "Where is the red chair, and what stands beside it? ".repeat(10) },
  ],
  temperature: 0.2,
});
const HEADERS = { "content-type": "application/json", authorization: "Bearer bench-key-of-the-load" };

/** A closed loop: `connections` callers, each sending its next request when the last is answered. Latencies in ms, sorted. */
export async function sendLoad(url: string, count: number, connections: number): Promise<Float64Array> {
  const pool = new Pool(url, { connections, pipelining: 1 });
  const latencies = new Float64Array(count);
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      const started = performance.now();
      const answer = await pool.request({ method: "POST", path: "/v1/chat/completions", headers: HEADERS, body: BODY });
      const text = await answer.body.text();
      latencies[index] = performance.now() - started;
      if (answer.statusCode !== 200 || !text.includes("red chair"))
        throw new Error(`${url}: ${answer.statusCode} ${text.slice(0, 200)}`);
    }
  };
  await Promise.all(Array.from({ length: connections }, caller));
  await pool.close();
  return latencies.sort();
}

export function quantile(sorted: Float64Array | readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
