import type { StreamPart } from "@fovea/core";
import type { EventAnswer } from "./event-decoder.ts";
import { JsonLinesReader } from "./json-stream.ts";
import type { ChatDecoder } from "./vendor-wire.ts";
import { WireFault } from "./wire-fault.ts";

/** A stream of one JSON value a line: reads, ends, and turns what it cannot read into a failure. */
export class LineDecoder implements ChatDecoder {
  readonly #answer: EventAnswer;
  readonly #reader: JsonLinesReader;

  constructor(answer: EventAnswer) {
    this.#answer = answer;
    this.#reader = new JsonLinesReader((line) => {
      if (!answer.builder.isDone) answer.event(line, "");
    });
  }

  get isDone(): boolean {
    return this.#answer.builder.isDone;
  }

  push(chunk: Uint8Array, parts: StreamPart[]): void {
    this.#answer.builder.into(parts);
    this.#reader.push(chunk);
  }

  end(fault: WireFault | undefined, parts: StreamPart[]): void {
    const { builder, missing } = this.#answer;
    builder.into(parts);
    try {
      if (fault === undefined) this.#reader.end();
      if (fault?.code !== "aborted" && fault?.code !== "protocol") this.#answer.close();
    } catch (error) {
      // Half a line at the end of a stream is a stream that was cut.
      if (!(error instanceof WireFault)) throw error;
      builder.fault(new WireFault("truncated", "the stream ended in the middle of a line"));
    }
    builder.fault(fault ?? new WireFault("truncated", `the stream ended without ${missing}`));
  }
}
