// Files that a vendor's answer points at. The key goes to the vendor's own hosts alone; other hosts must be public
// addresses. Redirects are followed a few steps, each step judged like the first.
import { ProviderError, type CallOptions, type JobFile } from "@fovea/core";
import { buildFailure, codeOfStatus } from "./failure.ts";
import type { HttpAnswer } from "./http-call.ts";
import type { ProviderCaller } from "./provider-caller.ts";
import { WireFault } from "./wire-fault.ts";

const REDIRECTS_MAX = 4;
const DATA_URL = /^data:([^;,]*)(?:;[^;,]*)*?(;base64)?,/;

export async function readFile(
  caller: ProviderCaller,
  url: string,
  vendorHosts: RegExp | undefined,
  options: CallOptions,
): Promise<JobFile> {
  const inline = DATA_URL.exec(url);
  if (inline !== null) return inlineFile(url, inline);
  let at = parsed(caller, url);
  for (let step = 0; ; step++) {
    const isVendor =
      at.origin === caller.origin || (at.protocol === "https:" && vendorHosts?.test(at.hostname) === true);
    const answer = await (isVendor ? caller.openFile(at, options) : caller.openForeign(at, options));
    const location = answer.headers["location"];
    if (answer.status >= 300 && answer.status < 400 && location !== undefined && step < REDIRECTS_MAX) {
      answer.discard();
      at = parsed(caller, URL.canParse(location, at) ? new URL(location, at).href : "");
      continue;
    }
    if (answer.status < 200 || answer.status >= 300) throw refusal(caller, answer);
    return fileOf(caller, answer);
  }
}

function parsed(caller: ProviderCaller, url: string): URL {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return new URL(url);
  throw caller.thrown(new WireFault("protocol", "a file without an address that can be read"));
}

function inlineFile(url: string, [head, mime, isBase64]: RegExpExecArray): JobFile {
  const text = url.slice(head.length);
  const bytes = isBase64 === undefined ? Buffer.from(decodeURIComponent(text)) : Buffer.from(text, "base64");
  return {
    ...(mime === undefined || mime === "" ? {} : { mime }),
    sizeBytes: bytes.byteLength,
    stream: oneChunk(bytes),
  };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** What is gone was deleted by its maker: that is told as such. */
function refusal(caller: ProviderCaller, answer: HttpAnswer): ProviderError {
  const { status } = answer;
  answer.discard();
  const isGone = status === 403 || status === 404 || status === 410;
  const message = isGone ? "the file is gone: its maker keeps it for a limited time" : `the file answered ${status}`;
  return new ProviderError(buildFailure(isGone ? "not_found" : codeOfStatus(status), caller.id, message, { status }));
}

function fileOf(caller: ProviderCaller, answer: HttpAnswer): JobFile {
  const mime = answer.headers["content-type"]?.split(";")[0]?.trim();
  const length = Number(answer.headers["content-length"]);
  answer.contentArrived();
  return {
    ...(mime === undefined || mime === "" ? {} : { mime }),
    ...(Number.isSafeInteger(length) && length >= 0 ? { sizeBytes: length } : {}),
    stream: piecesOf(caller, answer),
  };
}

async function* piecesOf(caller: ProviderCaller, answer: HttpAnswer): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const hasMore = await answer.wait();
      const piece = answer.take();
      if (piece !== undefined) yield piece;
      if (!hasMore) return;
    }
  } catch (error) {
    throw caller.thrown(error);
  } finally {
    answer.discard();
  }
}
