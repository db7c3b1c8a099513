// Multipart bodies, bounded in every direction: fields, their size, one file, its size.
import type { IncomingMessage } from "node:http";
import { Busboy, type BusboyInstance } from "@fastify/busboy";
import { GatewayError } from "@fovea/core";
import { invalid } from "./request-fields.ts";

/** 25 MiB, as OpenAI takes it, and a little for the fields around it. */
export const FORM_BYTES_MAX = 26 * 1024 * 1024;
const FILE_BYTES_MAX = 25 * 1024 * 1024;
const FIELDS_MAX = 64;
const FIELD_BYTES_MAX = 64 * 1024;

export interface FormFile {
  readonly field: string;
  readonly name: string;
  readonly mime: string;
  readonly bytes: Uint8Array;
}

export interface Form {
  /** Values by name; `name[]` counts as `name`. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  readonly files: readonly FormFile[];
}

export function readForm(request: IncomingMessage): Promise<Form> {
  const type = request.headers["content-type"] ?? "";
  return new Promise((resolve, reject) => {
    const fields = new Map<string, string[]>();
    const files: FormFile[] = [];
    const refuse = (error: unknown): void => {
      request.unpipe();
      request.resume();
      reject(error as Error);
    };
    let busboy: BusboyInstance;
    try {
      busboy = Busboy({
        headers: { ...request.headers, "content-type": type },
        limits: { fields: FIELDS_MAX, fieldSize: FIELD_BYTES_MAX, files: 1, fileSize: FILE_BYTES_MAX, headerPairs: 32 },
      });
    } catch {
      return refuse(invalid("body", "is not a readable multipart form"));
    }
    busboy.on("field", (name, value, _nameCut, isCut) => {
      if (isCut) return refuse(invalid(name, `takes at most ${FIELD_BYTES_MAX} bytes`));
      const key = name.replace(/\[\]$/, "");
      fields.set(key, [...(fields.get(key) ?? []), value]);
    });
    busboy.on("file", (field, stream, name, _encoding, mime) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("limit", () => refuse(tooLarge(field)));
      stream.on("end", () => files.push({ field, name, mime, bytes: Buffer.concat(chunks) }));
    });
    busboy.on("fieldsLimit", () => refuse(invalid("body", `takes at most ${FIELDS_MAX} fields`)));
    busboy.on("filesLimit", () => refuse(invalid("body", "takes one file")));
    busboy.on("error", () => refuse(invalid("body", "is not a readable multipart form")));
    busboy.on("finish", () => resolve({ fields, files }));
    request.on("close", () => {
      if (!request.complete) refuse(invalid("body", "ended early"));
    });
    request.pipe(busboy);
  });
}

function tooLarge(field: string): GatewayError {
  return new GatewayError("request_too_large", `${field}: is larger than ${FILE_BYTES_MAX} bytes`, { param: field });
}
