import { createHmac } from "node:crypto";
import type { AuditRecord, AuditSink, Cancel, Clock, Log, Meter, Store } from "@fovea/core";
import type { SigningKey } from "../platform/signing-key.ts";
import type { ChainHead } from "./audit-chain.ts";
import { chainRecord, CHECKPOINT_ACTION, checkpointText, GAP_ACTION } from "./audit-chain.ts";
import type { AuditFiles } from "./audit-files.ts";

export interface AuditTrailParts {
  readonly files: AuditFiles;
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** Gets a copy of every record and the head of the chain. */
  readonly store: Store;
  /** How long the store keeps its copies; 0 for the head alone. */
  readonly storeMs: number;
  /** What happens to a record for which the queue has no room: `drop` counts it, `refuse` lets no new work begin before. */
  readonly whenFull: "drop" | "refuse";
  readonly queueMax: number;
  /** Writes users as a keyed hash, so that a copy of the trail names nobody. */
  readonly userSecret: string | undefined;
}

/** Below the data folder. */
export const AUDIT_FOLDER = "audit";
export const HEAD_KEY = "audit:head";
/** Records that come in this time are written together, with one flush to the disk. */
const GATHER_MS = 50;
const RETRY_MS = 1_000;
const BATCH_MAX = 1_000;
const CHECKPOINT_RECORDS = 1_000;
const CHECKPOINT_MS = 60_000;

/**
 * The audit trail of a gateway: records wait in a bounded queue and are written in groups to chained files, signed at
 * intervals. Who appends never waits. While the disk refuses, records wait; what finds no room is told in the trail itself.
 */
export class AuditTrail implements AuditSink, AsyncDisposable {
  readonly #parts: AuditTrailParts;
  readonly #queue: AuditRecord[] = [];
  #isClosing = false;
  #head: ChainHead;
  #dropped = 0;
  #sinceCheckpoint = 0;
  #checkpointMs: number;
  #cancel: Cancel | undefined;
  #isFailing = false;
  #writing: Promise<void> | undefined;
  #storing: Promise<void> = Promise.resolve();

