// Rules KE1..KE3 of docs/spec/client.md: the SDK against the real gateway process, over a path that can be cut.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { Fovea } from "@fovea/client";
import type { AnswerTurn, Object3DLike } from "@fovea/client";
import type { RunningFovea } from "../gateway/run-fovea.ts";
import { startFovea } from "../gateway/run-fovea.ts";

/** A TCP path to the gateway that the test cuts, and points at another process. */
class Path {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  target: string;

  constructor(target: string) {
    this.target = target;
    this.#server = createServer((near) => {
      const far = connect(Number(new URL(this.target).port), "127.0.0.1");
      for (const socket of [near, far]) {
        this.#open.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => this.#open.delete(socket));
      }
      near.on("close", () => far.destroy());
      far.on("close", () => near.destroy());
      near.pipe(far);
      far.pipe(near);
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    assert.ok(typeof address === "object" && address !== null);
    return `ws://127.0.0.1:${address.port}/xr`;
  }

  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

const SCENE = { matrixWorld: { elements: [] }, isScene: true };

function lampAt(x: number): Object3DLike {
  return {
    matrixWorld: { elements: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, x, 1, -2, 1] },
    parent: SCENE,
    geometry: { boundingBox: { min: { x: -0.1, y: 0, z: -0.1 }, max: { x: 0.1, y: 0.4, z: 0.1 } } },
  };
}

interface Rig {
  readonly gateway: RunningFovea;
  readonly path: Path;
  readonly xr: Fovea;
}

async function withRig(run: (rig: Rig) => Promise<void>): Promise<void> {
  const gateway = await startFovea([], { FOVEA_STORE: "memory" });
  const path = new Path(gateway.url);
  let xr: Fovea | undefined;
  try {
    xr = await Fovea.connect({ url: await path.listen(), consent: { head: true, room: "full" }, locale: "en" });
    xr.scene.add(lampAt(0.5), { label: "lamp" });
    await looksAround();
    await run({ gateway, path, xr });
  } finally {
    xr?.close();
    path.close();
    await gateway.stop();
  }
}

/** The scene is looked at twice a second; two looks are certainly over after this. */
async function looksAround(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_200));
}

async function read(turn: AnswerTurn): Promise<{ text: string; ends: string[] }> {
  let text = "";
  const ends: string[] = [];
  for await (const part of turn) {
    if (part.type === "text") text += part.text;
    if (part.type === "error") ends.push(`error ${part.code}`);
    if (part.type === "done") ends.push("done");
  }
  return { text, ends };
}

async function reconnected(xr: Fovea, timeoutMs = 20_000): Promise<{ resumed: boolean; sessionId: string }> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("did not come back")), timeoutMs);
    const off = xr.on("connect", ({ detail }) => {
      clearTimeout(timer);
      off();
      resolve(detail);
    });
  });
}

test(
  "[KE1] questions asked around a cut path are answered once, in the same session",
  { timeout: 120_000 },
  async () => {
    await withRig(async ({ path, xr }) => {
      const { sessionId } = xr;
      let back = reconnected(xr);
      const cut = xr.ask("Where is the lamp?");
      path.cut();
      const { resumed, sessionId: resumedId } = await back;
      assert.deepEqual([resumed, resumedId], [true, sessionId]);
      assertAnswered(await read(cut));

      back = reconnected(xr);
      path.cut();
      await new Promise((resolve) => xr.on("disconnect", resolve));
      const whileDown = xr.ask("How many lamps are there?");
      await back;
      assertAnswered(await read(whileDown));
      assert.deepEqual([xr.stats().reconnects, xr.sessionId], [2, sessionId]);
    });
  },
);

function assertAnswered({ text, ends }: { text: string; ends: string[] }): void {
  assert.deepEqual(ends, ["done"]);
  assert.match(text, /lamp/i);
  assert.doesNotMatch(text, /(.{12,})\1/, "a part came twice");
}

test("[KE2] ten cuts in a row lose no session and no scene", { timeout: 120_000 }, async () => {
  await withRig(async ({ path, xr }) => {
    const { sessionId } = xr;
    for (let cut = 0; cut < 10; cut++) {
      const back = reconnected(xr);
      path.cut();
      assert.equal((await back).resumed, true);
    }
    assert.equal(xr.sessionId, sessionId);
    const answer = await read(xr.ask("How many lamps are there?"));
    assert.match(answer.text, /\b(one|1|lamp)\b/i);
  });
});

test(
  "[KE3] another gateway process takes over: a new session, and the room is told again",
  { timeout: 120_000 },
  async () => {
    await withRig(async ({ gateway, path, xr }) => {
      const { sessionId } = xr;
      const next = await startFovea([], { FOVEA_STORE: "memory" });
      try {
        const back = reconnected(xr);
        path.target = next.url;
        await gateway.stop();
        const { resumed } = await back;
        assert.deepEqual([resumed, xr.sessionId === sessionId], [false, false]);
        await looksAround();
        assertAnswered(await read(xr.ask("Where is the lamp?")));
      } finally {
        xr.close();
        await next.stop();
      }
    });
  },
);
