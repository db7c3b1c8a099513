// What tests of realtime wires share: events that are waited for, and a TLS address in front of a plain one.
import { connect, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import { makeSelfSigned } from "../../packages/gateway/src/platform/self-signed.ts";

/** Collects events in order and hands them to whoever waits. A wait that takes too long fails with what was seen. */
export class Seen<T extends object> {
  readonly all: T[] = [];
  readonly #waits = new Set<() => void>();

  push(event: T): void {
    this.all.push(event);
    for (const look of this.#waits) look();
  }

  take(type: string): T[] {
    return this.all.filter((event) => "type" in event && event.type === type);
  }

  /** The nth event of the type, counted from one: by default one that has not been waited for yet. */
  until(type: string, count?: number, timeoutMs = 8_000): Promise<T> {
    const wanted = count ?? (this.#counted.get(type) ?? 0) + 1;
    this.#counted.set(type, wanted);
    let found = 0;
    return this.when(
      (event) => "type" in event && event.type === type && ++found === wanted,
      timeoutMs,
      () => (found = 0),
      type,
    );
  }
  readonly #counted = new Map<string, number>();

  when(
    isIt: (event: T, index: number) => boolean,
    timeoutMs = 8_000,
    again: () => void = () => {},
    name = "an event",
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        again();
        const event = this.all.find(isIt);
        if (event === undefined) return;
        clearTimeout(timer);
        this.#waits.delete(look);
        resolve(event);
      };
      const timer = setTimeout(() => {
        this.#waits.delete(look);
        const types: string[] = [];
        for (const event of this.all) {
          const type = "type" in event ? String(event.type) : JSON.stringify(event).slice(0, 120);
          if (types.at(-1) !== type) types.push(type);
        }
        reject(new Error(`${name} did not come; seen: ${types.join(", ").slice(-3_000)}`));
      }, timeoutMs);
      this.#waits.add(look);
      look();
    });
  }
}

export interface TlsFront {
  readonly port: number;
  readonly certificate: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The official openai client insists on TLS for its realtime protocol. */
export async function tlsFront(targetPort: number): Promise<TlsFront> {
  const { certificate, key } = await makeSelfSigned(["localhost", "127.0.0.1"], Date.now(), 1);
  const sockets = new Set<Socket>();
  const server = createServer({ cert: certificate, key }, (incoming) => {
    const outgoing = connect(targetPort, "127.0.0.1");
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => (sockets.delete(from), to.destroy()));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    certificate,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** In pieces of 20 ms, one every 20 ms, as a microphone gives them. */
export async function inRealTime(
  sounds: readonly Uint8Array[],
  send: (pcm: Uint8Array) => void,
  rateHz = 24_000,
): Promise<void> {
  const whole = Buffer.concat(sounds);
  const bytesPerMs = (rateHz / 1000) * 2;
  const startedMs = performance.now();
  for (let at = 0; at < whole.length; at += 20 * bytesPerMs) {
    const dueMs = startedMs + at / bytesPerMs;
    while (performance.now() < dueMs) await new Promise((resolve) => setTimeout(resolve, 5));
    send(whole.subarray(at, at + 20 * bytesPerMs));
  }
}
