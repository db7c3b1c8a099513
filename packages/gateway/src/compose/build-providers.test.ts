// Rule CFG22 of docs/spec/configuration.md.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { FakeClock, MemoryLog } from "@fovea/core/testing";
import { ConfigurationError } from "../config/config-problem.ts";
import { resolveConfig } from "../config/resolve-config.ts";
import { createHttpTransport } from "../providers/http-transport.ts";
import { buildProviders } from "./build-providers.ts";

function built(file: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), "fovea-providers-"));
  writeFileSync(join(folder, "fovea.yaml"), file);
  const clock = new FakeClock();
  try {
    const config = resolveConfig({ flags: {}, environment: {}, workingFolder: folder });
    const deps = { clock, log: new MemoryLog(), http: createHttpTransport(clock) };
    return buildProviders(config, deps).map(({ adapter, options }) => `${adapter.id} ${options.keyId}`);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ key, value, message }) => `${key} ${value} ${message}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("[CFG22] each key is a cell of its own, named by its place; a wrong one is told without its text", () => {
  assert.deepEqual(built("providers: [{id: a, type: openai, apiKeys: [k1, k2]}]"), [
    "a key-1",
    "a key-2",
    "embedded default",
  ]);
  assert.deepEqual(built("providers: [{id: a, type: openai, apiKeys: [k1, 'with blank']}]"), [
    "providers[0].apiKeys[1] <secret, 10 characters> contains characters that no key has",
  ]);
});
