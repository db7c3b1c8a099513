// Rule PV21 of docs/spec/providers.md: what a provider sends cannot reach a prototype or exhaust the stack.
import assert from "node:assert/strict";
import test from "node:test";
import { fromBase64, toBase64 } from "./base64.ts";
import { JSON_DEPTH_MAX, parseJson } from "./json-body.ts";

test("[PV21] prototype members are dropped, however they are written", () => {
  for (const name of ["__proto__", "constructor", "prototype", "\\u005f_proto__", "\\u005F\\u005Fproto__"]) {
    const value = parseJson(`{"a":[{"${name}":{"polluted":true},"b":1}],"c":"__proto__"}`);
    assert.deepEqual(value, { a: [{ b: 1 }], c: "__proto__" }, name);
    assert.equal(Object.getPrototypeOf((value as { a: object[] }).a[0]), Object.prototype);
  }
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});
test("[PV21] nesting past the limit is refused, just below it is not", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "1".padEnd(600) + "]".repeat(depth);
  assert.throws(() => parseJson(nested(JSON_DEPTH_MAX + 1)), /nested deeper/);
  assert.throws(() => parseJson("[".repeat(1_000_000)), /nested deeper/);
  assert.doesNotThrow(() => parseJson(nested(JSON_DEPTH_MAX)));
  assert.doesNotThrow(() => parseJson(JSON.stringify("[{".repeat(5_000))));
});
test("[PV21] text that is not JSON is a protocol fault without the text", () => {
  assert.throws(() => parseJson("secret {"), { code: "protocol", message: "malformed JSON" });
});
test("[PV21] base64 is whole or refused", () => {
  for (const size of [0, 1, 2, 3, 4, 1_000]) {
    const bytes = Uint8Array.from({ length: size }, (_, index) => index);
    assert.deepEqual(Uint8Array.from(fromBase64(toBase64(bytes))), bytes);
  }
  for (const broken of ["a", "ab$d", "====", "Zm9v!", "Zm9vY"])
    assert.throws(() => fromBase64(broken), { code: "protocol" }, broken);
});
