import { GatewayError } from "@fovea/core";

export interface WavAudio {
  readonly sampleRateHz: number;
  readonly channels: number;
  /** Interleaved PCM16. A copy: the file's bytes may not be aligned. */
  readonly samples: Int16Array;
}

export const WAV_HEADER_BYTES = 44;

/** Parses RIFF/WAVE with 16-bit PCM. Sizes that programs write before they know the length are not believed. */
export function parseWav(bytes: Uint8Array): WavAudio {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < WAV_HEADER_BYTES || tag(bytes, 0) !== "RIFF" || tag(bytes, 8) !== "WAVE")
    throw invalid("not a RIFF/WAVE file");
  let format: { channels: number; sampleRateHz: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (tag(bytes, at) === "fmt ") format = parseFormat(view, start, size);
    if (tag(bytes, at) === "data") {
      if (format === undefined) throw invalid("the data chunk comes before the format");
      const end = Math.min(bytes.length, start + size);
      return { ...format, samples: pcm16(bytes, start, end) };
    }
    at = start + size + (size & 1);
  }
  throw invalid("there is no data chunk");
}

function parseFormat(view: DataView, at: number, size: number): { channels: number; sampleRateHz: number } {
  if (size < 16 || at + 16 > view.byteLength) throw invalid("the format chunk is too short");
  const encoding = view.getUint16(at, true);
  const channels = view.getUint16(at + 2, true);
  const sampleRateHz = view.getUint32(at + 4, true);
  const bits = view.getUint16(at + 14, true);
  // 0xFFFE is the extensible form, whose 16-bit variant has the same layout.
  if ((encoding !== 1 && encoding !== 0xfffe) || bits !== 16)
    throw invalid(`encoding ${encoding} with ${bits} bits: 16-bit PCM is needed`);
  if (channels < 1 || channels > 8) throw invalid(`${channels} channels`);
  if (sampleRateHz < 8_000 || sampleRateHz > 192_000) throw invalid(`a sample rate of ${sampleRateHz} Hz`);
  return { channels, sampleRateHz };
}

/** PCM16 little-endian bytes to samples; an odd last byte is ignored. */
export function pcm16(bytes: Uint8Array, start = 0, end = bytes.length): Int16Array {
  const samples = new Int16Array((end - start) >> 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(start + 2 * i, true);
  return samples;
}

/** First channel by averaging all. */
export function toMono({ samples, channels }: WavAudio): Int16Array {
  if (channels === 1) return samples;
  return Int16Array.from({ length: Math.floor(samples.length / channels) }, (_, i) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += samples[i * channels + channel] as number;
    return Math.round(sum / channels);
  });
}

/** A header for `dataBytes` of mono PCM16; for streams of unknown length pass 0xFFFFFFFF - 36, as players expect. */
export function wavHeader(sampleRateHz: number, dataBytes: number): Uint8Array {
  const header = new Uint8Array(WAV_HEADER_BYTES);
  const view = new DataView(header.buffer);
  const text = (at: number, value: string): void => {
    for (let i = 0; i < value.length; i++) header[at + i] = value.charCodeAt(i);
  };
  text(0, "RIFF");
  view.setUint32(4, Math.min(0xffffffff, dataBytes + 36), true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, dataBytes, true);
  return header;
}

export function buildWav(samples: Int16Array, sampleRateHz: number): Uint8Array {
  const bytes = new Uint8Array(WAV_HEADER_BYTES + samples.length * 2);
  bytes.set(wavHeader(sampleRateHz, samples.length * 2));
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < samples.length; i++) view.setInt16(WAV_HEADER_BYTES + 2 * i, samples[i] as number, true);
  return bytes;
}

function tag(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function invalid(message: string): GatewayError {
  return new GatewayError("request_invalid", `The audio is not usable WAV: ${message}.`, { param: "file" });
}
