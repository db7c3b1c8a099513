// Rules TJ1..TJ5 of docs/spec/rescue.md. `join` gives the second text in pieces of every size and expects one result.
import assert from "node:assert/strict";
import test from "node:test";
import { TextJoin } from "./text-join.ts";

function join(delivered: string, second: string, rule: "text" | "restart" = "text"): string {
  const results = [1, 2, 3, 5, 8, 1_000].map((size) => {
    const joiner = new TextJoin(delivered, rule);
    let joined = delivered;
    for (let at = 0; at < second.length; at += size) joined += joiner.push(second.slice(at, at + size));
    joined += joiner.flush();
    return joiner.state === "impossible" ? "impossible" : joined;
  });
  assert.equal(new Set(results).size, 1, JSON.stringify(results));
  return results[0] as string;
}

test("[TJ1] text that goes on is appended", () => {
  assert.equal(join("The quick bro", "wn fox."), "The quick brown fox.");
  assert.equal(join("The quick", " brown fox."), "The quick brown fox.");
  assert.equal(join("The quick ", "brown fox."), "The quick brown fox.");
  assert.equal(join("I have a", " apple"), "I have a apple");
  assert.equal(join("One. ", "Two."), "One. Two.");
  assert.equal(join("", "Two."), "Two.");
});

test("[TJ2] a repetition of the last words is left out", () => {
  assert.equal(join("The quick bro", "brown fox."), "The quick brown fox.");
  assert.equal(join("The quick bro", "quick brown fox."), "The quick brown fox.");
  assert.equal(join("A first one. The quick bro", "The quick brown fox."), "A first one. The quick brown fox.");
  assert.equal(join("1. apple\n2. ban", "2. banana\n3. fig"), "1. apple\n2. banana\n3. fig");
  assert.equal(join("I have a", " a dog"), "I have a dog");
});

test("[TJ3] an answer that starts again is left out as far as it is known", () => {
  assert.equal(join("The quick bro", "The quick brown fox."), "The quick brown fox.");
  assert.equal(join("The quick bro", "\nThe quick brown fox."), "The quick brown fox.");
  assert.equal(join("alpha beta gamma ", "alpha beta gamma delta"), "alpha beta gamma delta");
  assert.equal(join('{"a": 1, "b', '{"a": 1, "b": 2}', "restart"), '{"a": 1, "b": 2}');
});

test("[TJ4] an answer begun in other words is no continuation", () => {
  assert.equal(join("The lamp stands on the table and it", "The lamp stands beside the door."), "impossible");
  assert.equal(join('{"a": 1, "b', '": 2}', "restart"), "impossible");
});

test("[TJ5] bare punctuation and bare digits are no repetition", () => {
  assert.equal(join("item 1", "1\nitem 12"), "item 11\nitem 12");
  assert.equal(join("if (a) {\n  b();\n  }\n", "}\n"), "if (a) {\n  b();\n  }\n}\n");
});
