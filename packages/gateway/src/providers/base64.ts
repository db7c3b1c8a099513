import { WireFault } from "./wire-fault.ts";

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

export function dataUrl(mime: string, bytes: Uint8Array): string {
  return `data:${mime};base64,${toBase64(bytes)}`;
}

/** Throws `WireFault` of code `protocol` for what is not base64, where Buffer would quietly skip or stop. */
export function fromBase64(text: string): Uint8Array {
  const clean = /\s/.test(text) ? text.replaceAll(/\s+/g, "") : text;
  const digits = clean.endsWith("==") ? clean.length - 2 : clean.endsWith("=") ? clean.length - 1 : clean.length;
  const bytes = Buffer.from(clean, "base64");
  if (digits % 4 === 1 || bytes.byteLength !== Math.floor((digits * 3) / 4))
    throw new WireFault("protocol", "invalid base64");
  return bytes;
}
