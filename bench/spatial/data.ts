// Reads FOVEA_DATA/spatial: rooms as plain objects, tables of utterances. Nothing here knows the engine's inside.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";

export const DATA = join(
  resolve(process.env["FOVEA_DATA"] ?? join(import.meta.dirname, "../../../shared/data")),
  "spatial",
);

export function hasData(): boolean {
  return existsSync(join(DATA, "boxes.json.gz"));
}

export interface BoxObject {
  readonly id: number;
  readonly l: string;
  readonly c: readonly [number, number, number];
  readonly s: readonly [number, number, number];
  readonly front?: readonly [number, number, number];
}

export function readText(name: string): string {
  return gunzipSync(readFileSync(join(DATA, name))).toString("utf8");
}

export function readRooms(): Readonly<Record<string, readonly BoxObject[]>> {
  return JSON.parse(readText("boxes.json.gz")) as Record<string, BoxObject[]>;
}

export type Row = Readonly<Record<string, string>>;

export function readTable(name: string): readonly Row[] {
  const [head, ...lines] = parseCsv(readText(name));
  return lines.map((cells) => Object.fromEntries((head ?? []).map((key, i) => [key, cells[i] ?? ""])));
}

function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (quoted) {
      if (c === '"' && text[i + 1] === '"') {
        cell += '"';
        i++;
      } else if (c === '"') quoted = false;
      else cell += c;
    } else if (c === '"') quoted = true;
    else if (c === ",") {
      row.push(cell);
      cell = "";
    } else if (c === "\n") {
      row.push(cell.replace(/\r$/, ""));
      rows.push(row);
      row = [];
      cell = "";
    } else cell += c;
  }
  if (cell !== "" || row.length > 0) {
    row.push(cell);
    rows.push(row);
  }
  return rows;
}

/** The protocol's objects of one room. */
export function protocolObjects(boxes: readonly BoxObject[]): readonly Readonly<Record<string, unknown>>[] {
  return boxes.map((box) => ({
    id: box.id,
    label: box.l,
    center: box.c,
    size: box.s,
    ...(box.front === undefined ? {} : { front: box.front }),
  }));
}
