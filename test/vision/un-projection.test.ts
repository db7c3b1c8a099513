// Rule VN1 of docs/spec/vision.md, on views whose truth shares no code with the engine.
import assert from "node:assert/strict";
import { test } from "node:test";
import { measureErrors, percentile } from "../../bench/vision-error.ts";

test("[VN1] from 2 m, 95 of 100 points lie within 3 cm though the head has moved on", () => {
  const seed = 20_261_122;
  const rows = measureErrors(6, [2], seed);
  for (const { by, errorsM } of rows) {
    assert.equal(errorsM.length, 30);
    const p95 = percentile(errorsM, 0.95);
    if (by === "naive")
      assert.ok(percentile(errorsM, 0.5) > 0.2, `seed ${seed}: the pose of the answer's time would do as well`);
    else assert.ok(p95 <= 0.03, `seed ${seed}: ${by} p95 ${(p95 * 100).toFixed(1)} cm`);
  }
});
