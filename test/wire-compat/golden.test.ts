// Rules WG1..WG4 of docs/spec/wire.md. Golden vectors are the contract with ports in other languages: a change here is a
// change of the wire. FOVEA_WRITE_GOLDEN=1 writes them anew.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
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
  encodePosePacket,
  PACKET_LAYOUTS,
  parseClientMessage,
  parseServerMessage,
  POSE_PACKET_BYTES_MAX,
  SourceTable,
  toPoseJson,
} from "@fovea/protocol";
import type { Decoded, PoseSample } from "@fovea/protocol";
import { CLIENT_TEXTS, SERVER_TEXTS } from "./messages.ts";
import { AUDIO, DEPTH, IMAGE, MESH, POSE_CHOICES, poseSampleOf, SOURCES } from "./samples.ts";
import { referencePage } from "./reference-page.ts";

const FOLDER = join(import.meta.dirname, "golden");
const WRITE = process.env["FOVEA_WRITE_GOLDEN"] === "1";

const table = new SourceTable();
for (const source of SOURCES) table.set(source);

function encodePose(sample: PoseSample): Uint8Array {
  const into = new Uint8Array(POSE_PACKET_BYTES_MAX);
  const length = encodePosePacket(sample, table, into);
  if (typeof length !== "number") throw new Error(`${length.field}: ${length.message}`);
  return into.slice(0, length);
}

function decodePose(bytes: Uint8Array): unknown {
  const sample = createPoseSample();
  const error = decodePosePacket(bytes, table, sample);
  if (error !== undefined) throw new Error(`${error.field}: ${error.message}`);
  return toPoseJson(sample);
}

function opened<T>(decoded: Decoded<T>): T {
  if (decoded.outcome === "error") throw new Error(`${decoded.error.field}: ${decoded.error.message}`);
  return decoded.packet;
}

/** Every vector: its bytes as we make them now, and what we read from bytes. */
const VECTORS: Readonly<Record<string, { bytes: Uint8Array; read: (bytes: Uint8Array) => unknown }>> = {
  ...Object.fromEntries(
    Object.entries(POSE_CHOICES).map(([name, choice]) => [
      name,
      { bytes: encodePose(poseSampleOf(choice)), read: decodePose },
    ]),
  ),
  "audio-up": { bytes: encodeAudioPacket(AUDIO, "up"), read: (bytes) => opened(decodeAudioPacket(bytes, "up")) },
  "audio-down": { bytes: encodeAudioPacket(AUDIO, "down"), read: (bytes) => opened(decodeAudioPacket(bytes, "down")) },
  image: { bytes: encodeImagePacket(IMAGE), read: (bytes) => opened(decodeImagePacket(bytes)) },
  depth: { bytes: encodeDepthPacket(DEPTH), read: (bytes) => opened(decodeDepthPacket(bytes)) },
  mesh: { bytes: encodeMeshPacket(MESH), read: (bytes) => opened(decodeMeshPacket(bytes)) },
};

