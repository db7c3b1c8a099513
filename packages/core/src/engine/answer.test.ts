// Rules EN10..EN31 of docs/spec/engine.md. `play` runs one request against scripted providers, on the clock of the test,
// and returns the answer as one line.
import assert from "node:assert/strict";
import test from "node:test";
import type { AnswerPart, ClientTools, SceneEntity, XRContext, XRRequest } from "@fovea/core";
import type { EngineDoubles, Script } from "@fovea/core/testing";
import { answerLine, chatRequest, engineDoubles, ScriptedProvider } from "@fovea/core/testing";
import { plainContext } from "../../testing/plain-room.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { IDENTITY_POSE } from "../geometry/pose.ts";
import { NO_CONTEXT } from "../model/xr-context.ts";
import { createEngine } from "./gateway-engine.ts";

interface Stage extends EngineDoubles {
  readonly providers: Readonly<Record<string, ScriptedProvider>>;
}

function stage(scripts: Readonly<Record<string, Script>>, more: Partial<EngineDoubles> = {}): Stage {
  const doubles = { ...engineDoubles(), ...more };
  const providers: Record<string, ScriptedProvider> = {};
  for (const [id, script] of Object.entries(scripts)) {
    const type = id === "embedded" ? "embedded" : "custom";
    providers[id] = new ScriptedProvider({ id, type, clock: doubles.clock, script });
    doubles.registry.add(providers[id]);
  }
  return { ...doubles, providers };
}

async function collect(on: Stage, request: XRRequest, tools?: ClientTools, signal = new AbortController().signal) {
  const parts: AnswerPart[] = [];
  const done = (async () => {
    for await (const part of createEngine(on).answer(request, signal, tools)) parts.push(part);
  })().catch((error: unknown) => {
    if (!GatewayError.is(error)) throw error;
    return error;
  });
  for (let second = 0; second < 70; second++) await on.clock.advanceAsync(1_000);
  const error = await done;
  return { parts, error, line: error === undefined ? answerLine(parts) : `thrown ${error.code}` };
}

const play = async (on: Stage, request: XRRequest, tools?: ClientTools): Promise<string> =>
  (await collect(on, request, tools)).line;

const lamp: SceneEntity = {
  id: "e1",
  kind: "box",
  semanticLabel: "lamp",
  pose: IDENTITY_POSE,
  bounds: { min: [0, 0, 0], max: [1, 1, 1] },
  polygon: [[0, 0]],
  contentHash: "h",
  firstSeenMs: 0,
  lastSeenMs: 0,
  confidence: 1,
  source: "device",
  affordances: [],
};
const context: XRContext = {
  ...NO_CONTEXT,
  sessionId: "session_1",
  userId: "user_1",
  scene: { version: 1, entities: [lamp], byId: new Map([["e1", lamp]]), changes: [] },
  attention: [
    { entityId: "e1", source: "head-gaze", angleRad: 0, distanceM: 1, dwellMs: 500, occluded: false } as never,
  ],
  consent: { head: true, hands: "raw", room: "full", camera: true, audio: true, eyes: true },
};
const turn = (text: string, rest: Partial<XRRequest> = {}): XRRequest =>
  chatRequest("auto", text, { kind: "turn", context, commit: "sentence", latencyClass: "interactive", ...rest });

test("[EN10] [EN15] an answer starts with start and ends with usage and end", async () => {
  const on = stage({ a: ["Hel", 20, "lo."] });
  const { parts, line } = await collect(on, chatRequest("a/m1", "hi"));
  assert.equal(line, "[start a/m1]Hello.[usage 2][end complete stop]");
  const end = parts.at(-1);
  assert.ok(end?.type === "end");
  assert.equal(end.trace.provider, "a");
  assert.deepEqual(
    end.trace.steps.map((step) => step.name),
    ["authorize", "plan", "first content", "answer"],
  );
  assert.equal(end.trace.steps[3]?.ms, 20);
});

test("[EN11] a failure before the first part is thrown, afterwards it is a part", async () => {
  assert.equal(
    await play(stage({ a: [{ fail: "server_error" }] }), chatRequest("a/m1", "hi")),
    "thrown provider_failed",
  );
  const line = await play(stage({ a: ["Hel", { fail: "server_error" }] }), chatRequest("a/m1", "hi"));
  assert.equal(line, "[start a/m1]Hel[error provider_failed][end error other]");
});

