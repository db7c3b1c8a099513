import { randomFillSync } from "node:crypto";

const POOL_BYTES = 4_096;
const pool = Buffer.allocUnsafe(POOL_BYTES);
let used = POOL_BYTES;

/** Hexadecimal, never all zeros. Taken from the system's entropy in pieces, because each visit there costs more than an id. */
function randomHex(bytes: number): string {
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const text = pool.toString("hex", used, used + bytes);
  used += bytes;
  return /^0+$/.test(text) ? randomHex(bytes) : text;
}

/** 32 hexadecimal digits. */
export function newTraceId(): string {
  return randomHex(16);
}

/** 16 hexadecimal digits. */
export function newSpanId(): string {
  return randomHex(8);
}
