// Rules AQ1..AQ4 of docs/spec/streams.md. A report comes every second; `play` writes the rung after each change.
import assert from "node:assert/strict";
import test from "node:test";
import type { QualityInput } from "./adaptive-quality.ts";
import { AdaptiveQuality } from "./adaptive-quality.ts";

const CALM: QualityInput = { rttMs: 60, lossShare: 0, queueDelayMs: 5 };

function play(seconds: number, at: (second: number, rung: number) => QualityInput, start = 3): string {
  const quality = new AdaptiveQuality(start);
  const changes: string[] = [];
  let rung = start;
  for (let second = 0; second < seconds; second++) {
    const decision = quality.fold(at(second, rung), second * 1_000);
    rung = decision.rung;
    if (decision.reason !== "unchanged") changes.push(`${second}:${decision.rung}(${decision.reason})`);
  }
  return changes.join(" ");
}

test("[AQ1] trouble lowers the quality at once, severe trouble by two", () => {
  assert.equal(
    play(2, () => ({ ...CALM, lossShare: 0.06 })),
    "0:2(loss) 1:1(loss)",
  );
  assert.equal(
    play(1, () => ({ ...CALM, queueDelayMs: 90 })),
    "0:2(queue)",
  );
  assert.equal(
    play(1, () => ({ ...CALM, rttMs: 500 })),
    "0:2(round-trip)",
  );
  assert.equal(
    play(3, () => ({ ...CALM, lossShare: 0.3 })),
    "0:1(loss) 1:0(loss)",
  );
});

test("[AQ2] calm raises it one rung at a time, and between calm and bad it stays", () => {
  assert.equal(
    play(20, () => CALM),
    "4:4(calm) 8:5(calm)",
  );
  assert.equal(
    play(60, () => ({ ...CALM, lossShare: 0.03 })),
    "",
  );
});

test("[AQ3] a line that carries rung 3 and not 4 is not tried over and over", () => {
  const changes = play(600, (_, rung) => (rung >= 4 ? { ...CALM, queueDelayMs: 120 } : CALM)).split(" ");
  // Each try is one rise and one fall. Tries double their distance: after 4, 8, 16, 32, 64 and then every 64 seconds.
  assert.ok(changes.length <= 2 * 13, changes.join(" "));
  const late = changes.filter((change) => Number(change.split(":")[0]) > 300);
  assert.ok(late.length <= 10, late.join(" "));
});

test("[AQ4] heat and battery cap it", () => {
  assert.equal(
    play(30, (second) => (second < 10 ? CALM : { ...CALM, thermal: "serious" })),
    "4:4(calm) 8:5(calm) 10:2(thermal)",
  );
  assert.equal(
    play(30, () => ({ ...CALM, batteryLevel: 0.1 }), 5),
    "0:3(battery)",
  );
  assert.equal(
    play(3, () => ({ ...CALM, thermal: "critical" })),
    "0:0(thermal)",
  );
});
