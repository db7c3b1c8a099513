// Rules XAD1..XAD7 of docs/spec/engine.md: the XR adapter of the specification over the embedded provider and over vendors'
// adapters, which speak to the emulator on their own wires.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnswerPart, IXRProviderAdapter, ProviderType, SpatialQuery, XRContext } from "@fovea/core";
import { createEngine, XRProviderFactory } from "@fovea/core";
import { engineDoubles, plainContext } from "@fovea/core/testing";
import { startEmulator } from "../../packages/gateway/emulator/index.ts";
import type { Emulator, ProviderName } from "../../packages/gateway/emulator/index.ts";
import { SystemClock } from "../../packages/gateway/src/platform/system-clock.ts";
import { SystemRandom } from "../../packages/gateway/src/platform/system-random.ts";
import { EmbeddedAdapter } from "../../packages/gateway/src/providers/embedded/embedded-adapter.ts";
import { createHttpTransport } from "../../packages/gateway/src/providers/http-transport.ts";
import { createProviderFactory } from "../../packages/gateway/src/providers/provider-factory.ts";

const MODELS = {
  embedded: "geometry",
  openai: "gpt-4o",
  anthropic: "claude-sonnet-4-6",
  google: "gemini-2.5-flash",
} as const;
type Vendor = keyof typeof MODELS;
const VENDORS = ["openai", "anthropic", "google"] as const;

interface House extends AsyncDisposable {
  readonly factory: XRProviderFactory;
  readonly emulator: Emulator | undefined;
  readonly adapter: IXRProviderAdapter;
}

async function open(vendor: Vendor): Promise<House> {
  const clock = new SystemClock();
  const base = { ...engineDoubles(), clock, random: new SystemRandom() };
  const engine = createEngine({ ...base, controls: { hedgeShare: 0 } });
  const http = createHttpTransport(clock);
  const emulator = vendor === "embedded" ? undefined : await startEmulator({ provider: vendor as ProviderName });
  const providers = createProviderFactory(
    { clock, log: base.log, http, random: base.random },
    { embedded: { create: ({ id }) => new EmbeddedAdapter(id), needsKey: false, needsBaseUrl: false } },
  );
  const factory = new XRProviderFactory({ ...base, ...engine, engine, base: providers });
  const config = {
    id: vendor,
    type: vendor as ProviderType,
    models: [MODELS[vendor]],
    allowPrivateAddress: true,
    ...(emulator === undefined ? {} : { baseUrl: emulator.baseUrl, apiKey: "k" }),
  };
  const adapter = factory.createXRProvider(config, { id: vendor, type: config.type, displayName: vendor, models: [] });
  engine.registry.add(adapter);
  return {
    factory,
    emulator,
    adapter,
    async [Symbol.asyncDispose]() {
      await adapter.close();
      await http.close();
      await emulator?.close();
    },
  };
}

const THINGS = [
  { id: "floor1", at: [0, 0, -2], size: [6, 0.02, 6] },
  { id: "table1", at: [0, 0.4, -2], size: [1.2, 0.8, 0.8] },
  { id: "lamp1", at: [0.3, 1, -2], size: [0.2, 0.4, 0.2] },
  { id: "chair1", at: [-1.4, 0.45, -2], size: [0.5, 0.9, 0.5] },
  { id: "chair2", at: [1.6, 0.45, -2.4], size: [0.5, 0.9, 0.5] },
  { id: "door1", at: [-2.9, 1, -2], size: [0.1, 2, 0.9] },
] as const;

const span = (entityId: string, fromMs: number, toMs: number, source: "head-gaze" | "pointing" = "head-gaze") => ({
  fromMs,
  toMs,
  target: { entityId, source, angleRad: 0, distanceM: 2, dwellMs: toMs - fromMs, isOccluded: false, confidence: 0.9 },
});

function context(more: Partial<XRContext> = {}): XRContext {
  return {
    ...plainContext(THINGS, { atMs: 10_000, attention: [{ entityId: "table1" }] }),
    consent: { head: true, hands: "raw", room: "full", camera: true, audio: true, eyes: false },
    ...more,
  };
}

const textOf = (parts: readonly AnswerPart[]): string =>
  parts.map((part) => (part.type === "text-delta" ? part.text : "")).join("");

