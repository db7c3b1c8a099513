/** One JSON line of the bench adapter. */
export type Line = Readonly<Record<string, unknown>>;

/** Answers a line; undefined for operations that get no answer. */
export type Operation = (line: Line) => unknown;

/** A family of operations that share state. Made anew by nobody: `reset` clears what must not leak between traces. */
export interface OperationFamily {
  readonly operations: Readonly<Record<string, Operation>>;
  readonly reset: () => void;
}
