import { writeSync } from "node:fs";

const STDOUT = 1;
/** A pipe takes 64 KiB at once; a quarter of that keeps a write from waiting. */
const HELD_CHARACTERS_MAX = 16_384;
const FLUSH_MS = 10;

/**
 * Lines for standard output. A system call for each line is a seventh of what a proxied call costs, so lines are held for
 * at most ten milliseconds; those that are held when the process ends are written then. Only kill -9 loses them.
 */
export class LineWriter {
  #held = "";
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    process.on("exit", () => this.#writeNow());
  }

  write(line: string): void {
    this.#held += `${line}\n`;
    if (this.#held.length >= HELD_CHARACTERS_MAX) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const held = this.#held;
    this.#held = "";
    if (held !== "") process.stdout.write(held);
  }

  /** At the end of the process only what is written synchronously arrives. */
  #writeNow(): void {
    if (this.#held === "") return;
    try {
      writeSync(STDOUT, this.#held);
    } catch {
      // The reader is gone, and with it whoever could be told.
    }
    this.#held = "";
  }
}
