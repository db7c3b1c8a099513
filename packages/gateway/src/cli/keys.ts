import { SCOPES } from "../config/config-schema.ts";
import { parseFlags } from "../config/flags.ts";
import { resolveConfig } from "../config/resolve-config.ts";
import { serverSecret } from "../config/server-secret.ts";
import { apiKeyHash, buildApiKey } from "../http/api-key.ts";
import { SystemIds } from "../platform/system-ids.ts";
import type { Command } from "./command.ts";
import { configInput } from "./command.ts";

const USAGE = `usage: fovea keys create [--id <name>] [--scopes chat,session,metrics,admin] [--tenant <name>]`;

/** `fovea keys create`: prints a key once, and the entry for fovea.yaml, which holds only its hash. */
export const keys: Command = async (args, terminal) => {
  const flags = parseFlags(args, ["id", "scopes", "tenant"]);
  if (flags.help || flags.positionals[0] !== "create" || flags.positionals.length > 1) {
    (flags.help ? terminal.print : terminal.printError)(USAGE);
    return flags.help ? 0 : 2;
  }
  const scopes = (flags.other["scopes"] ?? "chat,session").split(",").map((scope) => scope.trim());
  const unknown = scopes.find((scope) => !(SCOPES as readonly string[]).includes(scope));
  if (unknown !== undefined) {
    terminal.printError(`fovea keys: there is no scope \`${unknown}\`; known: ${SCOPES.join(", ")}`);
    return 2;
  }
  const ids = new SystemIds();
  // The address may still lack the key that it needs: that is what this command is for.
  const config = resolveConfig({ ...configInput(flags, terminal), flags: { ...flags, host: "127.0.0.1" } });
  const secret = serverSecret(config.settings.auth.secret, config.dataFolder, ids);
  const key = buildApiKey(ids.secret());
  terminal.print(`The key, shown this once:\n\n  ${key}\n`);
  terminal.print(
    `Put this into fovea.yaml (the server secret comes from ${config.settings.auth.secret === undefined ? config.dataFolder : "the configuration"}):\n`,
  );
  terminal.print(
    `auth:\n  keys:\n    - id: ${flags.other["id"] ?? ids.next("key").slice(0, 10)}\n` +
      `      hash: ${apiKeyHash(secret, key)}\n` +
      (flags.other["tenant"] === undefined ? "" : `      tenant: ${flags.other["tenant"]}\n`) +
      `      scopes: [${scopes.join(", ")}]`,
  );
  return 0;
};