  constructor(parts: AuditTrailParts) {
    this.#parts = parts;
    this.#head = parts.files.head;
    this.#checkpointMs = parts.clock.monotonicMs();
    const { tornBytes } = parts.files;
    if (tornBytes > 0) this.append(this.#own("audit.recovered", { tornBytes }));
  }

  get head(): ChainHead {
    return this.#head;
  }

  get isFailing(): boolean {
    return this.#isFailing;
  }

  append(record: AuditRecord): void {
    const { meter, queueMax } = this.#parts;
    if (this.#queue.length >= queueMax) {
      this.#dropped += 1;
      meter.count("fovea.audit.dropped", {});
      return;
    }
    this.#queue.push(record);
    this.#arm();
  }

  /** With `refuse`, a tenth of the queue is kept for what is on its way already. */
  isAccepting(): boolean {
    return this.#parts.whenFull === "drop" || this.#queue.length < this.#parts.queueMax * 0.9;
  }

  /** Writes what waits, and a checkpoint. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    this.#stopTimer();
    await this.#writing;
    this.#isFailing = false;
    while (this.#queue.length > 0 && !this.#isStuck()) await this.#write(false);
    if (!this.#isStuck() && this.#sinceCheckpoint > 0) await this.#write(true);
    await this.#storing;
    this.#parts.files.close();
  }

  #isStuck(): boolean {
    return this.#isFailing;
  }

  #arm(): void {
    if (this.#cancel !== undefined || this.#writing !== undefined || this.#isClosing) return;
    this.#cancel = this.#parts.clock.schedule(this.#isFailing ? RETRY_MS : GATHER_MS, () => {
      this.#cancel = undefined;
      const ageMs = this.#parts.clock.monotonicMs() - this.#checkpointMs;
      const isDue = this.#sinceCheckpoint >= CHECKPOINT_RECORDS || ageMs >= CHECKPOINT_MS;
      this.#writing = this.#write(isDue).then(() => {
        this.#writing = undefined;
        if (this.#queue.length > 0) this.#arm();
      });
    });
  }

  #stopTimer(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** All of a batch, or nothing of it. Never rejects. */
  async #write(withCheckpoint: boolean): Promise<void> {
    const { files, log, meter } = this.#parts;
    const batch = this.#queue.slice(0, BATCH_MAX);
    const dropped = this.#dropped;
    const gap = dropped > 0 ? [this.#own(GAP_ACTION, { dropped })] : [];
    const { lines, head } = this.#chained([...batch, ...gap], withCheckpoint);
    if (lines.length === 0) return;
    try {
      await files.append(lines, this.#head.seq + 1);
    } catch (error) {
      if (!this.#isFailing) log.write("error", "the audit trail cannot be written", { code: codeOf(error) });
      this.#isFailing = true;
      meter.gauge("fovea.audit.is_failing", {}, 1);
      return;
    }
    if (this.#isFailing) log.write("info", "the audit trail is written again");
    this.#isFailing = false;
    const firstSeq = this.#head.seq + 1;
    this.#head = head;
    this.#queue.splice(0, batch.length);
    this.#dropped -= dropped;
    this.#sinceCheckpoint = withCheckpoint ? 0 : this.#sinceCheckpoint + batch.length;
    if (withCheckpoint) this.#checkpointMs = this.#parts.clock.monotonicMs();
    meter.gauge("fovea.audit.is_failing", {}, 0);
    meter.count("fovea.audit.records", {}, lines.length);
    this.#storing = this.#storing.then(() => this.#keep(lines, firstSeq, head));
  }

  #chained(
    records: readonly AuditRecord[],
    withCheckpoint: boolean,
  ): { readonly lines: readonly string[]; readonly head: ChainHead } {
    const lines: string[] = [];
    let head = this.#head;
    const add = (record: AuditRecord): void => {
      const line = chainRecord(record, head);
      lines.push(line.text);
      ({ head } = line);
    };
    for (const record of records) add(this.#masked(record));
    if (withCheckpoint) add(this.#checkpointOf(head));
    return { lines, head };
  }

  /** The files are the trail; a store that fails costs its copy and is told once a minute at most. */
  async #keep(lines: readonly string[], firstSeq: number, head: ChainHead): Promise<void> {
    const { store, storeMs, log, key } = this.#parts;
    try {
      if (storeMs > 0) {
        const entries = lines.map(
          (line, index) => [`audit:${String(firstSeq + index).padStart(12, "0")}`, line] as const,
        );
        if (store.setMany !== undefined) await store.setMany(entries, storeMs);
        else for (const [name, line] of entries) await store.set(name, line, storeMs);
      }
      await store.set(HEAD_KEY, JSON.stringify({ ...head, signature: key.sign(checkpointText(head)) }));
    } catch (error) {
      log.write("warn", "audit records could not be copied to the store", { code: codeOf(error) });
    }
  }

  #checkpointOf(head: ChainHead): AuditRecord {
    const { key } = this.#parts;
    const details = { signs: head.seq, head: head.hash, key: key.id, signature: key.sign(checkpointText(head)) };
    return this.#own(CHECKPOINT_ACTION, details);
  }

  #own(action: string, details: AuditRecord["details"]): AuditRecord {
    return { atUnixMs: this.#parts.clock.unixMs(), action, tenantId: "", userId: "", outcome: "ok", details };
  }

  #masked(record: AuditRecord): AuditRecord {
    const { userSecret } = this.#parts;
    if (userSecret === undefined || record.userId === "") return record;
    const digest = createHmac("sha256", userSecret).update(`audit:${record.tenantId}/${record.userId}`).digest("hex");
    return { ...record, userId: `user-${digest.slice(0, 16)}` };
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return (error as NodeJS.ErrnoException).code ?? error.name;
}
