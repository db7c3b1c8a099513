// Rules PV30..PV32 of docs/spec/providers.md. `explain` says why a base URL is refused, `kind` judges one address.
import assert from "node:assert/strict";
import test from "node:test";
import { addressKind, addressPolicyOf, explainBaseUrl, guardedLookup } from "./address-check.ts";

const explain = (url: string, allow = false): string => explainBaseUrl(url, allow) ?? "accepted";

test("[PV30] metadata, link-local and reserved addresses are refused in every spelling", () => {
  const table: readonly (readonly [string, string])[] = [
    ["http://169.254.169.254/v1", "points at a metadata address"],
    ["http://2852039166/v1", "points at a metadata address"],
    ["http://0xa9.254.0251.0376/", "points at a metadata address"],
    ["http://[::ffff:169.254.169.254]/", "points at a metadata address"],
    ["http://[::ffff:a9fe:a9fe]/", "points at a metadata address"],
    ["http://[64:ff9b::169.254.169.254]/", "points at a metadata address"],
    ["http://[2002:a9fe:a9fe::1]/", "points at a metadata address"],
    ["http://[fd00:ec2::254]/", "points at a metadata address"],
    ["http://metadata.google.internal/", "names an instance metadata service"],
    ["http://169.254.1.1/", "points at a link-local address"],
    ["http://[fe80::1]/", "points at a link-local address"],
    ["http://10.0.0.8:8000/v1", "accepted"],
    ["http://172.31.0.1/", "accepted"],
    ["http://192.168.1.5/", "accepted"],
    ["http://100.64.0.1/", "accepted"],
    ["http://[fd12::1]/", "accepted"],
    ["http://0.0.0.0:11434/", "points at a reserved address"],
    ["http://[::]/", "points at a reserved address"],
    ["http://127.0.0.1:11434/v1", "accepted"],
    ["http://localhost:11434/v1", "accepted"],
    ["http://[::1]:8000/v1", "accepted"],
    ["https://api.openai.com/v1", "accepted"],
    ["https://8.8.8.8/", "accepted"],
    ["ftp://example.com/", "has the scheme ftp: (http or https is needed)"],
    ["https://user:pass@example.com/", "carries a user name or password"],
    ["https://example.com/?key=1", "carries a query or fragment"],
    ["not a url", "is not a URL"],
  ];
  for (const [url, expected] of table) assert.equal(explain(url), expected, url);
});
test("[PV31] the operator may allow any address", () => {
  for (const url of ["http://10.0.0.8/", "http://169.254.169.254/", "http://metadata.google.internal/"]) {
    assert.equal(explain(url, true), "accepted", url);
  }
});
test("[PV32] loopback only where the URL itself says so", () => {
  assert.equal(addressPolicyOf(new URL("http://127.0.0.1:1/"), false), "loopback");
  assert.equal(addressPolicyOf(new URL("http://localhost:1/"), false), "loopback");
  assert.equal(addressPolicyOf(new URL("http://example.com/"), false), "public");
  assert.equal(addressPolicyOf(new URL("http://example.com/"), true), "any");
  for (const host of [
    "10.0.0.8",
    "[fd12::1]",
    "ollama",
    "vllm.default.svc",
    "models.internal",
    "nas.lan",
    "gpu.local",
  ]) {
    assert.equal(addressPolicyOf(new URL(`http://${host}:11434/`), false), "local", host);
  }
});
test("[PV32] a name that resolves to this machine is refused where connections are made", async () => {
  const look = (policy: "public" | "loopback" | "local"): Promise<string> =>
    new Promise((resolve) => {
      guardedLookup(policy)("localhost", {}, (error, address) => {
        resolve(error === null ? addressKind(address as string) : (error.code ?? ""));
      });
    });
  assert.equal(await look("public"), "ADDRESS_REFUSED");
  assert.equal(await look("loopback"), "loopback");
  assert.equal(await look("local"), "loopback");
});
