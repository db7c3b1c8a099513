import type { ConfigInput } from "../config/resolve-config.ts";

/** What a command may touch of the world, so that tests can run it without a process. */
export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  readonly isTerminal: boolean;
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
  /** Calls back on SIGINT and SIGTERM; returns how to stop listening. */
  readonly onStopSignal: (stop: (signal: string) => void) => () => void;
  /** Calls back on SIGHUP, where that does not mean that the terminal has gone; returns how to stop listening. */
  readonly onReloadSignal?: (reload: () => void) => () => void;
}

/** Returns the exit code: 0 fine, 1 something is wrong, 2 the command line is. */
export type Command = (args: readonly string[], terminal: Terminal) => Promise<number>;

export function configInput(flags: ConfigInput["flags"], terminal: Terminal): ConfigInput {
  return { flags, environment: terminal.environment, workingFolder: terminal.workingFolder };
}
