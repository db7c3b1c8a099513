// Rules AL1..AL3 of docs/spec/audio.md. Speech here is a tone where words are and silence where pauses are; real voices are
// tried in test/voice/word-times.test.ts.
import assert from "node:assert/strict";
import test from "node:test";
import { WordAligner } from "./word-aligner.ts";

const RATE = 16_000;

/** A pattern of milliseconds, sound and silence in turn, silence first. */
function sound(...pattern: readonly number[]): Int16Array {
  const samples: number[] = [];
  pattern.forEach((ms, index) => {
    for (let i = 0; i < (ms * RATE) / 1_000; i++) samples.push(index % 2 === 0 ? 0 : 9_000 * Math.sin(i / 3));
  });
  return Int16Array.from(samples);
}

/** "word@start" in hundreds of milliseconds. */
function aligned(text: string, samples: Int16Array, piece = samples.length): string {
  const aligner = new WordAligner(RATE);
  for (let at = 0; at < samples.length; at += piece) aligner.push(samples.subarray(at, at + piece));
  return aligner
    .align(text)
    .map((word) => `${word.text}@${Math.round(word.startMs / 100)}`)
    .join(" ");
}

test("[AL1] silence at the ends is no word", () => {
  assert.equal(aligned("mama papa", sound(500, 1_000, 700)), "mama@5 papa@9");
  assert.equal(aligned("mama papa", sound(500, 1_000, 700), 333), "mama@5 papa@9");
  assert.equal(aligned("hello", sound(500)), "");
  assert.equal(aligned("", sound(0, 500)), "");
});

test("[AL2] a pause is where the punctuation is", () => {
  // Short and long clauses: without the pause "papa" would begin at 9.
  assert.equal(aligned("mama, papa", sound(0, 400, 500, 800)), "mama,@0 papa@9");
  assert.equal(aligned("mama mama, papa papa", sound(100, 1_000, 400, 1_000)), "mama@1 mama,@5 papa@15 papa@19");
  // Punctuation that nobody hears, and a pause that nobody wrote.
  assert.equal(aligned("mama, papa", sound(0, 800)), "mama,@0 papa@4");
  assert.equal(aligned("mama papa", sound(0, 500, 200, 500)), "mama@0 papa@4");
});

test("[AL3] long words take longer, light words and silent letters less", () => {
  const [, mat] = /mat@(\d+)/.exec(aligned("extraordinary mat", sound(0, 1_000))) ?? [];
  assert.ok(Number(mat) >= 7, `${mat}`);
  const [, dog] = /dog@(\d+)/.exec(aligned("the dog", sound(0, 1_000))) ?? [];
  assert.ok(Number(dog) <= 4, `${dog}`);
});
