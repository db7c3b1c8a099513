// What a client may send, chosen by how its connection and device fare. Quality is one ladder: every rung names pose rate,
// image size and rate, audio bitrate and mesh level together, so that a client gets one coherent instruction. Down at once
// when packets queue or get lost, up only after a calm while, and a rung that failed soon after it was taken must stay calm
// twice as long before it is tried again: that ends the swinging between "too much" and "too little".

export interface QualityInput {
  readonly rttMs: number;
  /** Share of packets lost in the last second, 0 to 1. */
  readonly lossShare: number;
  /** How long packets waited beyond the fastest ones, milliseconds. */
  readonly queueDelayMs: number;
  /** As WebXR and mobile systems report it. */
  readonly thermal?: "nominal" | "fair" | "serious" | "critical";
  /** 0 to 1. */
  readonly batteryLevel?: number;
}

/** What the client is asked to send. */
export interface StreamQuality {
  readonly poseHz: number;
  readonly imageWidth: number;
  readonly imageHz: number;
  readonly audioKbps: number;
  /** Levels of detail left out of meshes; 0 sends all. */
  readonly meshLevel: number;
}

export interface QualityDecision {
  /** 0 is the least. */
  readonly rung: number;
  readonly quality: StreamQuality;
  readonly reason: "calm" | "loss" | "queue" | "round-trip" | "thermal" | "battery" | "unchanged";
}

const LADDER: readonly StreamQuality[] = [
  { poseHz: 15, imageWidth: 320, imageHz: 0.2, audioKbps: 12, meshLevel: 3 },
  { poseHz: 20, imageWidth: 480, imageHz: 0.5, audioKbps: 16, meshLevel: 3 },
  { poseHz: 30, imageWidth: 640, imageHz: 1, audioKbps: 20, meshLevel: 2 },
  { poseHz: 45, imageWidth: 768, imageHz: 1, audioKbps: 24, meshLevel: 1 },
  { poseHz: 60, imageWidth: 1_024, imageHz: 2, audioKbps: 32, meshLevel: 1 },
  { poseHz: 90, imageWidth: 1_280, imageHz: 4, audioKbps: 32, meshLevel: 0 },
];

const LOSS_BAD = 0.05;
const LOSS_SEVERE = 0.15;
const QUEUE_BAD_MS = 80;
const QUEUE_SEVERE_MS = 250;
const RTT_BAD_MS = 400;

/** Calm is well below bad: between the two nothing changes. */
const LOSS_CALM = 0.02;
const QUEUE_CALM_MS = 30;
const RTT_CALM_MS = 250;

const DOWN_EVERY_MS = 1_000;
const UP_AFTER_MS = 4_000;
const UP_AFTER_MS_MAX = 64_000;

/** A rung that had to be left within this time after it was taken was a mistake. */
const MISTAKE_MS = 10_000;

/** Rungs that heat and battery allow. */
const RUNG_OF_THERMAL = { nominal: 5, fair: 5, serious: 2, critical: 0 } as const;
const LOW_BATTERY = 0.15;
const LOW_BATTERY_RUNG = 3;

export class AdaptiveQuality {
  #rung: number;
  readonly #rungMax: number;
  #changedMs = -Infinity;
  #calmSinceMs = Number.NaN;
  #upAfterMs = UP_AFTER_MS;
  #wentUp = false;

  /** Never above `rungMax`: more is not wanted there. */
  constructor(rung = 3, rungMax: number = LADDER.length - 1) {
    this.#rungMax = Math.min(LADDER.length - 1, Math.max(0, rungMax));
    this.#rung = Math.min(this.#rungMax, Math.max(0, rung));
  }

  get rung(): number {
    return this.#rung;
  }

  get quality(): StreamQuality {
    return LADDER[this.#rung] as StreamQuality;
  }

  /** Call with every report of the client, about once a second. */
  fold(input: QualityInput, nowMs: number): QualityDecision {
    const [ceiling, why] = this.#ceiling(input);
    if (this.#rung > ceiling) return this.#to(ceiling, why, nowMs);
    const trouble = troubleOf(input);
    if (trouble !== undefined) {
      this.#calmSinceMs = Number.NaN;
      if (nowMs - this.#changedMs < DOWN_EVERY_MS || this.#rung === 0) return this.#stay();
      const isMistake = this.#wentUp && nowMs - this.#changedMs < MISTAKE_MS;
      this.#upAfterMs = isMistake ? Math.min(UP_AFTER_MS_MAX, this.#upAfterMs * 2) : this.#upAfterMs;
      return this.#to(Math.max(0, this.#rung - trouble.rungs), trouble.reason, nowMs);
    }
    const isCalm = input.lossShare <= LOSS_CALM && input.queueDelayMs <= QUEUE_CALM_MS && input.rttMs <= RTT_CALM_MS;
    if (!isCalm) {
      this.#calmSinceMs = Number.NaN;
      return this.#stay();
    }
    if (Number.isNaN(this.#calmSinceMs)) this.#calmSinceMs = nowMs;
    // What held this long was no mistake: the next try may come sooner again.
    if (nowMs - this.#changedMs > 2 * this.#upAfterMs + MISTAKE_MS)
      this.#upAfterMs = Math.max(UP_AFTER_MS, this.#upAfterMs / 2);
    if (this.#rung >= ceiling || nowMs - this.#calmSinceMs < this.#upAfterMs) return this.#stay();
    this.#calmSinceMs = nowMs;
    return this.#to(this.#rung + 1, "calm", nowMs);
  }

  #ceiling(input: QualityInput): readonly [rung: number, reason: "thermal" | "battery"] {
    const thermal = RUNG_OF_THERMAL[input.thermal ?? "nominal"];
    const isLow = (input.batteryLevel ?? 1) < LOW_BATTERY;
    const battery = isLow ? Math.min(LOW_BATTERY_RUNG, Math.max(0, this.#rungMax - 1)) : this.#rungMax;
    return battery < thermal ? [battery, "battery"] : [thermal, "thermal"];
  }

  #to(rung: number, reason: QualityDecision["reason"], nowMs: number): QualityDecision {
    this.#wentUp = rung > this.#rung;
    this.#rung = rung;
    this.#changedMs = nowMs;
    return { rung, quality: this.quality, reason };
  }

  #stay(): QualityDecision {
    return { rung: this.#rung, quality: this.quality, reason: "unchanged" };
  }
}

/** The lowest rung on which nothing is less than these rates; the highest where none gives so much. */
export function rungFor(poseHz: number, imageHz: number): number {
  const rung = LADDER.findIndex((quality) => quality.poseHz >= poseHz && quality.imageHz >= imageHz);
  return rung < 0 ? LADDER.length - 1 : rung;
}

function troubleOf(
  input: QualityInput,
): { readonly rungs: number; readonly reason: "loss" | "queue" | "round-trip" } | undefined {
  if (input.lossShare >= LOSS_SEVERE) return { rungs: 2, reason: "loss" };
  if (input.queueDelayMs >= QUEUE_SEVERE_MS) return { rungs: 2, reason: "queue" };
  if (input.lossShare >= LOSS_BAD) return { rungs: 1, reason: "loss" };
  if (input.queueDelayMs >= QUEUE_BAD_MS) return { rungs: 1, reason: "queue" };
  return input.rttMs >= RTT_BAD_MS ? { rungs: 1, reason: "round-trip" } : undefined;
}
