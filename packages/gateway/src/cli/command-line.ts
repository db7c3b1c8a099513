import { GatewayError } from "@fovea/core";
import { ConfigurationError, problemText } from "../config/config-problem.ts";
import { suggest } from "../config/suggest.ts";
import { audit } from "./audit.ts";
import type { Command, Terminal } from "./command.ts";
import { devCert } from "./dev-cert.ts";
import { doctor } from "./doctor.ts";
import { explain } from "./explain.ts";
import { gestures } from "./gestures.ts";
import { keys } from "./keys.ts";
import { query } from "./query.ts";
import { start } from "./start.ts";
import { readVersion } from "./version.ts";

const COMMANDS: Readonly<Record<string, { readonly run: Command; readonly summary: string }>> = {
  start: { run: start, summary: "run the gateway (this is what `fovea` alone does)" },
  doctor: { run: doctor, summary: "explain what is configured, reachable and missing" },
  query: { run: query, summary: "answer spatial questions over a scene file, one a line" },
  explain: { run: explain, summary: "say why a request goes, or went, to which model" },
  audit: { run: audit, summary: "`audit verify` says whether the audit trail is whole" },
  "dev-cert": { run: devCert, summary: "make a self-signed certificate for https and wss" },
  keys: { run: keys, summary: "`keys create` makes an API key" },
  gestures: { run: gestures, summary: "classify joint sequences, one JSON line each, or train on examples" },
  version: { run: printVersion, summary: "print the version" },
  help: { run: printHelp, summary: "print this" },
};

/** Runs one command and returns its exit code. Nothing is thrown: what went wrong is printed. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  const [first, ...rest] = args;
  if (first === "--version" || first === "-v") return printVersion([], terminal);
  if (first === "--help" || first === "-h") return printHelp([], terminal);
  const isNamed = first !== undefined && !first.startsWith("-");
  const command = COMMANDS[isNamed ? first : "start"];
  if (command === undefined || (isNamed && !Object.hasOwn(COMMANDS, first))) {
    const near = suggest(first ?? "", Object.keys(COMMANDS));
    terminal.printError(
      `fovea: there is no command \`${first}\`${near === undefined ? "" : `; did you mean \`${near}\`?`}`,
    );
    terminal.printError("Run `fovea help` for the commands.");
    return 2;
  }
  try {
    return await command.run(isNamed ? rest : args, terminal);
  } catch (error) {
    return report(error, terminal);
  }
}

function report(error: unknown, terminal: Terminal): number {
  if (error instanceof ConfigurationError) {
    const count = error.problems.length;
    terminal.printError(`fovea: the configuration has ${count === 1 ? "a problem" : `${count} problems`}:`);
    for (const problem of error.problems) terminal.printError(`  ${problemText(problem)}`);
    return 2;
  }
  if (GatewayError.has(error, "configuration_invalid")) {
    terminal.printError(`fovea: the configuration has a problem: ${error.message}`);
    return 2;
  }
  terminal.printError(`fovea: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return 1;
}

async function printVersion(_args: readonly string[], terminal: Terminal): Promise<number> {
  terminal.print(`fovea ${readVersion()} (node ${process.version})`);
  return 0;
}

async function printHelp(_args: readonly string[], terminal: Terminal): Promise<number> {
  terminal.print("usage: fovea <command> [options]\n");
  for (const [name, { summary }] of Object.entries(COMMANDS)) terminal.print(`  ${name.padEnd(10)} ${summary}`);
  terminal.print(`
  --config <file>   configuration file (default: fovea.yaml, if there is one)
  --host <address>  address to listen on (default: 127.0.0.1)
  --port <number>   port to listen on (default: 8787; 0 takes a free one)
  --data <folder>   where state is kept (default: data)
  --tls-cert <file> certificate in PEM: serve https and wss; with --tls-key <file>

Every key of the configuration: docs/reference/configuration.md`);
  return 0;
}
