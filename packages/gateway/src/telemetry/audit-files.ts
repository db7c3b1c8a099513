// The files of an audit trail: `audit-<number of its first record>.jsonl`, appended to, flushed to the disk, and followed by
// the next when full. Nothing but a torn last line is ever taken away from a file.
import {
  closeSync,
  fdatasync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  write,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ChainHead } from "./audit-chain.ts";
import { CHAIN_START, readLine } from "./audit-chain.ts";

const writeBytes = promisify(write);
const flushToDisk = promisify(fdatasync);

const NAME = /^audit-(\d{12})\.jsonl$/;

export interface AuditFileLimits {
  readonly fileBytesMax: number;
  readonly filesMax: number;
}

export class AuditFiles {
  readonly #folder: string;
  readonly #limits: AuditFileLimits;
  #descriptor: number | undefined;
  #sizeBytes = 0;
  /** Bytes of a line that a crash had left unfinished. */
  readonly tornBytes: number;
  readonly head: ChainHead;

  /** Finds the end of the trail. Throws where the folder cannot be written, or its last file is no audit file. */
  constructor(folder: string, limits: AuditFileLimits) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#limits = limits;
    const last = auditFilesIn(folder).at(-1);
    if (last === undefined) {
      this.head = CHAIN_START;
      this.tornBytes = 0;
      return;
    }
    const path = join(folder, last);
    const text = readFileSync(path, "utf8");
    const end = text.lastIndexOf("\n") + 1;
    this.#descriptor = openSync(path, "a");
    this.#sizeBytes = Buffer.byteLength(text.slice(0, end));
    this.tornBytes = Buffer.byteLength(text) - this.#sizeBytes;
    if (this.tornBytes > 0) ftruncateSync(this.#descriptor, this.#sizeBytes);
    const lastLine = text.slice(text.lastIndexOf("\n", end - 2) + 1, Math.max(0, end - 1));
    const record = lastLine === "" ? undefined : readLine(lastLine);
    if (record === undefined && this.#sizeBytes > 0) throw new Error(`${last} does not end in an audit record`);
    // An empty file was made for the record that its name tells.
    const startSeq = Number(NAME.exec(last)?.[1] ?? 1) - 1;
    this.head = record === undefined ? this.#headBefore(last, startSeq) : { seq: record.seq, hash: record.hash };
  }

  /** Settles when the lines are on the disk; rejects with nothing of them written. One call at a time. */
  async append(lines: readonly string[], firstSeq: number): Promise<void> {
    if (lines.length === 0) return;
    if (this.#descriptor === undefined || this.#sizeBytes >= this.#limits.fileBytesMax) this.#begin(firstSeq);
    const descriptor = this.#descriptor as number;
    const bytes = Buffer.from(`${lines.join("\n")}\n`);
    try {
      let written = 0;
      while (written < bytes.length) {
        const left = await writeBytes(descriptor, bytes, written, bytes.length - written, null);
        written += left.bytesWritten;
      }
      await flushToDisk(descriptor);
    } catch (error) {
      try {
        ftruncateSync(descriptor, this.#sizeBytes);
      } catch {
        // A disk that can do nothing any more: what is torn is taken away at the next start.
      }
      throw error;
    }
    this.#sizeBytes += bytes.length;
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #begin(firstSeq: number): void {
    const path = join(this.#folder, `audit-${String(firstSeq).padStart(12, "0")}.jsonl`);
    const descriptor = openSync(path, "a", 0o640);
    this.close();
    this.#descriptor = descriptor;
    this.#sizeBytes = statSync(path).size;
    const files = auditFilesIn(this.#folder);
    for (const old of files.slice(0, Math.max(0, files.length - this.#limits.filesMax)))
      rmSync(join(this.#folder, old));
  }

  #headBefore(name: string, seq: number): ChainHead {
    const files = auditFilesIn(this.#folder);
    const before = files[files.indexOf(name) - 1];
    if (before === undefined) return CHAIN_START;
    const lines = readFileSync(join(this.#folder, before), "utf8").trimEnd().split("\n");
    const record = readLine(lines.at(-1) ?? "");
    return record === undefined ? { ...CHAIN_START, seq } : { seq: record.seq, hash: record.hash };
  }
}

/** Oldest first. */
export function auditFilesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => NAME.test(name))
      .sort();
  } catch {
    return [];
  }
}
