import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import test from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { FakeClock } from "@fovea/core/testing";
import { registerOpenAiDoor } from "../../packages/gateway/src/http/openai/openai-door.ts";
import { END, openDoors, START, text, USAGE } from "./scripted-engine.ts";

const BODY = JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "x" }] });

test("[DW19] Streams, whole and abandoned, leave nothing behind", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const clock = new FakeClock();
  await using doors = await openDoors([registerOpenAiDoor], { clock });
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const stream = (leaves: boolean): Promise<void> =>
    new Promise((resolve) => {
      const call = request(`${doors.url}/v1/chat/completions`, {
        method: "POST",
        agent,
        headers: { "content-type": "application/json" },
      });
      call.on("response", (response) => {
        response.on("data", () => leaves && call.destroy());
        response.on("close", resolve);
        response.on("error", () => {});
      });
      call.on("error", () => resolve());
      call.end(BODY);
    });
  const round = async (count: number, leaves: boolean): Promise<void> => {
    doors.engine.script = leaves
      ? [START, text("a"), "hang"]
      : [START, ...Array.from({ length: 100 }, () => text("word ")), USAGE, END];
    let left = count;
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        while (left-- > 0) await stream(leaves);
      }),
    );
    doors.engine.requests.length = 0;
  };
  const heapMb = async (): Promise<number> => {
    await wait(50);
    collect();
    return process.memoryUsage().heapUsed / 1e6;
  };
  await round(100, false);
  await round(100, true);
  const before = await heapMb();
  await round(400, false);
  await round(300, true);
  const grownMb = (await heapMb()) - before;
  agent.destroy();
  assert.ok(grownMb < 2, `the heap has grown by ${grownMb.toFixed(1)} MB`);
  for (let tries = 0; tries < 200 && clock.pendingTasks > 0; tries++) await wait(5);
  assert.equal(clock.pendingTasks, 0, "timers of finished streams");
});
