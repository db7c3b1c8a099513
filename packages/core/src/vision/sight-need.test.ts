// Rule VN30 of docs/spec/vision.md.
import assert from "node:assert/strict";
import { test } from "node:test";
import { plainSnapshot } from "../../testing/plain-room.ts";
import { sightNeedOf } from "./sight-need.ts";

const ROOM = plainSnapshot([
  { id: "table1", at: [0, 0.4, -2], size: [1, 0.8, 1] },
  { id: "couch1", at: [2, 0.4, -2], size: [2, 0.8, 1] },
  { id: "door1", at: [0, 1, 3], size: [1, 2, 0.1] },
]);

const check = (text: string): string => {
  const need = sightNeedOf(text, ROOM);
  return need.kind === "find" ? `find ${need.labels.join(", ")}` : need.kind;
};

test("[VN30] what a question needs of the camera", () => {
  const rows: readonly (readonly [question: string, need: string])[] = [
    ["where is my mug?", "find mug"],
    ["where are my keys", "find keys"],
    ["can you find the remote control", "find remote control"],
    ["is there a cat on the sofa?", "find cat"],
    ["how far is the vase from the table?", "find vase"],
    ["highlight the coffee mug", "find mug"],
    ["what is left of the laptop?", "find laptop"],
    ["where is the table?", "none"],
    ["where is the sofa", "none"],
    ["how far is it to the door?", "none"],
    ["how do I walk to the door", "none"],
    ["describe the room", "none"],
    ["what is behind me?", "none"],
    ["what changed since I came in?", "none"],
    ["what time is it in Tokyo", "none"],
    ["write me a poem", "none"],
    ["", "none"],
    ["what do you see?", "see"],
    ["read the sign", "see"],
    ["what does the sign say", "see"],
    ["what colour is the couch", "see"],
    ["what does it look like?", "see"],
    ["what am I looking at", "see"],
  ];
  assert.deepEqual(
    rows.map(([question]) => `${question}: ${check(question)}`),
    rows.map(([question, need]) => `${question}: ${need}`),
  );
});
