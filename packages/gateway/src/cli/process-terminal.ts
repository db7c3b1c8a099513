import { LineWriter } from "../platform/line-writer.ts";
import type { Terminal } from "./command.ts";

const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

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
      for (const signal of STOP_SIGNALS) process.on(signal, stop);
      return () => {
        for (const signal of STOP_SIGNALS) process.off(signal, stop);
      };
    },
  };
}
