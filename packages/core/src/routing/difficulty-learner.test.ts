// Rules DL1..DL3 and DL8 of docs/spec/routing.md, on two made-up kinds of prompt.
import assert from "node:assert/strict";
import test from "node:test";
import { SeededRandom } from "@fovea/core/testing";
import { DifficultyLearner } from "./difficulty-learner.ts";

const WORDS = ["table", "river", "seven", "green", "house", "music", "paper", "stone"];

function taught(seed: number, count: number): DifficultyLearner {
  const random = new SeededRandom(seed);
  const learner = new DifficultyLearner();
  for (let index = 0; index < count; index++) {
    const isHard = random.next() < 0.5;
    const noise = `${random.pick(WORDS)} ${random.pick(WORDS)}`;
    learner.score(String(index), `${isHard ? "prove the theorem about" : "what colour is the"} ${noise}`);
    learner.feedback(String(index), isHard ? Number(random.next() < 0.2) : 1, 1);
  }
  return learner;
}
const gap = (learner: DifficultyLearner): number =>
  learner.score("a", "prove the theorem about stone paper") - learner.score("b", "what colour is the stone paper");

test("[DL1] what only the strong model could do scores higher", () => {
  assert.ok(gap(taught(1, 1_000)) > 0.1, String(gap(taught(1, 1_000))));
});

test("[DL2] feedback counts by blocks, and only for what was scored", () => {
  // Before the first block only the length of a prompt counts.
  const untaught = gap(new DifficultyLearner());
  assert.equal(gap(taught(1, 249)), untaught);
  assert.ok(gap(taught(1, 250)) > untaught);
  const learner = new DifficultyLearner();
  for (let index = 0; index < 500; index++) learner.feedback("never", 0, 1);
  assert.equal(gap(learner), untaught);
});

test("[DL3] the same past gives the same scores", () => {
  assert.equal(gap(taught(3, 750)), gap(taught(3, 750)));
});

test("[DL8] before anything is known a long prompt is taken for harder", () => {
  const learner = new DifficultyLearner();
  assert.ok(learner.score("a", "what colour is this, and ".repeat(20)) > learner.score("b", "what colour is this"));
});
