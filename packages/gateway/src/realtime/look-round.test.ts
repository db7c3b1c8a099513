// Rules LR1..LR3 of docs/spec/session.md.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "@fovea/core/testing";
import { LookRound } from "./look-round.ts";

function made(): { clock: FakeClock; round: LookRound; looked: string[]; add: (name: string) => void } {
  const clock = new FakeClock();
  const round = new LookRound(clock);
  const looked: string[] = [];
  const add = (name: string): void => round.add({ look: () => looked.push(`${name}@${clock.monotonicMs()}`) });
  return { clock, round, looked, add };
}

test("[LR1] sessions are looked at in one row, in the order in which they came, 15 ms after the first", () => {
  const { clock, looked, add } = made();
  add("a");
  clock.advance(10);
  add("b");
  clock.advance(4);
  assert.deepEqual(looked, []);
  clock.advance(1);
  assert.deepEqual(looked, ["a@15", "b@15"]);
  clock.advance(100);
  add("a");
  clock.advance(15);
  assert.deepEqual(looked.slice(2), ["a@130"]);
});

test("[LR2] after 64 looks others have their turn", () => {
  const { clock, looked, add } = made();
  for (let i = 0; i < 150; i++) add(String(i));
  const counts: number[] = [];
  const schedule = clock.schedule.bind(clock);
  clock.schedule = (delayMs, task) => {
    counts.push(looked.length);
    return schedule(delayMs, task);
  };
  clock.advance(15);
  assert.deepEqual([counts, looked.length], [[64, 128], 150]);
  assert.equal(looked[149], "149@15");
});

test("[LR3] a closed round looks at nobody", () => {
  const { clock, round, looked, add } = made();
  add("a");
  round.close();
  clock.advance(100);
  assert.deepEqual(looked, []);
});
