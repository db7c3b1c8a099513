// Networks as they are: a TCP relay that delays and stops, a UDP relay that loses, delays and reorders. Seeded.
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { SeededRandom } from "@fovea/core/testing";

export interface TcpRelay {
  readonly port: number;
  /** From now on nothing passes and nothing ends: a cable that was pulled. */
  freeze(): void;
  /** Every connection breaks. */
  cut(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function tcpRelay(target: number, jitterMs: number, random: SeededRandom): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  let isFrozen = false;
  const pass = (from: Socket, to: Socket): void => {
    let dueMs = 0;
    from.on("data", (bytes) => {
      if (isFrozen) return;
      // TCP keeps its order: what is delayed holds back what follows.
      dueMs = Math.max(dueMs, performance.now() + random.next() * jitterMs);
      setTimeout(() => !isFrozen && !to.destroyed && to.write(bytes), dueMs - performance.now());
    });
    from.on("error", () => to.destroy());
    from.on("close", () => {
      sockets.delete(from);
      if (!isFrozen) setTimeout(() => to.destroy(), Math.max(0, dueMs - performance.now()) + 5);
    });
  };
  const server = createServer((incoming) => {
    const outgoing = connect(target, "127.0.0.1");
    sockets.add(incoming).add(outgoing);
    pass(incoming, outgoing);
    pass(outgoing, incoming);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    freeze: () => void (isFrozen = true),
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export interface UdpRelay {
  readonly port: number;
  readonly lost: () => number;
  close(): void;
}

/** One client on one side, one server on the other. */
export async function udpRelay(
  target: number,
  how: { readonly loss: number; readonly jitterMs: number },
  random: SeededRandom,
): Promise<UdpRelay> {
  const inside = createSocket("udp4");
  const outside = createSocket("udp4");
  let client: RemoteInfo | undefined;
  let lost = 0;
  let isOver = false;
  const send = (socket: UdpSocket, bytes: Buffer, port: number): void => {
    if (random.next() < how.loss) {
      lost++;
      return;
    }
    // Each on its own: later packets may overtake.
    setTimeout(() => !isOver && socket.send(bytes, port, "127.0.0.1"), random.next() * how.jitterMs);
  };
  outside.on("message", (bytes, from) => {
    client = from;
    send(inside, bytes, target);
  });
  inside.on("message", (bytes) => client !== undefined && send(outside, bytes, client.port));
  await new Promise<void>((resolve) => outside.bind(0, "127.0.0.1", () => resolve()));
  await new Promise<void>((resolve) => inside.bind(0, "127.0.0.1", () => resolve()));
  return {
    port: outside.address().port,
    lost: () => lost,
    close: () => {
      isOver = true;
      inside.close();
      outside.close();
    },
  };
}
