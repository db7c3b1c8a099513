// Rules SI1..SI4 of docs/spec/session.md: a hundred headsets for an hour of simulated time, from a printed seed. Poses are
// really encoded, decoded and folded, thinned to one every five seconds and six at 30 Hz before each question.
import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "./simulate.ts";

const SEED = Number(process.env["FOVEA_SEED"] ?? 20_261_122);
const HOUR_MS = 3_600_000;

test("[SI1] [SI2] [SI3] a hundred headsets for an hour", (t) => {
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const result = simulate(SEED, 100, HOUR_MS);
  const wallMs = performance.now() - startedMs;
  const cpu = process.cpuUsage(cpuBefore);
  const { tallies, answers } = result;
  t.diagnostic(`seed ${SEED}, trace ${result.traceHash}, ${result.events} events`);
  t.diagnostic(`${JSON.stringify(tallies)} ${JSON.stringify(answers)}`);
  const cpuMs = (cpu.user + cpu.system) / 1_000;
  t.diagnostic(
    `${(HOUR_MS / wallMs).toFixed(0)}x real time by the clock, ${(HOUR_MS / cpuMs).toFixed(0)}x by CPU time`,
  );
  assert.deepEqual(result.violations.slice(0, 5), [], `seed ${SEED}`);
  // Every question is answered, lost with its session, or one of those just asked.
  assert.equal(tallies.asks, tallies.dones + tallies.lost + result.unanswered, `seed ${SEED}`);
  assert.ok(result.unanswered < 100, `${result.unanswered} turns are open at the end`);
  // The run must have met what it is for.
  assert.ok(tallies.asks > 5_000 && tallies.drops > 500 && tallies.resumes > 300 && tallies.consents > 200);
  assert.ok(
    tallies.grounded > tallies.asks / 2,
    `${tallies.grounded} of ${tallies.asks} questions were about something`,
  );
  assert.ok(answers.failed > 300 && answers.broken > 150 && answers.silent > 30 && answers.aborted > 400);
});

test("[SI4] the same seed gives the same trace, another another", () => {
  const short = (seed: number): string => simulate(seed, 10, 600_000).traceHash;
  assert.equal(short(SEED), short(SEED));
  assert.notEqual(short(SEED), short(SEED + 1));
});
