// Whether providers answer at all, before anybody has asked them anything: one cheap call each (the list of models) soon
// after the start, when one is added, and now and then while one has no traffic. Told on the dashboard; routing learns from traffic.
import type { Cancel, Clock, IdentifiedAdapter, Log, Meter, ProviderRegistry } from "@fovea/core";

export interface ReachabilityParts {
  readonly registry: ProviderRegistry;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** True while a provider's own traffic tells how it is. */
  readonly hasTraffic: (providerId: string) => boolean;
}

export interface Reached {
  readonly isReachable: boolean;
  readonly atUnixMs: number;
  readonly latencyMs?: number;
  readonly failure?: string;
}

const PROBE_MS = 3_000;
const AGAIN_MS = 300_000;
/** Who starts a gateway to use it at once is served first. */
const FIRST_LOOK_MS = 5_000;
/** The machine's first calls must not be all for this. */
const AT_ONCE_MAX = 8;

export class Reachability {
  readonly #parts: ReachabilityParts;
  readonly #known = new Map<string, Reached>();
  readonly #controller = new AbortController();
  #cancel: Cancel | undefined;

  constructor(parts: ReachabilityParts) {
    this.#parts = parts;
  }

  of(providerId: string): Reached | undefined {
    return this.#known.get(providerId);
  }

  /** Begins to look. Does not keep anybody waiting. */
  start(): void {
    const arm = (delayMs: number): void => {
      this.#cancel = this.#parts.clock.schedule(delayMs, () => {
        void this.lookAtAll();
        arm(AGAIN_MS);
      });
    };
    arm(FIRST_LOOK_MS);
  }

  close(): void {
    this.#cancel?.();
    this.#controller.abort();
  }

  /** Every provider without traffic of its own; one key of each, because the address is the same for all. */
  async lookAtAll(): Promise<void> {
    const { registry, hasTraffic } = this.#parts;
    const adapters = new Map(registry.entries.map(({ adapter }) => [adapter.id, adapter]));
    for (const id of this.#known.keys()) if (!adapters.has(id)) this.#known.delete(id);
    const waiting = [...adapters.values()].filter(({ id }) => !hasTraffic(id));
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await this.#lookAt(next);
    };
    await Promise.all(Array.from({ length: AT_ONCE_MAX }, work));
  }

  async #lookAt(adapter: IdentifiedAdapter): Promise<void> {
    const { clock, log, meter } = this.#parts;
    if (this.#controller.signal.aborted) return;
    const failure = await this.#probe(adapter);
    if (this.#controller.signal.aborted) return;
    const before = this.#known.get(adapter.id);
    const isReachable = failure.failure === undefined;
    this.#known.set(adapter.id, { isReachable, atUnixMs: clock.unixMs(), ...failure });
    meter.gauge("fovea.provider.reachable", { provider: adapter.id }, isReachable ? 1 : 0);
    if (isReachable || before?.failure === failure.failure) return;
    log.write("warn", "a provider does not answer", { providerId: adapter.id, failure: failure.failure });
  }

  async #probe(adapter: IdentifiedAdapter): Promise<{ readonly latencyMs?: number; readonly failure?: string }> {
    const { clock } = this.#parts;
    // An adapter that does not heed its limits must not hold up the others.
    let cancel: Cancel = () => {};
    const late = new Promise<{ readonly failure: string }>((resolve) => {
      cancel = clock.schedule(PROBE_MS + 500, () => resolve({ failure: "timeout_total" }));
    });
    const asked = adapter
      .healthCheck({
        signal: this.#controller.signal,
        timeouts: { connectMs: PROBE_MS, headersMs: PROBE_MS, totalMs: PROBE_MS },
      })
      .then(
        ({ lastFailure, latencyMs }) =>
          lastFailure === undefined ? (latencyMs === undefined ? {} : { latencyMs }) : { failure: lastFailure },
        () => ({ failure: "unreachable" }),
      );
    try {
      return await Promise.race([asked, late]);
    } finally {
      cancel();
    }
  }
}
