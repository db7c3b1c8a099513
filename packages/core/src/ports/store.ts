/** A keyed store with expiry. Values are JSON text; keys are namespaced by their owner (`session:…`, `key:…`). */
export interface Store extends AsyncDisposable {
  get(key: string): Promise<string | undefined>;
  /** Without `ttlMs` the entry stays until deleted. An entry is absent from the millisecond its time is over. */
  set(key: string, value: string, ttlMs?: number): Promise<void>;
  /** Many at once, where that costs less; in their order. */
  setMany?(entries: readonly (readonly [key: string, value: string])[], ttlMs?: number): Promise<void>;
  delete(key: string): Promise<boolean>;
  /** Keys with the prefix, in byte order, at most `limit`. */
  keys(prefix: string, limit: number): Promise<readonly string[]>;
}
