// Where a mask is white. Masks come as PNG, grey and not interlaced; other forms of PNG are read as far as they say bright
// or dark. Source: PNG specification, third edition, 9 (filtering) and 13.
import { inflateSync } from "node:zlib";
import { WireFault } from "../wire-fault.ts";

export interface MaskBox {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Pixels, the end exclusive; undefined for a mask that is black. */
  readonly box: readonly [x0: number, y0: number, x1: number, y1: number] | undefined;
}

const PIXELS_MAX = 64 * 1024 * 1024;
const CHANNELS: Readonly<Record<number, number | undefined>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

interface Header {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly bitDepth: number;
  readonly colourType: number;
}

/** Throws `WireFault` for what is no readable mask. */
export function readMask(png: Uint8Array): MaskBox {
  const { header, data, palette } = chunksOf(png);
  const { widthPx, heightPx, bitDepth, colourType } = header;
  const channels = CHANNELS[colourType];
  if (channels === undefined || widthPx * heightPx > PIXELS_MAX || widthPx * heightPx === 0) throw unreadable();
  const bytesPerPixel = Math.max(1, (channels * bitDepth) >> 3);
  const rowBytes = Math.ceil((widthPx * channels * bitDepth) / 8);
  const raw = inflated(data, (rowBytes + 1) * heightPx);
  let [x0, y0, x1, y1] = [widthPx, heightPx, 0, 0];
  let above: Uint8Array = new Uint8Array(rowBytes);
  for (let y = 0; y < heightPx; y++) {
    const start = y * (rowBytes + 1);
    const row = raw.subarray(start + 1, start + 1 + rowBytes);
    unfilter(raw[start] ?? 0, row, above, bytesPerPixel);
    for (let x = 0; x < widthPx; x++) {
      if (!isBright(row, x, header, channels, palette)) continue;
      x0 = Math.min(x0, x);
      x1 = Math.max(x1, x + 1);
      y0 = Math.min(y0, y);
      y1 = y + 1;
    }
    above = row;
  }
  return { widthPx, heightPx, box: x1 === 0 ? undefined : [x0, y0, x1, y1] };
}

function unreadable(): WireFault {
  return new WireFault("protocol", "a mask that is not a readable PNG");
}

function chunksOf(png: Uint8Array): { header: Header; data: Uint8Array; palette: Uint8Array } {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  if (png.byteLength < 33 || view.getUint32(0) !== 0x89504e47) throw unreadable();
  const header = {
    widthPx: view.getUint32(16),
    heightPx: view.getUint32(20),
    bitDepth: view.getUint8(24),
    colourType: view.getUint8(25),
  };
  if (view.getUint8(28) !== 0) throw unreadable();
  const pieces: Uint8Array[] = [];
  let palette = new Uint8Array();
  for (let at = 8; at + 8 <= png.byteLength;) {
    const length = view.getUint32(at);
    const name = view.getUint32(at + 4);
    if (at + 12 + length > png.byteLength) throw unreadable();
    const body = png.subarray(at + 8, at + 8 + length);
    if (name === IDAT) pieces.push(body);
    else if (name === PLTE) palette = new Uint8Array(body);
    at += 12 + length;
  }
  return { header, data: Buffer.concat(pieces), palette };
}

const IDAT = 0x49444154;
const PLTE = 0x504c5445;

function inflated(data: Uint8Array, size: number): Uint8Array {
  try {
    const raw = inflateSync(data, { maxOutputLength: size });
    if (raw.byteLength === size) return raw;
  } catch {
    // Told below.
  }
  throw unreadable();
}

/** In place; `above` is the row before, already plain. */
function unfilter(filter: number, row: Uint8Array, above: Uint8Array, bytesPerPixel: number): void {
  for (let index = 0; index < row.byteLength; index++) {
    const left = index >= bytesPerPixel ? (row[index - bytesPerPixel] ?? 0) : 0;
    const up = above[index] ?? 0;
    const corner = index >= bytesPerPixel ? (above[index - bytesPerPixel] ?? 0) : 0;
    row[index] = (row[index] ?? 0) + predicted(filter, left, up, corner);
  }
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4: {
      const guess = left + up - corner;
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
      return a <= b && a <= c ? left : b <= c ? up : corner;
    }
    default:
      throw unreadable();
  }
}

function isBright(row: Uint8Array, x: number, header: Header, channels: number, palette: Uint8Array): boolean {
  const { bitDepth, colourType } = header;
  if (bitDepth === 8) {
    const value = row[x * channels] ?? 0;
    return (colourType === 3 ? (palette[value * 3] ?? 0) : value) > 127;
  }
  if (bitDepth === 16) return (row[x * channels * 2] ?? 0) > 127;
  const bit = x * bitDepth;
  const value = ((row[bit >> 3] ?? 0) >> (8 - bitDepth - (bit & 7))) & ((1 << bitDepth) - 1);
  return colourType === 3 ? (palette[value * 3] ?? 0) > 127 : value >= 1 << (bitDepth - 1);
}
