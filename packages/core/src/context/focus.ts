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

/** How sure it is that the entity is meant by the ray; asked when somebody wants to know, since it costs many rays. */
export type Evidence = (ray: Float64Array, entityId: string) => number;

interface KeptSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly met: Meeting;
  /** The last ray that met the target; empty for touch, whose confidence is known. */
  readonly ray: Float64Array;
  confidence: number | undefined;
}

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

const SINCE_MS = 0;
const MET_MS = 1;
const CHALLENGER_SINCE_MS = 2;
/** NaN while it would have to be found out with rays. */
const CONFIDENCE = 3;
/** The last meeting: distance, angle, and the point. */
const DISTANCE_M = 4;
const ANGLE_RAD = 5;
const POINT = 6;
/** The last ray that met the target. */
const RAY = 9;

/** What a focus keeps in its owner's array, so that a ray and what it is on lie in one place. */
export const FOCUS_NUMBERS = RAY + 6;

export class Focus {
  readonly source: AttentionSource;
  readonly handedness: Handedness | undefined;
  readonly #rule: FocusRule;
  readonly #numbers: Float64Array;
  readonly #at: number;
  #current: string | undefined;
  #challenger: string | undefined;
  readonly #spans: KeptSpan[] = [];

  /** Its state is `FOCUS_NUMBERS` numbers from `at` on. */
  // oxlint-disable-next-line max-params -- What it is, and where its numbers lie.
  constructor(
    source: AttentionSource,
    handedness: Handedness | undefined,
    rule: FocusRule,
    numbers: Float64Array,
    at: number,
  ) {
    this.source = source;
    this.handedness = handedness;
    this.#rule = rule;
    this.#numbers = numbers;
    this.#at = at;
    numbers.fill(0, at, at + FOCUS_NUMBERS);
    numbers[at + CONFIDENCE] = Number.NaN;
  }

  get entityId(): string | undefined {
    return this.#current;
  }

  /** Where confidence is known without rays. */
  noteConfidence(confidence: number): void {
    this.#numbers[this.#at + CONFIDENCE] = confidence;
  }

  /** `met` undefined: nothing. It and the ray are read during the call. Returns whether the target changed. */
  fold(met: Meeting | undefined, atMs: number, ray?: Float64Array): boolean {
    const entityId = met?.entityId;
    if (entityId === this.#current) {
      this.#challenger = undefined;
      if (met !== undefined) this.#keep(met, atMs, ray);
      return false;
    }
    const numbers = this.#numbers;
    const at = this.#at;
    if (entityId !== this.#challenger) {
      this.#challenger = entityId;
      numbers[at + CHALLENGER_SINCE_MS] = atMs;
    }
    const sinceMs = numbers[at + CHALLENGER_SINCE_MS] as number;
    const isMissed = this.#current === undefined || atMs - (numbers[at + MET_MS] as number) >= this.#rule.releaseMs;
    const hasWon = entityId !== undefined && atMs - sinceMs >= this.#rule.commitMs;
    if (!isMissed && !hasWon) return false;
    this.#close();
    this.#current = entityId;
    this.#challenger = undefined;
    numbers[at + CONFIDENCE] = Number.NaN;
    if (met === undefined) return true;
    numbers[at + SINCE_MS] = sinceMs;
    this.#keep(met, atMs, ray);
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
    const dwellMs = Math.max(0, atMs - (this.#numbers[this.#at + SINCE_MS] as number));
    return this.#describe(this.#met(this.#current), { entityId: this.#current, dwellMs, confidence, isOccluded });
  }

  /** Spans that reach into the time since `sinceMs`, oldest first, the open one last. */
  spans(sinceMs: number, evidence: Evidence): readonly AttentionSpan[] {
    const recent = this.#spans.filter((span) => span.toMs >= sinceMs);
    const open = this.#open();
    return (open === undefined ? recent : [...recent, open]).map((span) => {
      span.confidence ??= evidence(span.ray, span.met.entityId);
      const { fromMs, toMs, met, confidence } = span;
      const { entityId } = met;
      const target = this.#describe(met, { entityId, dwellMs: toMs - fromMs, confidence, isOccluded: false });
      return { fromMs, toMs, target };
    });
  }

  #keep(met: Meeting, atMs: number, ray: Float64Array | undefined): void {
    const numbers = this.#numbers;
    const at = this.#at;
    numbers[at + MET_MS] = atMs;
    numbers[at + DISTANCE_M] = met.distanceM;
    numbers[at + ANGLE_RAD] = met.angleRad;
    numbers[at + POINT] = met.x;
    numbers[at + POINT + 1] = met.y;
    numbers[at + POINT + 2] = met.z;
    if (ray === undefined) return;
    for (let index = 0; index < 6; index++) numbers[at + RAY + index] = ray[index] as number;
  }

  #met(entityId: string): Meeting {
    const [distanceM, angleRad, x, y, z] = this.#numbers.subarray(this.#at + DISTANCE_M, this.#at + POINT + 3);
    return { entityId, distanceM, angleRad, x, y, z } as Meeting;
  }

  #open(): KeptSpan | undefined {
    if (this.#current === undefined) return undefined;
    const at = this.#at;
    const fromMs = this.#numbers[at + SINCE_MS] as number;
    const toMs = Math.max(fromMs, this.#numbers[at + MET_MS] as number);
    const known = this.#numbers[at + CONFIDENCE] as number;
    const confidence = Number.isNaN(known) ? undefined : known;
    return {
      fromMs,
      toMs,
      met: this.#met(this.#current),
      ray: this.#numbers.slice(at + RAY, at + RAY + 6),
      confidence,
    };
  }

  #close(): void {
    const span = this.#open();
    if (span === undefined) return;
    this.#spans.push(span);
    if (this.#spans.length > SPANS_MAX) this.#spans.shift();
  }

  #describe(
    { distanceM, angleRad, x, y, z }: Meeting,
    what: Pick<AttentionTarget, "entityId" | "dwellMs" | "confidence" | "isOccluded">,
  ): AttentionTarget {
    const hitPoint: Vec3 | undefined = Number.isNaN(x) ? undefined : [x, y, z];
    return {
      ...what,
      source: this.source,
      ...(this.handedness === undefined ? {} : { handedness: this.handedness }),
      angleRad,
      distanceM,
      ...(hitPoint === undefined ? {} : { hitPoint }),
    };
  }
}
