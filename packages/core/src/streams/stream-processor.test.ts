// Rules ST1..ST9 and SF4 of docs/spec/streams.md. Packets are made with their true time, then delayed, lost and shuffled.
import assert from "node:assert/strict";
import test from "node:test";
import { CountingIds } from "../../testing/counting-ids.ts";
import { FakeClock } from "../../testing/fake-clock.ts";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { JitterBuffer } from "./jitter-buffer.ts";
import { MediaClock } from "./media-clock.ts";
import { StreamProcessor } from "./stream-processor.ts";
import type { ProcessedData, StreamConfig, TimedSample } from "./stream-types.ts";

interface Packet {
  readonly trueMs: number;
  readonly mediaMs: number;
  readonly arrivalMs: number;
  readonly sequence: number;
}

interface Line {
  readonly rateHz: number;
  readonly driftPpm?: number;
  readonly offsetMs?: number;
  readonly jitterMs: number;
  readonly loss?: number;
  readonly durationMs?: number;
}

function packets(line: Line, random: SeededRandom): Packet[] {
  const list: Packet[] = [];
  const durationMs = line.durationMs ?? 30_000;
  for (let i = 0; (i * 1_000) / line.rateHz < durationMs; i++) {
    if (random.next() < (line.loss ?? 0)) continue;
    const trueMs = (i * 1_000) / line.rateHz;
    const mediaMs = trueMs * (1 + (line.driftPpm ?? 0) * 1e-6) + (line.offsetMs ?? 0);
    list.push({ trueMs, mediaMs, arrivalMs: trueMs + 35 + random.next() * line.jitterMs, sequence: i });
  }
  return list.sort((a, b) => a.arrivalMs - b.arrivalMs);
}

function quantile(values: number[], share: number): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length * share)] ?? Infinity;
}

test("[ST1] streams of different clocks align", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = new SeededRandom(seed);
    const errors: number[] = [];
    for (const rateHz of [90, 50, 60]) {
      const clock = new MediaClock();
      const line = {
        rateHz,
        driftPpm: 100 * random.next() - 50,
        offsetMs: 1e6 * random.next(),
        jitterMs: 200,
        loss: 0.02,
        durationMs: 60_000,
      };
      for (const packet of packets(line, random)) {
        clock.fold(packet.mediaMs, packet.arrivalMs);
        if (packet.trueMs > 5_000) errors.push(Math.abs(clock.toSessionMs(packet.mediaMs) - 35 - packet.trueMs));
      }
      assert.ok(clock.errorMs < 20, `seed ${seed}: ${clock.errorMs}`);
    }
    const p95 = quantile(errors, 0.95);
    assert.ok(p95 <= 16, `seed ${seed}: p95 ${p95.toFixed(1)} ms`);
  }
});

interface Setup {
  readonly processor: StreamProcessor;
  readonly id: string;
}

async function open(config: Partial<StreamConfig> = {}, isRealTime = true): Promise<Setup> {
  const processor = new StreamProcessor({ clock: new FakeClock(), ids: new CountingIds() });
  const handle = await processor.createStream({ sessionId: "s", kind: "app", rateHz: 50, ...config });
  if (isRealTime) await processor.enableRealTimeProcessing(handle.id);
  return { processor, id: handle.id };
}

interface Release extends TimedSample {
  readonly atMs: number;
  readonly data: number;
}

/** Feeds packets in order of arrival with ticks of 10 ms between; the value of a sample is its true time. */
function drive(
  { processor, id }: Setup,
  list: readonly Packet[],
): { released: Release[]; dropped: string[]; last: ProcessedData } {
  const released: Release[] = [];
  const dropped: string[] = [];
  let tickMs = 0;
  let last = processor.release(id, 0);
  const take = (data: ProcessedData, atMs: number): void => {
    last = data;
    for (const sample of data.released) {
      released.push({ ...sample, atMs, data: (sample.value as { data: number }).data });
    }
    dropped.push(...data.dropped.map((entry) => entry.reason));
  };
  for (const packet of list) {
    for (; tickMs < packet.arrivalMs; tickMs += 10) take(processor.release(id, tickMs), tickMs);
    const sample = { timeMs: packet.mediaMs, sequence: packet.sequence, value: { data: packet.trueMs } };
    take(processor.push(id, { samples: [sample], arrivalMs: packet.arrivalMs }), packet.arrivalMs);
  }
  for (let i = 0; i < 100; i++, tickMs += 10) take(processor.release(id, tickMs), tickMs);
  return { released, dropped, last };
}

