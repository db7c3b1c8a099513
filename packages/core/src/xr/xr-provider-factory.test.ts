// Rules EN50..EN57 of docs/spec/engine.md, through a whole engine.
import assert from "node:assert/strict";
import test from "node:test";
import type { IAIProvider, ProviderConfig, SceneEntity, XRContext } from "@fovea/core";
import type { EngineDoubles } from "@fovea/core/testing";
import { chatRequest, engineDoubles, ScriptedProvider, settle } from "@fovea/core/testing";
import type { GatewayEngine } from "../engine/gateway-engine.ts";
import { createEngine } from "../engine/gateway-engine.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { IDENTITY_POSE } from "../geometry/pose.ts";
import { NO_CONTEXT } from "../model/xr-context.ts";
import type { IProviderFactory } from "../providers/provider-adapter.ts";
import { XRProviderFactory } from "./xr-provider-factory.ts";

const box = (id: string, semanticLabel: string, z: number): SceneEntity => ({
  id,
  kind: "box",
  semanticLabel,
  pose: { ...IDENTITY_POSE, position: [0, 1.2, z] },
  bounds: { min: [-0.2, -0.2, -0.2], max: [0.2, 0.2, 0.2] },
  contentHash: id,
  firstSeenMs: 0,
  lastSeenMs: 0,
  confidence: 1,
  source: "device",
  affordances: [],
});
const entities = [box("lamp_1", "lamp", -2), box("chair_1", "chair", 2)];
const attended = {
  entityId: "lamp_1",
  source: "head-gaze",
  angleRad: 0,
  distanceM: 2,
  dwellMs: 900,
  isOccluded: false,
  confidence: 0.9,
} as const;
const context: XRContext = {
  ...NO_CONTEXT,
  sessionId: "session_9",
  atMs: 5_000,
  viewer: { ...NO_CONTEXT.viewer, isTracked: true, pose: { ...IDENTITY_POSE, position: [0, 1.6, 0] } },
  scene: { version: 1, entities, byId: new Map(entities.map((entity) => [entity.id, entity])), changes: [] },
  attention: [attended],
  attentionHistory: [
    { fromMs: 0, toMs: 3_000, target: { ...attended, entityId: "chair_1" } },
    { fromMs: 3_000, toMs: 5_000, target: attended },
  ],
  consent: { head: true, hands: "raw", room: "full", camera: true, audio: true, eyes: true },
  inputSources: [
    {
      id: 0,
      handedness: "right",
      targetRayMode: "tracked-pointer",
      profiles: [],
      pressedButtons: 0,
      gestures: [{ name: "grab", phase: "start", confidence: 0.8, sinceMs: 4_900 }],
      haptics: { pulse: true, effects: [], actuators: 1 },
    },
  ],
};

interface Stage extends EngineDoubles {
  readonly engine: GatewayEngine;
  readonly factory: XRProviderFactory;
  readonly made: Map<string, ScriptedProvider>;
}

function stage(): Stage {
  const base = engineDoubles();
  const engine = createEngine({ ...base, controls: { hedgeShare: 0 } });
  const made = new Map<string, ScriptedProvider>();
  const factoryOfDoubles: IProviderFactory = {
    createProvider(config: ProviderConfig, _doc: IAIProvider) {
      const provider = new ScriptedProvider({ id: config.id, clock: base.clock, script: [`I am ${config.id}.`] });
      made.set(config.id, provider);
      return provider;
    },
    getSupportedTypes: () => ["custom"],
    validateConfig: (_type, config) => config.id !== undefined,
  };
  const factory = new XRProviderFactory({ ...base, ...engine, engine, base: factoryOfDoubles });
  return { ...base, engine, factory, made };
}
const config = (id: string): ProviderConfig => ({ id, type: "custom" });
const doc = (id: string): IAIProvider => ({ id, type: "custom", displayName: id, models: [] });

