import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join, resolve } from "node:path";
import { parseFlags } from "../config/flags.ts";
import { resolveConfig } from "../config/resolve-config.ts";
import { makeSelfSigned } from "../platform/self-signed.ts";
import { SystemClock } from "../platform/system-clock.ts";
import type { Command } from "./command.ts";
import { configInput } from "./command.ts";

const USAGE = "usage: fovea dev-cert [--out <folder>] [--names host,10.0.0.5] [--days 90]";
/** Browsers refuse longer ones (825 days at most on Apple systems). */
const DAYS_MAX = 397;

/**
 * `fovea dev-cert`: a self-signed certificate for development. The official `openai` client speaks its realtime protocol
 * over TLS only, and a headset on the same network gets WebXR and the microphone from secure origins only.
 */
export const devCert: Command = async (args, terminal) => {
  const flags = parseFlags(args, ["out", "names", "days"]);
  if (flags.help || flags.positionals.length > 0) {
    (flags.help ? terminal.print : terminal.printError)(USAGE);
    return flags.help ? 0 : 2;
  }
  const days = Number(flags.other["days"] ?? "90");
  if (!Number.isInteger(days) || days < 1 || days > DAYS_MAX) {
    terminal.printError(`fovea dev-cert: --days must be a whole number from 1 to ${DAYS_MAX}`);
    return 2;
  }
  const more = (flags.other["names"] ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const wrong = more.find((name) => !/^[A-Za-z0-9.:*_-]{1,253}$/.test(name));
  if (wrong !== undefined) {
    terminal.printError(`fovea dev-cert: \`${wrong}\` is not a host name or an address`);
    return 2;
  }
  const names = [...new Set(["localhost", "127.0.0.1", "::1", ...ownAddresses(), ...more])];
  const folder = folderOf(flags.other["out"], args, terminal);
  const certFile = join(folder, "cert.pem");
  const keyFile = join(folder, "key.pem");
  const wasThere = existsSync(certFile);
  const { certificate, key } = await makeSelfSigned(names, new SystemClock().unixMs(), days);
  mkdirSync(folder, { recursive: true });
  writeFileSync(certFile, certificate);
  writeFileSync(keyFile, key, { mode: 0o600 });
  for (const line of explanation({ certFile, keyFile, names, days, wasThere })) terminal.print(line);
  return 0;
};

function folderOf(out: string | undefined, args: readonly string[], terminal: Parameters<Command>[1]): string {
  if (out !== undefined) return resolve(terminal.workingFolder, out);
  const flags = parseFlags(args, ["out", "names", "days"]);
  // The address may still lack the key that it needs: a certificate can be made all the same.
  return join(
    resolveConfig({ ...configInput(flags, terminal), flags: { ...flags, host: "127.0.0.1" } }).dataFolder,
    "tls",
  );
}

/** A headset reaches this machine by its address in the network. */
function ownAddresses(): string[] {
  const found = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return found.filter((address) => address.family === "IPv4" && !address.internal).map((address) => address.address);
}

function explanation(made: {
  readonly certFile: string;
  readonly keyFile: string;
  readonly names: readonly string[];
  readonly days: number;
  readonly wasThere: boolean;
}): string[] {
  const { certFile, keyFile, names, days, wasThere } = made;
  return [
    `${wasThere ? "Replaced" : "Made"} a self-signed certificate for ${names.join(", ")}, valid ${days} days:`,
    "",
    `  ${certFile}`,
    `  ${keyFile}   (keep it to yourself)`,
    "",
    "Start the gateway with it:",
    "",
    `  npm start -- --tls-cert ${certFile} --tls-key ${keyFile}`,
    "",
    "Let clients trust it:",
    "",
    `  Node        NODE_EXTRA_CA_CERTS=${certFile}`,
    `  Python      SSL_CERT_FILE=${certFile}`,
    `  curl        curl --cacert ${certFile} https://localhost:8787/healthz`,
    "  browsers    open the gateway's address once and accept the warning, also in the headset",
  ];
}