test("[ST2] samples leave in order, once, and within the latency target", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    const list = packets({ rateHz: 60, jitterMs: 30 + random.next() * 200, loss: 0.02, driftPpm: 40 }, random);
    const { released, dropped } = drive(await open({ rateHz: 60, latencyTargetMs: 250 }), list);
    assert.ok(
      released.every((sample, i) => i === 0 || sample.data > (released[i - 1]?.data ?? 0)),
      `seed ${seed}: order`,
    );
    assert.equal(released.length + dropped.length, list.length, `seed ${seed}: each once`);
    assert.ok(dropped.length < list.length * 0.04, `seed ${seed}: ${dropped.length} of ${list.length} late`);
    const waits = released.map((sample) => sample.atMs - sample.timeMs);
    assert.ok(Math.max(...waits.slice(50)) <= 250 + 10 + 1, `seed ${seed}: ${Math.max(...waits)}`);
  }
});

test("[ST3] the wait follows the jitter and obeys the target", async () => {
  const delay = async (jitterMs: number, targetMs: number): Promise<number> => {
    const setup = await open({ latencyTargetMs: targetMs });
    return drive(setup, packets({ rateHz: 50, jitterMs }, new SeededRandom(3))).last.delayMs;
  };
  assert.ok((await delay(2, 250)) <= 4);
  const bad = await delay(150, 250);
  assert.ok(bad > 100 && bad < 200, String(bad));
  assert.equal(await delay(400, 120), 120);
  const setup = await open({ latencyTargetMs: 250 });
  drive(setup, packets({ rateHz: 50, jitterMs: 150 }, new SeededRandom(3)));
  await setup.processor.setLatencyTarget(setup.id, 40);
  assert.equal(setup.processor.release(setup.id, 1e6).delayMs, 40);
});

function value(data: number): { readonly data: number } {
  return { data };
}

test("[ST4] what is dropped says why, and loss is counted", async () => {
  const { processor, id } = await open({ latencyTargetMs: 0 });
  const push = (timeMs: number, sequence: number, arrivalMs: number): ProcessedData =>
    processor.push(id, { samples: [{ timeMs, sequence, value: value(0) }], arrivalMs });
  assert.equal(push(0, 0, 0).released.length, 1);
  assert.equal(push(60, 3, 60).lost, 2);
  assert.equal(push(60, 3, 61).dropped[0]?.reason, "duplicate");
  assert.equal(push(20, 1, 70).dropped[0]?.reason, "late");
  assert.equal(push(Number.NaN, 4, 80).dropped[0]?.reason, "invalid");
  const bad = { numbers: Float32Array.from([1, Number.NaN]) };
  const answer = processor.push(id, { samples: [{ timeMs: 100, sequence: 5, value: bad }], arrivalMs: 100 });
  assert.equal(answer.dropped[0]?.reason, "invalid");
});

test("[ST5] late samples are delivered if so configured", async () => {
  const { processor, id } = await open({ latencyTargetMs: 0, latePolicy: "deliver" });
  for (const timeMs of [0, 20, 40, 60])
    processor.push(id, { samples: [{ timeMs, value: value(timeMs) }], arrivalMs: timeMs });
  const late = processor.push(id, { samples: [{ timeMs: 30, value: value(30) }], arrivalMs: 90 });
  assert.deepEqual([late.released.length, late.dropped.length], [1, 0]);
});

test("[ST6] a clock jump loses nothing", async () => {
  const random = new SeededRandom(6);
  const first = packets({ rateHz: 50, jitterMs: 40, durationMs: 3_000 }, random);
  const second = packets({ rateHz: 50, jitterMs: 40, durationMs: 3_000 }, random).map((packet) => ({
    ...packet,
    trueMs: packet.trueMs + 4_000,
    arrivalMs: packet.arrivalMs + 4_000,
    mediaMs: packet.mediaMs + 900_000,
    sequence: packet.sequence + 200,
  }));
  const { released } = drive(await open(), [...first, ...second]);
  assert.ok(released.length >= 298, String(released.length));
  const after = released.filter((sample) => sample.data >= 4_500);
  assert.ok(after.every((sample) => Math.abs(sample.timeMs - 35 - sample.data) < 20));
});

