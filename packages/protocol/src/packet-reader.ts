// Reads the fixed header of a binary packet field by field. As with FieldReader the first fault is kept and later reads
// return harmless values, so a decoder is one object literal.

import { readPose } from "./packed-pose.ts";
import { PACKET_KIND } from "./packet-kind.ts";
import type { PacketKindName } from "./packet-kind.ts";
import type { Decoded, ProtocolError, ProtocolProblem } from "./protocol-error.ts";
import { protocolError } from "./protocol-error.ts";

const TIME_MS_MAX = 1e14;

export class PacketReader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #headerBytes: number;
  #error: ProtocolError | undefined;

  constructor(bytes: Uint8Array, kind: PacketKindName, headerBytes: number) {
    this.#bytes = bytes;
    this.#headerBytes = headerBytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < headerBytes)
      this.fail("truncated", "header", `expected at least ${headerBytes} bytes, got ${bytes.length}`);
    else if (bytes[0] !== PACKET_KIND[kind])
      this.fail("kind_unknown", "kind", `expected 0x${PACKET_KIND[kind].toString(16).padStart(2, "0")}`);
  }

  get error(): ProtocolError | undefined {
    return this.#error;
  }

  fail(code: ProtocolProblem, field: string, message: string): void {
    this.#error ??= protocolError(code, field, message);
  }

  u8(at: number, field: string, max: number): number {
    return this.#within(this.#fits(at, 1) ? this.#view.getUint8(at) : 0, field, 0, max);
  }

  u16(at: number, field: string, min = 0, max = 0xffff): number {
    return this.#within(this.#fits(at, 2) ? this.#view.getUint16(at, true) : min, field, min, max);
  }

  u32(at: number, field: string, min = 0, max = 0xffff_ffff): number {
    return this.#within(this.#fits(at, 4) ? this.#view.getUint32(at, true) : min, field, min, max);
  }

  f32(at: number, field: string, min: number, max: number): number {
    return this.#within(this.#fits(at, 4) ? this.#view.getFloat32(at, true) : min, field, min, max);
  }

  time(at: number, field: string): number {
    return this.#within(this.#fits(at, 8) ? this.#view.getFloat64(at, true) : 0, field, 0, TIME_MS_MAX);
  }

  pose(at: number, field: string): Float32Array {
    const pose = new Float32Array(7);
    const problem = this.#fits(at, 18) ? readPose(this.#view, at, pose) : undefined;
    if (problem !== undefined) this.fail(problem, field, "expected a finite position and a unit quaternion");
    return pose;
  }

  floats(at: number, count: number, field: string, limit: number): Float32Array {
    const numbers = new Float32Array(count);
    for (let i = 0; i < count; i++) numbers[i] = this.f32(at + i * 4, field, -limit, limit);
    return numbers;
  }

  /** What follows the header: a view on the packet, not a copy. */
  payload(bytesMin: number, bytesMax: number): Uint8Array {
    const length = Math.max(0, this.#bytes.length - this.#headerBytes);
    if (length < bytesMin) this.fail("truncated", "payload", `expected at least ${bytesMin} bytes, got ${length}`);
    if (length > bytesMax) this.fail("too_large", "payload", `expected at most ${bytesMax} bytes, got ${length}`);
    return this.#bytes.subarray(Math.min(this.#headerBytes, this.#bytes.length));
  }

  result<T>(packet: T): Decoded<T> {
    return this.#error === undefined ? { outcome: "packet", packet } : { outcome: "error", error: this.#error };
  }

  #fits(at: number, size: number): boolean {
    return this.#bytes.length >= at + size;
  }

  #within(value: number, field: string, min: number, max: number): number {
    if (!Number.isFinite(value)) this.fail("not_finite", field, "expected a finite number");
    else if (value < min || value > max)
      this.fail("out_of_range", field, `expected a number from ${min} to ${max}, got ${value}`);
    return value;
  }
}
