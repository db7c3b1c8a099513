// Which of a camera's images are worth a model's look. Those for a question: the sharpest of the last moments. Those for
// looking around unasked: a view that differs from the ones looked at, within a budget.
import { angleTo } from "../geometry/quat.ts";
import { distance } from "../geometry/vec3.ts";
import type { ImageView } from "../model/sight.ts";

export interface CameraImage {
  readonly view: ImageView;
  readonly bytes: Uint8Array;
  readonly mime: string;
  /** False where nobody knows from where it was taken: it can be looked at, and nothing in it has a place. */
  readonly isPlaced: boolean;
  /** How fast the camera turned at the exposure, radians a second, and moved, metres a second. */
  readonly turnRadPerS: number;
  readonly moveMPerS: number;
}

export interface KeyImageLimits {
  readonly imagesMax: number;
  readonly bytesMax: number;
  /** An older image does not answer what is asked now. */
  readonly ageMsMax: number;
  /** Looks without a question: at most so many in a minute, and never two within the pause. */
  readonly looksPerMinute: number;
  readonly pauseMs: number;
}

export const KEY_IMAGE_LIMITS: KeyImageLimits = {
  imagesMax: 8,
  bytesMax: 8_388_608,
  ageMsMax: 10_000,
  looksPerMinute: 6,
  pauseMs: 3_000,
};

/** A rolling shutter in a room is open for about this long. */
const EXPOSURE_S = 0.012;
/** More smear than this and writing is gone. */
const SMEAR_PX = 4;
/** A view is new when it is this far from every view looked at, or turned by this. */
const NEW_VIEW_M = 0.7;
const NEW_VIEW_RAD = 0.5;
/** Rooms change: an old look counts as none. */
const LOOK_MS = 60_000;
const LOOKS_KEPT = 32;
/** For a question the newest image counts, unless one a little older is much sharper. */
const RECENCY_MS = 1_500;
const SHARP_ENOUGH = 0.5;

interface Look {
  readonly view: ImageView;
  readonly atMs: number;
}

export class KeyImages {
  readonly #limits: KeyImageLimits;
  #images: CameraImage[] = [];
  #looks: Look[] = [];
  /** Bytes a pixel of recent images: what the same encoder makes of a blurred picture is smaller. */
  #typicalBytes = 0;

  constructor(limits: KeyImageLimits = KEY_IMAGE_LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#images.length;
  }

  offer(image: CameraImage): void {
    const density = densityOf(image);
    this.#typicalBytes = this.#typicalBytes === 0 ? density : this.#typicalBytes * 0.9 + density * 0.1;
    this.#images.push(image);
    let bytes = this.#images.reduce((sum, kept) => sum + kept.bytes.length, 0);
    while (this.#images.length > 1 && (this.#images.length > this.#limits.imagesMax || bytes > this.#limits.bytesMax)) {
      bytes -= this.#images.shift()?.bytes.length ?? 0;
    }
  }

  clear(): void {
    this.#images = [];
    this.#looks = [];
  }

  find(imageId: number): CameraImage | undefined {
    return this.#images.findLast((image) => image.view.imageId === imageId);
  }

  /** The image that a question asked now is about; undefined where there is none of these moments. */
  best(nowMs: number): CameraImage | undefined {
    const fresh = this.#images.filter((image) => nowMs - image.view.atMs <= this.#limits.ageMsMax);
    const newest = fresh.at(-1);
    if (newest === undefined || this.sharpness(newest) >= SHARP_ENOUGH) return newest;
    const recent = fresh.filter((image) => newest.view.atMs - image.view.atMs <= RECENCY_MS);
    return recent.reduce((best, image) => (this.sharpness(image) >= this.sharpness(best) ? image : best), newest);
  }

  /** 0 to 1: from the motion of the camera, and from how much picture the encoder found. */
  sharpness(image: CameraImage): number {
    const { view, turnRadPerS, moveMPerS } = image;
    const smearPx = (turnRadPerS + moveMPerS / 2) * EXPOSURE_S * view.fx;
    const steadiness = 1 / (1 + (smearPx / SMEAR_PX) ** 2);
    const detail = this.#typicalBytes === 0 ? 1 : Math.min(1, densityOf(image) / this.#typicalBytes);
    return steadiness * detail ** 2;
  }

  /** Whether the view shows something that no recent look has: from elsewhere, or turned away. */
  isNewView(view: ImageView): boolean {
    return this.#looks.every(
      (look) =>
        view.atMs - look.atMs > LOOK_MS ||
        distance(look.view.pose.position, view.pose.position) > NEW_VIEW_M ||
        angleTo(look.view.pose.orientation, view.pose.orientation) > NEW_VIEW_RAD,
    );
  }

  /** The image to look at unasked, where there is one, the budget allows it, and it is sharp and shows something new. */
  due(nowMs: number): CameraImage | undefined {
    const { looksPerMinute, pauseMs } = this.#limits;
    const newest = this.#images.at(-1);
    if (newest?.isPlaced !== true || looksPerMinute === 0 || nowMs - newest.view.atMs > pauseMs) return undefined;
    const recent = this.#looks.filter((look) => nowMs - look.atMs < 60_000);
    if (recent.length >= looksPerMinute || nowMs - (recent.at(-1)?.atMs ?? -Infinity) < pauseMs) return undefined;
    return this.sharpness(newest) >= SHARP_ENOUGH && this.isNewView(newest.view) ? newest : undefined;
  }

  /** Counts a look, asked for or not, against novelty and budget. */
  noteLook(view: ImageView, nowMs: number): void {
    this.#looks.push({ view, atMs: nowMs });
    if (this.#looks.length > LOOKS_KEPT) this.#looks.shift();
  }
}

function densityOf({ view, bytes }: CameraImage): number {
  return bytes.length / (view.widthPx * view.heightPx);
}
