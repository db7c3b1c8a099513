// Several streams on one timeline. A fused time is given out once every stream has spoken past it (its watermark), or when
// it has waited as long as allowed; then the streams that had not spoken are named as missing, and what they still send
// for that time is late. Because values are taken by event time, the result does not depend on the order of arrival as long
// as nothing is late.

import { slerp } from "../geometry/quat.ts";
import { lerp } from "../geometry/vec3.ts";
import type { FusedSample, MultiModalStream, StreamValue, TimedSample } from "./stream-types.ts";

export interface FusionOptions {
  /** Times a second of the fused timeline; 0 takes the times of the first stream's samples. */
  readonly rateHz: number;
  /** How long a fused time may wait for a stream that is silent. */
  readonly waitMs: number;
  /** How far samples of one stream may overtake one another; 0 for streams that a jitter buffer has put in order. */
  readonly reorderMs?: number;
  /** Neighbours further apart are not interpolated: nobody knows what happened between them. */
  readonly gapMs: number;
}

const HELD_MAX = 2_048;

export class StreamFusion {
  readonly #options: FusionOptions;
  readonly #tracks: readonly Track[];
  #nextMs = Number.NaN;
  #doneMs = -Infinity;

  constructor(streams: readonly MultiModalStream[], options: FusionOptions) {
    this.#options = options;
    this.#tracks = streams.map(({ handle, join }) => new Track(handle.id, join));
  }

  get streamIds(): readonly string[] {
    return this.#tracks.map((track) => track.id);
  }

  /** Up to here every stream has spoken; -Infinity while one never has. */
  get watermarkMs(): number {
    return Math.min(...this.#tracks.map((track) => track.newestMs)) - (this.#options.reorderMs ?? 0);
  }

  /** Takes a sample of a stream, in any order. False when its time was already given out. */
  fold(streamId: string, sample: TimedSample): boolean {
    const track = this.#tracks.find((candidate) => candidate.id === streamId);
    if (track === undefined || sample.timeMs <= this.#doneMs) return false;
    track.add(sample);
    return true;
  }

  advance(nowMs: number): readonly FusedSample[] {
    const certainMs = Math.max(this.watermarkMs, nowMs - this.#options.waitMs);
    const fused: FusedSample[] = [];
    for (const timeMs of this.#times(certainMs)) {
      const values: Record<string, StreamValue | readonly TimedSample[]> = {};
      const missing: string[] = [];
      for (const track of this.#tracks) {
        if (track.newestMs < timeMs) missing.push(track.id);
        const value = track.at(timeMs, this.#doneMs, this.#options.gapMs);
        if (value !== undefined) values[track.id] = value;
      }
      fused.push({ timeMs, values, missing });
      this.#doneMs = timeMs;
    }
    for (const track of this.#tracks) track.forget(this.#doneMs);
    return fused;
  }

  #times(certainMs: number): readonly number[] {
    const { rateHz } = this.#options;
    if (rateHz === 0) return this.#tracks[0]?.timesBetween(this.#doneMs, certainMs) ?? [];
    if (Number.isNaN(this.#nextMs)) {
      const first = Math.min(...this.#tracks.map((track) => track.oldestMs));
      // An earlier sample may still come: the timeline begins only with the first time that is certain.
      if (first > certainMs) return [];
      // Fused times lie on multiples of the step, so that they do not depend on which sample came first.
      this.#nextMs = Math.ceil((first * rateHz) / 1_000);
    }
    const times: number[] = [];
    for (; (this.#nextMs * 1_000) / rateHz <= certainMs; this.#nextMs++) times.push((this.#nextMs * 1_000) / rateHz);
    return times;
  }
}

class Track {
  readonly id: string;
  readonly #join: MultiModalStream["join"];
  readonly #samples: TimedSample[] = [];
  newestMs = -Infinity;

  constructor(id: string, join: MultiModalStream["join"]) {
    this.id = id;
    this.#join = join;
  }

  get oldestMs(): number {
    return this.#samples[0]?.timeMs ?? Infinity;
  }

  add(sample: TimedSample): void {
    let at = this.#samples.length;
    while (at > 0 && (this.#samples[at - 1] as TimedSample).timeMs > sample.timeMs) at -= 1;
    if (this.#samples[at - 1]?.timeMs === sample.timeMs) return;
    this.#samples.splice(at, 0, sample);
    this.newestMs = Math.max(this.newestMs, sample.timeMs);
    if (this.#samples.length > HELD_MAX) this.#samples.shift();
  }

  timesBetween(fromMs: number, toMs: number): readonly number[] {
    return this.#samples.filter(({ timeMs }) => timeMs > fromMs && timeMs <= toMs).map(({ timeMs }) => timeMs);
  }

  at(timeMs: number, sinceMs: number, gapMs: number): StreamValue | readonly TimedSample[] | undefined {
    if (this.#join === "window") {
      const inside = this.#samples.filter((sample) => sample.timeMs > sinceMs && sample.timeMs <= timeMs);
      return inside.length === 0 ? undefined : inside;
    }
    const before = this.#samples.findLast((sample) => sample.timeMs <= timeMs);
    if (before === undefined) return undefined;
    if (this.#join === "latest" || before.timeMs === timeMs) return before.value;
    const after = this.#samples.find((sample) => sample.timeMs > timeMs);
    if (after === undefined || after.timeMs - before.timeMs > gapMs) {
      return timeMs - before.timeMs <= gapMs && after === undefined ? before.value : undefined;
    }
    return between(before, after, (timeMs - before.timeMs) / (after.timeMs - before.timeMs));
  }

  /** Keeps what a later time still needs: the newest sample at or before it. */
  forget(doneMs: number): void {
    let keep = this.#samples.findLastIndex((sample) => sample.timeMs <= doneMs);
    if (keep < 0) keep = 0;
    if (keep > 0) this.#samples.splice(0, keep);
  }
}

function between(before: TimedSample, after: TimedSample, share: number): StreamValue {
  const [a, b] = [before.value, after.value];
  if ("pose" in a && "pose" in b) {
    return {
      pose: {
        position: lerp(a.pose.position, b.pose.position, share),
        orientation: slerp(a.pose.orientation, b.pose.orientation, share),
      },
    };
  }
  if ("numbers" in a && "numbers" in b && a.numbers.length === b.numbers.length) {
    return { numbers: a.numbers.map((value, i) => value + ((b.numbers[i] as number) - value) * share) };
  }
  return a;
}
