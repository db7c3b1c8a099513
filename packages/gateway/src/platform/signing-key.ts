import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const PRIVATE_FILE = "audit-key.pem";
const PUBLIC_FILE = "audit-key.pub.pem";

/** Signs with Ed25519. The public half is all that a verifier needs. */
export interface SigningKey {
  /** First eight hexadecimal digits of the SHA-256 of the public key. */
  readonly id: string;
  sign(text: string): string;
}

export interface VerifyingKey {
  readonly id: string;
  verify(text: string, signature: string): boolean;
}

/** Made once, readable by its owner only; the public half lies beside it. Throws where the folder cannot be written. */
export function openSigningKey(folder: string): SigningKey {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, PRIVATE_FILE);
  try {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    // Fails when it exists: two processes that start at once agree on the first one's.
    writeFileSync(path, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flag: "wx" });
    writeFileSync(join(folder, PUBLIC_FILE), publicKey.export({ type: "spki", format: "pem" }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const key = createPrivateKey(readFileSync(path));
  return {
    id: idOf(createPublicKey(key)),
    sign: (text) => sign(null, Buffer.from(text), key).toString("base64"),
  };
}

/** Throws where there is no such file. */
export function readVerifyingKey(folder: string, path = join(folder, PUBLIC_FILE)): VerifyingKey {
  const key = createPublicKey(readFileSync(path));
  return {
    id: idOf(key),
    verify: (text, signature) => verify(null, Buffer.from(text), key, Buffer.from(signature, "base64")),
  };
}

function idOf(key: KeyObject): string {
  return hash("sha256", key.export({ type: "spki", format: "der" }), "hex").slice(0, 8);
}
