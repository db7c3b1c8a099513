// Rule RS15 of docs/spec/rescue.md. `deliver` gives a beginning of a text, then a second answer, and returns what a client
// that holds to sentences has read.
import assert from "node:assert/strict";
import test from "node:test";
import { SeededRandom } from "@fovea/core/testing";
import { Delivery } from "./delivery.ts";

const TEXTS = [
  "The lamp stands on the table. It is 2.5 m away from you! Do you see the red light? Dr. Smith put it there. Walk on.",
  "Die Lampe steht auf dem Tisch, z. B. links. Sie ist ca. 2,5 m entfernt. „Siehst du das Licht?“, fragte er. Geh weiter.",
  "これは机です。ランプは赤いです。椅子は後ろにあります。「左に曲がってください」と彼は言いました。",
  "المصباح على الطاولة. إنه على بعد مترين منك! هل ترى الضوء الأحمر؟ انعطف يسارًا وامش.",
  "1. open the box\n2. take out the lamp\n3. close the box\n4. plug in the lamp\n5. press the switch\n",
  "Here it is:\n\n```ts\nif (a > b) {\n  return a + b;\n}\nreturn b;\n```\n\nCall it with two numbers.",
];

function deliver(first: string, take: (delivered: Delivery) => string): { read: string; units: readonly string[] } {
  const delivery = new Delivery("sentence");
  const units: string[] = [];
  const give = (text: string): void => {
    for (const part of delivery.fold([{ type: "text-delta", index: 0, text }]))
      if (part.type === "text-delta") units.push(part.text);
  };
  for (const piece of first.match(/[^]{1,5}/g) ?? []) give(piece);
  delivery.resume("text");
  for (const piece of take(delivery).match(/[^]{1,6}/g) ?? []) give(piece);
  for (const part of delivery.finish()) if (part.type === "text-delta") units.push(part.text);
  return { read: units.join(""), units };
}
const inWords = (text: string): string => (text.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? []).join(" ");

test("[RS15] sentences: a second answer is aligned by its words, wherever the first one was cut", () => {
  const seed = 5;
  const random = new SeededRandom(seed);
  const manners: Readonly<Record<string, (text: string, delivered: Delivery) => string>> = {
    "goes on": (text, { text: delivered }) => text.slice(delivered.length),
    "starts again": (text) => text,
    "says the last sentence again": (text, { text: delivered, sentences }) =>
      (sentences.at(-1) ?? "").toUpperCase() + text.slice(delivered.length),
    "other white space": (text) => text.replaceAll(" ", () => (random.next() < 0.5 ? "  " : "\n")),
    "other signs": (text) => text.replaceAll(/[.,!?„“]/g, (sign) => (random.next() < 0.5 ? sign : "–")),
    "another case": (text) =>
      text.replaceAll(/\p{L}/gu, (letter) => (random.next() < 0.2 ? letter.toUpperCase() : letter)),
  };
  let cases = 0;
  for (const text of TEXTS) {
    for (let at = 1; at < text.length; at++) {
      for (const [name, take] of Object.entries(manners)) {
        const { read, units } = deliver(text.slice(0, at), (delivered) => take(text, delivered));
        assert.equal(inWords(read), inWords(text), `seed ${seed}: ${name}, cut after ${at}: ${JSON.stringify(units)}`);
        cases += 1;
      }
    }
  }
  assert.ok(cases > 2_500);
});

test("[RS15] a refrain behind what was aligned stays", () => {
  const song = "Row your boat. Gently down the stream. Row your boat. Life is but a dream.";
  const { read } = deliver(song.slice(0, 45), () => song);
  assert.equal(read, song);
});
