// Rules FS1..FS4 of docs/spec/session.md. Frames are cut into reads at random; what the shortcut passes on is put together
// again by a reader that is as plain as RFC 6455 allows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "@fovea/core/testing";
import { FrameShortcut } from "./frame-shortcut.ts";

interface Frame {
  readonly first: number;
  readonly payload: Buffer;
  readonly isMasked: boolean;
}

/** `0x82` is a whole binary message; first byte as in RFC 6455, 5.2. */
const frame = (first: number, size: number, fill = 7, isMasked = true): Frame => ({
  first,
  payload: Buffer.from(Array.from({ length: size }, (_, i) => (i * fill) & 255)),
  isMasked,
});

function encode({ first, payload, isMasked }: Frame, mask: readonly number[]): Buffer {
  const size = payload.length;
  const bit = isMasked ? 0x80 : 0;
  const header =
    size < 126
      ? [first, bit | size]
      : size < 65_536
        ? [first, bit | 126, size >> 8, size & 255]
        : [first, bit | 127, 0, 0, 0, 0, (size >>> 24) & 255, (size >>> 16) & 255, (size >>> 8) & 255, size & 255];
  const body = isMasked ? payload.map((byte, i) => byte ^ (mask[i & 3] as number)) : payload;
  return Buffer.concat([Buffer.from(header), Buffer.from(isMasked ? mask : []), body]);
}

/** Plays the frames, cut into reads of the given sizes; one line for each frame, with the way it came. */
function play(frames: readonly Frame[], sizes: () => number, mask = [9, 200, 3, 77]): string[] {
  const lines: string[] = [];
  let waiting = Buffer.alloc(0);
  const shortcut = new FrameShortcut({
    binary: (payload) => lines.push(`short ${text(0x82, payload)}`),
    pass: (bytes) => {
      waiting = Buffer.concat([waiting, bytes]);
      for (let read = takeFrame(waiting); read !== undefined; read = takeFrame(waiting)) {
        lines.push(`long ${text(read.first, read.payload)}`);
        waiting = waiting.subarray(read.size);
      }
    },
  });
  const bytes = Buffer.concat(frames.map((one) => encode(one, mask)));
  for (let at = 0; at < bytes.length;) {
    const end = at + Math.max(1, sizes());
    shortcut.push(Buffer.from(bytes.subarray(at, end)));
    at = end;
  }
  return lines;
}

function takeFrame(bytes: Buffer): { first: number; payload: Buffer; size: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = (bytes[1] as number) & 127;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const maskBytes = (bytes[1] as number) > 127 ? 4 : 0;
  const at = 2 + lengthBytes + maskBytes;
  if (bytes.length < at) return undefined;
  const length = lengthBytes === 0 ? short : Number(BigInt(`0x${bytes.toString("hex", 2, 2 + lengthBytes)}`));
  if (bytes.length < at + length) return undefined;
  const payload = Buffer.from(bytes.subarray(at, at + length));
  for (let i = 0; i < length && maskBytes > 0; i++)
    payload[i] = (payload[i] as number) ^ (bytes[at - 4 + (i & 3)] as number);
  return { first: bytes[0] as number, payload, size: at + length };
}

const text = (first: number, payload: Buffer): string =>
  `${first.toString(16)} ${payload.length} ${payload.toString("hex")}`;
const ways = (lines: readonly string[]): string =>
  lines.map((line) => line.split(" ").slice(0, 3).join(" ")).join(", ");

test("[FS1] a whole binary message in one read takes the short way, unmasked", () => {
  const frames = [frame(0x82, 0), frame(0x82, 3), frame(0x82, 441), frame(0x82, 65_535)];
  const lines = play(frames, () => 1e9);
  assert.deepEqual(
    lines,
    frames.map((one) => `short ${text(one.first, one.payload)}`),
  );
});

test("[FS2] everything else goes the ordinary way, byte for byte and in order", () => {
  const frames = [
    frame(0x81, 5),
    frame(0x82, 4),
    frame(0x89, 2),
    frame(0xc2, 4),
    frame(0x82, 4, 7, false),
    frame(0x82, 65_536),
    frame(0x02, 3),
    frame(0x82, 3),
    frame(0x89, 1),
    frame(0x80, 3),
    frame(0x82, 6),
  ];
  assert.equal(
    ways(play(frames, () => 1e9)),
    "long 81 5, short 82 4, long 89 2, long c2 4, long 82 4, long 82 65536, long 2 3, long 82 3, long 89 1, long 80 3, short 82 6",
  );
});

test("[FS3] however the reads are cut, every frame arrives once, whole and in order", () => {
  const seed = 20_261_122;
  const random = new SeededRandom(seed);
  const pick = (values: readonly number[]): number => values[Math.floor(random.next() * values.length)] as number;
  for (let round = 0; round < 400; round++) {
    const frames = Array.from({ length: 12 }, (_, index) =>
      frame(pick([0x82, 0x82, 0x82, 0x81, 0x89, 0x8a]), pick([0, 1, 5, 100, 125, 126, 441, 700]), index + 1),
    );
    const largest = pick([1, 2, 7, 60, 500, 3_000]);
    const mask = [0, 0, 0, 0].map(() => Math.floor(random.next() * 256));
    const lines = play(frames, () => Math.floor(random.next() * largest), mask);
    const arrived = lines.map((line) => line.replace(/^\w+ /, ""));
    assert.deepEqual(
      arrived,
      frames.map((one) => text(one.first, one.payload)),
      `seed ${seed}, round ${round}`,
    );
  }
});

test("[FS4] nothing takes the short way after a close frame", () => {
  const lines = play([frame(0x82, 2), frame(0x88, 2), frame(0x82, 2), frame(0x82, 3)], () => 8);
  assert.equal(ways(lines), "short 82 2, long 88 2");
});
