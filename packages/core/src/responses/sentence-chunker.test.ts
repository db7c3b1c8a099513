// Rules SC1..SC5 of docs/spec/rescue.md. Text goes in, units come out, shown with | between them.
import assert from "node:assert/strict";
import test from "node:test";
import { SeededRandom } from "@fovea/core/testing";
import { SentenceChunker } from "./sentence-chunker.ts";

function units(pieces: readonly string[]): string[] {
  const chunker = new SentenceChunker();
  const found = pieces.flatMap((piece) => [...chunker.push(piece)]);
  const rest = chunker.flush();
  return rest === "" ? found : [...found, rest];
}
const check = (text: string): string => units([text]).join("|");

const TEXTS = [
  "The lamp is on the table. It is 2.5 m away! Do you see it? Yes…",
  "Dr. Smith met J. R. Miller at 3 p.m. near the St. Mary church. They left.",
  "1. First item\n2. Second item\nDone.",
  "これは机です。赤いですか？はい！",
  'Say "stop." Then (really!) go on. wait ... what',
  "Look:\n```ts\nconst a = 1. + 2;\nrun(a). then();\n```\nThat is all.",
  `${"word ".repeat(120)}end`,
  "z. B. hier und usw. dort. Ende.",
];

test("[SC2] ends sentences at marks, with their closers", () => {
  assert.equal(check(TEXTS[0]!), "The lamp is on the table. |It is 2.5 m away! |Do you see it? |Yes…");
  assert.equal(check('He said "stop." Then he left.'), 'He said "stop." |Then he left.');
  assert.equal(check(TEXTS[3]!), "これは机です。|赤いですか？|はい！");
});

test("[SC3] does not end at abbreviations, initials, decimals or list numbers", () => {
  assert.equal(check(TEXTS[1]!), "Dr. Smith met J. R. Miller at 3 p.m. near the St. Mary church. |They left.");
  assert.equal(check("It is approx. five, i.e. many. No."), "It is approx. five, i.e. many. |No.");
  assert.equal(check(TEXTS[7]!), "z. B. hier und usw. dort. |Ende.");
});

test("[SC4] ends units at line breaks, and only there inside a fence", () => {
  assert.equal(check(TEXTS[2]!), "1. First item\n|2. Second item\n|Done.");
  assert.equal(check(TEXTS[5]!), "Look:\n|```ts\n|const a = 1. + 2;\n|run(a). then();\n|```\n|That is all.");
});

test("[SC5] cuts a unit without an end at white space", () => {
  const parts = units([TEXTS[6]!]);
  assert.ok(parts.length === 2 && parts.every((part) => part.length <= 321), parts.map((part) => part.length).join());
});

test("[SC1] gives back exactly what went in, the same units for every split", () => {
  const random = new SeededRandom(7);
  for (const text of TEXTS) {
    const expected = units([text]);
    assert.equal(expected.join(""), text);
    for (let round = 0; round < 40; round++) {
      const pieces: string[] = [];
      for (let at = 0; at < text.length;) {
        const size = 1 + random.integer(9);
        pieces.push(text.slice(at, at + size));
        at += size;
      }
      assert.deepEqual(units(pieces), expected, `seed 7, round ${round}: ${JSON.stringify(pieces)}`);
    }
  }
});
