/** One family of operations: a line of the protocol in, an answer out; undefined where the protocol has no answer. */
export type AdapterOps = Readonly<Record<string, (line: Readonly<Record<string, unknown>>) => unknown>>;
