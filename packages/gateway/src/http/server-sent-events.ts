// Writing a stream to a client: at once, in order, and never faster than the client reads.
import type { ServerResponse } from "node:http";

/** Text frames on a raw response. What is written in one turn of the event loop leaves in one segment. */
export class TextStream {
  readonly #response: ServerResponse;
  #isCorked = false;
  /** Whether anything was written since `takeActivity`. */
  #isActive = false;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  /** Resolves when more may be written: at once, or after the client has read. Also when the client has gone. */
  write(text: string): Promise<void> | undefined {
    if (text === "" || this.#response.destroyed) return undefined;
    this.#isActive = true;
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#response.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        this.#response.uncork();
      });
    }
    return this.#response.write(text) ? undefined : drained(this.#response);
  }

  takeActivity(): boolean {
    const wasActive = this.#isActive;
    this.#isActive = false;
    return wasActive;
  }
}

export function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed || !response.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
  });
}

/** One event. Line breaks inside the data would end it early, so JSON is the only thing that belongs here. */
export function eventText(data: string, event?: string): string {
  return event === undefined ? `data: ${data}\n\n` : `event: ${event}\ndata: ${data}\n\n`;
}
