// Rule WF1 of docs/spec/wire.md. Inputs are mutations of valid packets and messages: plain random bytes are refused at
// the first field and would test nothing. Every run is one batch of 200 mutations, so that drawing numbers costs less
// than parsing. FOVEA_FUZZ_SEED repeats a run; FOVEA_FUZZ_RUNS (of 200 inputs) makes it longer.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  createPoseSample,
  decodeAudioPacket,
  decodeDepthPacket,
  decodeImagePacket,
  decodeMeshPacket,
  decodePosePacket,
  encodeAudioPacket,
  encodeDepthPacket,
  encodeImagePacket,
  encodeMeshPacket,
  encodeMessage,
  encodePosePacket,
  parseClientMessage,
  parseServerMessage,
  POSE_PACKET_BYTES_MAX,
  SourceTable,
} from "@fovea/protocol";
import { CLIENT_TEXTS, SERVER_TEXTS } from "./messages.ts";
import { AUDIO, DEPTH, IMAGE, MESH, POSE_CHOICES, poseSampleOf, SOURCES } from "./samples.ts";

const BATCH = 200;
const RUNS = Number(process.env["FOVEA_FUZZ_RUNS"] ?? 1_000);
const SEED = Number(process.env["FOVEA_FUZZ_SEED"] ?? Date.now() & 0x7fffffff);

const table = new SourceTable();
for (const source of SOURCES) table.set(source);
const sample = createPoseSample();
const packet = new Uint8Array(POSE_PACKET_BYTES_MAX);

interface Verdict {
  readonly accepted: boolean;
  readonly code: string;
}
const ACCEPTED: Verdict = { accepted: true, code: "" };

/** Feeds batches of mutations and returns how the inputs were judged. A parser that throws fails the property. */
function fuzz(name: string, judge: (words: Uint32Array, at: number) => Verdict): void {
  let accepted = 0;
  let rejected = 0;
  const codes = new Map<string, number>();
  fc.assert(
    fc.property(fc.uint32Array({ minLength: BATCH * 4, maxLength: BATCH * 4 }), (words) => {
      for (let at = 0; at < words.length; at += 4) {
        const verdict = judge(words, at);
        if (verdict.accepted) accepted++;
        else {
          rejected++;
          codes.set(verdict.code, (codes.get(verdict.code) ?? 0) + 1);
        }
      }
    }),
    // Shrinking re-runs the parser on smaller batches; the first failing batch is already reported by its seed.
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  );
  console.log(
    `fuzz ${name}: seed ${SEED}, ${accepted} accepted, ${rejected} refused: ${[...codes].map(([code, count]) => `${code} ${count}`).join(", ")}`,
  );
  assert.ok(accepted + rejected >= Math.min(200_000, RUNS * BATCH), "too few inputs");
  assert.ok(accepted > (accepted + rejected) / 100, `only ${accepted} accepted: the mutations are too wild`);
  assert.ok(rejected > (accepted + rejected) / 100, `only ${rejected} refused: the mutations are too tame`);
  assert.ok(codes.size >= 3, `only refused for ${[...codes.keys()].join()}`);
}

/** One valid packet with one to three mutations: bits, bytes, interesting words, cuts and extensions. */
function mutate(valid: readonly Uint8Array[], words: Uint32Array, at: number): Uint8Array {
  const pick = words[at] ?? 0;
  let bytes = (valid[pick % valid.length] ?? new Uint8Array(1)).slice() as Uint8Array;
  const rounds = 1 + ((pick >>> 8) % 3);
  for (let round = 0; round < rounds; round++) {
    const word = spread(words[at + 1 + round] ?? 0);
    const position = bytes.length === 0 ? 0 : (word >>> 8) % bytes.length;
    switch (word & 7) {
      case 0:
        bytes = bytes.subarray(0, position);
        break;
      case 1:
        bytes = Uint8Array.from([...bytes, word >>> 24]);
        break;
      case 2:
        if (position + 4 <= bytes.length)
          new DataView(bytes.buffer, bytes.byteOffset).setUint32(position, INTERESTING[(word >>> 3) & 7] ?? 0, true);
        break;
      case 3:
      case 4:
        bytes[position] = word >>> 24;
        break;
      default:
        bytes[position] = (bytes[position] ?? 0) ^ (1 << ((word >>> 3) & 7));
    }
  }
  return bytes;
}

