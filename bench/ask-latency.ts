// From `ask` to the first part of the answer, over a real socket, with an engine that answers from the context at once:
// what session, freezing, queue and socket add. Head poses arrive at 30 Hz meanwhile, the room holds 40 things.
//   npm run bench -- ask-latency [asks=400]
// Falsified by a p50 above 10 ms.
import { sceneNode, SeededRandom } from "@fovea/core/testing";
import { startServer, XRClient } from "../test/realtime/xr-client.ts";

const asks = Number(process.argv[2] ?? 400);
await using server = await startServer();
const client = await XRClient.connect(server.url);
const random = new SeededRandom(4);
const add = Array.from({ length: 40 }, (_, i) =>
  sceneNode(`e${i}`, [(random.next() - 0.5) * 6, random.next() * 2, -1 - random.next() * 3], {}, 0.2 + random.next()),
);
client.send({ type: "scene.update", frame: "local-floor", add, update: [], remove: [] });
const poses = setInterval(() => client.pose((sample) => sample.viewer.set([0, 1.6, 0, 0, 0.05, 0, 0.9987])), 33);
const firstMs: number[] = [];
for (let i = 0; i < asks + 50; i++) {
  client.messages.length = 0;
  const startedMs = performance.now();
  client.ask(`t${i}`);
  await client.until((message) => message.type === "text.delta");
  if (i >= 50) firstMs.push(performance.now() - startedMs);
  await client.done(`t${i}`);
  await new Promise((resolve) => setTimeout(resolve, 110));
}
clearInterval(poses);
client.drop();
firstMs.sort((a, b) => a - b);
const at = (share: number): string => (firstMs[Math.floor(share * (firstMs.length - 1))] ?? 0).toFixed(2);
console.log(
  `ask to first part over ${firstMs.length} asks: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms (goal: p50 at most 10)`,
);