test("[EN50] a lifted provider answers about the room without a call", async () => {
  const on = stage();
  const adapter = on.factory.createXRProvider(config("a"), doc("a"));
  assert.deepEqual([on.factory.getXRSupportedTypes(), on.factory.validateConfig("custom", {})], [["custom"], false]);
  assert.equal((await adapter.embeddings({ model: "m1", input: ["x"] })).vectors.length, 1);
  await assert.rejects(adapter.handleSpatialQueries([{ kind: "attended" }]), (error) =>
    GatewayError.has(error, "request_invalid"),
  );
  const result = await adapter.processXRContext(context);
  assert.match(result.facts, /lamp/);
  assert.deepEqual(
    result.intents.map((item) => [item.intent, item.entityId]),
    [
      ["move-object", "lamp_1"],
      ["inspect", "lamp_1"],
    ],
  );
  assert.deepEqual(result.missing, []);
  const [distance, count] = await adapter.handleSpatialQueries([
    { kind: "distance", to: { label: "lamp" } },
    { kind: "count", target: { label: "chair" } },
  ]);
  assert.ok(
    Math.abs((distance?.values.find((value) => value.unit === "m")?.value ?? 0) - 1.8) < 0.25,
    JSON.stringify(distance),
  );
  assert.equal(count?.values.find((value) => value.unit === "count")?.value, 1);
  const haptics = await adapter.generateHapticResponses(["Done, that worked.", "Stop! Watch out!"]);
  assert.equal(haptics.length, 2);
  assert.notDeepEqual(haptics[0]?.pulses, haptics[1]?.pulses);
  assert.equal(on.made.get("a")?.requests.length, 0);
});

test("[EN51] words that point mean what was attended when they were said", async () => {
  const on = stage();
  const adapter = on.factory.createXRProvider(config("a"), doc("a"));
  await on.engine.mesh.addProvider(adapter);
  const words = [
    { text: "put", startMs: 0, endMs: 200 },
    { text: "that", startMs: 900, endMs: 1_100 },
    { text: "there", startMs: 2_800, endMs: 3_000 },
  ];
  const a = on.made.get("a") as ScriptedProvider & { transcribe?: unknown };
  a.supportedFeatures.push("transcribe");
  a.transcribe = async () => ({ text: "put that there", words, warnings: [] });
  const lifted = on.factory.createXRProvider(config("b"), doc("b"));
  const b = on.made.get("b") as ScriptedProvider & { transcribe?: unknown };
  b.transcribe = a.transcribe;
  await on.engine.mesh.addProvider(lifted);
  const output = await lifted.processMultiModalInput({
    context,
    audio: { bytes: new Uint8Array(2), mime: "audio/wav", startMs: 1_500 },
  });
  assert.equal(output.transcript, "put that there");
  assert.deepEqual(output.words[1], { text: "that", startMs: 2_400, endMs: 2_600 });
  assert.deepEqual(
    output.references.map((item) => [item.word, item.entityId]),
    [
      ["that", "chair_1"],
      ["there", "lamp_1"],
    ],
  );
  assert.deepEqual(output.targets, ["chair_1", "lamp_1"]);
  assert.equal(output.answer.map((part) => (part.type === "text-delta" ? part.text : "")).join(""), "I am b.");
});

test("[EN52] what is attended is named, shown and felt", async () => {
  const adapter = stage().factory.createXRProvider(config("a"), doc("a"));
  const response = await adapter.generateMultiModalResponse(context);
  assert.match(response.speech.text, /lamp/i);
  assert.deepEqual(
    response.actions.map((action) => [action.kind, "target" in action ? action.target : ""]),
    [["highlight", "lamp_1"]],
  );
  assert.equal(response.haptics.length, 1);
  assert.equal((await adapter.generateMultiModalResponse(NO_CONTEXT)).speech.text, "");
});

