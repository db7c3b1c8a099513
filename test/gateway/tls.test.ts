// Rules GW30..GW32 of docs/spec/gateway.md: the real process with a certificate of its own.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, statSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { freePort, launch, ROOT, runFovea } from "./run-fovea.ts";

const MAIN = join(ROOT, "packages/gateway/src/main.ts");

function status(url: string, ca: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { ca }, (response) => (response.resume(), resolve(response.statusCode ?? 0))).on("error", reject);
  });
}

test("[GW30] [GW31] dev-cert makes a pair that the gateway serves https with and a client can trust", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fovea-tls-"));
  const made = await runFovea(["dev-cert", "--out", folder, "--names", "headset.local", "--days", "3"]);
  assert.equal(made.code, 0, made.output);
  assert.match(made.output, /headset\.local.*valid 3 days/);
  assert.match(made.output, /NODE_EXTRA_CA_CERTS=/);
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  assert.equal(statSync(key).mode & 0o077, 0);
  const port = await freePort();
  const arguments_ = [
    "--conditions=@fovea/source",
    MAIN,
    "start",
    "--port",
    String(port),
    "--tls-cert",
    cert,
    "--tls-key",
    key,
  ];
  const started = launch(process.execPath, arguments_, {}, folder);
  try {
    const ca = readFileSync(cert);
    let last: unknown;
    for (let attempt = 0; attempt < 400; attempt++) {
      last = await status(`https://localhost:${port}/readyz`, ca).catch((error: unknown) => error);
      if (last === 200) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(last, 200, started.output());
    // An address of loopback is one of its names as well; without trust nothing is said.
    assert.equal(await status(`https://127.0.0.1:${port}/readyz`, ca), 200);
    await assert.rejects(fetch(`https://localhost:${port}/readyz`));
  } finally {
    started.kill("SIGTERM");
    await started.ended;
  }
});

test("[GW32] half a pair, a missing file and a file that is no certificate are problems of the configuration", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fovea-tls-"));
  const half = await runFovea(["start", "--port", "0", "--tls-cert", "cert.pem"]);
  assert.equal(half.code, 2);
  assert.match(half.output, /server\.tls\.keyFile/);
  const missing = await runFovea(["start", "--port", "0", "--tls-cert", "/none/c.pem", "--tls-key", "/none/k.pem"]);
  assert.match(missing.output, /`\/none\/c\.pem` cannot be read \(ENOENT\)[\s\S]*dev-cert/);
  const pair = ["--tls-cert", join(ROOT, "package.json"), "--tls-key", join(ROOT, "package.json")];
  const wrong = await runFovea(["start", "--port", "0", ...pair], {}, folder);
  assert.equal(wrong.code, 2);
  assert.match(wrong.output, /the pair cannot be used/);
});
