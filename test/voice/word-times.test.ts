// Rule AL4 of docs/spec/audio.md: words are found in the sound of a real voice whose phones' times are known.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { WordAligner } from "@fovea/core";
import { noSpeech } from "./spoken.ts";

const SENTENCES = [
  "The lamp is two metres away, at your ten o'clock.",
  "You are looking at the office chair, which stands in front of the desk.",
  "There are three windows in this room: one behind you and two on your left.",
  "The sofa would fit along that wall with twenty centimetres to spare.",
  "Which one do you mean, the lamp on the table or the lamp by the door?",
  "It is right there, behind the plant.",
  "This lamp is new.",
  "The door is straight ahead, three point two metres away; mind the box on the floor.",
];
const folder = mkdtempSync(join(tmpdir(), "fovea-words-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Phone {
  readonly name: string;
  readonly startMs: number;
}

function phones(voice: string, text: string, file = "none"): readonly Phone[] {
  const printed = execFileSync("flite", ["-voice", voice, "-psdur", "-t", text, "-o", file], { encoding: "utf8" });
  const items = printed
    .trim()
    .split(/\s+/)
    .map((item) => item.split(":") as [string, string]);
  return items.map(([name], index) => ({ name, startMs: Number(items[index - 1]?.[1] ?? 0) * 1_000 }));
}

/** How many phones each word has: said one by one, with pauses between. */
function countsOf(voice: string, words: readonly string[]): readonly number[] {
  const counts: number[] = [];
  let run = 0;
  for (const { name } of phones(voice, `${words.map((word) => word.replace(/[.,:;?!]/g, "")).join(". ")}.`)) {
    if (name !== "pau") run++;
    else if (run > 0) {
      counts.push(run);
      run = 0;
    }
  }
  return counts;
}

function errorsOf(voice: string, sentence: string): readonly number[] {
  const file = join(folder, "spoken.wav");
  const starts = phones(voice, sentence, file).flatMap(({ name, startMs }) => (name === "pau" ? [] : [startMs]));
  const counts = countsOf(voice, sentence.split(" "));
  assert.equal(
    starts.length,
    counts.reduce((sum, count) => sum + count, 0),
    "words sound otherwise alone",
  );
  const wav = readFileSync(file);
  const aligner = new WordAligner(wav.readUInt32LE(24));
  aligner.push(new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length - (wav.length % 2))));
  let phone = 0;
  return aligner.align(sentence).map(({ startMs }, index) => {
    const error = startMs - (starts[phone] ?? NaN);
    phone += counts[index] ?? 0;
    return error;
  });
}

test("[AL4] half of all words are placed within 60 ms, 95 % within 220 ms", { skip: noSpeech }, () => {
  const errors = ["slt", "rms"].flatMap((voice) => SENTENCES.flatMap((sentence) => errorsOf(voice, sentence)));
  const sorted = errors.map(Math.abs).toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Infinity;
  console.log(`word times: median ${at(0.5).toFixed(0)} ms, 95 % ${at(0.95).toFixed(0)} ms of ${sorted.length} words`);
  assert.ok(at(0.5) <= 60 && at(0.95) <= 220, `${at(0.5)} ${at(0.95)}`);
});