/** JSON of a decoded packet: arrays of numbers with six decimals, payloads as hexadecimal. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, item: unknown) => {
      if (item instanceof Uint8Array) return Buffer.from(item).toString("hex");
      if (item instanceof Float32Array) return [...item];
      return typeof item === "number" && !Number.isInteger(item) ? Number(item.toFixed(6)) : item;
    }),
  );
}

function golden(name: string, now: () => unknown): unknown {
  const path = join(FOLDER, `${name}.json`);
  if (WRITE) writeFileSync(path, `${JSON.stringify(now(), undefined, 1)}\n`);
  return JSON.parse(readFileSync(path, "utf8"));
}

for (const [name, { bytes, read }] of Object.entries(VECTORS)) {
  test(`[WG1] ${name}: our bytes are the golden bytes, and the golden bytes read as written down`, () => {
    const vector = golden(name, () => ({
      sources: SOURCES,
      bytes: Buffer.from(bytes).toString("hex"),
      reads: plain(read(bytes)),
    })) as { bytes: string; reads: unknown };
    assert.equal(Buffer.from(bytes).toString("hex"), vector.bytes);
    assert.deepEqual(plain(read(new Uint8Array(Buffer.from(vector.bytes, "hex")))), vector.reads);
  });
}

test("[WG2] every type of control message has a golden text that parses to itself", () => {
  const texts = golden("control-messages", () => ({ client: CLIENT_TEXTS, server: SERVER_TEXTS })) as {
    client: Record<string, object>;
    server: Record<string, object>;
  };
  for (const [type, message] of Object.entries(texts.client)) {
    const parsed = parseClientMessage(JSON.stringify(message));
    assert.equal(parsed.outcome, "message", `${type}: ${JSON.stringify(parsed)}`);
    if (parsed.outcome === "message" && parsed.message.type !== "pose") assert.deepEqual(parsed.message, message);
  }
  for (const [type, message] of Object.entries(texts.server)) {
    const parsed = parseServerMessage(JSON.stringify(message));
    assert.equal(parsed.outcome, "message", `${type}: ${JSON.stringify(parsed)}`);
    if (parsed.outcome === "message") assert.deepEqual(parsed.message, message);
  }
  assert.deepEqual(Object.keys(texts.client).sort(), Object.keys(CLIENT_TEXTS).sort());
  assert.deepEqual(Object.keys(texts.server).sort(), Object.keys(SERVER_TEXTS).sort());
});

test("[WG3] every fixed offset of the layout table holds the value that the codec was given", () => {
  const values: Readonly<Record<string, { bytes: Uint8Array; packet: object }>> = {
    "0x01": {
      bytes: encodePose(poseSampleOf(POSE_CHOICES["pose-two-controllers"] ?? { sources: [] })),
      packet: {
        t: 81_234.5,
        seq: 65_534,
        velocities: [0.5, -0.25, 1, -1.5, 2, 0.75],
        flags: 2,
        viewer: [0.125, 1.5, -2.25],
      },
    },
    "0x02": { bytes: encodeAudioPacket(AUDIO, "up"), packet: { ...AUDIO, codec: 1 } },
    "0x12": { bytes: encodeAudioPacket(AUDIO, "down"), packet: { ...AUDIO, codec: 1 } },
    "0x03": { bytes: encodeImagePacket(IMAGE), packet: { ...IMAGE, format: 0, flags: 1 } },
    "0x05": { bytes: encodeDepthPacket(DEPTH), packet: { ...DEPTH, format: 0, flags: 0 } },
    "0x04": {
      bytes: encodeMeshPacket(MESH),
      packet: { ...MESH, flags: 0, vertexBytes: 3, indexBytes: 2, payload: new Uint8Array([1, 2, 3, 4, 5]) },
    },
  };
  let checked = 0;
  for (const layout of PACKET_LAYOUTS) {
    const name = `0x${layout.kind.toString(16).padStart(2, "0")}`;
    const { bytes, packet } = values[name] ?? { bytes: new Uint8Array(0), packet: {} };
    const expected: Record<string, unknown> = { ...packet, kind: layout.kind };
    for (const { offset, type, field, count } of layout.fields) {
      if (offset === undefined) continue;
      assert.deepEqual(readAt(bytes, offset, type, count ?? 1), plainList(expected[field], type), `${name} ${field}`);
      checked++;
    }
  }
  assert.equal(checked, 6 + 7 + 7 + 11 + 12 + 12);
});

function readAt(bytes: Uint8Array, offset: number, type: string, count: number): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const list = (size: number, read: (at: number) => number): number[] =>
    Array.from({ length: count }, (_, i) => read(offset + i * size));
  if (type === "u8") return list(1, (at) => view.getUint8(at));
  if (type === "u16") return list(2, (at) => view.getUint16(at, true));
  if (type === "u32") return list(4, (at) => view.getUint32(at, true));
  if (type === "f64") return list(8, (at) => view.getFloat64(at, true));
  if (type === "bytes") return [...bytes.subarray(offset)];
  count = type === "pose18" ? 3 : count;
  return list(4, (at) => view.getFloat32(at, true));
}

function plainList(value: unknown, type: string): unknown {
  if (typeof value === "number") return [value];
  const list = [...(value as Iterable<number>)];
  return type === "pose18" ? list.slice(0, 3) : list;
}

test("[WG4] docs/reference/wire.md is what the layout table says", () => {
  const path = join(import.meta.dirname, "../../docs/reference/wire.md");
  if (WRITE) writeFileSync(path, referencePage());
  assert.equal(readFileSync(path, "utf8"), referencePage(), "run with FOVEA_WRITE_GOLDEN=1 to write the page anew");
});
