/**
 * What a thinking block needs to be sent back unchanged. One string, because the canonical part carries one: the mark
 * tells a signature (which may stand beside an empty text) from a block that is encrypted as a whole.
 */
export type Sealed = { readonly kind: "signature" | "redacted"; readonly value: string };

export function sealOf(kind: Sealed["kind"], value: string): string {
  return `${kind}:${value}`;
}

export function unsealed(text: string): Sealed | undefined {
  const colon = text.indexOf(":");
  const kind = text.slice(0, colon);
  if (kind !== "signature" && kind !== "redacted") return undefined;
  return { kind, value: text.slice(colon + 1) };
}
