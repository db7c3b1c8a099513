import { WireFault } from "./wire-fault.ts";

export type MultipartField =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly fileName: string; readonly mime: string; readonly bytes: Uint8Array };

export interface MultipartBody {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** `multipart/form-data` in one buffer. The boundary is one that occurs in none of the values. */
export function buildMultipart(fields: readonly MultipartField[]): MultipartBody {
  const boundary = freeBoundary(fields);
  const pieces: Uint8Array[] = [];
  for (const field of fields) {
    const isFile = "bytes" in field;
    const disposition = `form-data; name="${quoted(field.name)}"${isFile ? `; filename="${quoted(field.fileName)}"` : ""}`;
    const type = isFile ? `\r\ncontent-type: ${header(field.mime)}` : "";
    pieces.push(Buffer.from(`--${boundary}\r\ncontent-disposition: ${disposition}${type}\r\n\r\n`));
    pieces.push(isFile ? field.bytes : Buffer.from(field.value), Buffer.from("\r\n"));
  }
  pieces.push(Buffer.from(`--${boundary}--\r\n`));
  return { contentType: `multipart/form-data; boundary=${boundary}`, bytes: Buffer.concat(pieces) };
}

function freeBoundary(fields: readonly MultipartField[]): string {
  for (let count = 0; ; count++) {
    const boundary = `fovea-form-${count}`;
    const isTaken = fields.some((field) =>
      "bytes" in field ? viewOf(field.bytes).includes(boundary) : field.value.includes(boundary),
    );
    if (!isTaken) return boundary;
  }
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Escapes of the HTML standard for names in form data. */
function quoted(text: string): string {
  return text.replaceAll('"', "%22").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function header(text: string): string {
  if (/[\r\n]/.test(text)) throw new WireFault("invalid_request", "a media type with a line break");
  return text;
}
