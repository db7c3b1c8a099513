// What one ray or finger is on, over time. A ray near an edge flickers between two things many times a second; a person
// does not. So a new target must win for `commitMs` without a break before it replaces the old one, and the old one must
// have been missed for `releaseMs` before there is none. The record is corrected when the decision falls: a span begins
// when its target was first met, not when it was believed.
import type { AttentionSource, AttentionSpan, AttentionTarget, Handedness } from "../model/xr-context.ts";
import type { Vec3 } from "../geometry/vec3.ts";

export interface FocusRule {
  readonly commitMs: number;
  readonly releaseMs: number;
}

/** Spans kept: at four changes a second, more than 15 s. */
const SPANS_MAX = 64;

/** What was met at one instant. */
export interface Meeting {
  entityId: string;
  distanceM: number;
  angleRad: number;
  /** Along the ray; NaN where there is no point. */
  x: number;
  y: number;
  z: number;
}

export class Focus {
  readonly source: AttentionSource;
  readonly handedness: Handedness | undefined;
  readonly #rule: FocusRule;
  #current: string | undefined;
  #sinceMs = 0;
  #metMs = 0;
  #challenger: string | undefined;
  #challengerSinceMs = 0;
  #confidence = 0;
  #evidenceMs = -Infinity;
  readonly #met: Meeting = { entityId: "", distanceM: 0, angleRad: 0, x: 0, y: 0, z: 0 };
  readonly #spans: AttentionSpan[] = [];

  constructor(source: AttentionSource, handedness: Handedness | undefined, rule: FocusRule) {
    this.source = source;
    this.handedness = handedness;
    this.#rule = rule;
  }

  get entityId(): string | undefined {
    return this.#current;
  }

  /** Whether the target was met at the last instant, so that evidence taken now is about it. */
  isOn(entityId: string | undefined): boolean {
    return entityId !== undefined && entityId === this.#current;
  }

  /** Time since confidence was last told, so that it is refreshed now and then and not with every sample. */
  evidenceAgeMs(atMs: number): number {
    return atMs - this.#evidenceMs;
  }

  noteConfidence(confidence: number, atMs: number): void {
    this.#confidence = Math.max(this.#confidence, confidence);
    this.#evidenceMs = atMs;
  }

  /** `met` undefined: nothing. It is read during the call. Returns whether the target changed. */
  fold(met: Meeting | undefined, atMs: number): boolean {
    const entityId = met?.entityId;
    if (entityId === this.#current) {
      this.#challenger = undefined;
      if (met !== undefined) this.#keep(met, atMs);
      return false;
    }
    if (entityId !== this.#challenger) {
      this.#challenger = entityId;
      this.#challengerSinceMs = atMs;
    }
    const isMissed = this.#current === undefined || atMs - this.#metMs >= this.#rule.releaseMs;
    const hasWon = entityId !== undefined && atMs - this.#challengerSinceMs >= this.#rule.commitMs;
    if (!isMissed && !hasWon) return false;
    this.#close();
    this.#current = entityId;
    this.#challenger = undefined;
    this.#confidence = 0;
    this.#evidenceMs = -Infinity;
    if (met === undefined) return true;
    this.#sinceMs = this.#challengerSinceMs;
    this.#keep(met, atMs);
    return true;
  }

  /** The ray is gone (hand lowered, controller put down): the span ends where the target was last met. */
  end(): void {
    this.#close();
    this.#current = undefined;
    this.#challenger = undefined;
  }

  /** An entity that is no longer in the room cannot be attended to; spans about it stay, it was there then. */
  drop(entityId: string): void {
    if (this.#current === entityId) this.end();
  }

  /** Undefined where nothing is attended. Makes one value: called when a context is frozen. */
  target(atMs: number, confidence: number, isOccluded: boolean): AttentionTarget | undefined {
    if (this.#current === undefined) return undefined;
    return this.#describe(this.#current, Math.max(0, atMs - this.#sinceMs), confidence, isOccluded);
  }

  /** Spans that reach into the time since `sinceMs`, oldest first, the open one last. */
  spans(sinceMs: number, atMs: number): readonly AttentionSpan[] {
    const spans = this.#spans.filter((span) => span.toMs >= sinceMs);
    if (this.#current === undefined) return spans;
    const toMs = Math.max(this.#sinceMs, Math.min(atMs, Math.max(this.#metMs, this.#sinceMs)));
    const target = this.#describe(this.#current, toMs - this.#sinceMs, this.#confidence, false);
    return [...spans, { fromMs: this.#sinceMs, toMs, target }];
  }

  #keep(met: Meeting, atMs: number): void {
    this.#metMs = atMs;
    const own = this.#met;
    own.distanceM = met.distanceM;
    own.angleRad = met.angleRad;
    own.x = met.x;
    own.y = met.y;
    own.z = met.z;
  }

  #close(): void {
    if (this.#current === undefined) return;
    const target = this.#describe(this.#current, this.#metMs - this.#sinceMs, this.#confidence, false);
    this.#spans.push({ fromMs: this.#sinceMs, toMs: this.#metMs, target });
    if (this.#spans.length > SPANS_MAX) this.#spans.shift();
  }

  // oxlint-disable-next-line max-params -- The one place where a target is made.
  #describe(entityId: string, dwellMs: number, confidence: number, isOccluded: boolean): AttentionTarget {
    const { distanceM, angleRad, x, y, z } = this.#met;
    const hitPoint: Vec3 | undefined = Number.isNaN(x) ? undefined : [x, y, z];
    return {
      entityId,
      source: this.source,
      ...(this.handedness === undefined ? {} : { handedness: this.handedness }),
      angleRad,
      distanceM,
      dwellMs,
      isOccluded,
      confidence,
      ...(hitPoint === undefined ? {} : { hitPoint }),
    };
  }
}
