// Small, real files: what a client decodes must decode.
import { gzipSync } from "node:zlib";

export const SAMPLE_RATE_HZ = 24_000;

/** A 440 Hz tone, signed 16-bit little-endian mono. */
export function tone(durationMs: number, sampleRateHz = SAMPLE_RATE_HZ): Uint8Array {
  const samples = new Int16Array(Math.round((durationMs / 1000) * sampleRateHz));
  for (let index = 0; index < samples.length; index++) {
    samples[index] = Math.round(8000 * Math.sin((2 * Math.PI * 440 * index) / sampleRateHz));
  }
  return new Uint8Array(samples.buffer);
}

export function wavOf(pcm: Uint8Array, sampleRateHz = SAMPLE_RATE_HZ): Uint8Array {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + pcm.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(sampleRateHz, 24);
  head.writeUInt32LE(sampleRateHz * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(pcm.length, 40);
  return Buffer.concat([head, pcm]);
}

/** MPEG-1 layer III frames of silence, 128 kbit/s at 44.1 kHz: 417 bytes and 26 ms each. */
export function mp3Of(durationMs: number): Uint8Array {
  const frame = Buffer.alloc(417);
  frame.set([0xff, 0xfb, 0x90, 0xc4]);
  return Buffer.concat(Array.from({ length: Math.max(1, Math.ceil(durationMs / 26.12)) }, () => frame));
}

/** Sound in the container that was asked for; what no container is known for comes as raw samples. */
export function soundOf(format: string, durationMs: number): { readonly mime: string; readonly bytes: Uint8Array } {
  if (format === "wav") return { mime: "audio/wav", bytes: wavOf(tone(durationMs)) };
  if (format === "mp3") return { mime: "audio/mpeg", bytes: mp3Of(durationMs) };
  return { mime: format === "pcm" || format === "raw" ? "audio/pcm" : `audio/${format}`, bytes: tone(durationMs) };
}

/** As a server flushes it: pieces of about 20 ms. */
export function inPieces(bytes: Uint8Array, size = 960): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; offset += size) pieces.push(bytes.subarray(offset, offset + size));
  return pieces;
}

/** One red pixel. */
export const PNG_BASE64 =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

/** The smallest binary glTF 2.0: a header and an asset without a scene. */
export function glb(): Uint8Array {
  const text = '{"asset":{"version":"2.0"}}';
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 4) * 4));
  const head = Buffer.alloc(20);
  head.write("glTF", 0);
  head.writeUInt32LE(2, 4);
  head.writeUInt32LE(20 + json.length, 8);
  head.writeUInt32LE(json.length, 12);
  head.write("JSON", 16);
  return Buffer.concat([head, json]);
}

/** An SPZ version 2 file with one gaussian, all zero. */
export function spz(): Uint8Array {
  const body = Buffer.alloc(16 + 9 + 1 + 3 + 3 + 3);
  body.writeUInt32LE(0x5053474e, 0);
  body.writeUInt32LE(2, 4);
  body.writeUInt32LE(1, 8);
  body.writeUInt8(12, 13);
  return gzipSync(body);
}

/** The boxes that make a file an MP4, around nothing. */
export function mp4(): Uint8Array {
  const box = (name: string, body: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + body.length, 0);
    head.write(name, 4);
    return Buffer.concat([head, body]);
  };
  return Buffer.concat([
    box("ftyp", Buffer.from("isom\0\0\x02\0isomiso2mp41", "latin1")),
    box("mdat", Buffer.alloc(0)),
  ]);
}
