// Rules VO1..VO10 of docs/spec/voice.md, on the real programs where they are installed.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { buildVoiceGrammar, spokenWords } from "@fovea/core";
import { findSpeechPrograms } from "../packages/gateway/src/audio/find-programs.ts";
import { fromFlite, Pronouncer } from "../packages/gateway/src/audio/pronounce.ts";
import { recognizeWithSphinx } from "../packages/gateway/src/audio/recognize-with-sphinx.ts";
import { speakWithFlite } from "../packages/gateway/src/audio/speak-with-programs.ts";
import { buildWav, parseWav } from "../packages/gateway/src/audio/wav.ts";
import { LocalVoiceAdapter } from "../packages/gateway/src/providers/local-voice/adapter.ts";
import { SystemClock } from "../packages/gateway/src/platform/system-clock.ts";

const clock = new SystemClock();
const programs = findSpeechPrograms(process.env["PATH"] ?? "");
const adapter = new LocalVoiceAdapter(programs, clock);
const without = (name: string, path: string | undefined): string | false =>
  path === undefined ? `${name} is not installed` : false;
const noSphinx = without("pocketsphinx", programs.pocketsphinx) || without("flite", programs.flite);

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const failureOf = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no failure",
    (error: { failure?: { code: string; param?: string } }) => `${error.failure?.code} ${error.failure?.param}`,
  );

test("[VO1] espeak-ng streams PCM", { skip: without("espeak-ng", programs.espeak) }, async () => {
  const text = "The lamp stands on the table by the window. ".repeat(20);
  const spoken = await adapter.speak({ model: "espeak-ng", text, voice: "en-us", format: "pcm" });
  let chunks = 0;
  let size = 0;
  let head = "";
  for await (const chunk of spoken.stream) {
    if (chunks++ === 0) head = Buffer.from(chunk.subarray(0, 4)).toString("latin1");
    size += chunk.length;
  }
  assert.ok(chunks > 3, `${chunks} chunks`);
  assert.notEqual(head, "RIFF");
  const seconds = size / 2 / (spoken.sampleRateHz ?? 1);
  assert.ok(seconds > 30 && seconds < 90, `${seconds} s`);
});

test(
  "[VO2] text is spoken, not obeyed",
  { skip: without("espeak-ng", programs.espeak) || without("flite", programs.flite) },
  async () => {
    for (const model of ["espeak-ng", "flite"]) {
      for (const text of ["--version", "package.json", '"; echo broken; "', "-o /dev/null"]) {
        const spoken = await adapter.speak({ model, text, voice: "alloy", format: "wav" });
        const audio = parseWav(await bytesOf(spoken.stream));
        assert.ok(audio.samples.length > audio.sampleRateHz / 4, `${model} ${text}: ${audio.samples.length} samples`);
      }
    }
  },
);

test("[VO3] cancelling ends program and stream", { skip: without("espeak-ng", programs.espeak) }, async () => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith("fovea-voice-")).length;
  const controller = new AbortController();
  const text = "word ".repeat(1_500);
  const spoken = await adapter.speak(
    { model: "espeak-ng", text, voice: "en-us", format: "pcm" },
    { signal: controller.signal },
  );
  const started = performance.now();
  await assert.rejects(async () => {
    for await (const chunk of spoken.stream) if (chunk.length > 0) controller.abort(new Error("left"));
  }, /left/);
  assert.ok(performance.now() - started < 1_000);
  assert.equal(readdirSync(tmpdir()).filter((name) => name.startsWith("fovea-voice-")).length, before);
});

test("[VO4] errors name the field", { skip: without("flite", programs.flite) }, async () => {
  assert.equal(
    await failureOf(adapter.speak({ model: "flite", text: "hello", voice: "nobody", format: "wav" })),
    "invalid_request voice",
  );
  assert.equal(
    await failureOf(adapter.speak({ model: "flite", text: " ", voice: "slt", format: "wav" })),
    "invalid_request input",
  );
  assert.equal(
    await failureOf(adapter.speak({ model: "flite", text: "hello", voice: "slt", format: "mp3" })),
    "invalid_request response_format",
  );
  const audio = { bytes: new TextEncoder().encode("not audio"), mime: "audio/wav" };
  if (programs.pocketsphinx !== undefined)
    assert.equal(await failureOf(adapter.transcribe({ model: "pocketsphinx", audio })), "invalid_request file");
});

