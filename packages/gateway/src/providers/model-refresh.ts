// Servers of one's own have no documented models: what they run is asked of them, in the background and again from time to
// time, so that a plain `llama3.2` and `auto` find it. No request ever waits for that.
import { ProviderError, type Cancel, type Clock, type IdentifiedAdapter, type Log } from "@fovea/core";

/** As long as an adapter keeps its list. */
const AGAIN_MS = 300_000;
const RETRY_MS_MIN = 5_000;
const LISTING_MS = 5_000;

export interface ModelRefreshParts {
  readonly clock: Clock;
  readonly log: Log;
  /** The providers whose models nobody has written down, as they are now. */
  readonly adapters: () => readonly IdentifiedAdapter[];
}

export class ModelRefresh {
  readonly #parts: ModelRefreshParts;
  #cancel: Cancel = () => undefined;
  #retryMs = RETRY_MS_MIN;
  #isClosed = false;

  constructor(parts: ModelRefreshParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#round().then(
      (isWhole) => this.#again(isWhole),
      () => this.#again(false),
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  /** A server that is not up yet is asked soon again, and less and less often. */
  #again(isWhole: boolean): void {
    if (this.#isClosed) return;
    const delayMs = isWhole ? AGAIN_MS : this.#retryMs;
    this.#retryMs = isWhole ? RETRY_MS_MIN : Math.min(AGAIN_MS, this.#retryMs * 2);
    this.#cancel = this.#parts.clock.schedule(delayMs, () => this.start());
  }

  async #round(): Promise<boolean> {
    const listed = await Promise.all(this.#parts.adapters().map((adapter) => this.#list(adapter)));
    return listed.every(Boolean);
  }

  async #list(adapter: IdentifiedAdapter): Promise<boolean> {
    try {
      await adapter.getAvailableModels({ timeouts: { connectMs: LISTING_MS, totalMs: LISTING_MS } });
      return true;
    } catch (error) {
      const code = ProviderError.is(error) ? error.failure.code : "unknown";
      this.#parts.log.write("debug", "models could not be listed", { providerId: adapter.id, code });
      return false;
    }
  }
}
