// Rules VC1..VC16 of docs/spec/voice.md, on a fake clock. Lines read "what @milliseconds".
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnswerPart } from "@fovea/core";
import { GatewayError } from "@fovea/core";
import { PARTS } from "@fovea/core/testing";
import type { Script } from "./scripted-voice.ts";
import { sayBack, ScriptedVoice, tone } from "./scripted-voice.ts";

async function play(script: Script, timeline: string): Promise<ScriptedVoice> {
  const voice = new ScriptedVoice(script);
  await voice.play(timeline);
  voice.handle.close();
  return voice;
}

/** Lines without their times and texts of the answer. */
const course = ({ lines }: ScriptedVoice): string =>
  lines
    .filter((line) => !/^(?:text|part)/.test(line))
    .map((line) => line.replace(/ @\d+$/, ""))
    .join(", ");
const timeOf = ({ lines }: ScriptedVoice, start: string): number => {
  const line = lines.find((candidate) => candidate.startsWith(start));
  return line === undefined ? Number.NaN : Number(/@(\d+)$/.exec(line)?.[1]);
};

const ONE_ANSWER = "sound e1, sent 3060 ms, done completed finished";

test("[VC1] [VC11] speech, silence, transcript, answer", async () => {
  const voice = await play({ heard: ["where is it?"], hearMs: 40 }, "_200 s800 _5000");
  assert.equal(course(voice), `speech, silence, heard "where is it?", answer e1, ${ONE_ANSWER}`);
  // 300 ms before the onset at 200 ms do not exist; the audio starts with the microphone.
  assert.ok(timeOf(voice, "speech") <= 300, voice.lines.join("; "));
  // A whole sentence: over as soon as its words are there, which are asked for after 280 ms; the answer sounds at once.
  assert.ok(timeOf(voice, "silence") - 1_000 <= 340, voice.lines.join("; "));
  assert.ok(timeOf(voice, "sound") - timeOf(voice, "silence") <= 20);
  assert.equal(voice.told, "user: where is it? | assistant: One two three four five. Six seven eight nine ten.");
});

test("[VC2] [VC5] words of a pause are stale when speech goes on, and their answer is dropped unheard", async () => {
  const voice = await play({ heard: ["tell me", "tell me more"], hearMs: 20 }, "_200 s500 _300 s500 _5000");
  assert.equal(course(voice), `speech, silence, heard "tell me more", answer e1, ${ONE_ANSWER}`);
  const asked = voice.requests.map(({ chat }) => JSON.stringify(chat.messages.at(-1)?.content));
  assert.deepEqual(
    asked.map((text) => /tell me more/.test(text ?? "")),
    [false, true],
  );
  assert.equal(voice.told, "user: tell me more | assistant: One two three four five. Six seven eight nine ten.");
});

test("[VC3] nothing understood, nothing answered", async () => {
  const voice = await play({ heard: [""] }, "_200 s800 _3000");
  assert.equal(course(voice), 'speech, silence, heard ""');
  assert.equal(voice.requests.length, 0);
  const deaf = await play({ heard: ["!"] }, "_200 s800 _3000");
  assert.equal(course(deaf), 'speech, silence, not heard, heard ""');
});

test("[VC4] who goes on before the answer is heard goes on with the question", async () => {
  async function* slow(): AsyncGenerator<AnswerPart> {
    await new Promise<void>((resolve) => void voice.clock.schedule(900, resolve));
    yield* sayBack();
  }
  const voice: ScriptedVoice = new ScriptedVoice({ heard: ["where is.", "where is the lamp."], answer: slow });
  await voice.play("_200 s500 _400 s600 _5000");
  voice.handle.close();
  assert.match(
    course(voice),
    /^speech, silence, heard "where is\.", answer e1, flush e2 "", done cancelled turn_detected, speech, silence, heard "where is the lamp\.", answer e2/,
  );
  const first = voice.transcribed[0];
  const last = voice.transcribed.at(-1);
  assert.ok((last?.bytes ?? 0) > (first?.bytes ?? 0) + 20_000, JSON.stringify(voice.transcribed));
});

test("[VC6] speech over an answer lowers it and then ends it, once", async () => {
  const voice = await play({}, "_200 s800 _2200 s1200 _600");
  assert.match(course(voice), /sound e1, duck, flush e2 "[^"]*", done cancelled turn_detected, speech, silence/);
  assert.equal(voice.lines.filter((line) => line.startsWith("flush")).length, 1);
  const onset = 200 + 800 + 2_200;
  assert.ok(timeOf(voice, "duck") - onset <= 100, `${timeOf(voice, "duck") - onset} ms`);
  assert.ok(timeOf(voice, "flush") - onset <= 760, `${timeOf(voice, "flush") - onset} ms`);
  const nod = await play({ heard: ["hello", "yeah"] }, "_200 s800 _1600 s300 _5000");
  assert.match(course(nod), /sound e1, duck, unduck, sent 3060 ms, done completed finished$/);
  const stop = await play({ heard: ["hello", "stop"] }, "_200 s800 _1600 s300 _1500");
  assert.match(course(stop), /duck, flush e2 "[^"]*", done cancelled turn_detected, speech, silence, heard "stop"/);
});

test("[VC7] without detection only `commit` makes an utterance, and an answer waits for its words", async () => {
  const settings = { turnDetection: { kind: "manual" as const } };
  const voice = await play({ settings, hearMs: 120 }, "_200 s800 _900 commit create _5000");
  assert.equal(course(voice), `commit, answer e1, created, heard "hello there", ${ONE_ANSWER}`);
  assert.match(JSON.stringify(voice.requests[0]?.chat.messages), /hello there/);
  const nothing = await play({ settings }, "_200 s800 _200 clear commit _200");
  assert.equal(course(nothing), "nothing to commit");
});

