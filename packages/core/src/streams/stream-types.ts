import type { Pose } from "../geometry/pose.ts";

export type StreamKind = "pose" | "hand" | "gaze" | "audio" | "image" | "depth" | "scene" | "app";

/** What is done with a sample that arrives after its place on the timeline was given out. */
export type LatePolicy = "drop" | "deliver";

/** Specification: StreamConfig. */
export interface StreamConfig {
  readonly streamId?: string;
  readonly sessionId: string;
  readonly kind: StreamKind;
  /** Samples a second that the source means to send; tells gaps from pauses. */
  readonly rateHz: number;
  /** Longest time a sample may wait to be put in order. */
  readonly latencyTargetMs?: number;
  readonly latePolicy?: LatePolicy;
  /** Samples held at most; the oldest leave first. */
  readonly capacity?: number;
}

export interface StreamSample {
  /** On the source's own clock: capture time, or the position of a sample counter. */
  readonly timeMs: number;
  /** Where the source numbers its packets: finds loss and duplicates exactly. */
  readonly sequence?: number;
  readonly value: StreamValue;
}

/** Poses are turned along the shorter arc, numbers linearly; everything else is held. */
export type StreamValue = { readonly pose: Pose } | { readonly numbers: Float32Array } | { readonly data: unknown };

/** Specification: StreamData. One or more samples that arrived together. */
export interface StreamData {
  readonly samples: readonly StreamSample[];
  /** Session clock; the time of the call where absent. */
  readonly arrivalMs?: number;
}

export interface TimedSample {
  /** Session clock: when it happened, not when it arrived. */
  readonly timeMs: number;
  readonly value: StreamValue;
}

export type DropReason = "duplicate" | "late" | "full" | "invalid" | "clock-jump";

/** Specification: ProcessedData. */
export interface ProcessedData {
  readonly streamId: string;
  /** In order of the timeline; may hold samples of earlier calls, and may be empty. */
  readonly released: readonly TimedSample[];
  readonly dropped: readonly { readonly timeMs: number; readonly reason: DropReason }[];
  /** Samples that never came, by sequence number or by time. */
  readonly lost: number;
  /** Time samples now wait to be put in order. */
  readonly delayMs: number;
}

/** Specification: StreamHandle. */
export interface StreamHandle {
  readonly id: string;
  readonly config: StreamConfig;
  stats(): StreamStats;
  /** Forgets the stream. Calling it again does nothing. */
  close(): void;
}

export interface StreamStats {
  readonly received: number;
  readonly released: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly late: number;
  readonly reordered: number;
  readonly jitterMs: number;
  readonly delayMs: number;
}

/** Specification: SynchronizationResult. */
export interface SynchronizationResult {
  readonly streams: readonly {
    readonly streamId: string;
    /** Source clock minus session clock. */
    readonly offsetMs: number;
    readonly driftPpm: number;
    /** How much later its packets typically come than those of the calmest stream: what fusing must wait for. */
    readonly skewMs: number;
    /** The offset, relative to the other streams, is believed to be within this. */
    readonly errorMs: number;
    readonly samples: number;
  }[];
  /** Up to here every stream has spoken. */
  readonly watermarkMs: number;
}

/** Specification: MultiModalStream. */
export interface MultiModalStream {
  readonly handle: StreamHandle;
  /** How the stream takes part: interpolated at the fused times, its last value held, or all samples since the last time. */
  readonly join: "interpolate" | "latest" | "window";
}

/** Specification: FusedStream. */
export interface FusedStream {
  readonly streamIds: readonly string[];
  /** Fused samples that became certain: all streams have spoken past them, or they waited long enough. */
  advance(nowMs: number): readonly FusedSample[];
  close(): void;
}

export interface FusedSample {
  readonly timeMs: number;
  /** By stream; a stream without a value then (gap, not started) is absent. */
  readonly values: Readonly<Record<string, StreamValue | readonly TimedSample[]>>;
  /** Streams that had not spoken past this time when the wait ended. */
  readonly missing: readonly string[];
}
