import type { IncomingMessage } from "node:http";
import type { Call, FormPart, Vendor } from "./exchange.ts";

const BODY_BYTES_MAX = 64 * 1024 * 1024;

export async function readBytes(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) throw new RangeError("the body is larger than 64 MiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Undefined for anything that is not JSON: the vendor decides what it says to that. */
export function readJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** RFC 7578 as far as clients use it: parts with a name, perhaps a file name and a content type. */
export function readForm(bytes: Uint8Array, contentType: string): readonly FormPart[] {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (mark === undefined) return [];
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: FormPart[] = [];
  let start = body.indexOf(`--${mark}`);
  while (start >= 0) {
    const next = body.indexOf(`\r\n--${mark}`, start);
    if (next < 0) break;
    const part = readPart(body.subarray(start + mark.length + 4, next));
    if (part !== undefined) parts.push(part);
    start = next + 2;
  }
  return parts;
}

function readPart(section: Buffer): FormPart | undefined {
  const gap = section.indexOf("\r\n\r\n");
  if (gap < 0) return undefined;
  const head = section.subarray(0, gap).toString("utf8");
  const name = /name="([^"]*)"/i.exec(head)?.[1];
  if (name === undefined) return undefined;
  const fileName = /filename="([^"]*)"/i.exec(head)?.[1];
  const contentType = /^content-type:\s*(.+)$/im.exec(head)?.[1]?.trim();
  return {
    name,
    bytes: section.subarray(gap + 4),
    ...(fileName === undefined ? {} : { fileName }),
    ...(contentType === undefined ? {} : { contentType }),
  };
}

/** The text of one field of a form. */
export function fieldOf(parts: readonly FormPart[], name: string): string | undefined {
  const part = parts.find((candidate) => candidate.name === name);
  return part === undefined ? undefined : Buffer.from(part.bytes).toString("utf8");
}

export function readCall(request: IncomingMessage, bytes: Uint8Array, order: number, vendor: Vendor): Call {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
  const [rawPath = "/", rawQuery = ""] = (request.url ?? "/").split("?", 2);
  const query = new URLSearchParams(rawQuery);
  const contentType = headers["content-type"] ?? "";
  const isForm = contentType.startsWith("multipart/form-data");
  return {
    order,
    method: request.method ?? "GET",
    path: rawPath.replace(/\/{2,}/g, "/"),
    query,
    headers,
    bytes,
    json: isForm ? undefined : readJson(bytes),
    parts: isForm ? readForm(bytes, contentType) : [],
    key: vendor.keyOf(headers, query),
    origin: `http://${headers["host"] ?? "127.0.0.1"}`,
  };
}
