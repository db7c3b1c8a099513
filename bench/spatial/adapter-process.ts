import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Talks to bench/adapter.ts as any scorer does: one line out, one line in. */
export class AdapterProcess {
  readonly #child = spawn(
    process.execPath,
    ["--conditions=@fovea/source", join(import.meta.dirname, "../adapter.ts")],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  readonly #waiting: ((line: string) => void)[] = [];
  #next = 0;

  constructor() {
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const resolve = this.#waiting[this.#next];
      this.#next += 1;
      resolve?.(line);
    });
  }

  send(line: Readonly<Record<string, unknown>>): void {
    this.#child.stdin.write(`${JSON.stringify(line)}\n`);
  }

  ask<T>(line: Readonly<Record<string, unknown>>): Promise<T> {
    const answer = new Promise<string>((resolve) => this.#waiting.push(resolve));
    this.send(line);
    return answer.then((text) => JSON.parse(text) as T);
  }

  close(): void {
    this.#child.stdin.end();
  }
}
