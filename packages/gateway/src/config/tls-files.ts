import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { ConfigurationError } from "./config-problem.ts";
import type { ResolvedConfig } from "./resolve-config.ts";

/** What the server is encrypted with. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Undefined where nothing is configured. Throws `ConfigurationError` for one file without the other, or unusable ones. */
export function readTlsFiles(config: ResolvedConfig): TlsFiles | undefined {
  const { certFile, keyFile } = config.settings.server.tls;
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    const key = certFile === undefined ? "server.tls.certFile" : "server.tls.keyFile";
    throw problem(config, key, "is missing beside the other of the pair", "Name both files, or neither");
  }
  const cert = read(config, "server.tls.certFile", resolve(certFile));
  const key = read(config, "server.tls.keyFile", resolve(keyFile));
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unusable";
    throw problem(config, "server.tls", `the pair cannot be used (${code})`, "Make one with `npx fovea dev-cert`");
  }
  return { cert, key };
}

function read(config: ResolvedConfig, key: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    throw problem(config, key, `\`${path}\` cannot be read (${code})`, "Make a pair with `npx fovea dev-cert`");
  }
}

function problem(config: ResolvedConfig, key: string, message: string, remedy: string): ConfigurationError {
  return new ConfigurationError([{ where: config.originOf(key), key, message, remedy }]);
}
