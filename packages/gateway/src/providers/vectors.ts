import { fromBase64 } from "./base64.ts";
import { WireFault } from "./wire-fault.ts";

/** Numbers, or base64 of little-endian floats. Throws `WireFault` of code `protocol` for anything else. */
export function vectorOf(value: unknown): Float32Array | readonly number[] {
  if (typeof value === "string") return littleEndianFloats(fromBase64(value));
  if (!Array.isArray(value) || !value.every((number) => typeof number === "number")) {
    throw new WireFault("protocol", "an embedding that is neither numbers nor base64");
  }
  return value;
}

function littleEndianFloats(bytes: Uint8Array): Float32Array {
  if (bytes.byteLength % 4 !== 0) throw new WireFault("protocol", "an embedding cut in the middle of a number");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / 4 }, (_, index) => view.getFloat32(index * 4, true));
}
