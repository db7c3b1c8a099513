/** How long a gap is waited for: three packets of 20 ms, about what concealment hides. */
const DEPTH = 3;
/** A jump further than this is a new stream, not a loss. */
const JUMP_MAX = 50;

/** One place in the stream: a packet, or the knowledge that it will not come. */
export type Ordered = Uint8Array | "lost";

/** Puts RTP packets back into their order. Late and doubled ones are dropped; what stays away is told as lost. */
export class RtpOrder {
  readonly #waiting = new Map<number, Uint8Array>();
  #next: number | undefined;

  push(sequence: number, payload: Uint8Array): readonly Ordered[] {
    this.#next ??= sequence;
    const ahead = (sequence - this.#next + 65_536) & 0xffff;
    const isBehind = ahead >= 32_768;
    if (isBehind && 65_536 - ahead <= JUMP_MAX) return [];
    if (isBehind || ahead > JUMP_MAX) {
      const rest = this.#drain(Infinity);
      this.#waiting.clear();
      this.#next = (sequence + 1) & 0xffff;
      return [...rest, payload];
    }
    this.#waiting.set(sequence, payload);
    return this.#drain(DEPTH);
  }

  #drain(depth: number): readonly Ordered[] {
    const out: Ordered[] = [];
    while (this.#next !== undefined && this.#waiting.size > 0) {
      const packet = this.#waiting.get(this.#next);
      if (packet === undefined && this.#waiting.size < depth && depth !== Infinity) break;
      out.push(packet ?? "lost");
      this.#waiting.delete(this.#next);
      this.#next = (this.#next + 1) & 0xffff;
    }
    return out;
  }
}
