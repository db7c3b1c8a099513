// `npm start`: builds the pages when their sources changed, then runs the gateway in this process.
import { processTerminal } from "../packages/gateway/src/cli/process-terminal.ts";
import { buildPages } from "./build-pages.ts";
import { runCommandLine } from "../packages/gateway/src/cli/command-line.ts";

const npmShell = process.ppid;
for (const page of buildPages()) console.error(`the ${page} page could not be built; the gateway starts without it`);

// People read what `npm start` prints; a service manager that wants JSON says so.
process.env["FOVEA_LOG_FORMAT"] ??= "readable";
stopWithNpm();
const args = process.argv.slice(2);
process.exit(await runCommandLine(["start", ...args], processTerminal()));

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
