// Rules AUD1..AUD9 of docs/spec/security.md.
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import test from "node:test";
import type { AuditRecord } from "@fovea/core";
import { FakeClock, MemoryLog, MemoryMeter, MemoryStore } from "@fovea/core/testing";
import { openSigningKey, readVerifyingKey } from "../platform/signing-key.ts";
import { AuditFiles } from "./audit-files.ts";
import type { AuditTrailParts } from "./audit-trail.ts";
import { AuditTrail, HEAD_KEY } from "./audit-trail.ts";
import type { AuditReport } from "./audit-verify.ts";
import { verifyAudit } from "./audit-verify.ts";

interface Bench {
  readonly folder: string;
  readonly clock: FakeClock;
  readonly store: MemoryStore;
  readonly meter: MemoryMeter;
  open(more?: Partial<AuditTrailParts>, fileBytesMax?: number): AuditTrail;
  /** Opens, appends, closes. */
  write(count: number, more?: Partial<AuditTrailParts>, fileBytesMax?: number): Promise<void>;
  verify(): AuditReport;
}

const record = (index: number): AuditRecord => ({
  atUnixMs: 1_800_000_000_000 + index,
  action: "answer.chat",
  tenantId: "acme",
  userId: "maria@example.com",
  keyId: "app",
  outcome: "complete",
  details: { requestId: `req_${index}`, provider: "openai", model: "m1", inputTokens: 10, costMicroUsd: 12.5 },
});

function bench(context: TestContext): Bench {
  const folder = mkdtempSync(join(tmpdir(), "fovea-audit-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new FakeClock(0, 1_800_000_000_000);
  const store = new MemoryStore(clock);
  const meter = new MemoryMeter();
  const open: Bench["open"] = (more = {}, fileBytesMax = 1e9) =>
    new AuditTrail({
      files: new AuditFiles(folder, { fileBytesMax, filesMax: 3 }),
      key: openSigningKey(folder),
      clock,
      log: new MemoryLog(),
      meter,
      store,
      storeMs: 1_000_000,
      whenFull: "drop",
      queueMax: 100,
      userSecret: undefined,
      ...more,
    });
  return {
    folder,
    clock,
    store,
    meter,
    open,
    write: async (count, more, fileBytesMax) => {
      await using trail = open(more, fileBytesMax);
      for (let index = 1; index <= count; index++) trail.append(record(index));
    },
    verify: () => verifyAudit({ folder, key: readVerifyingKey(folder), known: [] }),
  };
}

const files = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".jsonl"))
    .sort();
const linesOf = (folder: string, file = 0): string[] =>
  readFileSync(join(folder, files(folder)[file] ?? ""), "utf8")
    .trimEnd()
    .split("\n");

test("[AUD1] a record says who, what, when, with whom, how much and how it ended", async (context) => {
  const { folder, write } = bench(context);
  await write(1);
  const { seq, prev, hash, ...facts } = JSON.parse(linesOf(folder)[0] ?? "") as Record<string, unknown>;
  assert.deepEqual(facts, {
    at: "2027-01-15T08:00:00.001Z",
    action: "answer.chat",
    tenant: "acme",
    user: "maria@example.com",
    key: "app",
    outcome: "complete",
    details: record(1).details,
  });
  assert.deepEqual([seq, prev, String(hash).length], [1, "0".repeat(64), 64]);
});

test("[AUD2] a trail that nobody touched is whole, over restarts and files, and starts where it ended", async (context) => {
  const { folder, write, verify, store } = bench(context);
  await write(40, {}, 8_000);
  await write(5, {}, 8_000);
  await write(1, {}, 8_000);
  const report = verify();
  // A checkpoint stands at the end of each of the three runs.
  assert.deepEqual([report.problems, report.records, report.checkpoints, report.unsigned], [[], 49, 3, 0]);
  assert.ok(report.files > 1);
  const stored = JSON.parse((await store.get(HEAD_KEY)) ?? "") as { seq: number; hash: string };
  assert.deepEqual([stored.seq, stored.hash], [report.last?.seq, report.last?.hash]);
  assert.equal((await store.keys("audit:0", 1_000)).length, 49);
  assert.equal(await store.get("audit:000000000003"), linesOf(folder)[2]);
});

