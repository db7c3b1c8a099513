import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { trainGestureModel, writeGestureModel } from "@fovea/core";
import { configurationReference } from "./config-reference.ts";
import { ConfigurationError } from "./config-problem.ts";
import { parseFlags } from "./flags.ts";
import { readGestureFile } from "./gesture-file.ts";
import type { ResolvedConfig } from "./resolve-config.ts";
import { resolveConfig } from "./resolve-config.ts";
import { suggest } from "./suggest.ts";

interface Written {
  readonly file?: string;
  readonly env?: Record<string, string>;
  readonly flags?: Record<string, string>;
}

function resolve({ file, env = {}, flags = {} }: Written): ResolvedConfig {
  const folder = mkdtempSync(join(tmpdir(), "fovea-config-"));
  try {
    if (file !== undefined) writeFileSync(join(folder, "fovea.yaml"), file);
    return resolveConfig({ flags, environment: env, workingFolder: folder });
  } catch (error) {
    if (error instanceof ConfigurationError) error.message = error.message.replaceAll(`${folder}/`, "");
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The problems as text, one a line; `fine` when there are none. */
function check(written: Written): string {
  try {
    resolve(written);
    return "fine";
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    return error.message;
  }
}

test("[CFG1] flags win over the environment, it over the file, it over the default", () => {
  const file = "server:\n  port: 1\n  host: localhost\n  shutdownMs: 5\n";
  const all = resolve({ file, env: { FOVEA_PORT: "2", FOVEA_HOST: "127.0.0.2" }, flags: { port: "3" } });
  assert.deepEqual(
    [all.settings.server.port, all.settings.server.host, all.settings.server.shutdownMs, all.settings.limits.requestMs],
    [3, "127.0.0.2", 5, 120_000],
  );
  assert.equal(all.originOf("server.port"), "command line");
  assert.equal(all.originOf("server.host"), "environment");
  assert.match(all.originOf("server.shutdownMs"), /fovea\.yaml:4$/);
  assert.equal(all.originOf("limits.requestMs"), "default");
});

const PROBLEMS: readonly [title: string, written: Written, said: string][] = [
  [
    "a port out of range",
    { file: "server:\n  port: 99999\n" },
    "fovea.yaml:2: server.port (is 99999): must be at most 65535. Write 65535 or less.",
  ],
  [
    "a variable that is no number",
    { env: { FOVEA_PORT: "eighty" } },
    'environment: FOVEA_PORT (is "eighty"): must be a number. Write a number.',
  ],
  [
    "a flag that is no number",
    { flags: { port: "x" } },
    'command line: --port (is "x"): must be a number. Write a number.',
  ],
  [
    "a value that is none of the known",
    { file: "telemetry: {logLevel: wran}" },
    'fovea.yaml:1: telemetry.logLevel (is "wran"): is not one of the known values. Did you mean `warn`? Known: debug, info, warn, error.',
  ],
  [
    "a type nobody speaks",
    { file: "providers:\n  - id: a\n    type: opnai\n" },
    'fovea.yaml:3: providers[0].type (is "opnai"): is not one of the known values. Did you mean `openai`? Known: openai, anthropic, google, huggingface, cohere, replicate, together, custom, worldlabs, embedded.',
  ],
  [
    "a provider without an id",
    { file: "providers: [{type: openai}]" },
    "fovea.yaml:1: providers[0].id: is missing. Add it: a text.",
  ],
  [
    "a list where a group belongs",
    { file: "server: [1]" },
    "fovea.yaml:1: server (is [1]): must be a group of keys. Write a group of keys.",
  ],
  [
    "a URL of another kind",
    { file: "providers: [{id: a, type: custom, baseUrl: 'ftp://x'}]" },
    'fovea.yaml:1: providers[0].baseUrl (is "ftp://x"): must be an http or https URL. See docs/reference/configuration.md for `providers[0].baseUrl`.',
  ],
  [
    "a key with neither key nor hash",
    { file: "auth: {keys: [{id: a}]}" },
    "fovea.yaml:1: auth.keys[0] (is <secret>): needs either `key` or `hash`, and not both. Run `npx fovea keys create` and paste the `hash` it prints.",
  ],
];

for (const [title, written, said] of PROBLEMS)
  test(`[CFG2] ${title}`, () => {
    const text = check(written);
    assert.equal(text.replace('auth.keys[0] (is {"id":"a"})', "auth.keys[0] (is <secret>)"), said);
  });

test("[CFG2] all problems are told at once", () => {
  const text = check({ file: "server:\n  port: -1\n  hots: x\nlimits:\n  requestMs: never\n" });
  assert.deepEqual(
    text
      .split("\n")
      .map((line) => line.split(": ")[1]?.split(" ")[0])
      .sort(),
    ["limits.requestMs", "server.hots", "server.port"],
  );
});

test("[CFG3] secret values appear in no problem", () => {
  const texts = [
    check({ env: { FOVEA_SECRET: "short-secret" } }),
    check({ file: "auth: {keys: [{id: a, key: tooshrt}]}" }),
    check({ file: "providers: [{id: a, type: openai, apiKey: [very-secret]}]" }),
    check({ file: "providers: [{id: a, type: openai, headers: {authorization: [very-secret]}}]" }),
  ];
  for (const text of texts) assert.match(text, /<secret/);
  assert.doesNotMatch(texts.join("\n"), /short-secret|tooshrt|very-secret/);
});

test("[CFG4] unknown keys", () => {
  assert.equal(
    check({ file: "providers:\n  - id: a\n    type: openai\n    base_url: http://x\n" }),
    "fovea.yaml:4: providers[0].base_url: unknown key. Did you mean `baseUrl`? Rename it.",
  );
  assert.equal(
    check({ file: "port: 80" }),
    "fovea.yaml:1: port: unknown key. It belongs at `server.port`: move it there.",
  );
  assert.match(check({ file: "zzz: 1" }), /Known here: `server`, `data`/);
});

test("[CFG5] references to the environment", () => {
  const file = "providers:\n  - {id: a, type: openai, apiKey: '${KEY}', baseUrl: 'http://${HOST:-localhost}:1/$$x'}\n";
  const [provider] = resolve({ file, env: { KEY: "k: [1]\n- x" } }).providers;
  assert.equal(provider?.apiKey, "k: [1]\n- x");
  assert.equal(provider?.baseUrl, "http://localhost:1/$x");
});

test("[CFG6] a reference to a variable that is not set", () => {
  assert.equal(
    check({ file: "providers:\n  - {id: a, type: openai, apiKey: '${OPENAI_KEY}'}\n", env: { OPENAI_API_KEY: "x" } }),
    "fovea.yaml:2: providers[0].apiKey (is ${OPENAI_KEY}): names the environment variable OPENAI_KEY, which is not set. Set OPENAI_KEY (did you mean OPENAI_API_KEY?), or write ${OPENAI_KEY:-default}.",
  );
});

test("[CFG7] unreadable files", () => {
  assert.match(check({ flags: { config: "nowhere.yaml" } }), /^command line: --config .*cannot be read \(ENOENT\)/);
  assert.match(check({ file: "a: [1\nb: 2\n" }), /^fovea\.yaml:\d: YAML: /);
  assert.match(check({ file: "just text" }), /must be a group of keys/);
  assert.match(check({ file: "server: {port: 1}\nserver: {port: 2}\n" }), /^fovea\.yaml:2: YAML: .*unique/);
  assert.equal(check({ file: "" }), "fine");
});

test("[CFG8] vendors of the environment", () => {
  const env = {
    OPENAI_API_KEY: "a",
    OPENAI_BASE_URL: "http://localhost:9/v1",
    HF_TOKEN: "b",
    WLT_API_KEY: "c",
    ANTHROPIC_BASE_URL: "http://x",
    COHERE_API_KEY: "",
    FOVEA_CUSTOM_BASE_URL: "http://localhost:11434/v1",
  };
  assert.deepEqual(
    resolve({ env }).providers.map(({ id, type, apiKey, baseUrl }) =>
      [id, type, apiKey ?? "-", baseUrl ?? "-"].join(" "),
    ),
    [
      "openai openai a http://localhost:9/v1",
      "huggingface huggingface b -",
      "worldlabs worldlabs c -",
      "custom custom - http://localhost:11434/v1",
      "embedded embedded - -",
    ],
  );
  assert.deepEqual(
    resolve({ env, file: "providersFromEnvironment: false" }).providers.map(({ id }) => id),
    ["embedded"],
  );
});

test("[CFG9] a provider of the file against the environment", () => {
  const file = "providers:\n  - {id: openai, type: openai}\n  - {id: other, type: openai, apiKey: mine}\n";
  assert.deepEqual(
    resolve({ file, env: { OPENAI_API_KEY: "a", OPENAI_BASE_URL: "http://localhost:9" } }).providers.map(
      ({ id, apiKey, baseUrl }) => [id, apiKey, baseUrl].join(" "),
    ),
    ["openai a http://localhost:9", "other mine ", "embedded  "],
  );
});

test("[CFG10] embedded is there once", () => {
  assert.deepEqual(
    resolve({ file: "providers: [{id: room, type: embedded}]" }).providers.map(({ id }) => id),
    ["room"],
  );
});

test("[CFG12] ids and aliases are checked against each other", () => {
  assert.match(
    check({ file: "providers: [{id: a, type: openai}, {id: a, type: cohere}]" }),
    /providers\[1\]\.id \(is "a"\): is used twice/,
  );
  assert.match(
    check({ file: "providers: [{id: primary, type: openai}]\nrouting:\n  aliases:\n    assistant: [primry/m1]\n" }),
    /^fovea\.yaml:4: routing\.aliases\.assistant\[0\].*Did you mean `primary`/,
  );
  assert.match(check({ file: "routing: {aliases: {auto: [x]}}" }), /always means routed/);
  assert.equal(
    check({ file: "routing: {aliases: {a: [meta-llama/Llama-3.3-70B-Instruct, b], b: [embedded/spatial]}}" }),
    "fine",
  );
});

test("[CFG13] an open gateway stays on loopback", () => {
  for (const host of ["0.0.0.0", "::", "192.168.1.2", "example.com"])
    assert.match(check({ flags: { host } }), /^command line: --host .*no API key is configured.*fovea keys create/);
  for (const host of ["127.0.0.1", "localhost", "::1", "127.1.2.3"]) assert.equal(check({ flags: { host } }), "fine");
  const keyed = resolve({ flags: { host: "0.0.0.0" }, file: "auth: {keys: [{id: a, key: long-enough}]}" });
  assert.equal(keyed.isOpen, false);
});

test("[CFG14] misspelt variables are told", () => {
  assert.deepEqual(resolve({ env: { FOVEA_PROT: "1", PORT: "2" } }).notices, [
    "the environment variable FOVEA_PROT is not known; did you mean FOVEA_PORT?",
  ]);
});

test("[CFG15] numbers and truth values as text", () => {
  const { settings } = resolve({
    file: "server: {port: '${P}'}\ntelemetry: {openMetrics: '${O}'}",
    env: { P: "99", O: "true" },
  });
  assert.equal(settings.server.port, 99);
  assert.equal(settings.telemetry.openMetrics, true);
});

test("[CFG16] the reference page is fresh (node tools/generate-reference.ts writes it)", () => {
  const page = readFileSync(new URL("../../../../docs/reference/configuration.md", import.meta.url), "utf8");
  assert.equal(page, configurationReference());
});

test("[CFG20] routing rules", () => {
  const rules = (rule: string): Written => ({ file: `routing:\n  rules:\n    - ${rule}\n` });
  assert.equal(
    check(rules("{name: a, when: {model: 'gpt*', complexityMax: 0.3}, then: {use: [b/small], region: eu}}")),
    "fine",
  );
  assert.match(
    check(rules("{name: a, then: {}}")),
    /routing\.rules\[0\]\.then .*says nothing to do\. Add one of `use`/,
  );
  assert.match(
    check(rules("{name: a, wen: {}, then: {avoid: [x]}}")),
    /^fovea\.yaml:3: routing\.rules\[0\]\.wen: unknown key\. Did you mean `when`/,
  );
  assert.match(
    check(rules("{name: a, when: {complexityMin: 2}, then: {avoid: [x]}}")),
    /complexityMin \(is 2\): must be at most 1/,
  );
});

test("[CFG22] several keys of a provider", () => {
  const both = "providers: [{id: a, type: openai, apiKey: k1, apiKeys: [k2]}]";
  assert.match(
    check({ file: both }),
    /providers\[0\].*: has both `apiKey` and `apiKeys`\. Put all keys into `apiKeys`/,
  );
  const { providers } = resolve({ file: "providers: [{id: a, type: openai, apiKeys: [k1, k2]}]" });
  assert.deepEqual(providers[0]?.apiKeys, ["k1", "k2"]);
});

test("[CFG21] budgets", () => {
  const budget = (text: string): string => check({ file: `limits:\n  budgets:\n    - ${text}\n` });
  assert.equal(budget("{name: daily, of: tenant, costUsd: 5}"), "fine");
  assert.match(
    budget("{name: daily, of: tenant}"),
    /^fovea\.yaml:3: limits\.budgets\[0\] .*limits nothing\. Add one of `requests`/,
  );
});

test("[GE27] the gesture model is read when the gateway starts", () => {
  const folder = mkdtempSync(join(tmpdir(), "fovea-gestures-"));
  const said = (text: string | undefined): string => {
    const path = join(folder, "m.json");
    rmSync(path, { force: true });
    if (text !== undefined) writeFileSync(path, text);
    try {
      const model = readGestureFile(resolve({ file: `gestures: {modelFile: ${JSON.stringify(path)}}` }));
      return String(model?.poses.map(({ name }) => name));
    } catch (error) {
      assert.ok(error instanceof ConfigurationError, String(error));
      return error.message.replaceAll(`${folder}/`, "");
    }
  };
  const joints = Array.from({ length: 75 }, (_, i) => i / 75);
  const poses = trainGestureModel([], { poses: [{ label: "mine", joints, handedness: "right" }] });
  assert.equal(said(writeGestureModel(poses)), "mine");
  assert.match(said(undefined), /fovea\.yaml:1: gestures\.modelFile: `m\.json` cannot be read \(ENOENT\)/);
  assert.match(said("{}"), /is not a gesture model: gesture model: format is not valid/);
  assert.match(said(writeGestureModel({ ...poses, poses: [], gestures: ["a"], kernels: 0 })), /not (?:a gesture|for)/);
  assert.equal(readGestureFile(resolve({})), undefined);
  rmSync(folder, { recursive: true });
});

test("[CFG17] the nearest word", () => {
  const words = ["baseUrl", "apiKey", "models", "region"];
  const near = ["base_url", "BASEURL", "apikye", "model", "regoin", "xyz", "a"].map(
    (word) => suggest(word, words) ?? "-",
  );
  assert.deepEqual(near, ["baseUrl", "baseUrl", "apiKey", "models", "region", "-", "-"]);
});

test("[CFG18] options of the command line", () => {
  const said = (args: string[]): string => {
    try {
      parseFlags(args);
      return "fine";
    } catch (error) {
      return error instanceof ConfigurationError ? error.message : String(error);
    }
  };
  assert.equal(said(["--prot", "1"]), "command line: --prot: unknown option. Did you mean `--port`?");
  assert.equal(said(["--port"]), "command line: --port: needs a value. Write `--port <value>`.");
  assert.equal(said(["--port=1", "--config", "x"]), "fine");
  assert.equal(said(["--help=no"]), 'command line: --help (is "no"): takes no value. Write `--help` alone.');
});
