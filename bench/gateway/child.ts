import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** A program under test, in a process of its own, with the CPU time it has used. */
export class Child {
  readonly name: string;
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(name: string, url: string, child: ChildProcess) {
    this.name = name;
    this.url = url;
    this.#process = child;
  }

  /** Waits for the first line that holds a URL. */
  static async start(
    name: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Child> {
    const child = spawn(process.execPath, ["--conditions=@fovea/source", ...args], {
      env: { ...process.env, NODE_ENV: "production", ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        const found = /http:\/\/[\w.]+:\d+/.exec(text)?.[0];
        if (found !== undefined) resolve(found.replace("localhost", "127.0.0.1"));
      });
      child.on("exit", (code) => reject(new Error(`${name} ended with code ${code} before it was ready`)));
    });
    return new Child(name, url, child);
  }

  /** Microseconds of CPU of all threads, from the scheduler: exact to the nanosecond, where `ps` counts ticks of 10 ms. */
  cpuMicros(): number {
    const tasks = `/proc/${this.#process.pid}/task`;
    let nanoseconds = 0;
    for (const task of readdirSync(tasks))
      nanoseconds += Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]);
    return nanoseconds / 1_000;
  }

  residentMegabytes(): number {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#process.pid}/status`, "utf8"))?.[1];
    return Math.round(Number(kilobytes) / 1_024);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.on("exit", resolve));
    this.#process.kill("SIGTERM");
    await ended;
  }
}
