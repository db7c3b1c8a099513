import type { ContentPart } from "@fovea/core";
import { decodeBase64, invalid } from "./request-fields.ts";

type MediaPart = Extract<ContentPart, { type: "media" }>;

/** An image as clients name it: an https address, or a data URL whose bytes are checked here. */
export function readImageUrl(url: string, path: string, detail?: string): MediaPart {
  const more = detail === undefined ? {} : { detail };
  if (url.startsWith("data:")) {
    const { mime, bytes } = readDataUrl(url, path);
    if (!mime.startsWith("image/")) throw invalid(path, `has media type ${mime}; an image is expected`);
    return { type: "media", kind: "image", mime, data: { bytes }, ...more };
  }
  if (!/^https?:\/\/[^\s/]/i.test(url)) throw invalid(path, "must be an https address or a base64 data URL");
  return { type: "media", kind: "image", mime: mimeOfPath(url), data: { url }, ...more };
}

export function readDataUrl(url: string, path: string): { readonly mime: string; readonly bytes: Uint8Array } {
  const head = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w=.+-]+)*;base64,/i.exec(url.slice(0, 200));
  if (head === null) throw invalid(path, "must be a data URL with a media type and base64 data");
  const mime = (head[1] ?? "").toLowerCase();
  return { mime, bytes: decodeBase64(url.slice(head[0].length), path) };
}

const MIME_BY_ENDING: Readonly<Record<string, string>> = {
  png: "image/png",
  gif: "image/gif",
  webp: "image/webp",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
};

function mimeOfPath(url: string): string {
  const ending = /\.(\w{3,4})(?:[?#]|$)/.exec(url)?.[1]?.toLowerCase() ?? "";
  return MIME_BY_ENDING[ending] ?? "image/*";
}

/** From the first bytes; clients of some dialects send images without a type. */
export function sniffImage(bytes: Uint8Array): string | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0x89 && b === 0x50 && c === 0x4e && d === 0x47) return "image/png";
  if (a === 0xff && b === 0xd8 && c === 0xff) return "image/jpeg";
  if (a === 0x47 && b === 0x49 && c === 0x46) return "image/gif";
  const isRiff = a === 0x52 && b === 0x49 && c === 0x46 && d === 0x46;
  if (isRiff && bytes[8] === 0x57 && bytes[9] === 0x45) return "image/webp";
  return undefined;
}

export function mediaKind(mime: string): MediaPart["kind"] {
  const kind = mime.split("/")[0];
  return kind === "image" || kind === "audio" || kind === "video" ? kind : "file";
}
