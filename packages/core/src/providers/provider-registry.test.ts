// Rules EN1..EN5 of docs/spec/engine.md. `resolve` shows the tiers of a name, or what it was refused with.
import assert from "node:assert/strict";
import test from "node:test";
import { FakeClock, ScriptedProvider } from "@fovea/core/testing";
import { GatewayError } from "../errors/gateway-error.ts";
import { ProviderRegistry } from "./provider-registry.ts";

const clock = new FakeClock();
const provider = (id: string, models: readonly string[], retired = {}): ScriptedProvider =>
  new ScriptedProvider({ id, clock, models, retired });

function registry(): ProviderRegistry {
  const all = new ProviderRegistry({ assistant: ["primary/m1", "backup/m2"], fast: ["assistant", "m3"] });
  all.add(provider("primary", ["m1", "m3"]));
  all.add(provider("backup", ["m2", "m3", "org/model-7b"], { "chat-bison": "gemini-9" }));
  all.add(provider("backup", ["m2"]), { keyId: "second" });
  return all;
}

function resolve(all: ProviderRegistry, name: string): string {
  try {
    const { kind, tiers } = all.resolve(name, "chat");
    const words = tiers.map((tier) =>
      tier.map(({ cell }) => `${cell.providerId}/${cell.model}#${cell.keyId}`).join(" "),
    );
    return `${kind}: ${words.join(" > ")}`;
  } catch (error) {
    if (!GatewayError.is(error)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

test("[EN1] names resolve to cells, in order", () => {
  const all = registry();
  assert.equal(resolve(all, "primary/m1"), "exact: primary/m1#default");
  assert.equal(resolve(all, "m3"), "plain: primary/m3#default backup/m3#default");
  assert.equal(resolve(all, "org/model-7b"), "plain: backup/org/model-7b#default");
  assert.equal(resolve(all, "backup/org/model-7b"), "exact: backup/org/model-7b#default");
  assert.equal(resolve(all, "assistant"), "alias: primary/m1#default > backup/m2#default backup/m2#second");
  assert.equal(
    resolve(all, "fast"),
    "alias: primary/m1#default > backup/m2#default backup/m2#second > primary/m3#default backup/m3#default",
  );
  assert.match(resolve(all, "auto"), /^auto: primary\/m1#default primary\/m3#default backup/);
});

test("[EN2] an unknown name is refused with close ones", () => {
  const all = registry();
  assert.equal(resolve(all, "asistant"), "model_unknown: no model 'asistant'; did you mean 'assistant'?");
  assert.equal(
    resolve(all, "primary/m4"),
    "model_unknown: no model 'primary/m4'; did you mean 'primary/m1', 'primary/m3'?",
  );
  assert.equal(resolve(all, "zzzzzzzzzzzzzzzzzzzz"), "model_unknown: no model 'zzzzzzzzzzzzzzzzzzzz'");
  const open = registry();
  open.add(provider("anything", ["x"]), { acceptsUnlisted: true });
  assert.equal(resolve(open, "anything/brand-new"), "exact: anything/brand-new#default");
});

test("[EN3] a retired name is answered with its successor", () => {
  const expected = "model_retired: model 'chat-bison' was retired by its vendor; use 'backup/gemini-9'";
  assert.equal(resolve(registry(), "chat-bison"), expected);
  assert.match(resolve(registry(), "backup/chat-bison"), /^model_retired.*backup\/gemini-9/);
});

test("[EN4] an alias lives while one target does; circles are refused", () => {
  const all = registry();
  all.remove("primary");
  assert.equal(resolve(all, "assistant"), "alias: backup/m2#default backup/m2#second");
  all.remove("backup");
  assert.match(resolve(all, "assistant"), /^model_unknown/);
  assert.throws(
    () => all.setAliases({ a: ["b"], b: ["a"] }),
    (error) => GatewayError.has(error, "configuration_invalid") && error.details.param === "routing.aliases.a",
  );
});

test("[EN5] a draining provider gets nothing new and is not listed", () => {
  const all = registry();
  assert.deepEqual(
    all.list().map((item) => item.name),
    ["assistant", "fast", "primary/m1", "primary/m3", "backup/m2", "backup/m3", "backup/org/model-7b"],
  );
  all.drain("primary");
  assert.equal(resolve(all, "m3"), "plain: backup/m3#default");
  assert.equal(
    all.list().some((item) => item.name.startsWith("primary/")),
    false,
  );
  assert.throws(
    () => all.add(provider("backup", [])),
    (error) => GatewayError.has(error, "configuration_invalid"),
  );
});

test("[EN40] a cell stays the same object while its adapter describes its models anew", () => {
  const all = new ProviderRegistry({});
  const adapter = provider("fresh", ["m1"]);
  let contextTokens = 1_000;
  adapter.models = () => [{ id: "m1", features: ["chat"], contextTokens }];
  all.add(adapter);
  const cellOf = (): unknown => all.resolve("auto", "chat").tiers[0]?.[0];
  const first = cellOf();
  assert.equal(cellOf(), first);
  contextTokens = 2_000;
  assert.notEqual(cellOf(), first, "what has changed is seen");
});