test("[EN12] a caller without the scope reaches no provider", async () => {
  const on = stage({ a: ["Hi."] });
  const principal = { tenantId: "t", userId: "u", scopes: ["metrics"], via: "api-key" } as const;
  assert.equal(await play(on, chatRequest("a/m1", "hi", { principal })), "thrown permission_denied");
  assert.equal(on.providers["a"]?.requests.length, 0);
});

test("[EN13] an answer is recorded once, without content", async () => {
  const on = stage({ a: ["A secret answer."] });
  await play(on, chatRequest("a/m1", "a secret question"));
  assert.equal(on.meter.total("fovea.answers"), 1);
  assert.equal(on.auditRecords.length, 1);
  assert.equal(on.auditRecords[0]?.outcome, "complete");
  assert.equal(on.auditRecords[0]?.details["outputTokens"], 4);
  assert.doesNotMatch(`${on.log.text}${JSON.stringify(on.auditRecords)}`, /secret/);
});

test("[EN14] aborting cancels the provider call and is no failure of it", async () => {
  const on = stage({ a: ["Hel", { hang: true }] });
  const controller = new AbortController();
  on.clock.schedule(500, () => controller.abort());
  const { line } = await collect(on, chatRequest("a/m1", "hi"), undefined, controller.signal);
  assert.equal(line, "[start a/m1]Hel[end cancelled other]");
  assert.deepEqual(on.providers["a"]?.endings, ["aborted"]);
  assert.equal(on.meter.entries.find((entry) => entry.name === "fovea.attempts")?.labels["outcome"], "cancelled");
  assert.equal(on.auditRecords[0]?.outcome, "cancelled");
});

test("[EN16] a whole answer has the same parts", async () => {
  const line = await play(stage({ a: ["Hel", "lo."] }), chatRequest("a/m1", "hi", { delivery: "whole" }));
  assert.equal(line, "[start a/m1]Hello.[usage 2][end complete stop]");
});

test("[EN17] tool calls of a chat pass through untouched", async () => {
  const on = stage({ a: [{ call: "highlight", args: { target: "e1" } }] });
  const line = await play(on, chatRequest("a/m1", "hi"));
  assert.equal(line, "[start a/m1][tool-start][tool-delta][tool-end][usage 0][end complete tool_calls]");
  assert.equal(on.providers["a"]?.requests.length, 1);
});

test("[EN18] a unary operation moves on, and knows who cannot do it", async () => {
  const on = stage({ a: [], b: [] });
  on.registry.setAliases({ vectors: ["a/m1", "b/m1"] });
  const a = on.providers["a"] as ScriptedProvider;
  a.embeddings = () => Promise.reject(new Error("bang"));
  const engine = createEngine(on);
  const principal = chatRequest("", "").principal;
  const request = { requestId: "r", principal, deadlineMs: 1_000, operation: "embed" } as const;
  const served = await engine.perform(
    { ...request, input: { model: "vectors", input: ["four"] } },
    new AbortController().signal,
  );
  assert.deepEqual([served.providerId, served.result.vectors], ["b", [[4, 1]]]);
  assert.equal("candidate" in (served.plan.cells[0] ?? {}), false);
  await assert.rejects(
    engine.perform(
      { ...request, operation: "rerank", input: { model: "a/m1", query: "q", documents: [] } },
      new AbortController().signal,
    ),
    (error) => GatewayError.has(error, "request_unsupported"),
  );
});

test("[EN19] a stored answer is given without a call", async () => {
  const stored: unknown[] = [];
  const cache = {
    find: async (request: XRRequest) =>
      request.requestId === "again"
        ? { parts: [{ type: "text-delta", text: "Stored." } as const], model: "m1" }
        : undefined,
    store: (...args: readonly unknown[]) => void stored.push(args),
  };
  const on = stage({ a: ["Fresh."] }, { cache });
  assert.equal(
    await play(on, chatRequest("a/m1", "hi", { requestId: "again" })),
    "[start cache/m1]Stored.[end complete stop]",
  );
  assert.equal(on.providers["a"]?.requests.length, 0);
  await play(on, chatRequest("a/m1", "hi"));
  assert.equal(stored.length, 1);
  (on.providers["a"] as ScriptedProvider).script = ["Half", { cut: true }];
  await play(on, chatRequest("a/m1", "hi"));
  assert.equal(stored.length, 1);
});

