// One audit record as one line of JSON, chained by hashes: each line holds the hash of the one before it and of itself, so
// that a changed, missing, added or moved line is found by whoever reads the file. Lines are compared as they stand, byte
// by byte; nothing is written anew for that. Rules: docs/spec/security.md AUD1..AUD9.
import { hash } from "node:crypto";
import type { AuditRecord } from "@fovea/core";

export interface ChainHead {
  /** Number of the last record; 0 before the first. */
  readonly seq: number;
  /** Its hash, hexadecimal; zeros before the first. */
  readonly hash: string;
}

export const CHAIN_START: ChainHead = { seq: 0, hash: "0".repeat(64) };
export const CHECKPOINT_ACTION = "audit.checkpoint";
export const GAP_ACTION = "audit.gap";

const LINE = /^(\{.*),"prev":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}$/s;

export interface ChainedLine {
  /** Without a line end. */
  readonly text: string;
  readonly head: ChainHead;
}

export function chainRecord(record: AuditRecord, before: ChainHead): ChainedLine {
  const seq = before.seq + 1;
  const body = JSON.stringify({
    seq,
    at: new Date(record.atUnixMs).toISOString(),
    action: record.action,
    tenant: record.tenantId,
    user: record.userId,
    ...(record.keyId === undefined ? {} : { key: record.keyId }),
    outcome: record.outcome,
    details: record.details,
  });
  const own = hashOf(before.hash, body);
  return { text: `${body.slice(0, -1)},"prev":"${before.hash}","hash":"${own}"}`, head: { seq, hash: own } };
}

export interface ReadRecord {
  readonly seq: number;
  readonly at: string;
  readonly action: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly prev: string;
  readonly hash: string;
  /** False where the line's content is not what its hash was made from. */
  readonly isIntact: boolean;
}

/** Undefined where the line is no audit record at all. */
export function readLine(line: string): ReadRecord | undefined {
  const match = LINE.exec(line);
  if (match === null) return undefined;
  const [, head = "", prev = "", own = ""] = match;
  const body = `${head}}`;
  try {
    const { seq, at, action, details } = JSON.parse(body) as Readonly<Record<string, unknown>>;
    if (typeof seq !== "number" || typeof at !== "string" || typeof action !== "string") return undefined;
    const facts = typeof details === "object" && details !== null ? (details as ReadRecord["details"]) : {};
    return { seq, at, action, details: facts, prev, hash: own, isIntact: hashOf(prev, body) === own };
  } catch {
    return undefined;
  }
}

/** What a checkpoint signs: how long the chain was, and where it ended. */
export function checkpointText({ seq, hash: head }: ChainHead): string {
  return `fovea-audit\n${seq}\n${head}\n`;
}

function hashOf(prev: string, body: string): string {
  return hash("sha256", `${prev}\n${body}`, "hex");
}
