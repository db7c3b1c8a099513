import { generate } from "selfsigned";

export interface Certificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8, not encrypted. */
  readonly key: string;
}

/** A certificate that is its own authority, for the given names: host names and IP addresses. It cannot sign others. */
export async function makeSelfSigned(
  names: readonly string[],
  validFromUnixMs: number,
  days: number,
): Promise<Certificate> {
  const altNames = names.map((name) =>
    isAddress(name) ? { type: 7 as const, ip: name } : { type: 2 as const, value: name },
  );
  const made = await generate([{ name: "commonName", value: names[0] ?? "localhost" }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    // A clock that runs a little behind must not see a certificate from the future.
    notBeforeDate: new Date(validFromUnixMs - 3_600_000),
    notAfterDate: new Date(validFromUnixMs + days * 86_400_000),
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames },
    ],
  });
  return { certificate: made.cert, key: made.private };
}

function isAddress(name: string): boolean {
  return /^[\d.]+$/.test(name) || name.includes(":");
}
