import type { LogLevel } from "@fovea/core";
import type { Gateway } from "../compose.ts";
import { composeGateway } from "../compose.ts";
import { ConfigurationError } from "../config/config-problem.ts";
import { parseFlags } from "../config/flags.ts";
import type { ResolvedConfig } from "../config/resolve-config.ts";
import { configPath, resolveConfig } from "../config/resolve-config.ts";
import { watchPath } from "../platform/file-watch.ts";
import { SystemClock } from "../platform/system-clock.ts";
import { JsonLog, ReadableLog } from "../telemetry/json-log.ts";
import type { Command, Terminal } from "./command.ts";
import { configInput } from "./command.ts";
import { foundLines } from "./found-lines.ts";
import { readVersion } from "./version.ts";

/** Runs until SIGINT or SIGTERM, then drains: the promise settles when everything is closed. */
export const start: Command = async (args, terminal) => {
  const flags = parseFlags(args);
  const extra = flags.positionals[0];
  if (extra !== undefined) {
    terminal.printError(`fovea start: takes no argument \`${extra}\``);
    return 2;
  }
  const input = configInput(flags, terminal);
  const config = resolveConfig(input);
  const isReadable = isReadableLog(config, terminal);
  const clock = new SystemClock();
  const level: LogLevel = config.settings.telemetry.logLevel;
  const log = new (isReadable ? ReadableLog : JsonLog)({ clock, level, write: terminal.print });
  const gateway = await composeGateway({
    config,
    clock,
    log,
    version: readVersion(),
    searchPath: terminal.environment["PATH"],
    loadConfig: () => resolveConfig(input),
  });
  const stopped = waitForStop(gateway, terminal);
  const url = await listen(gateway, config);
  if (isReadable) for (const line of foundLines(config, gateway.found, url)) terminal.print(line);
  else
    log.write("info", "gateway started", {
      url,
      version: readVersion(),
      providers: config.providers.map((provider) => provider.id).join(" "),
      isOpen: config.isOpen,
    });
  if (config.isOpen)
    log.write("warn", "no API key is configured: every program on this machine may use the gateway", {
      address: config.settings.server.host,
    });
  for (const notice of config.notices) log.write("warn", notice);
  const stopReloading = reloadOnChange(gateway, config.settings.server.configReload, configPath(input), terminal);
  await stopped;
  stopReloading();
  return 0;
};

/** A signal that comes while reading is switched off is heard and does nothing: its default would end the process. */
function reloadOnChange(
  gateway: Gateway,
  when: "watch" | "signal" | "off",
  path: string,
  terminal: Terminal,
): () => void {
  const reload = (reason: string): void => {
    if (when !== "off") gateway.reload(reason);
  };
  const stopSignal = terminal.onReloadSignal?.(() => reload("SIGHUP"));
  const stopWatch = when === "watch" ? watchPath(path, () => reload("the file was changed")) : undefined;
  return () => {
    stopSignal?.();
    stopWatch?.();
  };
}

function isReadableLog(config: ResolvedConfig, terminal: Terminal): boolean {
  const { logFormat } = config.settings.telemetry;
  return logFormat === "auto" ? terminal.isTerminal : logFormat === "readable";
}

/** One signal drains; further ones change nothing, because npm and process groups send the same signal several times. */
async function waitForStop(gateway: Gateway, terminal: Terminal): Promise<void> {
  const signal = await new Promise<string>((resolve) => {
    const stopListening = terminal.onStopSignal((name) => resolve(name));
    void gateway.closed.then(stopListening);
  });
  await gateway.close(signal);
}

async function listen(gateway: Gateway, config: ResolvedConfig): Promise<string> {
  try {
    return await gateway.listen();
  } catch (error) {
    await gateway.close("could not listen");
    const { code } = error as NodeJS.ErrnoException;
    const { host, port } = config.settings.server;
    const where = config.originOf("server.port");
    if (code === "EADDRINUSE")
      throw new ConfigurationError([
        {
          where,
          key: "server.port",
          value: String(port),
          message: `something else listens on ${host}:${port}`,
          remedy: "Stop it, or choose another port with `--port`",
        },
      ]);
    if (code === "EACCES")
      throw new ConfigurationError([
        {
          where,
          key: "server.port",
          value: String(port),
          message: "this user may not listen on it",
          remedy: "Choose a port above 1023",
        },
      ]);
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "EAI_AGAIN")
      throw new ConfigurationError([
        {
          where: config.originOf("server.host"),
          key: "server.host",
          value: host,
          message: "is not an address of this machine",
          remedy: "Use 127.0.0.1, or 0.0.0.0 for all addresses",
        },
      ]);
    throw error;
  }
}
