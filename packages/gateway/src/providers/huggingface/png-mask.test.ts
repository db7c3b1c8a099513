// Rule PV78 of docs/spec/providers.md. `png` writes a grey picture from rows of text, `.` dark and `#` white.
import assert from "node:assert/strict";
import test from "node:test";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { readMask } from "./png-mask.ts";

function chunk(name: string, body: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.byteLength, 0);
  head.write(name, 4);
  return Buffer.concat([head, body, Buffer.alloc(4)]);
}

interface Form {
  readonly bitDepth?: 1 | 8;
  readonly colourType?: 0 | 2 | 3 | 6;
  /** Filter of each row. */
  readonly filters?: readonly number[];
}

function png(rows: readonly string[], form: Form = {}): Buffer {
  const { bitDepth = 8, colourType = 0, filters = [] } = form;
  const width = rows[0]?.length ?? 0;
  const channels = { 0: 1, 2: 3, 3: 1, 6: 4 }[colourType];
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(rows.length, 4);
  header.set([bitDepth, colourType], 8);
  let above = Buffer.alloc(bitDepth === 1 ? Math.ceil(width / 8) : width * channels);
  const lines = rows.map((row, y) => {
    const plain = Buffer.alloc(above.length);
    for (let x = 0; x < width; x++) {
      const isWhite = row[x] === "#";
      if (bitDepth === 1 && isWhite) plain[x >> 3] = (plain[x >> 3] ?? 0) | (0x80 >> (x & 7));
      if (bitDepth === 8) plain.fill(isWhite ? (colourType === 3 ? 1 : 255) : 0, x * channels, (x + 1) * channels);
    }
    const filter = filters[y] ?? 0;
    const line = Buffer.concat([Buffer.from([filter]), filtered(plain, above, filter, bitDepth === 1 ? 1 : channels)]);
    above = plain;
    return line;
  });
  const palette = colourType === 3 ? [chunk("PLTE", Buffer.from([0, 0, 0, 255, 255, 255]))] : [];
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(Buffer.concat(lines));
  // In two pieces, as encoders cut it.
  const pieces = [chunk("IDAT", data.subarray(0, 5)), chunk("IDAT", data.subarray(5))];
  return Buffer.concat([signature, chunk("IHDR", header), ...palette, ...pieces, chunk("IEND", Buffer.alloc(0))]);
}

function filtered(row: Buffer, above: Buffer, filter: number, bytesPerPixel: number): Buffer {
  return Buffer.from(
    row.map((value, index) => {
      const left = index >= bytesPerPixel ? (row[index - bytesPerPixel] ?? 0) : 0;
      const up = above[index] ?? 0;
      const corner = index >= bytesPerPixel ? (above[index - bytesPerPixel] ?? 0) : 0;
      const guess = left + up - corner;
      const byDistance = [left, up, corner].sort((a, b) => Math.abs(guess - a) - Math.abs(guess - b))[0] ?? 0;
      return value - ([0, left, up, (left + up) >> 1, byDistance][filter] ?? 0);
    }),
  );
}

const PICTURE = ["........", "..##....", "..#.##..", "........"];

test("[PV78] a box is drawn around the white of a mask, whatever the form of the PNG", () => {
  const expected = { widthPx: 8, heightPx: 4, box: [2, 1, 6, 3] };
  for (const form of [{}, { bitDepth: 1 }, { colourType: 2 }, { colourType: 3 }, { colourType: 6 }] as const)
    assert.deepEqual(readMask(png(PICTURE, form)), expected, JSON.stringify(form));
  assert.deepEqual(readMask(png(PICTURE, { filters: [1, 2, 3, 4] })), expected);
  assert.equal(readMask(png(["....", "...."])).box, undefined);
});

test("[PV78] any picture and any filters give the same box", () => {
  const rows = fc.integer({ min: 1, max: 20 }).chain((width) =>
    fc.array(
      fc.array(fc.constantFrom(".", "#"), { minLength: width, maxLength: width }).map((row) => row.join("")),
      {
        minLength: 1,
        maxLength: 12,
      },
    ),
  );
  fc.assert(
    fc.property(rows, fc.array(fc.nat(4), { maxLength: 12 }), (picture, filters) => {
      const xs = picture.flatMap((row) => row.split("").flatMap((pixel, x) => (pixel === "#" ? [x] : [])));
      const ys = picture.flatMap((row, y) => (row.includes("#") ? [y] : []));
      const box =
        xs.length === 0 ? undefined : [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1];
      // Ties of the Paeth filter are broken by the order left, above, corner, which sorting keeps.
      assert.deepEqual(readMask(png(picture, { filters })).box, box);
    }),
    { numRuns: 200 },
  );
});

test("[PV78] what is no mask is protocol, and never read past its end", () => {
  const whole = png(PICTURE);
  for (const broken of [new Uint8Array(), Buffer.from("GIF89a"), whole.subarray(0, 40), whole.subarray(0, 60)])
    assert.throws(() => readMask(broken), { code: "protocol" });
  const claims = Buffer.from(whole);
  claims.writeUInt32BE(0xffff, 16);
  claims.writeUInt32BE(0xffff, 20);
  assert.throws(() => readMask(claims), { code: "protocol" });
});
