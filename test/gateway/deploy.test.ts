// What is shipped beside the program: alerts, manifests, the sample of the README.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { parseAllDocuments } from "yaml";
import { configSchema } from "../../packages/gateway/src/config/config-schema.ts";
import { resolveConfig } from "../../packages/gateway/src/config/resolve-config.ts";
import { metaOf, walkKeys } from "../../packages/gateway/src/config/schema-walk.ts";
import { METRIC_TABLE, prometheusName } from "../../packages/gateway/src/telemetry/metric-table.ts";
import { ROOT } from "./run-fovea.ts";

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const documents = (path: string): Record<string, unknown>[] => {
  const all = parseAllDocuments(read(path));
  for (const document of all) assert.deepEqual("errors" in document ? document.errors : [], []);
  return all.map((document) => (document as { toJS: () => Record<string, unknown> }).toJS());
};

test("[TEL13] the alerts pass their tests", (t) => {
  const folder = join(ROOT, "deploy/prometheus");
  const result = spawnSync("promtool", ["test", "rules", "fovea-alerts.test.yml"], { cwd: folder, encoding: "utf8" });
  if (result.error !== undefined) return t.skip("promtool is not installed");
  assert.equal(result.status, 0, `${result.stdout}${result.stderr}`);
});

test("[TEL14] every metric of an alert exists", () => {
  const names = new Set(Object.entries(METRIC_TABLE).map(([name, definition]) => prometheusName(name, definition)));
  const expressions = [...read("deploy/prometheus/fovea-alerts.yml").matchAll(/expr: (.*)/g)].map(
    (match) => match[1] ?? "",
  );
  const used = expressions.flatMap(
    (text) => text.match(/\b(?:xr|fovea|gen_ai|process|nodejs|http)_[a-z0-9_]+\b/g) ?? [],
  );
  assert.ok(used.length > 8);
  for (const name of new Set(used)) assert.ok(names.has(name), name);
});

test("[GW18] the manifests", () => {
  const [deployment, service] = documents("deploy/kubernetes/fovea.yaml") as {
    kind: string;
    spec: Record<string, unknown>;
  }[];
  assert.deepEqual([deployment?.kind, service?.kind], ["Deployment", "Service"]);
  const manifest = JSON.stringify(deployment);
  assert.match(manifest, /"readinessProbe":\{"httpGet":\{"path":"\/readyz"/);
  assert.match(manifest, /"livenessProbe":\{"httpGet":\{"path":"\/healthz"/);
  documents("deploy/compose.yaml");
  documents("deploy/prometheus/prometheus.yml");
  const known = new Set(["FOVEA_CONFIG"]);
  for (const { schema } of walkKeys(configSchema)) known.add(metaOf(schema).env ?? "");
  const texts = ["deploy/kubernetes/fovea.yaml", "deploy/compose.yaml", "deploy/Containerfile"].map(read).join("\n");
  for (const name of new Set(texts.match(/\bFOVEA_[A-Z_]+\b/g))) assert.ok(known.has(name), name);
});

test("[CFG19] the sample of the README", () => {
  const sample = /```yaml\n([\s\S]+?)```/.exec(read("README.md"))?.[1] ?? "";
  const folder = mkdtempSync(join(tmpdir(), "fovea-readme-"));
  writeFileSync(join(folder, "fovea.yaml"), sample.replace("hmac-sha256:…", `hmac-sha256:${"0".repeat(64)}`));
  const config = resolveConfig({ flags: {}, environment: { OPENAI_API_KEY: "x" }, workingFolder: folder });
  assert.deepEqual(
    config.providers.map((provider) => provider.id),
    ["primary", "backup", "embedded"],
  );
});
