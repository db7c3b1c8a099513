// Work that outlives its request: started through the engine, kept in the store, asked after while it runs, and told of by
// the vendor's signed callbacks, which only ever make the gateway ask. A job belongs to the tenant that started it.
import {
  GatewayError,
  ProviderError,
  gatewayErrorOf,
  hasCapability,
  type AnswerEngine,
  type Cancel,
  type Clock,
  type Ids,
  type Job,
  type JobCapability,
  type JobFile,
  type JobRequest,
  type Log,
  type Meter,
  type PriceBook,
  type Principal,
  type ProviderRegistry,
  type Random,
  type Store,
} from "@fovea/core";
import { isOver, parseRecord, recordKey, referenceKey, type JobRecord } from "./job-record.ts";

export interface JobDeskParts {
  readonly engine: AnswerEngine;
  readonly registry: ProviderRegistry;
  readonly prices: PriceBook;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly log: Log;
  readonly meter: Meter;
}

const KEPT_MS = 7 * 86_400_000;
/** The vendor is asked at most this often, however many clients ask. */
const FRESH_MS = 1_000;
const WATCH_MS_MIN = 2_000;
const WATCH_MS_MAX = 30_000;
const WATCHED_MAX = 1_000;
const LISTED_MAX = 100;
/** Vendors forget too; a job that nobody can be asked about any more has ended. */
const MISSES_MAX = 20;

export interface StartedJob {
  readonly record: JobRecord;
  readonly decision: string;
}

export class JobDesk {
  readonly #parts: JobDeskParts;
  /** Jobs under watch, by the key of their record. */
  readonly #watched = new Map<string, { cancel: Cancel; delayMs: number; misses: number }>();
  /** One question to a vendor at a time for each job, shared by all who ask. */
  readonly #asking = new Map<string, Promise<JobRecord>>();
  readonly #waiting = new Map<string, Set<() => void>>();
  #isClosed = false;

  constructor(parts: JobDeskParts) {
    this.#parts = parts;
  }

  /** Goes on watching what ran when the process ended. */
  async resume(): Promise<void> {
    for (const key of await this.#parts.store.keys("job:", WATCHED_MAX)) {
      const record = await this.#read(key);
      if (record !== undefined && !isOver(record.job)) this.#watch(key);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const { cancel } of this.#watched.values()) cancel();
    this.#watched.clear();
    for (const key of this.#waiting.keys()) this.#tell(key);
  }

  async start(
    request: JobRequest,
    call: { readonly requestId: string; readonly principal: Principal; readonly deadlineMs: number },
    signal: AbortSignal,
  ): Promise<StartedJob> {
    const { engine, registry, store, ids, clock, meter } = this.#parts;
    const served = await engine.perform({ ...call, operation: "job", input: request }, signal);
    const { result: job, providerId, model, plan } = served;
    const { principal } = call;
    const nowUnixMs = clock.unixMs();
    const record = this.#settled({
      id: ids.next("job"),
      tenantId: principal.tenantId,
      userId: principal.userId,
      providerId,
      providerType: registry.find(providerId)?.type ?? "custom",
      model,
      kind: request.kind,
      vendorJobId: job.id,
      createdUnixMs: nowUnixMs,
      askedUnixMs: nowUnixMs,
      job,
    });
    const key = recordKey(principal, record.id);
    await store.set(key, JSON.stringify(record), KEPT_MS);
    await store.set(referenceKey(providerId, job.id), key, KEPT_MS);
    meter.count("fovea.jobs.started", { provider: providerId, kind: request.kind });
    if (!isOver(job)) this.#watch(key);
    return { record, decision: plan.reason };
  }

  /** Newest first. */
  async list(principal: Principal): Promise<readonly JobRecord[]> {
    const keys = await this.#parts.store.keys(recordKey(principal, ""), LISTED_MAX * 10);
    const records = await Promise.all(keys.map((key) => this.#read(key)));
    return records
      .filter((record) => record !== undefined)
      .sort((a, b) => b.createdUnixMs - a.createdUnixMs)
      .slice(0, LISTED_MAX);
  }

  /** As the vendor tells it now; with `waitMs` not before the job has ended or the time is over. */
  async get(id: string, principal: Principal, waitMs: number, signal: AbortSignal): Promise<JobRecord> {
    const key = recordKey(principal, id);
    const { clock } = this.#parts;
    const endsAtMs = clock.monotonicMs() + waitMs;
    let record = await this.#fresh(key, await this.#known(key));
    while (!isOver(record.job)) {
      const leftMs = endsAtMs - clock.monotonicMs();
      if (leftMs <= 0 || signal.aborted || this.#isClosed) break;
      await this.#news(key, Math.min(leftMs, FRESH_MS), signal);
      record = await this.#fresh(key, await this.#known(key));
    }
    return record;
  }

  async cancel(id: string, principal: Principal): Promise<JobRecord> {
    const key = recordKey(principal, id);
    const record = await this.#known(key);
    if (isOver(record.job)) return record;
    const adapter = this.#adapterOf(record);
    await adapter.cancelJob(record.vendorJobId).catch((error: unknown) => {
      throw ProviderError.is(error) ? gatewayErrorOf(error.failure) : error;
    });
    return this.#ask(key, record);
  }

  /** The bytes of one output, from its maker, with whatever that takes. */
  async file(
    id: string,
    index: number,
    principal: Principal,
    signal: AbortSignal,
  ): Promise<JobFile & { name: string }> {
    const record = await this.#known(recordKey(principal, id));
    const output = record.job.output[index];
    if (output === undefined)
      throw new GatewayError("job_unknown", `job '${id}' has no file ${index}`, { param: "index" });
    const adapter = this.#adapterOf(record);
    if (adapter.readJobFile === undefined) {
      throw new GatewayError(
        "request_unsupported",
        `files of provider '${record.providerId}' are read at their address`,
      );
    }
    try {
      const file = await adapter.readJobFile(output.url, { signal });
      const mime = output.mime ?? file.mime;
      return { ...file, ...(mime === undefined ? {} : { mime }), name: `${id}-${index}` };
    } catch (error) {
      throw ProviderError.is(error) ? gatewayErrorOf(error.failure) : error;
    }
  }

  /** A genuine callback of the vendor. False where nobody here started that job. */
  async called(providerId: string, vendorJobId: string): Promise<boolean> {
    const key = await this.#parts.store.get(referenceKey(providerId, vendorJobId));
    const record = key === undefined ? undefined : await this.#read(key);
    if (key === undefined || record === undefined) return false;
    if (!isOver(record.job)) await this.#ask(key, record);
    return true;
  }

  async #read(key: string): Promise<JobRecord | undefined> {
    const text = await this.#parts.store.get(key);
    return text === undefined ? undefined : parseRecord(text);
  }

  async #known(key: string): Promise<JobRecord> {
    const record = await this.#read(key);
    if (record !== undefined) return record;
    throw new GatewayError("job_unknown", "there is no such job, or no longer", { param: "id" });
  }

  #adapterOf(record: JobRecord): JobCapability {
    const adapter = this.#parts.registry.find(record.providerId);
    if (adapter !== undefined && hasCapability(adapter, "job")) return adapter;
    const message = `provider '${record.providerId}', which runs this job, is not configured any more`;
    throw new GatewayError("no_capable_provider", message, { providerId: record.providerId });
  }

