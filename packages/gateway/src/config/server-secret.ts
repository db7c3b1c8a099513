import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Ids } from "@fovea/core";
import { ConfigurationError } from "./config-problem.ts";

const FILE = "server-secret";

/**
 * The secret that key hashes and session tokens are made with: from the configuration, else from the data folder, where
 * it is made once, readable by its owner only. Losing it makes every stored key hash and open token void.
 */
export function serverSecret(configured: string | undefined, dataFolder: string, ids: Ids): string {
  if (configured !== undefined) return configured;
  const path = join(dataFolder, FILE);
  try {
    mkdirSync(dataFolder, { recursive: true });
    try {
      // Fails when it exists: two processes that start at once agree on the first one's.
      writeFileSync(path, `${ids.secret()}\n`, { mode: 0o600, flag: "wx" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const secret = readFileSync(path, "utf8").trim();
    if (secret.length >= 16) return secret;
  } catch (error) {
    throw unusable(path, `cannot be read or made (${(error as NodeJS.ErrnoException).code ?? "unknown"})`);
  }
  throw unusable(path, "is damaged: it must hold at least 16 characters");
}

function unusable(path: string, message: string): ConfigurationError {
  return new ConfigurationError([
    {
      where: "data folder",
      key: path,
      message,
      remedy: "Choose a writable folder with `--data <folder>`, or set FOVEA_SECRET and `store.type: memory`",
    },
  ]);
}
