// Starts the real process as an operator does, and waits for it by what it answers.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");
const MAIN = join(ROOT, "packages/gateway/src/main.ts");
const VENDOR_VARIABLE = /^(?:FOVEA_|OPENAI_|ANTHROPIC_|GEMINI_|HF_|COHERE_|REPLICATE_|TOGETHER_|WLT_)/;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

export interface RunningFovea {
  readonly url: string;
  /** Where it runs: its `fovea.yaml` is here. */
  readonly folder: string;
  signal(name: NodeJS.Signals): void;
  readonly output: () => string;
  readonly ended: Promise<Ended>;
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<Ended>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Started {
  readonly ended: Promise<Ended>;
  readonly output: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
}

/**
 * Without the variables of whoever runs the tests: a key on the machine must not change a result. Nor do probes, unless a
 * test is about them: it counts the calls of an emulator.
 */
function cleanEnvironment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !VENDOR_VARIABLE.test(name));
  return { ...Object.fromEntries(own), FOVEA_PROBE: "false", ...more };
}

export function launch(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  folder: string,
): Started {
  const child = spawn(command, args, { cwd: folder, env: cleanEnvironment(env), stdio: ["ignore", "pipe", "pipe"] });
  // A test that hangs must not leave a server behind.
  const killAtExit = (): void => void child.kill("SIGKILL");
  process.once("exit", killAtExit);
  child.once("close", () => process.off("exit", killAtExit));
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = new Promise<Ended>((resolve) => child.on("close", (code, signal) => resolve({ code, signal, output })));
  return { ended, output: () => output, kill: (signal) => child.kill(signal) };
}

/** Runs a command to its end, in a folder of its own. */
export async function runFovea(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  folder = mkdtempSync(join(tmpdir(), "fovea-run-")),
): Promise<Ended> {
  return launch(process.execPath, ["--conditions=@fovea/source", MAIN, ...args], env, folder).ended;
}

/** Starts the gateway on a free port in a folder of its own and waits until it is ready. */
export async function startFovea(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  prepare: (folder: string) => void = () => {},
): Promise<RunningFovea> {
  const folder = mkdtempSync(join(tmpdir(), "fovea-run-"));
  prepare(folder);
  const port = await freePort();
  const started = launch(
    process.execPath,
    ["--conditions=@fovea/source", MAIN, "start", "--port", String(port), ...args],
    env,
    folder,
  );
  const url = `http://127.0.0.1:${port}`;
  await waitUntilReady(url, started);
  const stop = async (): Promise<Ended> => {
    started.kill("SIGTERM");
    const end = await started.ended;
    rmSync(folder, { recursive: true, force: true });
    return end;
  };
  return {
    url,
    folder,
    signal: started.kill,
    output: started.output,
    ended: started.ended,
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

export async function waitUntilReady(url: string, started: Started): Promise<void> {
  let hasEnded = false;
  void started.ended.then(() => (hasEnded = true));
  for (let attempt = 0; attempt < 1_200 && !hasEnded; attempt++) {
    try {
      if ((await fetch(`${url}/readyz`)).ok) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  started.kill("SIGKILL");
  throw new Error(`the gateway did not become ready:\n${started.output()}`);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
