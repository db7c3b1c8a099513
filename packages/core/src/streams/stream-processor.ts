import { GatewayError } from "../errors/gateway-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { BufferedItem } from "./jitter-buffer.ts";
import { JitterBuffer } from "./jitter-buffer.ts";
import { MediaClock } from "./media-clock.ts";
import { StreamFusion } from "./stream-fusion.ts";
import type {
  DropReason,
  FusedSample,
  FusedStream,
  MultiModalStream,
  ProcessedData,
  StreamConfig,
  StreamData,
  StreamHandle,
  StreamSample,
  StreamStats,
  StreamValue,
  SynchronizationResult,
  TimedSample,
} from "./stream-types.ts";

/**
 * Specification: section 6. The promises exist for the specification's sake: nothing waits, and `StreamProcessor.push` does
 * the same work of `processStream` without one, for the session's hot path.
 */
export interface IXRStreamProcessor {
  createStream(config: StreamConfig): Promise<StreamHandle>;
  /** Puts samples on the session's timeline. Without real-time processing everything comes back at once, in arrival order. */
  processStream(streamId: string, data: StreamData): Promise<ProcessedData>;
  /** From now on samples wait in a jitter buffer until their order is certain, at most for the latency target. */
  enableRealTimeProcessing(streamId: string): Promise<void>;
  setLatencyTarget(streamId: string, target: number): Promise<void>;
  synchronizeStreams(streams: StreamHandle[]): Promise<SynchronizationResult>;
  /** One timeline of several streams, fed by what `processStream` releases from now on. */
  fuseMultiModalStreams(streams: MultiModalStream[]): Promise<FusedStream>;
}

const LATENCY_TARGET_MS = 250;
const LATENCY_TARGET_MS_MAX = 10_000;
const CAPACITY = 512;
const RATE_HZ_MAX = 100_000;

/** One session has a head, two hands, a gaze, audio, camera, depth, scene and what applications add. */
const STREAMS_MAX = 64;

/** Samples with numbers this far apart are a restart of the counter, not loss. */
const SEQUENCE_JUMP = 10_000;
const SEQUENCES_SEEN = 1_024;

/** A correction of the clock moves samples by less than this; a sample further back came late and keeps its own time. */
const REORDER_MS = 5;

/** Fused streams wait this much longer than their slowest member's latency target. */
const FUSION_SLACK_MS = 20;

export interface StreamProcessorParts {
  readonly clock: Clock;
  readonly ids: Ids;
}

export class StreamProcessor implements IXRStreamProcessor {
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #streams = new Map<string, Stream>();
  readonly #fusions = new Set<StreamFusion>();

  constructor(parts: StreamProcessorParts) {
    this.#clock = parts.clock;
    this.#ids = parts.ids;
  }

