// The protobuf envelope of Pipecat's WebSocket transport, as far as its clients understand it: sound and JSON messages.
// Source: pipecat/frames/protobufs/frames.proto. Field numbers: Frame.audio 2, Frame.message 4; AudioRawFrame id 1, name 2,
// audio 3, sample_rate 4, num_channels 5; MessageFrame data 1.
import { EventError } from "../doors/json-event.ts";

export type RtviFrame =
  | { readonly kind: "audio"; readonly pcm: Uint8Array; readonly sampleRateHz: number; readonly channels: number }
  | { readonly kind: "message"; readonly text: string }
  /** A kind that this gateway has no use for. */
  | { readonly kind: "other" };

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Throws `EventError` for what is not this envelope. Views into the bytes are returned, nothing is copied. */
export function decodeFrame(bytes: Uint8Array): RtviFrame {
  let found: RtviFrame = { kind: "other" };
  for (const field of fieldsOf(bytes)) {
    if (field.bytes === undefined) continue;
    if (field.number === 2) found = audioOf(field.bytes);
    else if (field.number === 4) found = messageOf(field.bytes);
    else found = { kind: "other" };
  }
  return found;
}

function audioOf(bytes: Uint8Array): RtviFrame {
  let pcm: Uint8Array = new Uint8Array(0);
  let sampleRateHz = 16_000;
  let channels = 1;
  for (const { number, value, bytes: inner } of fieldsOf(bytes)) {
    if (number === 3 && inner !== undefined) pcm = inner;
    else if (number === 4) sampleRateHz = value;
    else if (number === 5) channels = value;
  }
  return { kind: "audio", pcm, sampleRateHz, channels };
}

function messageOf(bytes: Uint8Array): RtviFrame {
  let text = "";
  for (const { number, bytes: inner } of fieldsOf(bytes))
    if (number === 1 && inner !== undefined) text = new TextDecoder().decode(inner);
  return { kind: "message", text };
}

interface Field {
  readonly number: number;
  readonly value: number;
  readonly bytes: Uint8Array | undefined;
}

function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) throw broken();
      // Beyond 53 bits only ids come, which nobody reads.
      if (shift < 49) value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw broken();
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const type = tag % 8;
    if (number === 0) throw broken();
    if (type === VARINT) yield { number, value: varint(), bytes: undefined };
    else if (type === BYTES) {
      const length = varint();
      if (length > bytes.length - at) throw broken();
      yield { number, value: 0, bytes: bytes.subarray(at, at + length) };
      at += length;
    } else if (type === FIXED64 || type === FIXED32) {
      at += type === FIXED64 ? 8 : 4;
      if (at > bytes.length) throw broken();
    } else throw broken();
  }
}

function broken(): EventError {
  return new EventError("invalid_frame", "The binary message is not a Pipecat frame.");
}

export function encodeMessage(text: string): Uint8Array {
  return nested(4, nested(1, Buffer.from(text, "utf8")));
}

export function encodeAudio(pcm: Uint8Array, sampleRateHz: number): Uint8Array {
  const head = Buffer.concat([nested(2, Buffer.from("audio")), nested(3, pcm)]);
  const tail = Buffer.from([(4 << 3) | VARINT, ...varintBytes(sampleRateHz), (5 << 3) | VARINT, 1]);
  return nested(2, Buffer.concat([head, tail]));
}

function nested(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | BYTES, ...varintBytes(bytes.length)]), bytes]);
}

function varintBytes(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}
