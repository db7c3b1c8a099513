// Before a camera image leaves the gateway, an operator may have people in it covered who agreed to nothing. Which program
// finds faces is the operator's choice: any HTTP service that takes an image and gives one back.
import { GatewayError } from "@fovea/core";
import { addressPolicyOf } from "../providers/address-check.ts";
import type { HttpTransport } from "../providers/http-transport.ts";
import { imageSizeOf } from "../providers/image-size.ts";

export interface PlainImage {
  readonly bytes: Uint8Array;
  readonly mime: string;
}

/** Covers what must not be seen. Fails closed: an image that could not be covered does not leave. */
export interface ImageGuard {
  cover(image: PlainImage, signal: AbortSignal): Promise<PlainImage>;
}

const COVERED_BYTES_MAX = 16_777_216;
const COVER_MS = 3_000;

/** `POST` of the image to the operator's service; its answer is the image that may leave, of the same size in pixels. */
export class HttpImageGuard implements ImageGuard {
  readonly #url: URL;
  readonly #http: HttpTransport;

  constructor(url: string, http: HttpTransport) {
    this.#url = new URL(url);
    this.#http = http;
  }

  async cover(image: PlainImage, signal: AbortSignal): Promise<PlainImage> {
    const answer = await this.#http.open(
      { id: "image-guard", addressPolicy: addressPolicyOf(this.#url, true) },
      {
        method: "POST",
        origin: this.#url.origin,
        path: `${this.#url.pathname}${this.#url.search}`,
        headers: { "content-type": image.mime, accept: "image/jpeg" },
        body: image.bytes,
      },
      { signal, timeouts: { totalMs: COVER_MS } },
    );
    const bytes = await answer.readAll(COVERED_BYTES_MAX);
    const mime = (answer.headers["content-type"] ?? "").split(";")[0] ?? "";
    if (answer.status !== 200 || !mime.startsWith("image/")) throw unguarded(`it answered ${answer.status} ${mime}`);
    const before = imageSizeOf(image.bytes);
    const after = imageSizeOf(bytes);
    if (after === undefined) throw unguarded("its answer is no image");
    // Boxes are shares of the image that was taken: another crop would put them elsewhere.
    const isSameShape =
      before === undefined || Math.abs(before.widthPx / before.heightPx - after.widthPx / after.heightPx) < 0.02;
    if (!isSameShape) throw unguarded("its answer has another shape");
    return { bytes, mime };
  }
}

function unguarded(why: string): GatewayError {
  return new GatewayError("provider_failed", `the image guard failed: ${why}`);
}
