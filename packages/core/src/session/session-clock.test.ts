// Rules SK2..SK4 of docs/spec/session.md. `exchange` is one ping at session time `atMs` over a network with the given
// delays; the client's clock is `offsetMs` ahead and runs `ppm` fast.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { SessionClock } from "./session-clock.ts";

interface Network {
  readonly offsetMs: number;
  readonly ppm?: number;
  readonly upMs: number;
  readonly downMs: number;
}

function exchange(clock: SessionClock, atMs: number, { offsetMs, ppm = 0, upMs, downMs }: Network): void {
  const client = (sessionMs: number): number => sessionMs * (1 + ppm / 1e6) + offsetMs;
  const t1 = client(atMs + downMs);
  clock.foldExchange(atMs, t1, t1 + 0.2, atMs + downMs + 0.2 + upMs);
}

test("[SK2] the quickest exchange decides, whatever queueing does to the others", () => {
  const random = new SeededRandom(21);
  const clock = new SessionClock();
  for (let i = 0; i < 30; i++) {
    const queueMs = i === 13 ? 0 : 20 + random.next() * 300;
    exchange(clock, i * 2_000, { offsetMs: 5_000, upMs: 4 + queueMs, downMs: 4 });
  }
  assert.ok(Math.abs((clock.offsetMs ?? 0) - 5_000) < 12, `seed 21: ${clock.offsetMs}`);
  assert.ok(Math.abs((clock.rttMs ?? 0) - 8) < 0.01);
});

test("[SK3] drift is found and corrected", () => {
  const random = new SeededRandom(22);
  for (const ppm of [-80, 40, 120]) {
    const clock = new SessionClock();
    let worst = 0;
    for (let i = 0; i < 200; i++) {
      exchange(clock, i * 2_000, { offsetMs: 1_000, ppm, upMs: 5 + random.next() * 3, downMs: 5 + random.next() * 3 });
      const trueMs = 1_000 + (i * 2_000 * ppm) / 1e6;
      if (i > 40) worst = Math.max(worst, Math.abs((clock.offsetMs ?? 0) - trueMs));
    }
    assert.ok(worst < 3, `seed 22, ${ppm} ppm: ${worst.toFixed(2)} ms off`);
    assert.ok(Math.abs(clock.skewPpm - ppm) < 30, `seed 22: ${clock.skewPpm.toFixed(0)} for ${ppm} ppm`);
  }
});

test("[SK4] the estimate moves slowly, and follows a clock that was set", () => {
  const clock = new SessionClock();
  exchange(clock, 0, { offsetMs: 100, upMs: 30, downMs: 10 });
  const first = clock.offsetMs ?? 0;
  exchange(clock, 2_000, { offsetMs: 150, upMs: 5, downMs: 5 });
  const moved = (clock.offsetMs ?? 0) - first;
  assert.ok(moved > 0 && moved <= 20.5, `moved ${moved} ms in 2 s`);
  exchange(clock, 4_000, { offsetMs: 9_000, upMs: 5, downMs: 5 });
  assert.ok(Math.abs((clock.offsetMs ?? 0) - 9_000) < 1);
  assert.equal(clock.foldExchange(5_000, 10, 5, 5_010), false, "an answer sent before it was asked for");
  assert.equal(clock.toSessionMs(9_000 + 4_500, 4_400), 4_400);
});