test("[EN20] [EN21] [EN22] actions are done at once, once, and the model goes on to speak", async () => {
  const script: Script = (request) =>
    request.messages.some((message) => message.role === "tool")
      ? ["That is the lamp."]
      : [
          { call: "highlight", args: { target: "lamp" } },
          { call: "highlight", args: { target: "e1" } },
          { call: "haptic", args: { name: "confirm" } },
          { call: "point", args: { target: "unicorn" } },
        ];
  const on = stage({ a: script });
  const line = await play(on, turn("what is this?"));
  assert.equal(line, "[start a/m1][highlight e1][haptic confirm]That is the lamp.[usage 5][end complete stop]");
  const results = on.providers["a"]?.requests[1]?.messages
    .at(-1)
    ?.content.map((part) =>
      part.type === "tool-result" ? `${part.name}:${part.isError === true ? "error" : "ok"}` : "?",
    );
  assert.deepEqual(results, ["highlight:ok", "highlight:ok", "haptic:ok", "point:error"]);
});

test("[EN22] a model that never stops calling is stopped", async () => {
  const on = stage({ a: () => [{ call: "highlight", args: { target: "e1" } }] });
  await play(on, turn("what is this?"));
  assert.equal(on.providers["a"]?.requests.length, 4);
});

test("[EN23] an application's tool is asked, and its silence is told to the model", async () => {
  const script: Script = (request) =>
    request.messages.some((message) => message.role === "tool")
      ? ["Done."]
      : [{ call: "paint", args: { colour: "red" } }];
  const tools = (request: XRRequest): XRRequest => ({
    ...request,
    chat: { ...request.chat, tools: [{ name: "paint", schema: {} }] },
  });
  const on = stage({ a: script });
  const answering: ClientTools = { resultOf: async (call) => ({ text: `painted ${call.args}` }) };
  const line = await play(on, tools(turn("paint it")), answering);
  assert.equal(line, '[start a/m1][tool paint {"colour":"red"}]Done.[usage 2][end complete stop]');
  const resultOf = (provider: ScriptedProvider): unknown => provider.requests.at(-1)?.messages.at(-1)?.content[0];
  assert.match(JSON.stringify(resultOf(on.providers["a"] as ScriptedProvider)), /painted/);
  const silent: ClientTools = { resultOf: () => new Promise(() => undefined) };
  const other = stage({ a: script });
  assert.match(await play(other, tools(turn("paint it")), silent), /Done/);
  assert.match(JSON.stringify(resultOf(other.providers["a"] as ScriptedProvider)), /did not answer.*isError/);
});

test("[EN24] without consent nothing of the person or the room leaves for a vendor", async () => {
  const none = { head: false, hands: "none", room: "none", camera: false, audio: false, eyes: false } as const;
  const request = turn("look", {
    context: { ...context, consent: none },
    chat: {
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "look" },
            { type: "media", kind: "image", mime: "image/png", data: { bytes: new Uint8Array(3) } },
          ],
        },
      ],
    },
  });
  const facts = (known: XRContext): string =>
    `entities ${known.scene.entities.length}, attention ${known.attention.length}`;
  const on = stage({ vendor: ["Hm."] }, { facts });
  await play(on, { ...request, model: "vendor/m1" });
  const sent = on.providers["vendor"]?.requests[0];
  assert.equal(sent?.xr?.scene.entities.length, 0);
  assert.equal(sent?.xr?.userId, "");
  assert.doesNotMatch(sent?.system?.join() ?? "", /entities|lamp/);
  assert.deepEqual(
    sent?.messages[0]?.content.map((part) => part.type),
    ["text", "text"],
  );
  const local = stage({ embedded: ["Hm."] }, { facts });
  await play(local, { ...request, model: "embedded/m1" });
  assert.equal(local.providers["embedded"]?.requests[0]?.xr?.scene.entities.length, 1);
  const labels = stage({ vendor: ["Hm."] });
  await play(labels, { ...request, context: { ...context, consent: { ...none, room: "labels" } } });
  const entity = labels.providers["vendor"]?.requests[0]?.xr?.scene.entities[0];
  assert.deepEqual([entity?.semanticLabel, entity?.polygon, entity?.bounds.max], ["lamp", undefined, [0, 0, 0]]);
  // Without places no distance may be told: the facts say what there is, and nothing else.
  assert.match(
    labels.providers["vendor"]?.requests[0]?.system?.at(-1) ?? "",
    /^In the room: 1 lamp \(e1\)\. Where they are is not shared/,
  );
});