test("[ST7] a stream holds no more than its capacity and gives up the oldest", () => {
  const buffer = new JitterBuffer<number>({ latencyTargetMs: 100, latePolicy: "drop", capacity: 10 });
  for (let i = 0; i < 100; i++) assert.equal(buffer.push({ sourceMs: i, timeMs: 1e6 + i, value: i }, 0, 0), undefined);
  assert.equal(buffer.push({ sourceMs: 5, timeMs: 1e6, value: 5 }, 0, 0), "full");
  assert.deepEqual(
    buffer.flush().map((item) => item.value),
    [90, 91, 92, 93, 94, 95, 96, 97, 98, 99],
  );
});

test("[ST8] impossible requests are refused by name", async () => {
  const refused = async (action: () => Promise<unknown>): Promise<string> => {
    try {
      await action();
      return "ok";
    } catch (error) {
      assert.ok(GatewayError.is(error));
      return String(error.details.param);
    }
  };
  const { processor } = await open({ streamId: "a" });
  const create = (config: Partial<StreamConfig>): Promise<unknown> =>
    processor.createStream({ sessionId: "s", kind: "app", rateHz: 50, ...config });
  assert.equal(await refused(() => create({ streamId: "a" })), "streamId");
  assert.equal(await refused(() => create({ rateHz: 0 })), "rateHz");
  assert.equal(await refused(() => create({ capacity: 0 })), "capacity");
  assert.equal(await refused(() => create({ latencyTargetMs: -1 })), "latencyTargetMs");
  assert.equal(await refused(() => processor.setLatencyTarget("a", Number.NaN)), "latencyTargetMs");
  assert.equal(await refused(() => processor.processStream("b", { samples: [] })), "streamId");
  for (let i = 1; i < 64; i++) await create({});
  assert.equal(await refused(() => create({})), "streamId");
});

test("[ST9] without real-time processing samples come back at once", async () => {
  const { processor, id } = await open({}, false);
  const answer = await processor.processStream(id, {
    samples: [
      { timeMs: 20, value: value(1) },
      { timeMs: 0, value: value(2) },
    ],
    arrivalMs: 50,
  });
  assert.deepEqual(
    answer.released.map((sample) => sample.value),
    [value(1), value(2)],
  );
});

test("[SF4] synchronisation reports offset, drift and the common watermark", async () => {
  const processor = new StreamProcessor({ clock: new FakeClock(), ids: new CountingIds() });
  const random = new SeededRandom(4);
  const handles = await Promise.all(
    [90, 50].map((rateHz) => processor.createStream({ sessionId: "s", kind: "app", rateHz })),
  );
  const lines = [
    { rateHz: 90, driftPpm: 0, offsetMs: 0, jitterMs: 5, durationMs: 60_000 },
    { rateHz: 50, driftPpm: 50, offsetMs: 7_000, jitterMs: 60, durationMs: 40_000 },
  ];
  lines.forEach((line, i) => {
    for (const packet of packets(line, random)) {
      processor.push(handles[i]!.id, {
        samples: [{ timeMs: packet.mediaMs, value: value(0) }],
        arrivalMs: packet.arrivalMs,
      });
    }
  });
  const result = await processor.synchronizeStreams(handles);
  const [head, audio] = result.streams;
  assert.ok(Math.abs((audio?.offsetMs ?? 0) - (head?.offsetMs ?? 0) - 7_000 - 2) < 5);
  assert.ok(Math.abs((audio?.driftPpm ?? 0) - 50) < 40, String(audio?.driftPpm));
  assert.ok((audio?.skewMs ?? 0) > 10 && head?.skewMs === 0 && (audio?.errorMs ?? 99) < 10);
  assert.ok(Math.abs(result.watermarkMs - 40_000 - 35) < 40, String(result.watermarkMs));
});
