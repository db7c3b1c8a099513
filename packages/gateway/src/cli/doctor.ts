import type { Command } from "./command.ts";
import { configInput } from "./command.ts";
import { parseFlags } from "../config/flags.ts";
import { resolveConfig } from "../config/resolve-config.ts";
import { SystemClock } from "../platform/system-clock.ts";
import type { Check } from "./doctor-checks.ts";
import { runChecks } from "./doctor-checks.ts";

const MARKS: Readonly<Record<Check["state"], string>> = { ok: "ok  ", note: "note", warn: "WARN", fail: "FAIL" };

/** Explains what is configured, reachable and missing. Exit code 1 when something would keep the gateway from working. */
export const doctor: Command = async (args, terminal) => {
  const flags = parseFlags(args);
  const config = resolveConfig(configInput(flags, terminal));
  const checks = await runChecks({ config, clock: new SystemClock(), environment: terminal.environment });
  if (flags.json) terminal.print(JSON.stringify({ checks }, null, 2));
  else for (const check of checks) for (const line of checkLines(check)) terminal.print(line);
  const failures = checks.filter((check) => check.state === "fail").length;
  if (!flags.json)
    terminal.print(
      failures === 0 ? "\nNothing keeps the gateway from working." : `\n${failures} of ${checks.length} checks failed.`,
    );
  return failures === 0 ? 0 : 1;
};

function checkLines(check: Check): string[] {
  const lines = [`${MARKS[check.state]}  ${check.topic.padEnd(14)} ${check.found}`];
  if (check.remedy !== undefined) lines.push(`${" ".repeat(21)}${check.remedy}`);
  return lines;
}
