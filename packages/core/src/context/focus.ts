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

export class Focus {
  readonly source: AttentionSource;
  readonly handedness: Handedness | undefined;
  readonly #rule: FocusRule;
  #current: string | undefined;
  #sinceMs = 0;
  #metMs = 0;
  #challenger: string | undefined;
  #challengerSinceMs = 0;
  #confidence: number | undefined;
  readonly #ray = new Float64Array(6);
  readonly #met: Meeting = { entityId: "", distanceM: 0, angleRad: 0, x: 0, y: 0, z: 0 };
  readonly #spans: KeptSpan[] = [];

  constructor(source: AttentionSource, handedness: Handedness | undefined, rule: FocusRule) {
    this.source = source;
    this.handedness = handedness;
    this.#rule = rule;
  }

  get entityId(): string | undefined {
    return this.#current;
  }

  /** Where confidence is known without rays. */
  noteConfidence(confidence: number): void {
    this.#confidence = confidence;
  }

  /** `met` undefined: nothing. It and the ray are read during the call. Returns whether the target changed. */
  fold(met: Meeting | undefined, atMs: number, ray?: Float64Array): boolean {
    const entityId = met?.entityId;
    if (entityId === this.#current) {
      this.#challenger = undefined;
      if (met !== undefined) this.#keep(met, atMs, ray);
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
    this.#confidence = undefined;
    if (met === undefined) return true;
    this.#sinceMs = this.#challengerSinceMs;
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
    const dwellMs = Math.max(0, atMs - this.#sinceMs);
    return this.#describe(this.#met, { entityId: this.#current, dwellMs, confidence, isOccluded });
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
    this.#metMs = atMs;
    const own = this.#met;
    own.distanceM = met.distanceM;
    own.angleRad = met.angleRad;
    own.x = met.x;
    own.y = met.y;
    own.z = met.z;
    if (ray === undefined) return;
    for (let index = 0; index < 6; index++) this.#ray[index] = ray[index] as number;
  }

  #open(): KeptSpan | undefined {
    if (this.#current === undefined) return undefined;
    const met = { ...this.#met, entityId: this.#current };
    const toMs = Math.max(this.#sinceMs, this.#metMs);
    return { fromMs: this.#sinceMs, toMs, met, ray: this.#ray.slice(), confidence: this.#confidence };
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
