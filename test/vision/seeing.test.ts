// Rules VS1..VS9 of docs/spec/vision.md: a whole gateway, real sockets, vendors emulated on their own wires.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { SceneSeenMessage, ServerMessage } from "@fovea/protocol";
import { openGateway } from "../doors/gateway-with-vendors.ts";
import { XRClient } from "../realtime/xr-client.ts";
import { boxAround, isAction, jpegOf, sendDepth, sendImage, TABLE, TAKEN_AT, textOf, WALL } from "./room-camera.ts";

const CONSENT = { head: true, hands: "raw", room: "full", camera: true, audio: false, eyes: false } as const;
const SIGN = [0.6, 1.5, -4] as const;
const MUG = [0.2, 0.78, -1.9] as const;

const ask = (turnId: string, text: string, model?: string) =>
  ({
    type: "ask",
    turnId,
    text,
    include: ["gaze", "scene", "image"],
    modalities: ["text", "action"],
    ...(model === undefined ? {} : { model }),
  }) as const;

async function clientOf(url: string, consent: Partial<typeof CONSENT | { camera: boolean }> = {}): Promise<XRClient> {
  const client = await XRClient.connect(`${url.replace("http", "ws")}/xr`, { consent: { ...CONSENT, ...consent } });
  client.send({ type: "scene.update", frame: "local-floor", add: [TABLE, WALL], update: [], remove: [] });
  client.pose();
  return client;
}

const isSeen = (message: ServerMessage): message is SceneSeenMessage => message.type === "scene.seen";
const seenIn = (client: XRClient): readonly SceneSeenMessage[] => client.messages.filter(isSeen);
const apart = (a: readonly number[] | undefined, b: readonly number[]): number =>
  Math.hypot(...b.map((value, axis) => value - (a?.[axis] ?? Infinity)));

/** While the model thinks, the user walks a metre and turns round. */
function walkAway(client: XRClient): void {
  for (let step = 1; step <= 10; step++) {
    client.pose((sample) =>
      sample.viewer.set([step / 10, 1.6, step / 20, 0, Math.sin(step / 8), 0, Math.cos(step / 8)]),
    );
  }
}

test("[VS1] what a model reads in the image is marked where it is, though the head has moved on", async () => {
  await using house = await openGateway({ openai: ["gpt-4o"] });
  const [ymin, xmin, ymax, xmax] = boxAround(SIGN, 0.15);
  const mark = { label: "sign", box_2d: [ymin, xmin, ymax, xmax], text: "FIRE EXIT" };
  house.emulators["openai"]?.setScenario({
    rules: [
      {
        delay: { firstTokenMs: 300 },
        answer: { text: "It says fire exit.", toolCalls: [{ name: "mark_in_image", arguments: mark }] },
      },
    ],
  });
  const client = await clientOf(house.url);
  const imageId = sendImage(client);
  client.send(ask("t1", "read the sign, please", "openai/gpt-4o"));
  walkAway(client);
  const messages = await client.done("t1");
  assert.match(textOf(messages), /fire exit/i);
  const body = JSON.stringify(house.emulators["openai"]?.requests[0]?.json);
  assert.match(body, /data:image\/jpeg;base64/);
  assert.match(body, /mark_in_image/);
  const action = messages.find(isAction)?.action;
  assert.ok(action?.kind === "highlight", JSON.stringify(messages));
  assert.ok(apart(action.position, SIGN) < 0.03, `image ${imageId}: ${action.position?.join(" ")}`);
  const sign = seenIn(client)[0]?.add[0];
  assert.deepEqual([sign?.semanticLabel, action.target === sign?.id], ["sign", true]);
  // Flat on the wall, and known from now on.
  assert.ok((sign?.bounds.max[2] ?? 1) < 0.03);
  client.send(ask("t2", "where is the sign?", "embedded/geometry"));
  const again = await client.done("t2");
  const shown = again.find(isAction)?.action;
  assert.ok(shown?.kind === "highlight" && shown.target === sign?.id, textOf(again));
  assert.ok(apart(shown.position, SIGN) < 0.05, "a client that does not know the id is told the place");
  client.drop();
});

