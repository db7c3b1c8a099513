import type { ProviderErrorCode } from "@fovea/core";

/** What went wrong on the wire, before it is known which provider and attempt it belongs to. */
export class WireFault extends Error {
  readonly code: ProviderErrorCode;

  constructor(code: ProviderErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "WireFault";
    this.code = code;
  }
}
