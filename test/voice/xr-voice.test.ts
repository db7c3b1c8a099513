// Rules XV1..XV10 of docs/spec/voice.md: a headset with a microphone and a speaker talks to the real process. flite speaks
// for the user, pocketsphinx hears, the room's geometry answers, espeak-ng speaks.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { levelDb } from "@fovea/core";
import { Application, createDecoder, createEncoder } from "libopus-wasm";
import { sceneNode } from "@fovea/core/testing";
import type { PoseSample } from "@fovea/protocol";
import type { RunningFovea } from "../gateway/run-fovea.ts";
import { startFovea } from "../gateway/run-fovea.ts";
import { noSpeech, silence, soundingSpan, spoken } from "./spoken.ts";
import type { Heard } from "./voice-client.ts";
import { VoiceClient } from "./voice-client.ts";

let fovea: RunningFovea;

before(async () => {
  if (noSpeech === false) fovea = await startFovea([], { FOVEA_STORE: "memory" });
});

after(async () => {
  await fovea?.stop();
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const turned = (yawRad: number) => (sample: PoseSample) =>
  sample.viewer.set([0, 1.6, 0, 0, Math.sin(yawRad / 2), 0, Math.cos(yawRad / 2)]);
const isDone = ({ message }: Heard): boolean => message.type === "done";
const typesOf = (heard: readonly Heard[]): string[] => heard.map(({ message }) => message.type);

/** In a room with a lamp straight ahead and a couch to the left, microphone open. */
async function inRoom(): Promise<VoiceClient> {
  const client = await VoiceClient.connect(`${fovea.url.replace("http", "ws")}/xr`);
  const add = [
    sceneNode("lamp-1", [0, 1.6, -2], { ref: 1, semanticLabel: "lamp" }),
    sceneNode("couch-1", [-2, 1.6, 0], { ref: 2, semanticLabel: "couch" }),
    sceneNode("table-1", [2, 0.8, 0], { ref: 3, semanticLabel: "table" }),
  ];
  client.send({ type: "scene.update", frame: "local-floor", add, update: [], remove: [] });
  client.pose = turned(0);
  client.listen();
  await pause(900);
  return client;
}

test("[XV1] a spoken question is answered in words and in sound", { skip: noSpeech, timeout: 60_000 }, async () => {
  await using client = await inRoom();
  client.say(await spoken("where is the couch"));
  const { message: done } = await client.until(isDone, 20_000);
  assert.equal(done.type === "done" ? done.outcome : "", "complete");
  const transcript = client.heard.findLast(({ message }) => message.type === "transcript" && message.isFinal)?.message;
  assert.match(transcript?.type === "transcript" ? transcript.text : "", /where is (?:the|a) couch/);
  assert.match(client.text(), /nine/i);
  const [item] = client.items;
  assert.ok(item !== undefined && item.samples > 12_000, `${item?.samples} samples`);
  const words = client.heard.flatMap(({ message }) => (message.type === "words" ? message.words : []));
  assert.ok(
    words.some(({ text }) => /nine/i.test(text)),
    JSON.stringify(words),
  );
  const order = typesOf(client.heard).filter((type) =>
    ["transcript", "start", "text.delta", "audio", "words", "done"].includes(type),
  );
  assert.deepEqual(
    [...new Set(order)],
    ["transcript", "start", "text.delta", "words", "audio", "done"].toSorted(
      (a, b) => order.indexOf(a) - order.indexOf(b),
    ),
  );
  assert.equal(order.at(-1), "done");
});

test(
  "[XV2] a word that points is what was looked at while it was said",
  { skip: noSpeech, timeout: 60_000 },
  async () => {
    await using client = await inRoom();
    const question = await spoken("what is that");
    const { untilMs } = soundingSpan(question);
    await pause(600);
    const saidMs = client.say(question);
    // The head turns away to the couch as soon as the last word is out, before the question is answered.
    await pause(saidMs + untilMs - performance.now());
    client.pose = turned(Math.PI / 2);
    await client.until(isDone, 20_000);
    const targets = client.heard.flatMap(({ message }) =>
      message.type === "action" && message.action.kind === "highlight" ? [message.action.target] : [],
    );
    assert.match(client.text(), /lamp/i);
    assert.doesNotMatch(client.text(), /couch/i);
    assert.ok(targets.length === 0 || targets.includes("lamp-1"), JSON.stringify(targets));
  },
);

test("[XV3] speaking over an answer lowers it, then ends it", { skip: noSpeech, timeout: 60_000 }, async () => {
  await using client = await inRoom();
  client.say(await spoken("what can you do"));
  const { message: audio } = await client.until(({ message }) => message.type === "audio", 20_000);
  await pause(3_300);
  const stop = await spoken("where is the lamp");
  const from = client.heard.length;
  const saidMs = client.say(stop) + soundingSpan(stop).fromMs;
  const duck = await client.until(({ message }) => message.type === "duck", 5_000, from);
  const flush = await client.until(({ message }) => message.type === "flush", 5_000, from);
  assert.ok(duck.atMs - saidMs < 400, `duck after ${duck.atMs - saidMs} ms`);
  assert.ok(flush.atMs - saidMs < 1_500, `flush after ${flush.atMs - saidMs} ms`);
  const cut = await client.until(({ message }) => message.type === "done", 5_000, from);
  assert.equal(cut.message.type === "done" ? cut.message.outcome : "", "cancelled");
  // The question that interrupted is answered, in a later epoch.
  const answered = await client.until(
    ({ message }) => message.type === "done" && message.outcome === "complete",
    15_000,
    from,
  );
  const epochs = [audio, answered.message].map((message) => ("epoch" in message ? message.epoch : 0));
  assert.ok((epochs[1] ?? 0) > (epochs[0] ?? 0), JSON.stringify(epochs));
});

test("[XV4] a nod of the voice leaves an answer alone", { skip: noSpeech, timeout: 60_000 }, async () => {
  await using client = await inRoom();
  client.say(await spoken("what can you do"));
  await client.until(({ message }) => message.type === "audio", 20_000);
  await pause(3_300);
  const from = client.heard.length;
  client.say(await spoken("okay"));
  await client.until(({ message }) => message.type === "duck", 5_000, from);
  await client.until(({ message }) => message.type === "unduck", 5_000, from);
  const { message: done } = await client.until(isDone, 20_000, from);
  assert.equal(done.type === "done" ? done.outcome : "", "complete");
  assert.ok(!typesOf(client.heard.slice(from)).includes("flush"));
});

test(
  "[XV5] a button says when, and the client's name for the turn is kept",
  { skip: noSpeech, timeout: 60_000 },
  async () => {
    await using client = await inRoom();
    client.send({ type: "ask", turnId: "mine", audioStreamId: 1, include: [], modalities: ["text"] });
    client.send({ type: "push-to-talk", phase: "start", t: performance.now() });
    const question = await spoken("where is the table");
    client.say(question);
    await pause((question.length * 1_000) / 16_000 + 100);
    const releasedMs = performance.now();
    client.send({ type: "push-to-talk", phase: "end", t: releasedMs });
    const done = await client.until(({ message }) => message.type === "done" && message.turnId === "mine", 10_000);
    assert.match(client.text(), /three/i);
    // Text was asked for, and no sound.
    assert.equal(client.items.length, 0);
    assert.ok(done.atMs - releasedMs < 2_000, `${done.atMs - releasedMs} ms`);
  },
);

test(
  "[XV6] a button pressed for nothing ends the turn with the reason",
  { skip: noSpeech, timeout: 60_000 },
  async () => {
    await using client = await inRoom();
    client.send({ type: "ask", turnId: "mine", audioStreamId: 1, include: [], modalities: ["text"] });
    client.send({ type: "push-to-talk", phase: "start", t: performance.now() });
    await pause(700);
    client.send({ type: "push-to-talk", phase: "end", t: performance.now() });
    const { message: done } = await client.until(({ message }) => message.type === "done", 10_000);
    assert.equal(done.type === "done" ? done.outcome : "", "error");
    const error = client.heard.find(({ message }) => message.type === "error")?.message;
    assert.equal(error?.type === "error" ? `${error.code} ${error.turnId}` : "", "request_invalid mine");
  },
);

test(
  "[XV8] a highlight belongs to its word, and its sentence sounds from the thing",
  { skip: noSpeech, timeout: 60_000 },
  async () => {
    await using client = await inRoom();
    client.say(await spoken("highlight the couch"));
    await client.until(isDone, 20_000);
    const [action] = client.heard.flatMap(({ message }) => (message.type === "action" ? [message] : []));
    const words = client.heard.flatMap(({ message }) => (message.type === "words" ? message.words : []));
    assert.ok(action?.cue !== undefined, JSON.stringify(client.heard.slice(-12).map(({ message }) => message)));
    const { atMs, itemId } = action.cue;
    assert.match(words.find(({ startMs }) => Math.abs(startMs - atMs) <= 1)?.text ?? "", /couch/i);
    const audio = client.heard.find(({ message }) => message.type === "audio")?.message;
    assert.equal(audio?.type === "audio" ? `${audio.at} ${audio.itemId}` : "", `couch-1 ${itemId}`);
  },
);

test(
  "[XV7] without consent nothing is heard, and the client is told",
  { skip: noSpeech, timeout: 60_000 },
  async () => {
    const consent = { head: true, hands: "raw", room: "full", camera: false, audio: false, eyes: false } as const;
    await using client = await VoiceClient.connect(`${fovea.url.replace("http", "ws")}/xr`, { consent });
    client.listen();
    client.say(silence(500));
    const { message } = await client.until(({ message: got }) => got.type === "error", 5_000);
    assert.equal(message.type === "error" ? `${message.code} ${message.fatal}` : "", "consent_missing false");
    await pause(1_500);
    assert.ok(typesOf(client.heard).filter((type) => type === "error").length <= 3);
  },
);

test("[XV9] who sends Opus is understood and answered in Opus", { skip: noSpeech, timeout: 60_000 }, async () => {
  await using client = await inRoom();
  const encoder = await createEncoder({
    sampleRate: 16_000,
    channels: 1,
    application: Application.Voip,
    bitrate: 24_000,
    frameSize: 320,
  });
  const decoder = await createDecoder({ sampleRate: 24_000, channels: 1 });
  client.encode = (samples) => encoder.encode(samples);
  client.decode = (packet) => decoder.decode(packet);
  await pause(300);
  client.say(await spoken("where is the couch"));
  await client.until(isDone, 20_000);
  assert.match(client.text(), /couch/i);
  const audio = client.heard.find(({ message }) => message.type === "audio")?.message;
  assert.equal(audio?.type === "audio" ? audio.codec : "", "opus");
  const [item] = client.items;
  const sound = client.sound.get(item?.itemId ?? "") ?? [];
  assert.ok((item?.samples ?? 0) > 12_000 && Math.max(...sound.map(levelDb)) > -35, `${item?.samples} samples`);
});

test(
  "[XV10] a connection lost in the middle of an answer loses no word of it",
  { skip: noSpeech, timeout: 60_000 },
  async () => {
    await using client = await inRoom();
    client.say(await spoken("where is the couch"));
    await client.until(isDone, 20_000);
    // The same answer, undisturbed: so long it is.
    const wholeMs = ((client.items.at(-1)?.samples ?? 0) * 1_000) / 24_000;
    await pause(1_200);
    const from = client.heard.length;
    client.say(await spoken("where is the couch"));
    await client.until(({ message }) => message.type === "audio", 20_000, from);
    await pause(400);
    const lostMs = performance.now();
    const { message: welcome, atMs } = await client.reconnect(`${fovea.url.replace("http", "ws")}/xr`, 500);
    assert.equal(welcome.type === "welcome" ? welcome.resumed : false, true);
    const { message: done, atMs: doneMs } = await client.until(isDone, 10_000, from);
    assert.equal(done.type === "done" ? done.outcome : "", "complete");
    assert.ok(atMs - lostMs < 1_500 && doneMs - atMs < 4_000, `${atMs - lostMs} and ${doneMs - atMs} ms`);
    // Every sample of it came, once.
    const heardMs = ((client.items.at(-1)?.samples ?? 0) * 1_000) / 24_000;
    assert.equal(client.items.length, 2);
    assert.ok(Math.abs(heardMs - wholeMs) < 45, `${heardMs} of ${wholeMs} ms`);
  },
);
