// Rules PV60..PV65 of docs/spec/providers.md over every recorded exchange: what real providers sent must decode, under
// any split, cut and damage. `decode` feeds bytes in the given pieces and returns the parts; nothing else calls a codec.
import assert from "node:assert/strict";
import test from "node:test";
import type { StreamPart } from "@fovea/core";
import { SeededRandom } from "@fovea/core/testing";
import { WireFault } from "../../packages/gateway/src/providers/wire-fault.ts";
import { classifyOpenAi } from "../../packages/gateway/src/providers/openai/failures.ts";
import { loadChunkRecordings, loadHttpRecordings, SKIP, type Recording } from "./recordings.ts";

const SEED = 20_261_122;
const RECORDINGS = [...loadHttpRecordings(), ...loadChunkRecordings()];
const ANSWERED = RECORDINGS.filter((recording) => recording.status === 200);

/** Streams in the recordings whose outcome is a failure, and which one. */
const FAILED: Readonly<Record<string, string>> = {
  "cohere/0052-v2-chat-200.sse": "provider_stream_error",
  "openai/0019-v1-chat-completions-200.sse": "truncated",
  "openai/0021-v1-chat-completions-200.sse": "truncated",
  "openai/chunks/openai__openai-error.1.chunks.txt": "quota_exhausted",
  // Two fixtures whose own text is damaged: an image cut short, an object without its last brace.
  "openai/chunks/openai__openai-image-generation-tool.1.chunks.txt": "protocol",
  "openai/chunks/openai__parallel-tool-call-wrapper.1.chunks.txt": "protocol",
  "anthropic/chunks/anthropic__spliced-message-start.chunks.txt": "protocol",
};

function contextOf(recording: Recording): {
  providerId: string;
  request: { model: string; messages: [] };
  warnings: [];
} {
  return { providerId: "recorded", request: { model: recording.model, messages: [] }, warnings: [] };
}