test("[AUD3] every way to tamper is found and told with its place", async (context) => {
  const tampered = async (change: (lines: string[]) => string[]): Promise<string> => {
    const { folder, write, verify } = bench(context);
    await write(6);
    const path = join(folder, files(folder)[0] ?? "");
    writeFileSync(path, `${change(linesOf(folder)).join("\n")}\n`);
    return verify().problems.join("\n");
  };
  assert.match(
    await tampered((lines) => lines.map((line) => line.replace("req_3", "req_9"))),
    /:3: record 3 was changed/,
  );
  assert.match(await tampered((lines) => lines.toSpliced(2, 1)), /:3: record 4 follows record 2: something is missing/);
  assert.match(
    await tampered((lines) => [...lines.slice(0, 1), ...lines.slice(1, 3).reverse(), ...lines.slice(3)]),
    /missing or moved/,
  );
  assert.match(await tampered((lines) => lines.toSpliced(3, 0, lines[2] ?? "")), /:4: record 3 follows record 3/);
  assert.match(await tampered((lines) => lines.toSpliced(3, 0, "{}")), /:4: is no audit record/);
  assert.match(
    await tampered((lines) => lines.map((line) => line.replace(/"signature":"..../, '"signature":"AAAA'))),
    /was changed/,
  );
});

test("[AUD4] a chain that was made anew from some record on is betrayed by its signatures and its end", async (context) => {
  const { folder, write, verify, store } = bench(context);
  await write(6);
  const known = JSON.parse((await store.get(HEAD_KEY)) ?? "") as { seq: number; hash: string };
  const all = linesOf(folder);
  const path = join(folder, files(folder)[0] ?? "");
  // Without the key: what is left out at the end leaves a chain that is whole in itself.
  writeFileSync(path, `${all.slice(0, 3).join("\n")}\n`);
  assert.deepEqual(verify().problems, []);
  const asked = (head: { seq: number; hash: string }): string =>
    verifyAudit({ folder, key: readVerifyingKey(folder), known: [head] }).problems.join();
  assert.match(asked(known), /ends before record 7, which is known to have been there/);
  await write(8, { key: { id: "deadbeef", sign: () => "AAAA" } });
  assert.match(verify().problems.join("\n"), /signed by the unknown key deadbeef/);
  assert.match(asked(known), /record 7 is another one than was known before/);
  const foreign = openSigningKey(mkdtempSync(join(tmpdir(), "fovea-key-")));
  writeFileSync(path, `${all.slice(0, 3).join("\n")}\n`);
  await write(1, { key: { id: readVerifyingKey(folder).id, sign: (text) => foreign.sign(text) } });
  assert.match(verify().problems.join("\n"), /the signature of the checkpoint is not valid/);
});

test("[AUD5] a line that a crash left unfinished is taken away, told, and breaks nothing", async (context) => {
  const { folder, write, verify } = bench(context);
  await write(3);
  appendFileSync(join(folder, files(folder)[0] ?? ""), '{"seq":5,"at":"2027');
  assert.deepEqual(verify().problems, [], "it may be on its way just now");
  await write(1);
  assert.deepEqual(verify().problems, []);
  assert.match(linesOf(folder)[4] ?? "", /"audit\.recovered".*"tornBytes":19/);
});

test("[AUD6] what cannot be written waits; beyond the queue it is dropped and told, or new work is refused", async (context) => {
  const { folder, open, verify, meter, clock } = bench(context);
  let isBroken = true;
  const disk = new AuditFiles(folder, { fileBytesMax: 1e9, filesMax: 3 });
  const append = disk.append.bind(disk);
  disk.append = async (lines, firstSeq) => {
    if (isBroken) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
    await append(lines, firstSeq);
  };
  const refusing = open({ files: disk, whenFull: "refuse" });
  for (let index = 0; index < 89; index++) refusing.append(record(index));
  assert.equal(refusing.isAccepting(), true);
  for (let index = 0; index < 31; index++) refusing.append(record(index));
  assert.equal(refusing.isAccepting(), false);
  await clock.advanceAsync(60);
  assert.equal(refusing.isFailing, true);
  isBroken = false;
  await clock.advanceAsync(1_000);
  await refusing[Symbol.asyncDispose]();
  assert.equal(refusing.isFailing, false);
  assert.equal(refusing.isAccepting(), true);
  assert.equal(meter.total("fovea.audit.dropped"), 20);
  // The hundred that had room, the gap, and a checkpoint at the end.
  assert.equal(refusing.head.seq, 102);
  assert.deepEqual(verify().problems, []);
});

test("[AUD7] old files go as a whole, and the rest is whole without them", async (context) => {
  const { folder, write, verify } = bench(context);
  for (let run = 0; run < 8; run++) await write(30, {}, 4_000);
  assert.ok(files(folder).length <= 3);
  const report = verify();
  assert.deepEqual(report.problems, []);
  assert.ok((report.first?.seq ?? 0) > 1);
});

test("[AUD8] with hashed users nobody is named, and the same user stays the same", async (context) => {
  const { folder, write } = bench(context);
  await write(2, { userSecret: "a secret of sixteen" });
  const text = linesOf(folder).slice(0, 2).join("\n");
  assert.doesNotMatch(text, /maria/);
  const [first, second] = linesOf(folder).map((line) => (JSON.parse(line) as { user: string }).user);
  assert.equal(first, second);
  assert.match(first ?? "", /^user-[0-9a-f]{16}$/);
});

test("[AUD6] records of one moment are written together", async (context) => {
  const { open, clock, folder } = bench(context);
  const trail = open();
  for (let index = 0; index < 50; index++) trail.append(record(index));
  assert.deepEqual(files(folder), []);
  clock.advance(49);
  assert.deepEqual(files(folder), []);
  await clock.advanceAsync(1);
  await trail[Symbol.asyncDispose]();
  assert.equal(linesOf(folder).length, 51);
  assert.equal(clock.pendingTasks, 0);
});
