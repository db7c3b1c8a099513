import { SeededRandom } from "@fovea/core/testing";
import { EventQueue } from "./event-queue.ts";
import type { Tallies, World } from "./headset.ts";
import { Headset } from "./headset.ts";
import type { AnswerCounts } from "./scripted-answers.ts";
import { ScriptedAnswers } from "./scripted-answers.ts";

export interface Simulation {
  readonly traceHash: string;
  readonly tallies: Tallies;
  readonly answers: AnswerCounts;
  readonly violations: readonly string[];
  readonly unanswered: number;
  readonly events: number;
}

/** Runs so many headsets for so long on simulated time. Everything follows from the seed. */
export function simulate(seed: number, headsets: number, spanMs: number): Simulation {
  const random = new SeededRandom(seed);
  const queue = new EventQueue();
  let hash = 0x811c9dc5;
  const trace = (text: string): void => {
    for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  };
  const tallies: Tallies = {
    sessions: 0,
    poses: 0,
    asks: 0,
    dones: 0,
    lost: 0,
    resumes: 0,
    drops: 0,
    consents: 0,
    grounded: 0,
  };
  const violations: string[] = [];
  const answers = new ScriptedAnswers(queue, random.fork(0));
  const world: World = { queue, answers, tallies, violations, trace };
  const all = Array.from({ length: headsets }, (_, index) => new Headset(world, index, random.fork(index + 1)));
  let events = 0;
  for (let atMs = 60_000; atMs <= spanMs; atMs += 60_000) {
    events += queue.runUntil(atMs);
    // Freezing a context is a question's work: a tenth of the headsets each minute is enough.
    const turn = (atMs / 60_000) % 10;
    all.forEach((headset, index) => index % 10 === turn && violations.push(...headset.bounds()));
  }
  // Everybody comes back once more, so that every turn can be seen to its end.
  for (const headset of all) headset.finish();
  const asked = tallies.asks;
  queue.runUntil(spanMs + 100);
  const open = all.reduce((sum, headset) => sum + headset.unanswered(), 0);
  trace(`${asked} ${tallies.dones}`);
  return {
    traceHash: (hash >>> 0).toString(16).padStart(8, "0"),
    tallies,
    answers: answers.counts,
    violations,
    unanswered: open,
    events,
  };
}
