// One op: a second of one headset's pose stream (72 Hz, 0 to 60 ms of jitter) in order through the jitter buffer.
import { StreamProcessor } from "@fovea/core";
import { CountingIds, FakeClock, SeededRandom } from "@fovea/core/testing";

const processor = new StreamProcessor({ clock: new FakeClock(), ids: new CountingIds() });
const random = new SeededRandom(1);
const numbers = new Float32Array(7);
let sent = 0;
let id = "";

export async function setup(_size: number): Promise<void> {
  const handle = await processor.createStream({ sessionId: "s", kind: "pose", rateHz: 72 });
  await processor.enableRealTimeProcessing(handle.id);
  id = handle.id;
}

export function run(): number {
  let released = 0;
  for (let i = 0; i < 72; i++, sent++) {
    const timeMs = (sent * 1_000) / 72;
    const sample = { timeMs, sequence: sent, value: { numbers } };
    released += processor.push(id, { samples: [sample], arrivalMs: timeMs + 35 + random.next() * 60 }).released.length;
  }
  return released;
}