for (const vendor of ["google", "openai", "huggingface"] as const) {
  test(`[VS2] a thing the room does not know is found by ${vendor}, becomes an entity, and geometry answers`, async () => {
    const model = { google: "gemini-2.5-flash", openai: "gpt-4o", huggingface: "facebook/detr-resnet-50" }[vendor];
    await using house = await openGateway({ [vendor]: [model] }, `vision:\n  model: ${vendor}/${model}`);
    const [ymin, xmin, ymax, xmax] = boxAround(MUG, 0.04);
    const objects = [{ label: "Coffee mug", confidence: 0.9, box_2d: [ymin, xmin, ymax, xmax], text: "" }];
    const pixels = { xmin: xmin * 0.64, ymin: ymin * 0.48, xmax: xmax * 0.64, ymax: ymax * 0.48 };
    const answer =
      vendor === "huggingface"
        ? { extra: { objects: [{ score: 0.9, label: "mug", box: pixels }] } }
        : { text: JSON.stringify({ objects }) };
    house.emulators[vendor]?.setScenario({ rules: [{ delay: { headersMs: 200 }, answer }] });
    const client = await clientOf(house.url);
    sendDepth(client, 5, (x, y) => (isOnMug(x, y) ? 1.86 : 3));
    sendImage(client, { depthRef: 5 });
    client.send(ask("t1", "where is my mug?", "embedded/geometry"));
    walkAway(client);
    const messages = await client.done("t1");
    assert.match(textOf(messages), /mug/i);
    assert.doesNotMatch(textOf(messages), /no mug|not see/i);
    const mug = seenIn(client)[0]?.add[0];
    assert.ok(mug !== undefined, JSON.stringify(client.messages.map((message) => message.type)));
    assert.ok(apart(mug.pose.position, MUG) < 0.05, mug.pose.position.join(" "));
    const action = messages.find(isAction)?.action;
    assert.ok(action?.kind === "highlight" && action.target === mug.id);
    client.drop();
  });
}

function isOnMug(x: number, y: number): boolean {
  const [ymin, xmin, ymax, xmax] = boxAround(MUG, 0.06).map((value) => value / 1_000) as [
    number,
    number,
    number,
    number,
  ];
  return x >= xmin && x <= xmax && y >= ymin && y <= ymax;
}

test("[VS3] looked for and not there: it is said, and nothing is made up", async () => {
  await using house = await openGateway({ google: ["gemini-2.5-flash"] });
  house.emulators["google"]?.setScenario({ rules: [{ answer: { text: '{"objects": []}' } }] });
  const client = await clientOf(house.url);
  sendImage(client);
  client.send(ask("t1", "where is my mug?", "embedded/geometry"));
  const messages = await client.done("t1");
  assert.match(textOf(messages), /mug/i);
  assert.deepEqual([seenIn(client).length, messages.some(isAction)], [0, false]);
  client.drop();
});

test("[VS4] without a model that sees, no image is asked for or sent on, and the question is answered all the same", async () => {
  await using house = await openGateway({ cohere: ["command-a-03-2025"] });
  const client = await clientOf(house.url);
  const welcome = client.messages.find((message) => message.type === "welcome");
  assert.equal(welcome?.imageHz, undefined);
  sendImage(client);
  client.send(ask("t1", "what colour is the table?"));
  const messages = await client.done("t1");
  assert.ok(textOf(messages).length > 0, JSON.stringify(messages));
  for (const request of house.emulators["cohere"]?.requests ?? []) {
    assert.doesNotMatch(JSON.stringify(request.json), /image/);
  }
  client.drop();
});

test("[VS5] a guard covers every image before it leaves; without its answer the image stays", async (t) => {
  const seen: number[] = [];
  let isWell = true;
  const guard = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      seen.push(Buffer.concat(chunks).length);
      if (isWell) response.setHeader("content-type", "image/jpeg").end(jpegOf(640, 480, 1_111));
      else response.writeHead(500).end("no");
    });
  });
  await new Promise<void>((resolve) => guard.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    guard.closeAllConnections();
    guard.close();
  });
  const { port } = guard.address() as AddressInfo;
  await using house = await openGateway({ openai: ["gpt-4o"] }, `vision:\n  guardUrl: http://127.0.0.1:${port}/blur`);
  const emulator = house.emulators["openai"];
  emulator?.setScenario({ rules: [{ answer: { text: "I see." } }] });
  const client = await clientOf(house.url);
  sendImage(client, { jpeg: jpegOf(640, 480, 5_000) });
  client.send(ask("t1", "what do you see?", "openai/gpt-4o"));
  await client.done("t1");
  const covered = Buffer.from(jpegOf(640, 480, 1_111)).toString("base64");
  assert.match(JSON.stringify(emulator?.requests[0]?.json), new RegExp(covered.slice(0, 200).replaceAll("+", "\\+")));
  assert.deepEqual(seen, [5_000]);
  isWell = false;
  client.send(ask("t2", "what do you see now?", "openai/gpt-4o"));
  await client.done("t2");
  assert.doesNotMatch(JSON.stringify(emulator?.requests.at(-1)?.json), /base64/);
  assert.deepEqual(seen, [5_000, 5_000]);
  client.drop();
});

