// Rules WQ8 and SP6 of docs/spec/responses.md, over the real process: marks leave with the time of their word, and each
// sentence sounds from what it is about.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sceneNode } from "@fovea/core/testing";
import type { RunningFovea } from "../gateway/run-fovea.ts";
import { startFovea } from "../gateway/run-fovea.ts";
import { noSpeech } from "./spoken.ts";
import { VoiceClient } from "./voice-client.ts";

let fovea: RunningFovea;

before(async () => {
  if (noSpeech === false) fovea = await startFovea([], { FOVEA_STORE: "memory" });
});

after(async () => {
  await fovea?.stop();
});

/** What the answer to a typed question that is spoken consists of. */
async function asked(text: string, more: object = {}) {
  await using client = await VoiceClient.connect(`${fovea.url.replace("http", "ws")}/xr`);
  const add = [
    sceneNode("lamp-1", [0, 1.6, -2], { ref: 1, semanticLabel: "lamp" }),
    sceneNode("couch-1", [-2, 1.6, 0], { ref: 2, semanticLabel: "couch" }),
  ];
  client.send({ type: "scene.update", frame: "local-floor", add, update: [], remove: [] });
  client.pose = (sample) => sample.viewer.set([0, 1.6, 0, 0, 0, 0, 1]);
  client.listen();
  await new Promise((resolve) => setTimeout(resolve, 400));
  client.send({
    type: "ask",
    turnId: "t1",
    text,
    include: ["gaze", "scene"],
    modalities: ["text", "audio", "action", "haptic"],
    ...more,
  });
  await client.until(({ message }) => message.type === "done", 15_000);
  return client.heard.map(({ message }) => message);
}

test(
  "[WQ8] [SP6] the lamp is marked as its word sounds, from where it stands",
  { skip: noSpeech, timeout: 60_000 },
  async () => {
    const parts = await asked("where is the lamp?");
    const words = parts.flatMap((part) => (part.type === "words" ? part.words : []));
    const lamp = words.find((word) => /lamp/i.test(word.text));
    assert.ok(lamp !== undefined, JSON.stringify(words));
    const action = parts.find((part) => part.type === "action");
    const audio = parts.find((part) => part.type === "audio");
    assert.ok(action?.type === "action" && audio?.type === "audio", parts.map(({ type }) => type).join(" "));
    assert.deepEqual(action.cue, { itemId: audio.itemId, atMs: Math.round(lamp.startMs) });
    assert.equal(audio.at, "lamp-1");
    assert.ok(parts.indexOf(action) < parts.findIndex(({ type }) => type === "done"));
  },
);

test("[WQ8] an answer that is not spoken waits for no word", { skip: noSpeech, timeout: 60_000 }, async () => {
  const parts = await asked("where is the couch?", { modalities: ["text", "action"] });
  const action = parts.find((part) => part.type === "action");
  assert.ok(action?.type === "action" && action.cue === undefined);
  assert.equal(
    parts.some(({ type }) => type === "audio"),
    false,
  );
});