/** fast-check likes small numbers; as positions they would all mean the first byte. */
function spread(word: number): number {
  const mixed = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

const INTERESTING = [0, 0xffff_ffff, 0x7f80_0000, 0x7fc0_0000, 0x8000_0000, 0x7f7f_ffff, 0x3f80_0000, 0x0000_0101];

test("[WF1] pose packets: 200,000 mutated packets are accepted or refused, never more; what was accepted encodes again", () => {
  const valid = Object.values(POSE_CHOICES).map((choice) => {
    const length = encodePosePacket(poseSampleOf(choice), table, packet);
    assert.equal(typeof length, "number");
    return packet.slice(0, length as number);
  });
  fuzz("pose", (words, at) => {
    const error = decodePosePacket(mutate(valid, words, at), table, sample);
    if (error !== undefined) return { accepted: false, code: error.code };
    const length = encodePosePacket(sample, table, packet);
    assert.equal(typeof length, "number", JSON.stringify(length));
    return ACCEPTED;
  });
});

const PACKETS = {
  audio: {
    valid: [encodeAudioPacket(AUDIO, "up"), encodeAudioPacket({ ...AUDIO, codec: "opus" }, "up")],
    decode: (bytes: Uint8Array) => decodeAudioPacket(bytes, "up"),
  },
  image: { valid: [encodeImagePacket(IMAGE)], decode: decodeImagePacket },
  depth: { valid: [encodeDepthPacket(DEPTH)], decode: decodeDepthPacket },
  mesh: { valid: [encodeMeshPacket(MESH)], decode: decodeMeshPacket },
};

for (const [name, { valid, decode }] of Object.entries(PACKETS)) {
  test(`[WF1] ${name} packets: 200,000 mutated packets are accepted or refused, never more`, () => {
    fuzz(name, (words, at) => {
      const result = decode(mutate(valid, words, at));
      return result.outcome === "packet" ? ACCEPTED : { accepted: false, code: result.error.code };
    });
  });
}

const VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1.5,
  1e308,
  "",
  "x",
  "x".repeat(300),
  [],
  {},
  [1, 2, 3],
  [[[[]]]],
  { type: "x" },
  "__proto__",
  65_536,
];

/** A valid message with one to three values replaced, removed, doubled or added, anywhere in it. */
function mutateMessage(valid: readonly string[], words: Uint32Array, at: number): string {
  const pick = words[at] ?? 0;
  const text = valid[pick % valid.length] ?? "{}";
  // One in eight is cut or broken as text; the others stay JSON and break the contract.
  if ((pick >>> 16) % 8 === 0) {
    const position = (words[at + 1] ?? 0) % text.length;
    return text.slice(0, position) + String.fromCharCode((words[at + 2] ?? 0) & 0x7f) + text.slice(position + 1);
  }
  const message = JSON.parse(text) as Record<string, unknown>;
  const rounds = 1 + ((pick >>> 8) % 3);
  for (let round = 0; round < rounds; round++) change(message, spread(words[at + 1 + round] ?? 0));
  return JSON.stringify(message);
}

function change(root: Record<string, unknown>, word: number): void {
  let holder: Record<string, unknown> = root;
  let choice = word >>> 6;
  for (let depth = 0; depth < 6; depth++) {
    const keys = Object.keys(holder);
    const key = keys[choice % Math.max(1, keys.length)];
    if (key === undefined) return;
    const inner = holder[key];
    choice = Math.imul(choice, 0x9e3779b1) >>> 3;
    if (typeof inner === "object" && inner !== null && (choice & 3) !== 0) {
      holder = inner as Record<string, unknown>;
      continue;
    }
    const value = structuredClone(VALUES[(word >>> 2) & 15]);
    if ((word & 3) === 0) delete holder[key];
    else if ((word & 3) === 1 && Array.isArray(holder)) holder.push(structuredClone(inner));
    else if ((word & 3) === 1) holder[`extra${word & 15}`] = value;
    else holder[key] = value;
    return;
  }
}

const TEXTS = {
  client: { valid: Object.values(CLIENT_TEXTS), parse: parseClientMessage },
  server: { valid: Object.values(SERVER_TEXTS), parse: parseServerMessage },
};

for (const [name, { valid, parse }] of Object.entries(TEXTS)) {
  test(`[WF1] ${name} messages: 200,000 mutated texts are accepted, unknown or refused; what was accepted parses again`, () => {
    const texts = valid.map((message) => JSON.stringify(message));
    fuzz(name, (words, at) => {
      const result = parse(mutateMessage(texts, words, at));
      if (result.outcome === "error") return { accepted: false, code: result.error.code };
      if (result.outcome === "message" && result.message.type !== "pose")
        assert.equal(parse(encodeMessage(result.message)).outcome, "message");
      return ACCEPTED;
    });
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  });
}