test("[VS6] consent that is withdrawn while the model looks leaves nothing behind", async () => {
  await using house = await openGateway({ google: ["gemini-2.5-flash"] });
  const [ymin, xmin, ymax, xmax] = boxAround(MUG, 0.04);
  const text = JSON.stringify({
    objects: [{ label: "mug", confidence: 0.9, box_2d: [ymin, xmin, ymax, xmax], text: "" }],
  });
  house.emulators["google"]?.setScenario({ rules: [{ delay: { headersMs: 300 }, answer: { text } }] });
  const client = await clientOf(house.url);
  sendImage(client);
  client.send(ask("t1", "where is my mug?", "embedded/geometry"));
  client.send({ type: "consent", consent: { ...CONSENT, camera: false } });
  await client.done("t1");
  assert.equal(seenIn(client).length, 0);
  sendImage(client);
  const error = await client.until((message) => message.type === "error");
  assert.ok(error.type === "error" && error.code === "consent_missing");
  client.drop();
});

test("[VS7] a session may look around unasked, within the operator's budget", async () => {
  await using house = await openGateway({ google: ["gemini-2.5-flash"] }, "vision:\n  looksPerMinute: 1");
  const [ymin, xmin, ymax, xmax] = boxAround(SIGN, 0.15);
  const objects = [{ label: "sign", confidence: 0.9, box_2d: [ymin, xmin, ymax, xmax], text: "EXIT" }];
  house.emulators["google"]?.setScenario({ rules: [{ answer: { text: JSON.stringify({ objects }) } }] });
  const client = await clientOf(house.url);
  sendImage(client);
  const seen = await client.until(isSeen);
  assert.ok(isSeen(seen) && seen.add[0]?.semanticLabel === "sign" && apart(seen.add[0].pose.position, SIGN) < 0.05);
  sendImage(client, { pose: [2, 1.6, 0, 0, 1, 0, 0] });
  client.send(ask("t1", "how many tables are there?", "embedded/geometry"));
  await client.done("t1");
  assert.equal(house.emulators["google"]?.requests.length, 1);
  client.drop();
});

test("[VS8] a model's bad marks are refused with a reason it can act on; the answer goes on", async () => {
  await using house = await openGateway({ openai: ["gpt-4o"] });
  const bad = (args: object) => ({ name: "mark_in_image", arguments: args as Record<string, unknown> });
  house.emulators["openai"]?.setScenario({
    rules: [
      {
        when: { attempts: 1 },
        answer: {
          toolCalls: [
            bad({ label: "x", box_2d: [5, 5, 5, 5] }),
            bad({ box_2d: [0, 0, 10, 10] }),
            bad({ label: "y", box_2d: "all" }),
          ],
        },
      },
      { answer: { text: "I cannot point at it." } },
    ],
  });
  const client = await clientOf(house.url);
  sendImage(client);
  client.send(ask("t1", "what do you see?", "openai/gpt-4o"));
  const messages = await client.done("t1");
  assert.match(textOf(messages), /cannot point/);
  assert.equal(messages.some(isAction), false);
  const second = JSON.stringify(house.emulators["openai"]?.requests[1]?.json);
  assert.match(second, /with an area/);
  assert.match(second, /needs a label/);
  client.drop();
});

test("[VS9] an image from nowhere is looked at, and nothing in it is given a place", async () => {
  await using house = await openGateway({ openai: ["gpt-4o"] });
  house.emulators["openai"]?.setScenario({ rules: [{ answer: { text: "A desk." } }] });
  const client = await clientOf(house.url);
  sendImage(client, { isPoseUnknown: true, pose: TAKEN_AT });
  client.send(ask("t1", "what do you see?", "openai/gpt-4o"));
  assert.match(textOf(await client.done("t1")), /desk/);
  const body = JSON.stringify(house.emulators["openai"]?.requests[0]?.json);
  assert.match(body, /base64/);
  assert.doesNotMatch(body, /mark_in_image/);
  client.drop();
});