  async createStream(config: StreamConfig): Promise<StreamHandle> {
    const id = config.streamId ?? this.#ids.next("stream");
    if (this.#streams.has(id)) refuse("streamId", "exists already");
    if (this.#streams.size >= STREAMS_MAX) {
      throw new GatewayError("session_limit", `at most ${STREAMS_MAX} streams`, { param: "streamId" });
    }
    if (!(config.rateHz > 0 && config.rateHz <= RATE_HZ_MAX))
      refuse("rateHz", `must be above 0 and at most ${RATE_HZ_MAX}`);
    checkTarget(config.latencyTargetMs ?? LATENCY_TARGET_MS);
    const capacity = config.capacity ?? CAPACITY;
    if (!(Number.isInteger(capacity) && capacity >= 1 && capacity <= 65_536)) refuse("capacity", "must be 1 to 65536");
    const stream = new Stream(id, { ...config, capacity }, () => this.#streams.delete(id));
    this.#streams.set(id, stream);
    return stream.handle;
  }

  async processStream(streamId: string, data: StreamData): Promise<ProcessedData> {
    return this.push(streamId, data);
  }

  /** `processStream` without a promise. Throws `request_invalid` for a stream that does not exist. */
  push(streamId: string, data: StreamData): ProcessedData {
    const stream = this.#find(streamId);
    const nowMs = data.arrivalMs ?? this.#clock.monotonicMs();
    const processed = stream.push(data.samples, nowMs);
    if (this.#fusions.size > 0) for (const sample of processed.released) this.#fold(streamId, sample);
    return processed;
  }

  /** Releases what became due without new data; call with every tick of the session. */
  release(streamId: string, nowMs = this.#clock.monotonicMs()): ProcessedData {
    return this.push(streamId, { samples: [], arrivalMs: nowMs });
  }

  async enableRealTimeProcessing(streamId: string): Promise<void> {
    this.#find(streamId).enableRealTime();
  }

  async setLatencyTarget(streamId: string, target: number): Promise<void> {
    checkTarget(target);
    this.#find(streamId).setLatencyTarget(target);
  }

  async synchronizeStreams(streams: StreamHandle[]): Promise<SynchronizationResult> {
    const members = streams.map((handle) => this.#find(handle.id));
    const soonest = Math.min(...members.map((stream) => stream.media.jitterMs));
    return {
      streams: members.map(({ id, media }) => ({
        streamId: id,
        offsetMs: media.offsetMs,
        driftPpm: media.driftPpm,
        skewMs: media.samples === 0 ? 0 : media.jitterMs - soonest,
        errorMs: media.errorMs,
        samples: media.samples,
      })),
      watermarkMs: members.length === 0 ? -Infinity : Math.min(...members.map((stream) => stream.newestMs)),
    };
  }

  async fuseMultiModalStreams(streams: MultiModalStream[]): Promise<FusedStream> {
    if (streams.length === 0) refuse("streams", "must not be empty");
    const members = streams.map(({ handle }) => this.#find(handle.id));
    const fastestHz = Math.max(
      ...streams.filter(({ join }) => join === "interpolate").map(({ handle }) => handle.config.rateHz),
      0,
    );
    const slowestMs = Math.max(...members.map((stream) => stream.latencyTargetMs));
    const fusion = new StreamFusion(streams, {
      // Above 120 times a second there is no display that shows the difference.
      rateHz: Math.min(120, fastestHz),
      waitMs: slowestMs + FUSION_SLACK_MS,
      reorderMs: members.every((stream) => stream.isRealTime) ? 0 : slowestMs,
      gapMs: 150,
    });
    this.#fusions.add(fusion);
    return {
      streamIds: fusion.streamIds,
      advance: (nowMs): readonly FusedSample[] => {
        for (const id of fusion.streamIds) if (this.#streams.has(id)) this.release(id, nowMs);
        return fusion.advance(nowMs);
      },
      close: () => {
        this.#fusions.delete(fusion);
      },
    };
  }

  #fold(streamId: string, sample: TimedSample): void {
    for (const fusion of this.#fusions) fusion.fold(streamId, sample);
  }

  #find(streamId: string): Stream {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) refuse("streamId", "is not known");
    return stream;
  }
}

class Stream {
  readonly id: string;
  readonly handle: StreamHandle;
  readonly media = new MediaClock();
  readonly #config: StreamConfig & { readonly capacity: number };
  readonly #buffer: JitterBuffer<StreamValue>;
  readonly #sequences = new Set<number>();
  isRealTime = false;
  latencyTargetMs: number;
  newestMs = -Infinity;
  #releasedMs = -Infinity;
  #lastSequence: number | undefined;
  #lastTimeMs = -Infinity;
  #counts = { received: 0, released: 0, lost: 0, duplicates: 0, late: 0, reordered: 0 };

  constructor(id: string, config: StreamConfig & { readonly capacity: number }, forget: () => void) {
    this.id = id;
    this.#config = config;
    this.latencyTargetMs = config.latencyTargetMs ?? LATENCY_TARGET_MS;
    this.#buffer = new JitterBuffer({
      latencyTargetMs: this.latencyTargetMs,
      latePolicy: config.latePolicy ?? "drop",
      capacity: config.capacity,
    });
    this.handle = { id, config, stats: () => this.#stats(), close: forget };
  }

  enableRealTime(): void {
    this.isRealTime = true;
  }

  setLatencyTarget(targetMs: number): void {
    this.latencyTargetMs = targetMs;
    this.#buffer.limitDelay(targetMs);
  }

  push(samples: readonly StreamSample[], nowMs: number): ProcessedData {
    const dropped: { timeMs: number; reason: DropReason }[] = [];
    const released: TimedSample[] = [];
    const lostBefore = this.#counts.lost;
    for (const sample of samples) {
      this.#counts.received += 1;
      const reason = this.#take(sample, nowMs, released);
      if (reason === undefined) continue;
      dropped.push({ timeMs: sample.timeMs, reason });
      if (reason === "duplicate") this.#counts.duplicates += 1;
      if (reason === "late") this.#counts.late += 1;
    }
    if (this.isRealTime) this.#release(this.#buffer.pop(nowMs), released);
    this.#counts.released += released.length;
    return {
      streamId: this.id,
      released,
      dropped,
      lost: this.#counts.lost - lostBefore,
      delayMs: this.#buffer.delayMs,
    };
  }

  #take(sample: StreamSample, nowMs: number, released: TimedSample[]): DropReason | undefined {
    if (!Number.isFinite(sample.timeMs) || !isFiniteValue(sample.value)) return "invalid";
    if (sample.sequence !== undefined && !this.#countSequence(sample.sequence)) return "duplicate";
    const lateMs = this.media.fold(sample.timeMs, nowMs);
    // After a jump of the source's clock what was waiting is given out: nothing older can come to go before it.
    if (lateMs === undefined) {
      this.#release(this.#buffer.restart(), released);
      this.#lastTimeMs = -Infinity;
    }
    if (sample.sequence === undefined) this.#countByTime(sample.timeMs);
    if (sample.timeMs < this.#lastTimeMs) this.#counts.reordered += 1;
    this.#lastTimeMs = Math.max(this.#lastTimeMs, sample.timeMs);
    const timed = { timeMs: this.media.toSessionMs(sample.timeMs), value: sample.value };
    this.newestMs = Math.max(this.newestMs, timed.timeMs);
    if (this.isRealTime) return this.#buffer.push({ ...timed, sourceMs: sample.timeMs }, lateMs ?? 0, nowMs);
    released.push(timed);
    return undefined;
  }

  /** The view of the source's clock may have changed while samples waited: the timeline still never runs backwards. */
  #release(items: readonly BufferedItem<StreamValue>[], released: TimedSample[]): void {
    for (const { timeMs, value } of items) {
      const isLate = this.#config.latePolicy === "deliver" && timeMs < this.#releasedMs - REORDER_MS;
      if (!isLate) this.#releasedMs = Math.max(this.#releasedMs, timeMs);
      released.push({ timeMs: isLate ? timeMs : this.#releasedMs, value });
    }
  }

  /** False for a number seen before. Counts the numbers that were skipped; one that comes later is no longer lost. */
  #countSequence(sequence: number): boolean {
    const last = this.#lastSequence;
    if (this.#sequences.has(sequence)) return false;
    this.#sequences.add(sequence);
    if (this.#sequences.size > SEQUENCES_SEEN) {
      for (const oldest of this.#sequences) {
        this.#sequences.delete(oldest);
        break;
      }
    }
    if (last === undefined || Math.abs(sequence - last) > SEQUENCE_JUMP) {
      this.#lastSequence = sequence;
    } else if (sequence > last) {
      this.#counts.lost += sequence - last - 1;
      this.#lastSequence = sequence;
    } else this.#counts.lost = Math.max(0, this.#counts.lost - 1);
    return true;
  }

  #countByTime(timeMs: number): void {
    const steps = Math.round(((timeMs - this.#lastTimeMs) * this.#config.rateHz) / 1_000);
    if (Number.isFinite(steps) && steps > 1 && steps < SEQUENCE_JUMP) this.#counts.lost += steps - 1;
    else if (steps < 0) this.#counts.lost = Math.max(0, this.#counts.lost - 1);
  }

  #stats(): StreamStats {
    return { ...this.#counts, jitterMs: this.media.jitterMs, delayMs: this.#buffer.delayMs };
  }
}

function isFiniteValue(value: StreamValue): boolean {
  if ("numbers" in value) return value.numbers.every((number) => Number.isFinite(number));
  if (!("pose" in value)) return true;
  const { position, orientation } = value.pose;
  return [...position, ...orientation].every((number) => Number.isFinite(number));
}

function checkTarget(targetMs: number): void {
  if (!(targetMs >= 0 && targetMs <= LATENCY_TARGET_MS_MAX))
    refuse("latencyTargetMs", `must be 0 to ${LATENCY_TARGET_MS_MAX}`);
}

function refuse(param: string, problem: string): never {
  throw new GatewayError("request_invalid", `stream: ${param} ${problem}`, { param });
}
