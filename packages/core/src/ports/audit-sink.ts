/** One thing that happened, for those who must answer for it later. Holds identifiers and sizes, never content. */
export interface AuditRecord {
  readonly atUnixMs: number;
  readonly action: string;
  readonly tenantId: string;
  readonly userId: string;
  /** Identifier of the key that was used, never the key. */
  readonly keyId?: string;
  readonly outcome: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/** Appending never blocks a request: the sink queues, and its own policy says what happens when the queue is full. */
export interface AuditSink {
  append(record: AuditRecord): void;
  /** False where a record would be lost and the operator wants no unrecorded work: then no answer begins. */
  isAccepting?(): boolean;
}
