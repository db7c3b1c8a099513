// Rules PV9 and PV20 of docs/spec/providers.md. `check` feeds a text in pieces of every size and prints the events as
// `event=data`, one a line; the pieces must not matter.
import assert from "node:assert/strict";
import test from "node:test";
import { EventStreamReader } from "./event-stream.ts";
import { JsonArrayReader, JsonLinesReader } from "./json-stream.ts";

function check(text: string, expected: readonly string[]): void {
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size++) {
    const seen: string[] = [];
    const reader = new EventStreamReader((data, event) => seen.push(`${event}=${data}`));
    for (let start = 0; start < bytes.length; start += size) reader.push(bytes.subarray(start, start + size));
    reader.end();
    assert.deepEqual(seen, expected, `in pieces of ${size}`);
  }
}

function elements(reader: "lines" | "array", text: string): string[] {
  const bytes = Buffer.from(text);
  let first: string[] | undefined;
  for (let size = 1; size <= bytes.length; size++) {
    const seen: string[] = [];
    const parser = new (reader === "lines" ? JsonLinesReader : JsonArrayReader)((value) => seen.push(value));
    for (let start = 0; start < bytes.length; start += size) parser.push(bytes.subarray(start, start + size));
    parser.end();
    first ??= seen;
    assert.deepEqual(seen, first, `in pieces of ${size}`);
  }
  return first ?? [];
}

test("[PV9] line ends may be mixed within one stream", () => {
  check("data: a\r\n\r\ndata: b\r\rdata: c\n\ndata: d\r\n\n", ["=a", "=b", "=c", "=d"]);
});
test("[PV9] several data lines are one event; an empty data line counts", () => {
  check("event: x\ndata: a\ndata\ndata: b\n\n", ["x=a\n\nb"]);
});
test("[PV9] a line end cut between its two characters ends one line", () => {
  check("event: x\r\ndata: a\r\ndata: b\r\n\r\n", ["x=a\nb"]);
});
test("[PV9] comments, ids and unknown fields are passed over", () => {
  check(": hi\n\nid: 1\nretry: 5\nfoo: bar\ndata:no space\n\n", ["=no space"]);
});
test("[PV9] characters cut anywhere, a byte order mark, an event without its blank line", () => {
  check("\uFEFFdata: Grüße 🙂\n\ndata: last", ["=Grüße 🙂", "=last"]);
});
test("[PV9] an event name without data is no event and does not stick", () => {
  check("event: ping\n\ndata: a\n\n", ["=a"]);
});

test("[PV20] a line without end is refused, not collected", () => {
  const reader = new EventStreamReader(() => undefined);
  const chunk = Buffer.alloc(1024 * 1024, "a");
  assert.throws(() => {
    for (let count = 0; count < 10; count++) reader.push(chunk);
  }, /line too long/);
});
test("[PV20] an event of too many lines is refused", () => {
  const reader = new EventStreamReader(() => undefined);
  const line = Buffer.from(`data: ${"a".repeat(1024 * 1024)}\n`);
  assert.throws(() => {
    for (let count = 0; count < 20; count++) reader.push(line);
  }, /event too long/);
});

test("[PV9] JSON lines: blank lines, CRLF, a last line without end", () => {
  assert.deepEqual(elements("lines", '{"a":"ü"}\r\n\n{"b":1}\n{"c":2}'), ['{"a":"ü"}', '{"b":1}', '{"c":2}']);
});
test("[PV9] a JSON array yields each element as it closes", () => {
  const text = '[{"a":"}]{\\""},\r\n {"b":{"c":[1]}} ]';
  assert.deepEqual(elements("array", text), ['{"a":"}]{\\""}', '{"b":{"c":[1]}}']);
  const seen: string[] = [];
  const reader = new JsonArrayReader((value) => seen.push(value));
  reader.push(Buffer.from('[{"a":1},{"b"'));
  assert.deepEqual(seen, ['{"a":1}']);
  assert.equal(reader.end(), false);
});
