import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";

const MAIN = join(import.meta.dirname, "../../packages/gateway/emulator/main.ts");

function run(...options: string[]): ChildProcess {
  return spawn(process.execPath, ["--conditions=@fovea/source", MAIN, ...options], {
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Everything the command prints until it ends, or until it says where it listens. */
async function said(child: ChildProcess): Promise<string> {
  let out = "";
  return new Promise((resolve) => {
    const add = (chunk: Buffer): void => {
      out += chunk.toString();
      if (out.includes("base URL")) resolve(out);
    };
    child.stdout?.on("data", add);
    child.stderr?.on("data", add);
    child.on("exit", () => resolve(out));
  });
}

test("[EM1] The command says what is wrong with its options or its scenario", async () => {
  assert.match(await said(run("--provider", "nobody")), /--provider nobody: not a provider[\s\S]*openai, anthropic/);
  assert.match(await said(run("--provider", "openai", "--port", "x")), /--port x: not a port/);
  assert.match(
    await said(run("--provider", "openai", "--scenario", "/nowhere.yaml")),
    /--scenario \/nowhere\.yaml: ENOENT/,
  );
  const folder = mkdtempSync(join(tmpdir(), "fovea-emulator-"));
  const file = join(folder, "bad.yaml");
  writeFileSync(file, "rules:\n  - status: 42\n");
  const child = run("--provider", "openai", "--scenario", file);
  assert.match(await said(child), /bad\.yaml: rules\[0\]\.status: /);
  rmSync(folder, { recursive: true });
});

/** CPU milliseconds of a process so far: clock ticks are 10 ms on Linux. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

test(
  "[EM51] 32 paced streams leave the core to others",
  { skip: process.platform !== "linux" && "reads /proc" },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "fovea-emulator-"));
    const file = join(folder, "paced.yaml");
    writeFileSync(file, "rules:\n  - delay: { tokenMs: 10 }\n    answer: { words: 300 }\n");
    const child = run("--provider", "openai", "--scenario", file);
    const url = /base URL (\S+)/.exec(await said(child))?.[1] ?? assert.fail("did not start");
    const stream = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const call = request(
          `${url}/chat/completions`,
          { method: "POST", headers: { authorization: "Bearer k" } },
          (response) => {
            let events = 0;
            response.on("data", (chunk: Buffer) => (events += chunk.toString().split("data: ").length - 1));
            response.on("end", () => resolve(events));
          },
        );
        call.on("error", reject);
        call.end(JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "x" }] }));
      });
    await stream();
    const before = cpuMs(child.pid ?? 0);
    const started = performance.now();
    const events = (await Promise.all(Array.from({ length: 32 }, stream))).reduce((sum, count) => sum + count, 0);
    const elapsedMs = performance.now() - started;
    const share = (cpuMs(child.pid ?? 0) - before) / elapsedMs;
    child.kill();
    rmSync(folder, { recursive: true });
    console.log(
      `emulator: ${Math.round((events / elapsedMs) * 1000)} events/s at ${(share * 100).toFixed(0)} % of a core`,
    );
    assert.equal(events, 32 * 303);
    // A quarter is the goal on an idle machine; a loaded one makes every wake-up dearer.
    assert.ok(share < 0.5, `${(share * 100).toFixed(0)} % of a core`);
  },
);
