import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseFlags } from "../config/flags.ts";
import { resolveConfig } from "../config/resolve-config.ts";
import type { VerifyingKey } from "../platform/signing-key.ts";
import { readVerifyingKey } from "../platform/signing-key.ts";
import { SystemClock } from "../platform/system-clock.ts";
import { SqliteStore } from "../stores/sqlite-store.ts";
import type { ChainHead } from "../telemetry/audit-chain.ts";
import { checkpointText } from "../telemetry/audit-chain.ts";
import { AUDIT_FOLDER, HEAD_KEY } from "../telemetry/audit-trail.ts";
import type { AuditReport } from "../telemetry/audit-verify.ts";
import { verifyAudit } from "../telemetry/audit-verify.ts";
import type { Command, Terminal } from "./command.ts";
import { configInput } from "./command.ts";

const USAGE = `usage: fovea audit verify [--data <folder>] [--folder <folder>] [--public-key <file>] [--head <number>:<hash>] [--json]

Reads the audit trail and says whether it is whole: nothing changed, missing, added or moved, signatures good, and its end
where it was. --head names an end that you have noted earlier (this command prints one): keep it where nobody who could
change the trail can reach it. --folder reads a copy of the files instead of those of the data folder.`;

/** `fovea audit verify`. Exit code 0: whole; 1: not; 2: the command line. */
export const audit: Command = async (args, terminal) => {
  const flags = parseFlags(args, ["folder", "public-key", "head"]);
  const head = headOf(flags.other["head"]);
  if (flags.help || flags.positionals[0] !== "verify" || flags.positionals.length > 1 || head === "wrong") {
    (flags.help ? terminal.print : terminal.printError)(USAGE);
    return flags.help ? 0 : 2;
  }
  // The address may lack a key: nothing is opened here.
  const config = resolveConfig({ ...configInput(flags, terminal), flags: { ...flags, host: "127.0.0.1" } });
  const folder = flags.other["folder"] ?? join(config.dataFolder, AUDIT_FOLDER);
  const key = openKey(folder, flags.other["public-key"], terminal);
  if (key === "unreadable") return 2;
  const stored =
    flags.other["folder"] === undefined ? await storedHead(join(config.dataFolder, "fovea.db")) : undefined;
  const problems: string[] = [];
  if (stored !== undefined && key !== undefined && !key.verify(checkpointText(stored), stored.signature))
    problems.push("store: the end of the trail that the store knows is not signed by this key");
  const known = [...(stored === undefined ? [] : [stored]), ...(head === undefined ? [] : [head])];
  const read = verifyAudit({ folder, key, known });
  const report: AuditReport = { ...read, problems: [...problems, ...read.problems] };
  if (flags.json) terminal.print(JSON.stringify(report, null, 2));
  else for (const line of reportLines(report, folder, key)) terminal.print(line);
  return report.problems.length === 0 ? 0 : 1;
};

function reportLines(report: AuditReport, folder: string, key: VerifyingKey | undefined): string[] {
  const { files, records, checkpoints, dropped, first, last, unsigned, problems } = report;
  if (last === undefined || first === undefined)
    return problems.length === 0 ? [`no audit records in ${folder}`] : [...problems];
  const lines = [
    `${records} records (${first.seq} to ${last.seq}) in ${files} ${files === 1 ? "file" : "files"}, ${first.at} to ${last.at}`,
  ];
  if (first.seq > 1) lines.push(`records 1 to ${first.seq - 1} are not here: their files were taken away`);
  lines.push(
    key === undefined
      ? `${checkpoints} checkpoints, not checked: there is no public key`
      : `${checkpoints} checkpoints signed by key ${key.id}; ${unsigned} records since the last`,
  );
  if (dropped > 0) lines.push(`${dropped} records were dropped because they could not be written in time`);
  if (problems.length === 0) return [...lines, `whole; its end, to note elsewhere: ${last.seq}:${last.hash}`];
  return [...lines, ...problems.map((problem) => `NOT WHOLE  ${problem}`)];
}

function headOf(text: string | undefined): ChainHead | "wrong" | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text);
  return match === null ? "wrong" : { seq: Number(match[1]), hash: match[2] ?? "" };
}

function openKey(
  folder: string,
  path: string | undefined,
  terminal: Terminal,
): VerifyingKey | "unreadable" | undefined {
  try {
    return path === undefined ? readVerifyingKey(folder) : readVerifyingKey(folder, path);
  } catch (error) {
    if (path === undefined && (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    terminal.printError(`fovea audit: the public key ${path ?? `of ${folder}`} cannot be read`);
    return "unreadable";
  }
}

/** What the gateway's own database knows of the end: the files may be ahead of it, never behind. */
async function storedHead(path: string): Promise<(ChainHead & { readonly signature: string }) | undefined> {
  if (!existsSync(path)) return undefined;
  await using store = new SqliteStore(new SystemClock(), path);
  const value = await store.get(HEAD_KEY);
  return value === undefined ? undefined : (JSON.parse(value) as ChainHead & { readonly signature: string });
}
