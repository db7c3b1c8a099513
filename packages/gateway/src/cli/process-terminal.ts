import { LineWriter } from "../platform/line-writer.ts";
import type { Terminal } from "./command.ts";

const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;
const HANGUP = "SIGHUP";

/** The real terminal. A reader that went away (`fovea | head`) ends the output, not the process. */
export function processTerminal(): Terminal {
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
  const lines = new LineWriter();
  const isTerminal = process.stdout.isTTY === true;
  return {
    environment: process.env,
    workingFolder: process.cwd(),
    isTerminal,
    print: (line) => (isTerminal ? void process.stdout.write(`${line}\n`) : lines.write(line)),
    printError: (line) => void process.stderr.write(`${line}\n`),
    onStopSignal: (stop) => {
      // A terminal that is closed hangs up: who started the gateway in it wants it to end. A service is told to read anew.
      const signals = isTerminal ? [...STOP_SIGNALS, HANGUP] : STOP_SIGNALS;
      for (const signal of signals) process.on(signal, stop);
      return () => {
        for (const signal of signals) process.off(signal, stop);
      };
    },
    onReloadSignal: (reload) => {
      if (isTerminal) return () => {};
      process.on(HANGUP, reload);
      return () => process.off(HANGUP, reload);
    },
  };
}