test("[VO5] [VO6] the grammar of a room", () => {
  const grammar = buildVoiceGrammar(["Wall Art", "Screen 2", "</rule> | public <x> = evil", "zxqv"], new Set(["zxqv"]));
  assert.deepEqual(spokenWords("Screen 2"), ["screen", "two"]);
  assert.match(grammar.jsgf, /<noun> = .*screen two.*wall art/);
  assert.equal(grammar.jsgf.match(/public/g)?.length, 1);
  assert.match(grammar.jsgf, /rule x evil/);
  assert.ok(!grammar.jsgf.includes("zxqv"));
  assert.ok(grammar.words.includes("highlight") && grammar.words.includes("screen"));
});

test("[VO7] a spoken command is recognised with word times", { skip: noSphinx }, async () => {
  assert.ok(
    programs.flite !== undefined && programs.pocketsphinx !== undefined && programs.pocketsphinxModel !== undefined,
  );
  const model = programs.pocketsphinxModel;
  const pronouncer = await Pronouncer.load(join(model, "cmudict-en-us.dict"), programs.flite, clock);
  const first = buildVoiceGrammar(["table", "lamp", "couch", "window", "wall art", "manometer"]);
  const { lines, unknown } = await pronouncer.dictionaryFor(first.words);
  assert.deepEqual(unknown, []);
  const heard: string[] = [];
  const wanted = [
    "highlight the lamp",
    "where is the table",
    "how far is the window",
    "what am i looking at",
    "where is the manometer",
  ];
  for (const text of wanted) {
    const audio = await speakWithFlite(programs.flite, { text, voice: "rms", speed: 1 }, clock);
    const result = await recognizeWithSphinx({ program: programs.pocketsphinx, model }, audio, clock, {
      grammar: { jsgf: first.jsgf, dictionary: lines },
    });
    heard.push(result.text);
    const last = result.words.at(-1);
    const seconds = audio.samples.length / audio.sampleRateHz;
    assert.ok(last !== undefined && last.endMs <= seconds * 1_000 + 200 && last.startMs < last.endMs);
  }
  assert.deepEqual(heard, wanted);
});

test(
  "[VO10] with a vocabulary the room's commands are heard, and said to be complete",
  { skip: noSphinx },
  async () => {
    assert.ok(programs.flite !== undefined);
    const heard: string[] = [];
    for (const text of ["where is the couch", "stop", "yeah", "what is that"]) {
      const { samples, sampleRateHz } = await speakWithFlite(programs.flite, { text, voice: "rms", speed: 1 }, clock);
      const audio = { bytes: buildWav(samples, sampleRateHz), mime: "audio/wav" };
      const result = await adapter.transcribe({ model: "pocketsphinx", audio, vocabulary: ["couch", "lamp"] });
      heard.push(`${result.text} ${result.isComplete}`);
    }
    assert.match(
      heard.join(", "),
      /^where is (?:the|a) couch true, stop true, (?:yeah|yep|yes) true, what is that true$/,
    );
  },
);

test("[VO8] words outside the dictionary are pronounced by rule", () => {
  assert.equal(fromFlite("pau m ax n aa m ax t er pau"), "M AH N AA M AH T ER");
  assert.equal(fromFlite("pau xx pau"), "");
});

test("[VO9] WAV sizes are not believed", () => {
  const samples = Int16Array.from([1, -2, 3, -4]);
  const bytes = buildWav(samples, 16_000);
  assert.deepEqual([...parseWav(bytes).samples], [1, -2, 3, -4]);
  const huge = bytes.slice();
  new DataView(huge.buffer).setUint32(40, 0xffffffff, true);
  assert.deepEqual([...parseWav(huge).samples], [1, -2, 3, -4]);
  const float = bytes.slice();
  new DataView(float.buffer).setUint16(20, 3, true);
  assert.throws(() => parseWav(float), /16-bit PCM/);
  assert.throws(() => parseWav(bytes.subarray(0, 20)), /RIFF/);
});