test("[EN53] a session remembers, counts and ends", async () => {
  const on = stage();
  const adapter = on.factory.createXRProvider(config("a"), doc("a"));
  await on.engine.mesh.addProvider(adapter);
  const session = await adapter.startXRSession({ userId: "user_1" });
  const say = async (text: string): Promise<string> => {
    let said = "";
    for await (const part of session.ask(text, context)) if (part.type === "text-delta") said += part.text;
    return said;
  };
  assert.equal(await say("Who are you?"), "I am a.");
  await say("And again?");
  assert.deepEqual(
    on.made.get("a")?.requests[1]?.messages.map((message) => message.role),
    ["user", "assistant", "user"],
  );
  assert.deepEqual([session.stats().turns, session.stats().errors], [2, 0]);
  (on.made.get("a") as ScriptedProvider).script = ["Wait", { hang: true }];
  const endings: string[] = [];
  const running = (async () => {
    for await (const part of session.ask("Long?", context)) if (part.type === "end") endings.push(part.outcome);
  })();
  await settle();
  await adapter.endXRSession(session.id);
  await running;
  assert.deepEqual(endings, ["cancelled"]);
  await assert.rejects(adapter.endXRSession(session.id), (error) => GatewayError.has(error, "session_unknown"));
  await assert.rejects(say("Still there?"), (error) => GatewayError.has(error, "session_unknown"));
});

test("[EN54] roles go to their providers", async () => {
  const on = stage();
  const role = (id: string): { config: ProviderConfig; provider: IAIProvider } => ({
    config: config(id),
    provider: doc(id),
  });
  await assert.rejects(on.factory.createMultiProviderSetup({ id: "none", roles: { vision: role("v") } }), GatewayError);
  const setup = await on.factory.createMultiProviderSetup({
    id: "both",
    roles: { language: role("l"), speech: role("s") },
  });
  assert.deepEqual(
    [...setup.roles],
    [
      ["language", "l"],
      ["speech", "s"],
    ],
  );
  assert.equal(
    (await setup.process(chatRequest("auto", "hi"))).find((part) => part.type === "text-delta")?.text,
    "I am l.",
  );
  assert.throws(
    () => setup.speak({ model: "m", text: "hi", voice: "v", format: "wav" }),
    (error) => GatewayError.has(error, "request_unsupported"),
  );
});

test("[EN55] [EN56] the best provider and the shares follow what was measured", async () => {
  const on = stage();
  for (const id of ["a", "b"]) await on.engine.mesh.addProvider(on.factory.createXRProvider(config(id), doc(id)));
  const name = (id: string): string => `${id}/m1@here#default:chat`;
  for (let index = 0; index < 20; index++) {
    for (const [id, ms] of [
      ["a", 1_500],
      ["b", 300],
    ] as const) {
      on.engine.balancer.started(name(id), 0);
      on.engine.balancer.firstContent(name(id), ms, 0);
      on.engine.balancer.succeeded(name(id), ms, 0);
    }
  }
  const selection = await on.factory.optimizeProviderSelection(context);
  assert.deepEqual([selection.providerId, selection.alternatives[0]?.providerId], ["b", "a"]);
  assert.ok(selection.terms.some((term) => term.name === "latency"));
  const { shares } = await on.factory.balanceLoad([doc("a"), doc("b"), doc("zz")]);
  assert.ok(Math.abs(shares.reduce((sum, item) => sum + item.share, 0) - 1) < 1e-9);
  assert.ok((shares[1]?.share ?? 0) > 0.7);
  assert.deepEqual(shares[2], { providerId: "zz", share: 0, reason: "not configured" });
});

test("[EN57] windows come until the reader stops", async () => {
  const on = stage();
  await on.engine.mesh.addProvider(on.factory.createXRProvider(config("a"), doc("a")));
  const windows: number[] = [];
  const reading = (async () => {
    for await (const window of on.factory.monitorProviderPerformance([doc("a")])) {
      windows.push(window.calls);
      if (windows.length === 3) return;
    }
  })();
  for await (const _ of on.engine.answer(chatRequest("a/m1", "hi"), new AbortController().signal));
  await on.clock.advanceAsync(10_000);
  await reading;
  assert.deepEqual(windows, [0, 1, 1]);
  assert.equal(on.clock.pendingTasks, 0);
});
