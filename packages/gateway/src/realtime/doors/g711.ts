// G.711 as telephone lines have it: eight bits a sample at 8 kHz, mu-law in America and Japan, A-law elsewhere.
// Source: ITU-T G.711.

const MU_BIAS = 0x84;
const MU_CLIP = 32_635;

function muFrom(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(MU_CLIP, Math.abs(sample)) + MU_BIAS;
  const exponent = Math.max(0, 31 - Math.clz32(magnitude) - 7);
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

function muTo(byte: number): number {
  const value = ~byte & 0xff;
  const exponent = (value >> 4) & 7;
  const magnitude = (((value & 0x0f) << 3) + MU_BIAS) << exponent;
  return (value & 0x80) === 0 ? magnitude - MU_BIAS : MU_BIAS - magnitude;
}

function aFrom(sample: number): number {
  const sign = sample < 0 ? 0 : 0x80;
  const magnitude = Math.min(32_767, sample < 0 ? -sample - 1 : sample) >> 3;
  const exponent = magnitude < 32 ? 0 : 31 - Math.clz32(magnitude) - 4;
  const mantissa = exponent === 0 ? (magnitude >> 1) & 0x0f : (magnitude >> exponent) & 0x0f;
  return (sign | (exponent << 4) | mantissa) ^ 0x55;
}

function aTo(byte: number): number {
  const value = byte ^ 0x55;
  const exponent = (value >> 4) & 7;
  const mantissa = value & 0x0f;
  const magnitude = exponent === 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 0x108) << (exponent - 1);
  return (value & 0x80) === 0 ? -magnitude : magnitude;
}

const MU_TABLE = Int16Array.from({ length: 256 }, (_, byte) => muTo(byte));
const A_TABLE = Int16Array.from({ length: 256 }, (_, byte) => aTo(byte));

export type G711 = "mu" | "a";

export function decodeG711(bytes: Uint8Array, law: G711): Int16Array {
  const table = law === "mu" ? MU_TABLE : A_TABLE;
  const samples = new Int16Array(bytes.length);
  for (let index = 0; index < bytes.length; index++) samples[index] = table[bytes[index] as number] as number;
  return samples;
}

export function encodeG711(samples: Int16Array, law: G711): Uint8Array {
  const encode = law === "mu" ? muFrom : aFrom;
  const bytes = new Uint8Array(samples.length);
  for (let index = 0; index < samples.length; index++) bytes[index] = encode(samples[index] as number);
  return bytes;
}