  async #fresh(key: string, record: JobRecord): Promise<JobRecord> {
    const isFresh = this.#parts.clock.unixMs() - record.askedUnixMs < FRESH_MS;
    return isOver(record.job) || isFresh ? record : this.#ask(key, record);
  }

  /** Asks the vendor and keeps what it says. A vendor that cannot be reached changes nothing. */
  #ask(key: string, record: JobRecord): Promise<JobRecord> {
    const running = this.#asking.get(key);
    if (running !== undefined) return running;
    const asked = this.#askNow(key, record).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asked);
    return asked;
  }

  async #askNow(key: string, record: JobRecord): Promise<JobRecord> {
    const { store, clock, log } = this.#parts;
    let job: Job;
    try {
      job = await this.#adapterOf(record).getJob(record.vendorJobId);
    } catch (error) {
      const code = ProviderError.is(error) ? error.failure.code : GatewayError.is(error) ? error.code : undefined;
      if (code === undefined) throw error;
      log.write("warn", "job could not be asked for", { jobId: record.id, providerId: record.providerId, code });
      if (!this.#isLost(key, code)) return record;
      job = { ...record.job, state: "failed", error: "its provider does not know this job any more" };
    }
    const next = this.#settled({ ...record, askedUnixMs: clock.unixMs(), job });
    await store.set(key, JSON.stringify(next), KEPT_MS);
    if (isOver(next.job)) {
      this.#unwatch(key);
      this.#tell(key);
    }
    return next;
  }

  #isLost(key: string, code: string): boolean {
    if (code === "job_unknown") return true;
    const watch = this.#watched.get(key);
    if (code !== "not_found" || watch === undefined) return false;
    return ++watch.misses >= MISSES_MAX;
  }

  /** What a finished job has cost, by the vendor's word or the price book. */
  #settled(record: JobRecord): JobRecord {
    const { job, providerId, model } = record;
    if (!isOver(job) || record.endedUnixMs !== undefined) return record;
    const { prices, clock, meter } = this.#parts;
    const cost = job.cost ?? (job.usage === undefined ? undefined : prices.costOf(providerId, model, job.usage));
    meter.count("fovea.jobs.ended", { provider: providerId, state: job.state });
    return { ...record, endedUnixMs: clock.unixMs(), ...(cost === undefined ? {} : { cost }) };
  }

  #watch(key: string): void {
    if (this.#isClosed || this.#watched.has(key) || this.#watched.size >= WATCHED_MAX) return;
    this.#watched.set(key, { cancel: () => undefined, delayMs: WATCH_MS_MIN, misses: 0 });
    this.#schedule(key);
  }

  #schedule(key: string): void {
    const watch = this.#watched.get(key);
    if (watch === undefined || this.#isClosed) return;
    // Jitter: jobs that were started together must not be asked for together.
    const delayMs = watch.delayMs * (0.75 + 0.5 * this.#parts.random.next());
    watch.delayMs = Math.min(WATCH_MS_MAX, watch.delayMs * 1.5);
    watch.cancel = this.#parts.clock.schedule(delayMs, () => {
      this.#look(key).then(
        () => this.#schedule(key),
        () => this.#schedule(key),
      );
    });
  }

  async #look(key: string): Promise<void> {
    const record = await this.#read(key);
    if (record === undefined || isOver(record.job)) this.#unwatch(key);
    else await this.#fresh(key, record);
  }

  #unwatch(key: string): void {
    this.#watched.get(key)?.cancel();
    this.#watched.delete(key);
  }

  /** Until something was heard of the job, the time is over, or the caller left. */
  #news(key: string, limitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const listeners = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, listeners);
      const done = (): void => {
        cancel();
        listeners.delete(done);
        if (listeners.size === 0) this.#waiting.delete(key);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const cancel = this.#parts.clock.schedule(limitMs, done);
      listeners.add(done);
      signal.addEventListener("abort", done, { once: true });
      if (signal.aborted) done();
    });
  }

  #tell(key: string): void {
    for (const done of this.#waiting.get(key) ?? []) done();
  }
}
