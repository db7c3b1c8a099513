// The last seconds of everything that moves in a session: head and target rays. Tracks of input sources are made
// when a source first appears and given up when it is removed.
import { PoseTrack } from "./pose-track.ts";

export interface WindowLimits {
  /** How far back an instant can be asked for. */
  readonly windowMs: number;
  /** Samples kept a track; at a higher rate they are thinned evenly. */
  readonly samplesMax: number;
  readonly tracksMax: number;
}

/** 12 s at the default 30 Hz: 10 s that words may refer to, and 2 s for a recogniser to deliver them. */
export const WINDOW_LIMITS: WindowLimits = { windowMs: 10_000, samplesMax: 362, tracksMax: 16 };

export class SampleWindow {
  readonly viewer: PoseTrack;
  readonly #limits: WindowLimits;
  readonly #rays = new Map<number, PoseTrack>();
  #wasEmulated = false;
  #wasLost = false;

  constructor(limits: WindowLimits = WINDOW_LIMITS) {
    this.#limits = limits;
    this.viewer = new PoseTrack(limits.windowMs, limits.samplesMax);
  }

  /**
   * Notes the state of tracking before the poses of a packet are pushed. A position that becomes real again, and a viewer
   * that is found again, has jumped: no movement is read into the jump. Source: WebXR Device API, emulatedPosition.
   */
  noteTracking(isEmulated: boolean, isLost: boolean): void {
    if ((this.#wasEmulated && !isEmulated) || (this.#wasLost && !isLost)) this.cut();
    this.#wasEmulated = isEmulated;
    this.#wasLost = isLost;
  }

  /** The origin moved, or tracking jumped: what follows does not continue what was. */
  cut(): void {
    this.viewer.cut();
    for (const track of this.#rays.values()) track.cut();
  }

  /** Undefined when the session already follows as many things as it may. */
  ray(sourceId: number): PoseTrack | undefined {
    return this.#rays.get(sourceId) ?? this.#open(sourceId);
  }

  /** For questions about the past, which must not open a track. */
  find(sourceId: number): PoseTrack | undefined {
    return this.#rays.get(sourceId);
  }

  forget(sourceId: number): void {
    this.#rays.delete(sourceId);
  }

  /** Drops every hand and controller track: what a lowered consent demands. */
  forgetSources(): void {
    this.#rays.clear();
  }

  /** Drops everything: consent for the head was withdrawn, or the reference space was reset. */
  clear(): void {
    this.viewer.clear();
    for (const track of this.#rays.values()) track.clear();
  }

  #open(sourceId: number): PoseTrack | undefined {
    if (this.#rays.size >= this.#limits.tracksMax) return undefined;
    const track = new PoseTrack(this.#limits.windowMs, this.#limits.samplesMax);
    this.#rays.set(sourceId, track);
    return track;
  }
}
