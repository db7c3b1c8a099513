// Real servers for the stores, started for a test and ended with it. Undefined where the machine has none: then tests say so.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./run-fovea.ts";

export interface StoreServer extends AsyncDisposable {
  readonly url: string;
  /** Ends it at once, as a crash does; what it had on its disk stays. */
  crash(): Promise<void>;
  restart(): Promise<void>;
}

export const REDIS_ABSENT = isThere("redis-server") ? false : "redis-server is not installed";
const POSTGRES_FOLDER = postgresFolder();
export const POSTGRES_ABSENT = POSTGRES_FOLDER === undefined ? "postgresql is not installed" : false;

function isThere(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

function postgresFolder(): string | undefined {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).sort() : [];
  return versions.map((version) => join(root, version, "bin")).findLast((folder) => existsSync(join(folder, "initdb")));
}

export async function startRedis(): Promise<StoreServer> {
  const folder = mkdtempSync(join(tmpdir(), "fovea-redis-"));
  const port = await freePort();
  const args = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--dir",
    folder,
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
  ];
  return server(`redis://127.0.0.1:${port}`, folder, port, () => spawn("redis-server", args, { stdio: "ignore" }));
}

export async function startPostgres(): Promise<StoreServer> {
  const bin = POSTGRES_FOLDER ?? "";
  const folder = mkdtempSync(join(tmpdir(), "fovea-postgres-"));
  const port = await freePort();
  // PostgreSQL refuses to run as root.
  const owner = process.getuid?.() === 0 ? ownerOf() : undefined;
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  const as = owner === undefined ? {} : owner;
  const made = spawnSync(
    join(bin, "initdb"),
    ["-D", folder, "-U", "fovea", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
    { ...as, encoding: "utf8", cwd: folder },
  );
  if (made.status !== 0) throw new Error(made.stderr);
  const args = ["-D", folder, "-p", String(port), "-h", "127.0.0.1", "-k", folder];
  const url = `postgres://fovea@127.0.0.1:${port}/postgres`;
  return server(url, folder, port, () => spawn(join(bin, "postgres"), args, { ...as, stdio: "ignore", cwd: folder }));
}

function ownerOf(): { readonly uid: number; readonly gid: number } {
  const read = (flag: string): number => Number(spawnSync("id", [flag, "postgres"], { encoding: "utf8" }).stdout);
  return { uid: read("-u"), gid: read("-g") };
}

async function server(url: string, folder: string, port: number, launch: () => ChildProcess): Promise<StoreServer> {
  let child: ChildProcess | undefined;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill(signal);
    await ended;
  };
  const start = async (): Promise<void> => {
    child = launch();
    const own = child;
    const killAtExit = (): void => void own.kill("SIGKILL");
    process.once("exit", killAtExit);
    own.once("exit", () => process.off("exit", killAtExit));
    await untilListening(port);
  };
  await start();
  return {
    url,
    crash: () => stop("SIGKILL"),
    restart: start,
    [Symbol.asyncDispose]: async () => {
      // Immediate shutdown, which ends the helpers of PostgreSQL too.
      await stop("SIGQUIT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = createConnection({ port, host: "127.0.0.1" }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on ${port}`);
}
