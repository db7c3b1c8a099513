// Rule WC1 of docs/spec/wire.md.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ERROR_TABLE } from "@fovea/core";
import { CLOSE_CODES, closeCodeRow, closeReason } from "@fovea/protocol";

test("[WC1] every error of the gateway closes with a code of the table, and unknown codes let the client come back", () => {
  for (const [name, row] of Object.entries(ERROR_TABLE))
    assert.ok(Object.hasOwn(CLOSE_CODES, row.close), `${name} closes with ${row.close}, which the table lacks`);
  assert.equal(closeCodeRow(4777).reconnect, "resume");
  assert.equal(closeCodeRow(4406).reconnect, "never");
});

test("[WC2] a close reason fits the 123 bytes of RFC 6455, whatever its characters", () => {
  for (const text of ["x".repeat(400), "é".repeat(200), "你".repeat(200), "😀".repeat(100), "short"]) {
    const reason = closeReason(text);
    assert.ok(Buffer.byteLength(reason) <= 123);
    assert.ok(text.startsWith(reason));
    assert.ok(!/[\ud800-\udbff]$/.test(reason));
  }
  assert.equal(closeReason("short"), "short");
});
