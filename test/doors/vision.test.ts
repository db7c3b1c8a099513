// Rules DW111, DW112 of docs/spec/doors.md and PV79 of docs/spec/providers.md: what is on a picture, and the tasks of
// Hugging Face that no chat has. `ask` posts JSON and gives status and body.
import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";
import { openGateway, type VendorGateway } from "./gateway-with-vendors.ts";

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

/** 640 by 480 pixels, as far as the header says: nobody decodes it here. */
function picture(): string {
  const bytes = Buffer.from(PNG, "base64");
  bytes.writeUInt32BE(640, 16);
  bytes.writeUInt32BE(480, 20);
  return `data:image/png;base64,${bytes.toString("base64")}`;
}

async function ask(house: VendorGateway, body: object): Promise<{ status: number; body: never; headers: Headers }> {
  const response = await fetch(`${house.url}/v1/vision/detections`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as never, headers: response.headers };
}

interface Detections {
  readonly model: string;
  readonly data: readonly { label: string; score: number; box: Record<string, number>; mask?: string }[];
}

test("[DW111] every vendor that sees tells what is on a picture, in shares of it", async () => {
  await using house = await openGateway({
    huggingface: ["facebook/detr-resnet-50"],
    openai: ["gpt-5.1"],
    google: ["gemini-3.7-flash"],
  });
  const objects = [{ label: "cup", confidence: 0.9, box_2d: [100, 200, 300, 400] }];
  const seen: string[] = [];
  // Hugging Face has models for it; the others are chats that answer in a schema.
  for (const vendor of ["openai", "google"])
    house.emulators[vendor]?.setScenario({ rules: [{ answer: { text: JSON.stringify({ objects }) } }] });
  for (const [model, feature] of [
    ["huggingface/facebook/detr-resnet-50", undefined],
    ["openai/gpt-5.1", "cup"],
    ["google/gemini-3.7-flash", "cup"],
  ] as const) {
    const labels = feature === undefined ? {} : { labels: [feature] };
    const { status, body, headers } = await ask(house, { model, image: picture(), ...labels });
    if (status !== 200) {
      seen.push(`${model} ${status} ${JSON.stringify(body)}`);
      continue;
    }
    assert.equal(headers.get("x-fovea-provider"), model.split("/")[0]);
    const { data } = body as Detections;
    seen.push(`${model}: ${data.map(({ label, box }) => `${label} ${box["x0"]},${box["y0"]}`).join(" ")}`);
  }
  assert.deepEqual(seen, [
    "huggingface/facebook/detr-resnet-50: cup 0.1,0.1 chair 0.5,0.2",
    "openai/gpt-5.1: cup 0.2,0.1",
    "google/gemini-3.7-flash: cup 0.2,0.1",
  ]);
});

test("[PV79] [DW111] segmentation gives boxes, and masks to those who ask", async () => {
  await using house = await openGateway({ huggingface: [] });
  const model = "huggingface/nvidia/segformer-b0-finetuned-ade";
  const plain = (await ask(house, { model, image: PNG })).body as Detections;
  assert.deepEqual(plain.data, [{ label: "cup", score: 0.97, box: { x0: 0, y0: 0, x1: 1, y1: 1 } }]);
  const masked = (await ask(house, { model, image: PNG, masks: true, labels: ["cup"] })).body as Detections;
  assert.match(masked.data[0]?.mask ?? "", /^data:image\/png;base64,/);
  const none = (await ask(house, { model, image: PNG, labels: ["chair"] })).body as Detections;
  assert.deepEqual(none.data, [], "labels that were not asked for are dropped");
  const sent = house.emulators["huggingface"]?.requests.at(-1);
  assert.equal(sent?.path, "/hf-inference/models/nvidia/segformer-b0-finetuned-ade");
});

test("[DW112] bad pictures are refused, naming the field", async () => {
  await using house = await openGateway({ huggingface: ["facebook/detr-resnet-50"] });
  const model = "huggingface/facebook/detr-resnet-50";
  for (const body of [
    { model },
    { model, image: "not base64!" },
    { model, image: "aGVsbG8=" },
    { model, image: "https://x.example/a.png" },
    { model, image: 5 },
  ]) {
    const refused = await ask(house, body);
    assert.equal(refused.status, 400);
    assert.equal((refused.body as { error: { param: string } }).error.param, "image");
  }
  assert.equal(house.emulators["huggingface"]?.requests.length, 0);
});

test("[PV79] Hugging Face speaks, hears, draws and embeds by its tasks", async () => {
  await using house = await openGateway({ huggingface: [] });
  const client = new OpenAI({ apiKey: "k", baseURL: `${house.url}/v1`, maxRetries: 0 });
  const spoken = await client.audio.speech.create({
    model: "huggingface/hexgrad/Kokoro-82M",
    input: "hi",
    voice: "any",
  });
  assert.equal(spoken.headers.get("content-type"), "audio/flac");
  assert.match(spoken.headers.get("x-fovea-dropped") ?? "", /voice/);
  assert.ok((await spoken.arrayBuffer()).byteLength > 100);
  const file = new File([Buffer.alloc(64)], "a.wav", { type: "audio/wav" });
  const heard = await client.audio.transcriptions.create({ model: "huggingface/openai/whisper-large-v3", file });
  assert.match(heard.text, /You said something/);
  const drawn = await client.images.generate({ model: "huggingface/black-forest-labs/FLUX.1-dev", prompt: "a cup" });
  assert.ok((drawn.data?.[0]?.b64_json ?? "").length > 20);
  const model = "huggingface/sentence-transformers/all-MiniLM-L6-v2";
  assert.equal((await client.embeddings.create({ model, input: ["a", "b"] })).data.length, 2);
});

test("[PV79] a dedicated endpoint runs its model's task at its root and chats below /v1; while it wakes it is capacity", async () => {
  await using house = await openGateway({ huggingface: [] });
  const base = house.emulators["huggingface"]?.baseUrl ?? "";
  const entry = (id: string, models: string): string =>
    `  - { id: ${id}, type: huggingface, dialect: endpoint, apiKey: k, baseUrl: "${base}/endpoint/${models}", models: [${models}] }`;
  await using own = await openGateway({}, [entry("seer", "detr-x"), entry("talker", "llama-x")].join("\n"));
  const waking = await ask(own, { model: "seer/detr-x", image: picture() });
  assert.equal(waking.status, 503);
  const seen = (await ask(own, { model: "seer/detr-x", image: picture() })).body as Detections;
  assert.deepEqual(
    seen.data.map(({ label }) => label),
    ["cup", "chair"],
  );
  await fetch(`${base}/endpoint/llama-x/health`, { headers: { authorization: "Bearer k" } });
  const client = new OpenAI({ apiKey: "k", baseURL: `${own.url}/v1`, maxRetries: 0 });
  const messages = [{ role: "user" as const, content: "hi" }];
  const answer = await client.chat.completions.create({ model: "talker/llama-x", messages });
  assert.equal(answer.choices[0]?.message.content, "You said: hi");
});
