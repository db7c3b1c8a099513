// Server-sent events as vendors send them: LF, CRLF or CR line ends (also mixed), comments, several data lines an
// event, UTF-8 cut anywhere, a last event without its blank line. Source: HTML Living Standard, 9.2.6.
import { StringDecoder } from "node:string_decoder";
import { WireFault } from "./wire-fault.ts";

const LINE_CHARACTERS_MAX = 8 * 1024 * 1024;
const EVENT_CHARACTERS_MAX = 16 * 1024 * 1024;

/** `event` is "" where the stream names none. */
export type OnEvent = (data: string, event: string) => void;

/** Any split of the same bytes gives the same events. Throws `WireFault` of code `protocol` past a size limit, and for bytes that are not UTF-8. */
export class EventStreamReader {
  readonly #onEvent: OnEvent;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";
  #data = "";
  #hasData = false;
  #event = "";
  #atStart = true;
  /** The previous text ended in CR: a following LF belongs to the same line end. */
  #skipLineFeed = false;

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent;
  }

  push(chunk: Uint8Array): void {
    const text = this.#decoder.write(chunk as Buffer);
    if (text.includes("\uFFFD")) refuseInvalid(text, chunk as Buffer);
    if (text !== "") this.#read(text);
  }

  /** Dispatches the event that the end of the stream cut short of its blank line. */
  end(): void {
    const text = this.#decoder.end();
    if (text !== "") this.#read(text);
    if (this.#rest !== "") this.#line(this.#rest);
    this.#rest = "";
    this.#dispatch();
  }

  #read(text: string): void {
    let start = 0;
    if (this.#atStart) {
      this.#atStart = false;
      if (text.charCodeAt(0) === 0xfeff) start = 1;
    }
    if (this.#skipLineFeed) {
      this.#skipLineFeed = false;
      if (text.charCodeAt(start) === 0x0a) start++;
    }
    const mayHaveReturn = text.includes("\r");
    for (;;) {
      const end = mayHaveReturn ? nextLineEnd(text, start) : text.indexOf("\n", start);
      if (end < 0) break;
      const line = text.slice(start, end);
      if (this.#rest === "") this.#line(line);
      else this.#joined(line);
      start = end + 1;
      if (text.charCodeAt(end) === 0x0d) {
        if (start === text.length) this.#skipLineFeed = true;
        else if (text.charCodeAt(start) === 0x0a) start++;
      }
    }
    if (start < text.length) this.#rest += start === 0 ? text : text.slice(start);
    if (this.#rest.length > LINE_CHARACTERS_MAX) throw new WireFault("protocol", "event stream line too long");
  }

  #joined(line: string): void {
    const whole = this.#rest + line;
    this.#rest = "";
    this.#line(whole);
  }

  #line(line: string): void {
    if (line === "") {
      this.#dispatch();
      return;
    }
    if (line.startsWith("data:")) {
      const value = line.slice(line.charCodeAt(5) === 0x20 ? 6 : 5);
      this.#data = this.#hasData ? `${this.#data}\n${value}` : value;
      this.#hasData = true;
      if (this.#data.length > EVENT_CHARACTERS_MAX) throw new WireFault("protocol", "event too long");
    } else if (line.startsWith("event:")) {
      this.#event = line.slice(line.charCodeAt(6) === 0x20 ? 7 : 6);
    } else if (line === "data") {
      this.#data = this.#hasData ? `${this.#data}\n` : "";
      this.#hasData = true;
    }
    // Comments, `id:`, `retry:` and unknown fields say nothing a decoder needs.
  }

  #dispatch(): void {
    const event = this.#event;
    this.#event = "";
    if (!this.#hasData) return;
    const data = this.#data;
    this.#data = "";
    this.#hasData = false;
    this.#onEvent(data, event);
  }
}

function nextLineEnd(text: string, start: number): number {
  for (let index = start; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x0a || code === 0x0d) return index;
  }
  return -1;
}

/**
 * The decoder puts U+FFFD where bytes are not UTF-8. Models write that character themselves, as its three bytes; one of
 * them may have begun in the chunk before.
 */
function refuseInvalid(text: string, chunk: Buffer): void {
  let written = ((chunk[0] ?? 0) & 0xc0) === 0x80 ? 1 : 0;
  for (let at = chunk.indexOf("\uFFFD"); at >= 0; at = chunk.indexOf("\uFFFD", at + 3)) written++;
  if (text.split("\uFFFD").length - 1 > written) throw new WireFault("protocol", "the stream is not UTF-8");
}