/** Two metres of floor between the faces of a table and a shelf; the user stands at the origin. */
const MEASURED = plainContext([
  { id: "floor", at: [0, -0.005, 0], size: [8, 0.01, 8], kind: "plane" },
  { id: "table", at: [-1.5, 0.375, -2], size: [1, 0.75, 1] },
  { id: "shelf", at: [1.5, 1, -2], size: [1, 2, 1] },
]);
const asking = (consent: Partial<XRContext["consent"]> = {}, rest: Partial<XRRequest> = {}): XRRequest =>
  turn("How far apart?", {
    context: { ...MEASURED, sessionId: "s1", consent: { ...context.consent, ...consent } },
    ...rest,
  });
/** The first result of each tool call that a model got back, the latest round last. */
const toldTo = (provider: ScriptedProvider | undefined): readonly string[] =>
  (provider?.requests.at(-1)?.messages ?? []).flatMap((message) =>
    message.content.flatMap((part) =>
      part.type === "tool-result"
        ? [`${part.isError === true ? "error " : ""}${part.content[0]?.type === "text" ? part.content[0].text : ""}`]
        : [],
    ),
  );

test("[EN27] a vendor's model measures the room with tools and answers with what it got", async () => {
  const script: Script = (request, call) => {
    if (call === 0) return [{ call: "room_measure", args: { target: "shelf", from: "table" } }];
    const result = request.messages.at(-1)?.content[0];
    const text = result?.type === "tool-result" && result.content[0]?.type === "text" ? result.content[0].text : "{}";
    const { values } = JSON.parse(text) as { values: Record<string, number> };
    return [`They are ${values["distance_m"]} metres apart.`];
  };
  const on = stage({ a: script });
  const { parts, line } = await collect(on, asking());
  assert.equal(line, "[start a/m1]They are 2 metres apart.[usage 6][end complete stop]");
  assert.equal(
    parts.some((part) => part.type === "tool-call"),
    false,
  );
  const [first] = on.providers["a"]?.requests ?? [];
  assert.ok(first?.tools?.some(({ name }) => name === "room_path"));
  assert.match(first?.system?.join() ?? "", /Never estimate a length/);
  const local = stage({ embedded: ["Hm."] });
  await play(local, asking({}, { model: "embedded/m1" }));
  assert.equal(
    local.providers["embedded"]?.requests[0]?.tools?.some(({ name }) => name.startsWith("room_")),
    false,
  );
});

test("[EN28] a question about the room is answered from what the vendor may know, or refused", async () => {
  const script: Script = (_request, call) =>
    call > 0
      ? ["Hm."]
      : [
          { call: "room_measure", args: { target: "shelf", from: "table" } },
          { call: "room_measure", args: { target: "shelf" } },
          { call: "room_path", args: { target: "shelf" } },
        ];
  const ask = async (consent: Partial<XRContext["consent"]>): Promise<readonly string[]> => {
    const on = stage({ a: script });
    await play(on, asking(consent));
    const offered = on.providers["a"]?.requests[0]?.tools?.filter(({ name }) => name.startsWith("room_")).length;
    return [`${offered} tools`, ...toldTo(on.providers["a"])];
  };
  const [all, between, fromUser, path] = await ask({});
  assert.equal(all, "7 tools");
  assert.match(`${between}${fromUser}${path}`, /"distance_m":2.*"distance_m":1\.8.*"points":/);
  const [some, still, nowhere, refused] = await ask({ head: false, room: "lod" });
  assert.equal(some, "5 tools");
  assert.match(still ?? "", /"distance_m":2/);
  assert.doesNotMatch(nowhere ?? "", /distance_m|bearing/);
  assert.match(refused ?? "", /^error .*does not share/);
  for (const room of ["labels", "none"] as const) {
    const [none, ...told] = await ask({ room });
    assert.equal(none, "0 tools");
    assert.ok(told.length === 3 && told.every((text) => text.startsWith("error the user does not share")), room);
  }
});