const EVERY_KIND: readonly SpatialQuery[] = [
  { kind: "attended" },
  { kind: "pointed-at", ray: { origin: [0, 1, 0], direction: [0, 0, -1] } },
  { kind: "find", target: { label: "lamp" } },
  { kind: "nearest", target: { label: "chair" } },
  { kind: "farthest", target: { label: "chair" } },
  { kind: "distance", from: { ids: ["chair1"] }, to: { ids: ["table1"] } },
  { kind: "direction", to: { ids: ["door1"] } },
  { kind: "relation", relation: "on", anchors: [{ ids: ["table1"] }] },
  { kind: "count", target: { label: "chair" } },
  { kind: "visible" },
  { kind: "line-of-sight", to: { ids: ["lamp1"] } },
  { kind: "size", target: { ids: ["table1"] } },
  { kind: "fits", size: [0.5, 0.5, 0.5] },
  { kind: "free-space" },
  { kind: "path", to: { ids: ["door1"] } },
  { kind: "region-contents", region: { min: [-0.7, 0, -2.5], max: [0.7, 1.5, -1.5] } },
  { kind: "changed-since", sinceMs: 0 },
  { kind: "describe" },
  { kind: "room-size" },
  { kind: "text", text: "how many chairs are there?" },
];

for (const vendor of ["embedded", ...VENDORS] as const) {
  test(`[XAD1] every kind of spatial query is answered over ${vendor}, without a call`, async () => {
    await using house = await open(vendor);
    await house.adapter.processXRContext(context());
    const results = await house.adapter.handleSpatialQueries([...EVERY_KIND]);
    assert.deepEqual(
      results.map(({ kind }) => kind),
      EVERY_KIND.map(({ kind }) => kind),
    );
    for (const result of results) {
      assert.ok(result.answer.length > 0 && result.confidence >= 0 && result.confidence <= 1, JSON.stringify(result));
      assert.equal(result.problem, undefined, JSON.stringify(result));
    }
    const ids = (kind: SpatialQuery["kind"]): readonly string[] =>
      results.find((one) => one.kind === kind)?.entityIds ?? [];
    assert.deepEqual([ids("attended")[0], ids("find")[0], ids("relation")[0]], ["table1", "lamp1", "lamp1"]);
    const distance = results[5]?.values.find(({ name }) => name === "distance")?.value ?? 0;
    assert.ok(Math.abs(distance - 0.55) < 1e-9, `${distance}`);
    assert.equal(house.emulator?.requests.length ?? 0, 0);
  });
}

test("[XAD2] what the words, the gaze, the hand and the image say is one request for the model", async () => {
  for (const vendor of VENDORS) {
    await using house = await open(vendor);
    house.emulator?.setScenario({ rules: [{ answer: { text: "Moved it." } }] });
    const words = ["put", "that", "lamp", "over", "there"].map((text, at) => ({ text, startMs: 8_000 + at * 300 }));
    const attentionHistory = [span("lamp1", 7_400, 8_400), span("chair2", 8_700, 9_600)];
    const output = await house.adapter.processMultiModalInput({
      context: context({ attentionHistory, atMs: 9_500 }),
      text: words.map(({ text }) => text).join(" "),
      images: [{ mime: "image/png", data: { bytes: Uint8Array.of(137, 80, 78, 71) }, atMs: 9_400 }],
      gestures: [{ name: "point", atMs: 8_300 }],
    });
    assert.deepEqual(
      output.references.map(({ word, kind, entityId }) => [word, kind, entityId]),
      [
        ["that", "thing", "lamp1"],
        ["there", "place", "chair2"],
      ],
    );
    // On top of the chair, which is 0.9 m high.
    assert.ok(Math.abs((output.references[1]?.position?.[1] ?? 0) - 0.9) < 1e-6);
    assert.deepEqual([output.intent?.intent, output.targets], ["move-object", ["lamp1", "chair2"]]);
    assert.match(output.request ?? "", /"that" = lamp1 \(lamp\).*"there" = chair2.*gestures: point/);
    assert.equal(textOf(output.answer), "Moved it.");
    const body = JSON.stringify(house.emulator?.requests[0]?.json);
    assert.match(body, /lamp1/);
    assert.match(body, /image\/png/);
  }
});

