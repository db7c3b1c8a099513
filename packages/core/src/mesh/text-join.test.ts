// Rules TJ1..TJ9 of docs/spec/rescue.md. `join` gives the second text in pieces of every size and expects one result.
import assert from "node:assert/strict";
import test from "node:test";
import { SeededRandom } from "@fovea/core/testing";
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

test("[TJ6] a repetition in another case, with other white space or other signs is one all the same", () => {
  const story = "The lamp stands on the table. Turn left and wa";
  assert.equal(join(story, "turn  left\nand walk on."), `${story}lk on.`);
  assert.equal(join(story, "The lamp\nstands on the table!  Turn left and walk on."), `${story}lk on.`);
  assert.equal(
    join("„Siehst du das Licht?“, fra", '"siehst du das licht?", fragte er.'),
    "„Siehst du das Licht?“, fragte er.",
  );
  assert.equal(
    join("It is red. The chair is behind it.", "The chair is behind it! Nothing else."),
    "It is red. The chair is behind it. Nothing else.",
  );
  assert.equal(join("これは机です。ランプは赤", "ランプは赤いです。"), "これは机です。ランプは赤いです。");
  assert.equal(join("これは机です。ランプは赤", "プは赤いです。"), "これは机です。ランプは赤いです。");
});

test("[TJ7] words that only happen to be the same are no repetition", () => {
  const table = "It is on the table.";
  assert.equal(join(table, " The table is red."), `${table} The table is red.`);
  assert.equal(join("add(b: number): ", "number {"), "add(b: number): number {");
  assert.equal(
    join("```ts\nif (a > b) {\n  return ", "a + b;\n  }\n  return b;"),
    "```ts\nif (a > b) {\n  return a + b;\n  }\n  return b;",
  );
  assert.equal(join("Row, row", ", row your boat"), "Row, row, row your boat");
});

test("[TJ8] dots that only say that something goes on are left out; a space after a sentence is put back", () => {
  assert.equal(join("Turn left and walk o", "...walk on."), "Turn left and walk on.");
  assert.equal(join("Turn left and ", "…walk on."), "Turn left and walk on.");
  assert.equal(join("I wonder", "... what is it?"), "I wonder... what is it?");
  assert.equal(join("It is red.", "The chair is blue."), "It is red. The chair is blue.");
  assert.equal(join("```\nSystem.", "Out.print()"), "```\nSystem.Out.print()");
});

test("[TJ9] after a whole sentence the next one may begin like the first", () => {
  const first = "The lamp stands on the table.";
  assert.equal(join(first, " The lamp stands on four feet."), `${first} The lamp stands on four feet.`);
  assert.equal(join("- one\n- ", "- two\n- three"), "- one\n- two\n- three");
});

/** Texts without an inner refrain, cut after every character; the second model takes them up in every manner. */
const TEXTS = [
  "The lamp stands on the table. It is three metres away from you! Do you see the red light? Dr. Smith put it there.",
  "Die Lampe steht auf dem Tisch, z. B. links neben der Tür. „Siehst du das rote Licht?“, fragte er. Dreh dich um.",
  "La lampe est sur la table. L’appareil n’est pas allumé ; voyez-vous la lumière rouge ? C’est M. Dupont.",
  "桌子上有一盏灯。它离你两米远！你看到红灯了吗？请向左转，然后继续走。",
  "المصباح على الطاولة. إنه على بعد مترين منك! هل ترى الضوء الأحمر؟",
  "- **First** point, with `code` in it\n- *Second* point: see the list\n\nThe end, isn't it?",
];
const inWords = (text: string): string => (text.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? []).join(" ");

test("[TJ1] [TJ3] [TJ6] texts of many languages, cut anywhere, become one", () => {
  const seed = 11;
  const random = new SeededRandom(seed);
  let cases = 0;
  for (const text of TEXTS) {
    for (let at = 4; at < text.length - 1; at++) {
      const delivered = text.slice(0, at);
      if (inWords(delivered).length < 3) continue;
      assert.equal(join(delivered, text.slice(at)), text, `seed ${seed}: goes on at ${at}`);
      assert.equal(join(delivered, text), text, `seed ${seed}: starts again at ${at}`);
      const spaced = text.replaceAll(" ", () => (random.next() < 0.3 ? "\n" : "  "));
      const signed = text.replaceAll(/[,;’“”]/g, (sign) => (sign === "," ? " –" : sign === ";" ? "," : "'"));
      for (const other of [spaced, signed]) {
        assert.equal(inWords(join(delivered, other)), inWords(text), `seed ${seed}: at ${at} ${JSON.stringify(other)}`);
      }
      cases += 4;
    }
  }
  assert.ok(cases > 1_500);
});
