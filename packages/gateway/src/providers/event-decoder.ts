import type { StreamPart } from "@fovea/core";
import type { AnswerBuilder } from "./answer-builder.ts";
import { EventStreamReader } from "./event-stream.ts";
import type { ChatDecoder } from "./vendor-wire.ts";
import { WireFault } from "./wire-fault.ts";

/** What a vendor's events mean. */
export interface EventAnswer {
  readonly builder: AnswerBuilder;
  event(data: string, name: string): void;
  /** The stream is over: append `finish` if everything that makes the answer complete has been seen. */
  close(): void;
  /** What was missing, for the failure. */
  readonly missing: string;
}

/** Any vendor's event stream: reads, ends, and turns what it cannot read into a failure. */
export class EventDecoder implements ChatDecoder {
  readonly #answer: EventAnswer;
  readonly #reader: EventStreamReader;

  constructor(answer: EventAnswer) {
    this.#answer = answer;
    this.#reader = new EventStreamReader((data, name) => {
      if (!answer.builder.isDone && data !== "") answer.event(data, name);
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
      // A caller who left gets no success; a cut after the last word takes nothing away.
      if (fault?.code !== "aborted" && fault?.code !== "protocol") this.#answer.close();
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
      builder.fault(error);
    }
    builder.fault(fault ?? new WireFault("truncated", `the stream ended without ${missing}`));
  }
}