test("[XAD3] who is close to call is told as such, and a class word settles it", async () => {
  await using house = await open("embedded");
  const attentionHistory = [span("chair1", 7_600, 8_400), span("chair2", 8_400, 9_050), span("lamp1", 9_050, 9_060)];
  const said = (text: string) =>
    house.adapter.processMultiModalInput({ context: context({ attentionHistory, atMs: 9_100 }), text });
  const open_ = (await said("what about that")).references[0];
  assert.equal(open_?.isAmbiguous, true);
  assert.ok((open_?.alternatives?.length ?? 0) >= 1);
  const settled = (await said("how big is that lamp")).references[0];
  assert.deepEqual([settled?.entityId, settled?.isAmbiguous], ["lamp1", undefined]);
  assert.ok((settled?.confidence ?? 0) > 0.9);
});

test("[XAD4] a length is shown with the hands", async () => {
  await using house = await open("embedded");
  const hand = (handedness: "left" | "right", x: number) => {
    const handJoints = new Float32Array(75);
    handJoints.set([x, 1.2, -0.4], 9 * 3);
    return {
      id: handedness === "left" ? 0 : 1,
      handedness,
      targetRayMode: "tracked-pointer" as const,
      profiles: [],
      handJoints,
      pressedButtons: 0,
      gestures: [],
      haptics: { pulse: false, effects: [], actuators: 0 },
    };
  };
  const inputSources = [hand("left", -0.3), hand("right", 0.3)];
  const output = await house.adapter.processMultiModalInput({
    context: context({ inputSources }),
    text: "is there a box this big",
  });
  const size = output.references.find(({ kind }) => kind === "size");
  assert.ok(Math.abs((size?.sizeM ?? 0) - 0.6) < 1e-6, JSON.stringify(output.references));
  assert.match(output.request ?? "", /0\.60 m between the hands/);
});

test("[XAD5] speech is heard by a provider that can, with the times of its words", async () => {
  await using house = await open("openai");
  const cannot = await open("embedded");
  const audio = { bytes: new Uint8Array(64), mime: "audio/wav", startMs: 8_000 };
  const output = await house.adapter.processMultiModalInput({ context: context(), audio });
  assert.ok(output.transcript.length > 0);
  assert.ok(output.words.every(({ startMs }) => startMs >= 8_000));
  assert.ok(textOf(output.answer).length > 0);
  await assert.rejects(cannot.adapter.processMultiModalInput({ context: context(), audio }), {
    code: "request_unsupported",
  });
  await cannot[Symbol.asyncDispose]();
});

test("[XAD6] sessions over a vendor remember, are counted, and end", async () => {
  for (const vendor of ["embedded", ...VENDORS] as const) {
    await using house = await open(vendor);
    const session = await house.adapter.startXRSession({ userId: "u1" });
    const parts: AnswerPart[] = [];
    for await (const part of session.ask("how many chairs are there?", context())) parts.push(part);
    assert.deepEqual([parts[0]?.type, parts.at(-1)?.type], ["start", "end"]);
    if (vendor === "embedded") assert.match(textOf(parts), /two|2/i);
    const { turns, errors } = session.stats();
    assert.deepEqual([turns, errors], [1, 0]);
    await house.adapter.endXRSession(session.id);
    await assert.rejects(house.adapter.endXRSession(session.id), { code: "session_unknown" });
    const after = session.ask("still there?", context())[Symbol.asyncIterator]();
    await assert.rejects(after.next(), { code: "session_unknown" });
  }
});

test("[XAD7] haptics, a response for now, and what is missing are told without a call; types and abilities are known", async () => {
  await using house = await open("openai");
  const { adapter, factory } = house;
  const haptics = await adapter.generateHapticResponses(["Done.", "Careful, hot!", "The surface is rough."]);
  assert.equal(haptics.length, 3);
  const response = await adapter.generateMultiModalResponse(context());
  assert.match(response.speech.text, /table/i);
  assert.deepEqual(response.actions[0]?.kind, "highlight");
  const seen = await adapter.processXRContext(context({ viewer: { ...context().viewer, isTracked: false } }));
  assert.deepEqual(seen.missing, ["pose"]);
  assert.match((await adapter.processXRContext(context())).facts, /table/);
  assert.ok(factory.getXRSupportedTypes().includes("openai") && factory.getXRSupportedTypes().includes("embedded"));
  for (const feature of ["chat", "transcribe", "vision", "spatial"] as const)
    assert.ok(adapter.supportedFeatures.includes(feature), feature);
  assert.throws(
    () =>
      factory.createXRProvider({ id: "x", type: "openai" }, { id: "x", type: "openai", displayName: "x", models: [] }),
    {
      code: "configuration_invalid",
    },
  );
  assert.equal(house.emulator?.requests.length, 0);
});
