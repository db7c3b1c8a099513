// The product: the same socket library with the whole session behind it: consent, clock, window, attention of five
// means, gestures of two hands, in a room of 40 things.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { AnswerEngine, Meter } from "@fovea/core";
import { ContextBuilder } from "@fovea/core";
import { SystemClock } from "../../packages/gateway/src/platform/system-clock.ts";
import { SystemIds } from "../../packages/gateway/src/platform/system-ids.ts";
import { attachXRSocket } from "../../packages/gateway/src/realtime/xr-socket.ts";
import { reportCpu } from "./report-cpu.ts";

const meter: Meter = { count() {}, gauge() {}, record() {} };
const engine = {
  answer: () => {
    throw new Error("nothing is asked here");
  },
  perform: () => Promise.reject(new Error("nothing is asked here")),
  listModels: () => [],
} as unknown as AnswerEngine;

let packets = 0;
// Counted where a packet becomes the newest of its session: one that a flood gate drops costs less and does not count.
const recordPose = ContextBuilder.prototype.recordPose;
ContextBuilder.prototype.recordPose = function (sample, atMs, isViewerKnown) {
  packets++;
  return recordPose.call(this, sample, atMs, isViewerKnown);
};

const server = createServer();
attachXRSocket(server, {
  authenticate: () => ({ tenantId: "t", userId: "u", scopes: ["session"], via: "open" }),
  engine,
  clock: new SystemClock(),
  ids: new SystemIds(),
  log: { write() {} },
  meter,
  audit: { append() {} },
});
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
reportCpu(() => packets);
