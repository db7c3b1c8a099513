import type { ClockMessage, PingMessage, PongMessage } from "@fovea/protocol";

/**
 * The client's half of clock synchronisation: it answers pings with its own times and keeps what the gateway computed.
 * The estimate itself (filter, skew) is the gateway's work, which sees both ends.
 */
export class ClockSync {
  #latest: ClockMessage | undefined;

  /** `receivedMs` is read when the ping arrives, `sentMs` when the answer leaves; the difference is not network time. */
  answer(ping: PingMessage, receivedMs: number, sentMs: number): PongMessage {
    return { type: "pong", id: ping.id, t1: receivedMs, t2: sentMs };
  }

  accept(message: ClockMessage): void {
    this.#latest = message;
  }

  /** Undefined until the gateway has seen enough exchanges. */
  get rttMs(): number | undefined {
    return this.#latest?.rtt;
  }

  get offsetMs(): number | undefined {
    return this.#latest?.offset;
  }
}
