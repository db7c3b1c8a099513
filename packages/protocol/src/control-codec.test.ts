// Rules WX1..WX11 of docs/spec/wire.md. A case is a message (or raw text); the result is "ok", "unknown <type>" or
// "<code> at <field>".
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseClientMessage, parseServerMessage } from "./control-codec.ts";

const CONSENT = { head: true, hands: "none", room: "none", camera: false, audio: false, eyes: false };
const HELLO = {
  type: "hello",
  protocol: 1,
  client: { sdk: "x", ua: "x", device: "x" },
  inputSources: [],
  consent: CONSENT,
  locale: "en",
};
const SOURCE = {
  id: 1,
  handedness: "left",
  targetRayMode: "tracked-pointer",
  profiles: [],
  hand: true,
  buttons: 1,
  axes: 0,
  haptics: { pulse: false, effects: [], actuators: 0 },
};
const NODE = {
  id: "a",
  ref: 1,
  kind: "box",
  semanticLabel: "table",
  pose: { position: [0, 0, 0], orientation: [0, 0, 0, 1] },
  bounds: { min: [0, 0, 0], max: [1, 1, 1] },
  hash: "h",
};
const SCENE = {
  type: "scene.update",
  frame: "local-floor",
  add: [] as object[],
  update: [] as object[],
  remove: [] as string[],
};
const ASK = { type: "ask", turnId: "t", text: "hi", include: [], modalities: ["text"] };

function check(
  message: unknown,
  parse: typeof parseClientMessage | typeof parseServerMessage = parseClientMessage,
): string {
  const result = parse(typeof message === "string" ? message : JSON.stringify(message));
  if (result.outcome === "message") return "ok";
  return result.outcome === "unknown" ? `unknown ${result.type}` : `${result.error.code} at ${result.error.field}`;
}

test("[WX1] text that is not a JSON object with a type is refused", () => {
  assert.equal(check("{"), "json_malformed at message");
  assert.equal(check("[]"), "wrong_type at message");
  assert.equal(check("null"), "wrong_type at message");
  assert.equal(check("{}"), "missing at type");
  assert.equal(check({ type: 7 }), "wrong_type at type");
});

test("[WX2] types that are not known are reported as unknown, also those that name something of Object.prototype", () => {
  assert.equal(check({ type: "teleport" }), "unknown teleport");
  assert.equal(check({ type: "toString" }), "unknown toString");
  assert.equal(check({ type: "__proto__" }), "unknown __proto__");
  assert.equal(check({ type: "welcome" }), "unknown welcome");
  assert.equal(check({ type: "hello" }, parseServerMessage), "unknown hello");
});

test("[WX3] another version is refused before anything else in the message, with both numbers", () => {
  const result = parseClientMessage(JSON.stringify({ type: "hello", protocol: 2 }));
  assert.deepEqual(result, {
    outcome: "error",
    error: { code: "version_unsupported", field: "protocol", message: "this peer speaks version 1, not 2" },
  });
  assert.equal(check({ type: "welcome", protocol: 9 }, parseServerMessage), "version_unsupported at protocol");
});

test("[WX4] fields that are not known are left out", () => {
  const result = parseClientMessage(JSON.stringify({ type: "cancel", turnId: "t", colour: "red", n: 3 }));
  assert.deepEqual(result, { outcome: "message", message: { type: "cancel", turnId: "t", n: 3 } });
});

test("[WX5] a fault names the path of the field and what was expected there", () => {
  const faulty = (change: object): string => check({ ...SCENE, add: [NODE, { ...NODE, id: "b", ...change }] });
  assert.equal(faulty({}), "ok");
  assert.equal(
    faulty({ pose: { position: [0, 0], orientation: [0, 0, 0, 1] } }),
    "out_of_range at add[1].pose.position",
  );
  assert.equal(
    faulty({ pose: { position: [0, 0, "1"], orientation: [0, 0, 0, 1] } }),
    "wrong_type at add[1].pose.position[2]",
  );
  assert.equal(
    faulty({ pose: { position: [0, 0, 1e9], orientation: [0, 0, 0, 1] } }),
    "out_of_range at add[1].pose.position[2]",
  );
  assert.equal(faulty({ pose: undefined }), "missing at add[1].pose");
  assert.equal(faulty({ kind: "castle" }), "not_allowed at add[1].kind");
  assert.equal(faulty({ bounds: undefined }), "missing at add[1].bounds");
  assert.equal(faulty({ bounds: { min: [0, 2, 0], max: [1, 1, 1] } }), "out_of_range at add[1].bounds.min");
  assert.equal(
    faulty({
      polygon: [
        [0, 0],
        [1, 0],
      ],
    }),
    "out_of_range at add[1].polygon",
  );
  const result = parseClientMessage(JSON.stringify({ ...ASK, latencyMs: "soon" }));
  assert.equal(result.outcome === "error" ? result.error.message : "", "expected a number, got string");
});