function isEventStream(recording: Recording): boolean {
  return recording.isStream && !/^\s*[[{]/.test(Buffer.from(recording.bytes.subarray(0, 16)).toString());
}

function decode(recording: Recording, pieces: Iterable<Uint8Array>, fault?: WireFault): StreamPart[] {
  const parts: StreamPart[] = [];
  const decoder = recording.codec.decoder(contextOf(recording));
  try {
    for (const piece of pieces) decoder.push(piece, parts);
    if (!decoder.isDone) decoder.end(fault, parts);
  } catch (error) {
    assert.ok(error instanceof WireFault, `${recording.name}: ${String(error)}`);
    if (!decoder.isDone) decoder.end(error, parts);
  }
  return parts;
}

function whole(recording: Recording): StreamPart[] {
  if (isEventStream(recording)) return decode(recording, [recording.bytes]);
  return recording.codec.decode(JSON.parse(Buffer.from(recording.bytes).toString()), contextOf(recording));
}

function* randomPieces(bytes: Uint8Array, random: SeededRandom, longest: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length;) {
    const size = 1 + Math.floor(random.next() * longest);
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

function textOf(parts: readonly StreamPart[]): string {
  return parts.map((part) => (part.type === "text-delta" ? part.text : "")).join("");
}

function assertLegal(name: string, parts: readonly StreamPart[]): void {
  const isTerminal = (part: StreamPart): boolean => part.type === "finish" || part.type === "error";
  assert.equal(parts.filter(isTerminal).length, 1, `${name}: one terminal part`);
  assert.ok(isTerminal(parts.at(-1) as StreamPart), `${name}: the terminal part is last`);
  assert.ok(parts.filter((part) => part.type === "usage" && part.isFinal).length <= 1, `${name}: one final usage`);
  const open = new Map<number, string>();
  for (const part of parts) {
    if (part.type === "tool-start") open.set(part.index, "");
    if (part.type === "tool-delta") {
      assert.ok(open.has(part.index), `${name}: a piece outside its call`);
      open.set(part.index, `${open.get(part.index)}${part.args}`);
    }
    if (part.type === "tool-end") {
      assert.equal(open.get(part.index), part.args, `${name}: the pieces joined are the arguments`);
      assert.equal(typeof JSON.parse(part.args), "object");
      open.delete(part.index);
    }
  }
}

test("[PV60] every recorded answer ends in one terminal part, the failed ones in their failure", { skip: SKIP }, () => {
  assert.ok(ANSWERED.length > 400, `only ${ANSWERED.length} recordings found`);
  for (const recording of ANSWERED) {
    const parts = whole(recording);
    assertLegal(recording.name, parts);
    const last = parts.at(-1);
    const outcome = last?.type === "error" ? last.failure.code : "finish";
    assert.equal(outcome, FAILED[recording.name] ?? "finish", recording.name);
    if (last?.type === "finish") assert.notEqual(last.reason, "other", `${recording.name}: ${last.raw} is not known`);
  }
});

test("[PV61] any split of the bytes gives the same parts", { skip: SKIP }, (context) => {
  const random = new SeededRandom(SEED);
  context.diagnostic(`seed ${SEED}`);
  for (const recording of ANSWERED.filter(isEventStream)) {
    const expected = whole(recording);
    const { bytes, name } = recording;
    assert.deepEqual(decode(recording, randomPieces(bytes, random, 200)), expected, name);
    if (bytes.length < 6_000) assert.deepEqual(decode(recording, randomPieces(bytes, random, 1)), expected, name);
  }
});

test("[PV61] CRLF line ends and comments between events give the same parts", { skip: SKIP }, () => {
  for (const recording of ANSWERED.filter(isEventStream)) {
    const text = Buffer.from(recording.bytes).toString().replaceAll("\r\n", "\n");
    const expected = whole(recording);
    assert.deepEqual(decode(recording, [Buffer.from(text.replaceAll("\n", "\r\n"))]), expected, recording.name);
    assert.deepEqual(
      decode(recording, [Buffer.from(text.replaceAll("\n\n", "\n\n: ping\n\n"))]),
      expected,
      recording.name,
    );
  }
});

test("[PV62] a cut at any place is a failure, or the whole text had arrived", { skip: SKIP }, (context) => {
  const random = new SeededRandom(SEED);
  context.diagnostic(`seed ${SEED}`);
  let failures = 0;
  for (const recording of ANSWERED.filter(isEventStream)) {
    const expected = textOf(whole(recording));
    for (let round = 0; round < 8; round++) {
      const cut = Math.floor(random.next() * recording.bytes.length);
      const fault = round % 2 === 0 ? undefined : new WireFault("truncated", "cut");
      const parts = decode(recording, [recording.bytes.subarray(0, cut)], fault);
      assertLegal(recording.name, parts);
      if (parts.at(-1)?.type === "error") failures++;
      else assert.equal(textOf(parts), expected, `${recording.name} cut at ${cut} passed for whole`);
      assert.ok(expected.startsWith(textOf(parts)));
    }
  }
  assert.ok(failures > 500, `only ${failures} cuts failed`);
});

test("[PV63] a caller who leaves gets `aborted`, and what was delivered is accounted", { skip: SKIP }, () => {
  for (const recording of ANSWERED.filter(isEventStream)) {
    const half = recording.bytes.subarray(0, recording.bytes.length >> 1);
    const parts = decode(recording, [half], new WireFault("aborted", "left"));
    const last = parts.at(-1);
    if (last?.type !== "error") continue;
    if (last.failure.code === "aborted" && last.failure.partialOutput) {
      assert.ok(
        parts.some((part) => part.type === "usage" && !part.isFinal),
        recording.name,
      );
    }
  }
});

test("[PV64] damaged bytes never crash a codec", { skip: SKIP }, (context) => {
  const random = new SeededRandom(SEED);
  context.diagnostic(`seed ${SEED}`);
  const SPOILERS = ['{"', "null", "[]", '"', "}", "\n\n", "1e999", '{"__proto__":{"x":1}}', "\u0000", "-1"];
  let changed = 0;
  for (const recording of ANSWERED.filter(isEventStream)) {
    const text = Buffer.from(recording.bytes).toString();
    const expected = JSON.stringify(whole(recording));
    for (let round = 0; round < 10; round++) {
      const at = Math.floor(random.next() * text.length);
      const length = Math.floor(random.next() * 30);
      const spoiler = SPOILERS[Math.floor(random.next() * SPOILERS.length)] ?? "";
      const damaged = text.slice(0, at) + spoiler + text.slice(at + length);
      const parts = decode(recording, [Buffer.from(damaged)]);
      assertLegal(recording.name, parts);
      if (JSON.stringify(parts) !== expected) changed++;
    }
  }
  assert.ok(changed > 300, `only ${changed} damages mattered`);
});

test("[PV64] values replaced by other types never crash a codec", { skip: SKIP }, (context) => {
  const random = new SeededRandom(SEED);
  context.diagnostic(`seed ${SEED}`);
  const OTHERS: readonly unknown[] = [null, 7, "text", [], {}, true, [null], [{}], { a: [1] }];
  const replaced = (value: unknown): unknown => {
    if (random.next() < 0.06) return OTHERS[Math.floor(random.next() * OTHERS.length)];
    if (Array.isArray(value)) return value.map(replaced);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, replaced(member)]));
  };
  for (const recording of ANSWERED.filter((one) => !isEventStream(one))) {
    const body: unknown = JSON.parse(Buffer.from(recording.bytes).toString());
    for (let round = 0; round < 20; round++) {
      try {
        assertLegal(recording.name, recording.codec.decode(replaced(body), contextOf(recording)));
      } catch (error) {
        assert.ok(error instanceof WireFault, `${recording.name}: ${(error as Error).stack}`);
      }
    }
  }
});

test("[PV65] recorded refusals are classified by what they say", { skip: SKIP }, () => {
  const codes = RECORDINGS.filter((recording) => recording.status >= 400).map((recording) => {
    const head = { providerId: "recorded", status: recording.status, headers: {}, unixMs: 0 };
    const failure = classifyOpenAi(head, Buffer.from(recording.bytes).toString());
    assert.notEqual(failure.message, "no explanation", recording.name);
    return `${recording.status} ${failure.code}`;
  });
  assert.deepEqual([...new Set(codes)].sort(), ["400 invalid_request", "401 auth", "422 invalid_request"]);
});
