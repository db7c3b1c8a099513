// A short way for the message that comes most: one whole binary message in one piece, as poses, sound and images come. It is
// taken out of the socket's bytes before they enter the stream and the state machine of `ws`, which cost more than
// decoding the pose. Everything else (text, control, fragments, whatever is cut by the end of a read, whatever is not as
// RFC 6455 wants it) is passed on untouched and in order, so that `ws` alone knows the protocol and judges it. For that
// the shortcut follows where frames begin, which is all it knows of them.
const FIN_BINARY = 0x82;
const MASKED = 0x80;
const OPCODE = 0x0f;
const CLOSE = 0x08;
const CONTROL = 0x08;
const FIN = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const HEADER_BYTES_MAX = 14;

export interface FrameSinks {
  /** A whole binary message, unmasked in place. Read during the call. */
  binary(payload: Buffer): void;
  /** Bytes for the ordinary way; may be a part of a frame. */
  pass(bytes: Buffer): void;
}

export class FrameShortcut {
  readonly #sinks: FrameSinks;
  /** Of a frame that goes the ordinary way: bytes still to come. */
  #left = 0;
  /** The beginning of a frame whose header was cut; its bytes have been passed on already. */
  readonly #header = Buffer.alloc(HEADER_BYTES_MAX);
  #headerBytes = 0;
  #isFragmented = false;
  #isOver = false;

  constructor(sinks: FrameSinks) {
    this.#sinks = sinks;
  }

  /** The other end may send what it likes: nothing is looked at any more. */
  stop(): void {
    this.#isOver = true;
  }

  push(chunk: Buffer): void {
    let passed = 0;
    let at = 0;
    while (at < chunk.length && !this.#isOver) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, chunk.length - at);
        this.#left -= step;
        at += step;
        continue;
      }
      const bodyAt = this.#headerBytes === 0 && !this.#isFragmented ? simpleBodyAt(chunk, at) : 0;
      if (bodyAt === 0) {
        at = this.#followHeader(chunk, at);
        continue;
      }
      if (at > passed) this.#sinks.pass(chunk.subarray(passed, at));
      const end = bodyAt + simpleBodyBytes(chunk, at);
      unmask(chunk, bodyAt, end);
      at = end;
      passed = end;
      this.#sinks.binary(chunk.subarray(bodyAt, end));
    }
    // After a close frame the rest of its read is passed on too: what it means is for `ws` to say.
    if (passed < chunk.length && !(this.#isOver && at === 0)) this.#sinks.pass(chunk.subarray(passed));
  }

  /** Takes bytes of a header until it is whole; returns where the next unread byte is. */
  #followHeader(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length) {
      this.#header[this.#headerBytes++] = chunk[at++] as number;
      const left = frameLeft(this.#header, this.#headerBytes);
      if (left < 0) continue;
      this.#noteFrame(this.#header[0] as number);
      this.#left = left;
      this.#headerBytes = 0;
      return at;
    }
    return at;
  }

  #noteFrame(first: number): void {
    const opcode = first & OPCODE;
    if (opcode === CLOSE) this.#isOver = true;
    if (opcode < CONTROL) this.#isFragmented = (first & FIN) === 0;
  }
}

/** Where the body begins of a whole, masked, unfragmented binary message at this place; 0 where there is none. */
function simpleBodyAt(chunk: Buffer, at: number): number {
  if (chunk[at] !== FIN_BINARY || at + 6 > chunk.length) return 0;
  const second = chunk[at + 1] as number;
  if (second < MASKED || second === (MASKED | LENGTH_64)) return 0;
  const isLong = second === (MASKED | LENGTH_16);
  if (isLong && at + 8 > chunk.length) return 0;
  const bodyAt = at + (isLong ? 8 : 6);
  return bodyAt + simpleBodyBytes(chunk, at) <= chunk.length ? bodyAt : 0;
}

function simpleBodyBytes(chunk: Buffer, at: number): number {
  const length = (chunk[at + 1] as number) & ~MASKED;
  return length === LENGTH_16 ? ((chunk[at + 2] as number) << 8) | (chunk[at + 3] as number) : length;
}

/** Bytes of the frame that follow its header, mask included in the header; -1 while the header is not whole. */
function frameLeft(header: Buffer, bytes: number): number {
  if (bytes < 2) return -1;
  const second = header[1] as number;
  const length = second & ~MASKED;
  const lengthBytes = length === LENGTH_16 ? 2 : length === LENGTH_64 ? 8 : 0;
  if (bytes < 2 + lengthBytes + (second >= MASKED ? 4 : 0)) return -1;
  if (lengthBytes === 2) return header.readUInt16BE(2);
  return lengthBytes === 8 ? header.readUInt32BE(2) * 2 ** 32 + header.readUInt32BE(6) : length;
}

/** The mask is the four bytes before the body. Four bytes at a time: this is the longest loop of a packet's way in. */
function unmask(chunk: Buffer, from: number, end: number): void {
  const view = new DataView(chunk.buffer, chunk.byteOffset + from - 4, end - from + 4);
  const mask = view.getInt32(0, true);
  let at = 4;
  for (; at + 4 <= view.byteLength; at += 4) view.setInt32(at, view.getInt32(at, true) ^ mask, true);
  for (; at < view.byteLength; at++) view.setUint8(at, view.getUint8(at) ^ view.getUint8(at & 3));
}
