// Two framings beside server-sent events: one JSON value a line (Ollama), and one growing JSON array (Gemini without
// `alt=sse`), whose elements are delivered as they close, not when the array does.
import { StringDecoder } from "node:string_decoder";
import { WireFault } from "./wire-fault.ts";

const VALUE_CHARACTERS_MAX = 8 * 1024 * 1024;

export class JsonLinesReader {
  readonly #onValue: (text: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";

  constructor(onValue: (text: string) => void) {
    this.#onValue = onValue;
  }

  push(chunk: Uint8Array): void {
    this.#read(this.#decoder.write(chunk as Buffer));
  }

  end(): void {
    this.#read(this.#decoder.end());
    const last = this.#rest.trim();
    this.#rest = "";
    if (last !== "") this.#onValue(last);
  }

  #read(text: string): void {
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      const line = (this.#rest + text.slice(start, end)).trim();
      this.#rest = "";
      start = end + 1;
      if (line !== "") this.#onValue(line);
    }
    this.#rest += text.slice(start);
    if (this.#rest.length > VALUE_CHARACTERS_MAX) throw new WireFault("protocol", "JSON line too long");
  }
}

/** Elements must be objects, as every vendor's are. What stands outside the objects is ignored. */
export class JsonArrayReader {
  readonly #onValue: (text: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  #held = "";
  #scanned = 0;
  #start = -1;
  #depth = 0;
  #inString = false;
  #isEscaped = false;

  constructor(onValue: (text: string) => void) {
    this.#onValue = onValue;
  }

  push(chunk: Uint8Array): void {
    this.#read(this.#decoder.write(chunk as Buffer));
  }

  /** True when the stream ended between elements. */
  end(): boolean {
    this.#read(this.#decoder.end());
    return this.#depth === 0;
  }

  #read(text: string): void {
    this.#held += text;
    for (; this.#scanned < this.#held.length; this.#scanned++) this.#step(this.#held.charCodeAt(this.#scanned));
    if (this.#start < 0) this.#drop(this.#scanned);
    else if (this.#start > 0) this.#drop(this.#start);
    if (this.#held.length > VALUE_CHARACTERS_MAX) throw new WireFault("protocol", "JSON element too long");
  }

  #drop(count: number): void {
    this.#held = this.#held.slice(count);
    this.#scanned -= count;
    if (this.#start >= 0) this.#start -= count;
  }

  #step(code: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (this.#inString) {
      if (code === 0x5c) this.#isEscaped = true;
      else if (code === 0x22) this.#inString = false;
    } else if (code === 0x22) this.#inString = this.#depth > 0;
    else if (code === 0x7b) {
      if (this.#depth++ === 0) this.#start = this.#scanned;
    } else if (code === 0x7d && this.#depth > 0 && --this.#depth === 0) {
      const value = this.#held.slice(this.#start, this.#scanned + 1);
      this.#start = -1;
      this.#onValue(value);
    }
  }
}