test("[VC8] listening without answering, and answering without being interrupted", async () => {
  const server = { kind: "server", createsResponse: true, interruptsResponse: true } as const;
  const quiet = await play(
    { settings: { turnDetection: { ...server, createsResponse: false } } },
    "_200 s800 _2000 create _5000",
  );
  assert.equal(course(quiet), `speech, silence, heard "hello there", answer e1, created, ${ONE_ANSWER}`);
  const settings = { turnDetection: { ...server, interruptsResponse: false } };
  const deaf = await play({ settings, heard: ["tell me.", ""] }, "_200 s800 _1000 s1000 _4000");
  assert.ok(!/duck|flush/.test(course(deaf)), course(deaf));
  assert.match(course(deaf), /done completed finished/);
});

test("[VC9] a held button is an utterance", async () => {
  const voice = await play({}, "_200 hold _100 s600 _100 release _4500");
  assert.equal(course(voice), `speech, silence, heard "hello there", answer e1, ${ONE_ANSWER}`);
  assert.ok(timeOf(voice, "silence") <= 1_020, voice.lines.join("; "));
  // Nobody's voice was noticed: what was held is given to the recogniser all the same.
  const whisper = await play({}, "_200 hold _800 release _4500");
  assert.match(course(whisper), /heard "hello there", answer e1/);
  assert.equal(course(await play({}, "_200 hold _100 release _900")), "");
});

test("[VC10] the conversation keeps what was heard", async () => {
  const estimated = await play({}, "_200 s800 _2200 s1200 _600");
  // It sounded from 1,500 to 3,900: seven words of 300 ms and the pause between the sentences.
  assert.match(estimated.told, /assistant: One two three four five\. Six seven(?: \||$)/);
  const reported = await play(
    { settings: { playback: "reported" } },
    "_200 s800 _900 played:300 _100 played:400 _1200 s1200 played:650 _200",
  );
  assert.match(reported.told, /assistant: One two(?: \||$)/);
});

test("[VC11] nothing follows the end of an answer", async () => {
  const voice = await play({}, "_200 s800 _1500 cancel _3000");
  assert.match(course(voice), /sound e1, flush e2 "[^"]*", done cancelled client_cancelled$/);
  const endMs = timeOf(voice, "done") + 10_000;
  assert.ok(voice.packets.every(({ atMs }) => atMs <= endMs));
  const unheard = await play({}, "_200 s800 _510 cancel _500");
  assert.ok(!unheard.told.includes("One two"), unheard.told);
});

test("[VC12] sound leaves ahead of its playing by no more than the lead", async () => {
  const voice = await play({ settings: { leadMs: 200 } }, "_200 s800 _5000");
  const [first] = voice.packets;
  assert.ok(first !== undefined && voice.packets.length > 140);
  for (const { atMs, startMs, ms } of voice.packets) {
    assert.ok(ms <= 20);
    const aheadMs: number = first.atMs + startMs - atMs;
    assert.ok(aheadMs <= 200 && aheadMs >= -20, `${startMs} sent ${aheadMs} ms ahead`);
  }
});

test("[VC13] words have times within the sound, in order", async () => {
  const voice = await play({}, "_200 s800 _5000");
  assert.deepEqual(voice.words.map(({ text }) => text).join(" "), "One two three four five. Six seven eight nine ten.");
  let last = 0;
  for (const { startMs, endMs } of voice.words) {
    assert.ok(startMs >= last && endMs > startMs && endMs <= 3_061, `${startMs} to ${endMs}`);
    last = startMs;
  }
});

test("[VC14] a tool call that was cut off is answered, a late result joins the conversation", async () => {
  async function* calls(): AsyncGenerator<AnswerPart> {
    yield PARTS.start();
    yield { type: "tool-start", index: 0, id: "call_1", name: "lookup" };
    yield { type: "tool-end", index: 0, args: '{"of":"lamp"}' };
    yield PARTS.text("Let me see what I can find about that lamp of yours over there.");
    yield PARTS.end();
  }
  const late = await play({ answer: calls }, "_200 s800 _6000 result:found _200");
  assert.match(course(late), /call lookup \{"of":"lamp"\}/);
  assert.match(late.told, /assistant: Let me see .* tool-call \| tool: tool-result$/);
  const cut = await play({ answer: calls }, "_200 s800 _1200 cancel _200");
  const results = cut.handle.items
    .flatMap(({ message }) => message.content)
    .filter(({ type }) => type === "tool-result");
  assert.match(JSON.stringify(results), /cancelled by user/);
});

test("[VC15] the next model listens or speaks when one fails", async () => {
  const models = ["bad/ear", "good/ear", "bad/voice", "good/voice"];
  async function* speak(text: string, model: string): AsyncGenerator<Uint8Array> {
    if (model.startsWith("bad")) throw new GatewayError("provider_failed", "hoarse");
    yield* tone(text);
  }
  const voice = await play({ models, speak, heard: ["!", "hello there"] }, "_200 s800 _5500");
  assert.equal(course(voice), `speech, silence, heard "hello there", answer e1, ${ONE_ANSWER}`);
  assert.deepEqual(
    voice.transcribed.slice(0, 2).map(({ model }) => model),
    ["bad/ear", "good/ear"],
  );
});

test("[VC16] where no voice speaks, the text stands and the failure is told", async () => {
  // oxlint-disable-next-line require-yield -- It fails before its first sound.
  async function* speak(): AsyncGenerator<Uint8Array> {
    throw new GatewayError("provider_failed", "hoarse");
  }
  const voice = await play({ speak }, "_200 s800 _3000");
  assert.match(course(voice), /answer e1, error provider_failed, .*done completed finished$/);
  assert.match(voice.told, /assistant: One two/);
});
