// The command line: `node --conditions=@fovea/source packages/gateway/src/main.ts start`, or `npx fovea`.
import { runCommandLine } from "./cli/command-line.ts";
import { processTerminal } from "./cli/process-terminal.ts";

const code = await runCommandLine(process.argv.slice(2), processTerminal());
// Idle connections to providers may linger; everything that matters is closed when the command has ended.
process.exit(code);