test("[WX6] quaternions within 0.01 of unit length are normalised, others refused", () => {
  const withOrientation = (orientation: number[]): object => ({
    ...SCENE,
    update: [{ id: "a", pose: { position: [0, 0, 0], orientation } }],
  });
  const result = parseClientMessage(JSON.stringify(withOrientation([0, 0, 0, 1.005])));
  assert.equal(result.outcome, "message");
  if (result.outcome === "message" && result.message.type === "scene.update")
    assert.deepEqual(result.message.update[0]?.pose.orientation, [0, 0, 0, 1]);
  assert.equal(check(withOrientation([0, 0, 0, 1.02])), "not_normalized at update[0].pose.orientation");
  assert.equal(check(withOrientation([0, 0, 0, 0])), "not_normalized at update[0].pose.orientation");
});

test("[WX7] numbers that JSON turns into infinity are refused, in application data too", () => {
  assert.equal(check(`{"type":"select","inputSource":1,"phase":"start","t":1e999}`), "not_finite at t");
  assert.equal(check(`{"type":"marker","name":"m","t":1,"data":{"a":[1e999]}}`), "not_finite at data.a[0]");
});

test("[WX8] ids may not appear twice in a message: input sources, nodes, removals, tools", () => {
  assert.equal(check({ ...HELLO, inputSources: [SOURCE, SOURCE] }), "duplicate_id at inputSources[1].id");
  assert.equal(check({ ...SCENE, add: [NODE, NODE] }), "duplicate_id at add[1].id");
  assert.equal(check({ ...SCENE, add: [NODE], update: [NODE] }), "duplicate_id at update[0].id");
  assert.equal(check({ ...SCENE, remove: ["a", "a"] }), "duplicate_id at remove[1]");
  const tool = { name: "x", description: "", parameters: {} };
  assert.equal(check({ type: "tools", add: [tool, tool], remove: [] }), "duplicate_id at add[1].name");
});

test("[WX9] lists, texts, nesting and the number of values are bounded", () => {
  const many = Array.from({ length: 1_001 }, (_, i) => ({ ...NODE, id: `n${i}` }));
  assert.equal(check({ ...SCENE, add: many }), "too_large at add");
  assert.equal(check({ ...ASK, text: "x".repeat(16_385) }), "too_large at text");
  assert.equal(check({ ...ASK, turnId: "x".repeat(129) }), "too_large at turnId");
  assert.equal(check(" ".repeat(1_048_577)), "too_large at message");
  const deep = `${"[".repeat(500_000)}${"]".repeat(500_000)}`;
  assert.match(check(`{"type":"marker","name":"m","t":1,"data":${deep}}`), /^too_deep at data/);
  assert.match(check({ type: "marker", name: "m", t: 1, data: Array(20_000).fill(0) }), /^too_large at data/);
});

test("[WX10] application data arrives without keys that could reach a prototype", () => {
  const text = `{"type":"tool.result","turnId":"t","callId":"c","result":{"__proto__":{"polluted":1},"constructor":{"prototype":{"x":1}},"a":{"constructor":"plain"}}}`;
  const result = parseClientMessage(text);
  assert.equal(result.outcome, "message");
  if (result.outcome === "message" && result.message.type === "tool.result") {
    const data = result.message.result as Record<string, unknown>;
    assert.equal(JSON.stringify(data), `{"a":{"constructor":"plain"}}`);
    assert.equal(Object.getPrototypeOf(data), Object.prototype);
    assert.equal((Object.assign({}, data) as Record<string, unknown>)["polluted"], undefined);
  }
});

test("[WX11] an ask needs text or audio, a tool result needs a result or an error, a highlight a target or a position", () => {
  assert.equal(check({ ...ASK, text: undefined }), "missing at text");
  assert.equal(check({ ...ASK, text: undefined, audioStreamId: 3 }), "ok");
  assert.equal(check({ ...ASK, text: "" }), "out_of_range at text");
  assert.equal(check({ type: "tool.result", turnId: "t", callId: "c" }), "missing at result");
  const action = { turnId: "t", seq: 0, epoch: 1, provider: "p", cached: false, type: "action" };
  assert.equal(
    check({ ...action, action: { kind: "highlight", style: "glow", ttlMs: 1 } }, parseServerMessage),
    "missing at action.target",
  );
  assert.equal(
    check(
      { ...action, action: { kind: "highlight", position: [0, 0, 0], style: "glow", ttlMs: 1 } },
      parseServerMessage,
    ),
    "ok",
  );
});