test("[EN29] questions are bounded: sixteen a round, and in the last round the model has to speak", async () => {
  const on = stage({
    a: (request) =>
      request.toolChoice === "none"
        ? ["The shelf is on the right."]
        : [
            "Let me see.",
            ...Array.from({ length: 17 }, () => ({ call: "room_count", args: { description: "shelf" } })),
          ],
  });
  const line = await play(on, asking());
  assert.match(line, /^\[start a\/m1\]Let me see\. Let me see\. Let me see\. The shelf is on the right\.\[usage/);
  assert.equal(on.providers["a"]?.requests.length, 4);
  const told = toldTo(on.providers["a"]);
  assert.deepEqual([told.length, told.filter((text) => text.startsWith("error at most 16")).length], [51, 3]);
});

test("[EN30] a vendor that fails after its questions leaves the whole question to the embedded provider", async () => {
  const on = stage({
    a: (_request, call) => (call === 0 ? [{ call: "room_visible", args: {} }] : [{ fail: "server_error" }]),
    embedded: (request) => [`${request.messages.length} message`],
  });
  on.registry.setAliases({ guide: ["a/m1", "embedded/m1"] });
  const line = await play(on, asking({}, { model: "guide" }));
  assert.match(line, /1 message/);
});

test("[EN31] signatures of calls and reasoning go back to who made them", async () => {
  const on = stage({
    a: (_request, call) =>
      call > 0
        ? ["Two."]
        : [
            { type: "reasoning-delta", index: 0, text: "I should " },
            { type: "reasoning-delta", index: 0, text: "count." },
            { type: "reasoning-delta", index: 0, opaque: "seal" },
            { type: "tool-start", index: 0, id: "c1", name: "room_count" },
            { type: "tool-end", index: 0, args: '{"description":"shelf"}', opaque: "mark" },
            { type: "finish", reason: "tool_calls", raw: "tool_calls" },
          ],
  });
  const provider = on.providers["a"] as ScriptedProvider;
  await play(on, asking());
  assert.deepEqual(provider.requests[1]?.messages[1]?.content, [
    { type: "reasoning", text: "I should count.", opaque: { provider: "custom", value: "seal" } },
    {
      type: "tool-call",
      id: "c1",
      name: "room_count",
      args: '{"description":"shelf"}',
      opaque: { provider: "custom", value: "mark" },
    },
  ]);
});

test("[EN25] an application's tool named like one of ours is the application's", async () => {
  const on = stage({ a: [{ call: "highlight", args: { target: "e1" } }] });
  const request = turn("x");
  const line = await play(on, { ...request, chat: { ...request.chat, tools: [{ name: "highlight", schema: {} }] } });
  assert.match(line, /\[tool highlight/);
  const other = stage({ a: [{ call: "room_count", args: { description: "shelf" } }] });
  const own = asking();
  assert.match(
    await play(other, { ...own, chat: { ...own.chat, tools: [{ name: "room_count", schema: {} }] } }),
    /\[tool room_count/,
  );
  assert.ok(toldTo(other.providers["a"]).every((text) => text === "error no result"));
});

test("[EN26] a turn brings tools and facts to a vendor, a chat does not", async () => {
  const on = stage({ a: ["Hi."] }, { facts: () => "the facts" });
  await play(on, turn("x"));
  await play(on, chatRequest("a/m1", "x"));
  const [first, second] = on.providers["a"]?.requests ?? [];
  assert.ok(first?.tools?.some((tool) => tool.name === "navigate"));
  assert.equal(first?.system?.at(-1), "the facts");
  const own = stage({ a: ["Hi."] });
  await play(own, turn("Where is the lamp?"));
  assert.match(own.providers["a"]?.requests[0]?.system?.at(-1) ?? "", /^Room: 1 entities/);
  assert.deepEqual([second?.tools, second?.system, second?.xr], [undefined, undefined, undefined]);
});
