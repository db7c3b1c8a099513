// Whether an audit trail is whole. Needs the files and the public key, nothing of a running gateway.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { VerifyingKey } from "../platform/signing-key.ts";
import type { ChainHead, ReadRecord } from "./audit-chain.ts";
import { CHAIN_START, CHECKPOINT_ACTION, checkpointText, GAP_ACTION, readLine } from "./audit-chain.ts";
import { auditFilesIn } from "./audit-files.ts";

export interface AuditReport {
  readonly files: number;
  readonly records: number;
  readonly checkpoints: number;
  /** Records that had found no room, as the trail itself tells. */
  readonly dropped: number;
  readonly first?: { readonly seq: number; readonly at: string };
  readonly last?: { readonly seq: number; readonly at: string; readonly hash: string };
  /** Records after the last signature: who has the key of nothing can still have changed the newest of them. */
  readonly unsigned: number;
  /** `file:line: what is wrong`; empty where the trail is whole. */
  readonly problems: readonly string[];
}

export interface AuditQuestion {
  readonly folder: string;
  readonly key: VerifyingKey | undefined;
  /** Ends of the chain as they were known earlier or elsewhere: the trail must contain them. */
  readonly known: readonly ChainHead[];
}

const PROBLEMS_MAX = 20;

export function verifyAudit({ folder, key, known }: AuditQuestion): AuditReport {
  const files = auditFilesIn(folder);
  const walk = new ChainWalk(key, known);
  for (const [index, name] of files.entries()) {
    const text = readFileSync(join(folder, name), "utf8");
    const lines = text.split("\n");
    // After the last line end there is nothing, or a line that is being written just now.
    const unfinished = lines.pop() ?? "";
    if (unfinished !== "" && index < files.length - 1)
      walk.problem(name, lines.length + 1, "the file ends in half a line");
    for (const [at, line] of lines.entries()) walk.take(name, at + 1, line);
  }
  return walk.report(files.length);
}

class ChainWalk {
  readonly #key: VerifyingKey | undefined;
  readonly #missing: Map<number, ChainHead>;
  readonly #problems: string[] = [];
  #before: ReadRecord | undefined;
  #first: ReadRecord | undefined;
  #records = 0;
  #checkpoints = 0;
  #dropped = 0;
  #signedSeq = 0;

  constructor(key: VerifyingKey | undefined, known: readonly ChainHead[]) {
    this.#key = key;
    this.#missing = new Map(known.filter(({ seq }) => seq > 0).map((head) => [head.seq, head]));
  }

  problem(file: string, line: number, what: string): void {
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(`${file}:${line}: ${what}`);
  }

  take(file: string, line: number, text: string): void {
    const record = readLine(text);
    if (record === undefined) return this.problem(file, line, "is no audit record");
    this.#records += 1;
    if (!record.isIntact)
      this.problem(file, line, `record ${record.seq} was changed: its content does not fit its hash`);
    this.#checkOrder(file, line, record);
    if (record.action === CHECKPOINT_ACTION) this.#checkSignature(file, line, record);
    if (record.action === GAP_ACTION) this.#dropped += Number(record.details["dropped"] ?? 0);
    const known = this.#missing.get(record.seq);
    if (known !== undefined) {
      if (known.hash !== record.hash)
        this.problem(file, line, `record ${record.seq} is another one than was known before`);
      this.#missing.delete(record.seq);
    }
    this.#first ??= record;
    this.#before = record;
  }

  report(files: number): AuditReport {
    for (const { seq } of this.#missing.values()) {
      if (this.#first !== undefined && seq < this.#first.seq) continue;
      this.problem("trail", this.#records, `ends before record ${seq}, which is known to have been there`);
    }
    const [first, last] = [this.#first, this.#before];
    return {
      files,
      records: this.#records,
      checkpoints: this.#checkpoints,
      dropped: this.#dropped,
      ...(first === undefined ? {} : { first: { seq: first.seq, at: first.at } }),
      ...(last === undefined ? {} : { last: { seq: last.seq, at: last.at, hash: last.hash } }),
      unsigned: last === undefined ? 0 : last.seq - Math.max(this.#signedSeq, (first?.seq ?? 1) - 1),
      problems: this.#problems,
    };
  }

  #checkOrder(file: string, line: number, record: ReadRecord): void {
    const before = this.#before;
    // Old files may have been taken away as a whole: then the first record stands for what was before it.
    if (before === undefined) {
      if (record.seq === 1 && record.prev !== CHAIN_START.hash)
        this.problem(file, line, "record 1 follows another one");
      return;
    }
    if (record.seq !== before.seq + 1)
      return this.problem(
        file,
        line,
        `record ${record.seq} follows record ${before.seq}: something is missing or moved`,
      );
    if (record.prev !== before.hash)
      this.problem(file, line, `record ${record.seq} does not follow the record before it`);
  }

  #checkSignature(file: string, line: number, record: ReadRecord): void {
    this.#checkpoints += 1;
    const { signs, head, key, signature } = record.details;
    const isHere = signs === record.seq - 1 && head === record.prev;
    if (!isHere) return this.problem(file, line, "the checkpoint signs another chain than this one");
    if (this.#key === undefined || typeof signature !== "string") return;
    if (key !== this.#key.id)
      return this.problem(file, line, `the checkpoint is signed by the unknown key ${String(key)}`);
    const isGood = this.#key.verify(checkpointText({ seq: record.seq - 1, hash: record.prev }), signature);
    if (!isGood) return this.problem(file, line, "the signature of the checkpoint is not valid");
    this.#signedSeq = record.seq;
  }
}
