// `npm start`: builds the pages when their sources changed, then runs the gateway in this process.
import { processTerminal } from "../packages/gateway/src/cli/process-terminal.ts";
import { buildPages } from "./build-pages.ts";
import { runCommandLine } from "../packages/gateway/src/cli/command-line.ts";

const npmShell = process.ppid;
for (const page of buildPages()) console.error(`the ${page} page could not be built; the gateway starts without it`);

stopWithNpm();
// People read what `npm start` prints, through a pipe too; whoever wants JSON says so (`telemetry.logFormat: json`).
const terminal = { ...processTerminal(), isTerminal: true };
process.exit(await runCommandLine(["start", ...process.argv.slice(2)], terminal));

/** npm passes a signal on to its shell only, and the shell dies without a word: a gateway left behind would keep the port. */
function stopWithNpm(): void {
  if (process.env["npm_lifecycle_event"] !== "start") return;
  const timer = setInterval(() => {
    if (process.ppid === npmShell) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGTERM");
  }, 250);
  timer.unref();
}
