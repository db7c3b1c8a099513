import type { IdentifiedAdapter } from "../providers/provider-adapter.ts";

const METHODS = [
  "transcribe",
  "speak",
  "image",
  "rerank",
  "detect",
  "startJob",
  "getJob",
  "cancelJob",
  "readJobFile",
  "webhookSecret",
] as const;

/** Whatever a provider can do beside chat and embeddings, its lifted form can do as well: the same functions, bound to it. */
export function forwardCapabilities(base: IdentifiedAdapter, lifted: IdentifiedAdapter): void {
  const methods = base as unknown as Readonly<Record<string, unknown>>;
  for (const name of METHODS) {
    // A form that brings its own way of doing something keeps it.
    if (name in lifted) continue;
    const method = methods[name];
    if (typeof method === "function") Object.defineProperty(lifted, name, { value: method.bind(base) as unknown });
  }
}
