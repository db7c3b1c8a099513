/** Only what was given: with `exactOptionalPropertyTypes` an absent field and an undefined one differ. */
export function definedOf<T extends Readonly<Record<string, unknown>>>(
  values: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const defined: Record<string, unknown> = {};
  for (const name of Object.keys(values)) if (values[name] !== undefined) defined[name] = values[name];
  return defined as { [K in keyof T]?: Exclude<T[K], undefined> };
}

export function dataUrl(mime: string, bytes: Uint8Array): string {
  return `data:${mime};base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")}`;
}
