// Rule RT27 of docs/spec/realtime.md. A script gives milliseconds of sound, waits, or ends; the string is what left and when.
import assert from "node:assert/strict";
import test from "node:test";
import { FakeClock } from "@fovea/core/testing";
import { OpusSender } from "./opus-sender.ts";

function play(script: readonly (number | string)[]): string {
  const clock = new FakeClock();
  const log: string[] = [];
  let packets = 0;
  const note = (text: string): void => {
    if (packets > 0) log.push(`${packets} packets`);
    packets = 0;
    log.push(`${clock.monotonicMs()}: ${text}`);
  };
  const sender = new OpusSender(clock, {
    encode: () => new Uint8Array(1),
    packet: () => void packets++,
    started: (id) => note(`started ${id}`),
    stopped: (id) => note(`stopped ${id}`),
    played: () => {},
  });
  let startMs = 0;
  for (const step of script) {
    if (typeof step === "number") {
      sender.push(new Int16Array(step * 24), 24_000, { responseId: "r", itemId: "i", epoch: 1, startMs });
      startMs += step;
    } else if (step === "end") sender.finish();
    else if (step === "clear") note(sender.clear() ? "cleared" : "was silent");
    else clock.advance(Number(step));
  }
  if (packets > 0) log.push(`${packets} packets`);
  return log.join(", ");
}

test("[RT27] a packet leaves every 20 ms; running dry is a pause, the end is told once all has left", () => {
  assert.equal(play([100, "end", "500"]), "0: started r, 5 packets, 80: stopped r");
  assert.equal(play([40, "300", 40, "end", "100"]), "0: started r, 4 packets, 320: stopped r");
  assert.equal(play([200, "50", "clear", "500", "end"]), "0: started r, 3 packets, 50: cleared");
  assert.equal(play(["clear"]), "0: was silent");
  assert.equal(play([30, 10, "end", "100"]), "0: started r, 2 packets, 20: stopped r");
});
