// Gestures recognised in the page, by the same code as in the gateway: an application can answer a pinch within the frame,
// and at the consent level `gesture` names and phases leave instead of joints.

import type { WireConsent } from "@fovea/protocol";
import type { ExtraGestures, GestureEvent, HandCalibration } from "@fovea/protocol/gestures";
import { SessionGestures } from "@fovea/protocol/gestures";
import type { PoseSampler } from "./pose-sampler.ts";

/** As often as the gateway looks: what a gesture is does not depend on where it is recognised. */
const LOOK_EVERY_MS = 30;

/** Tracking loses a hand for a moment now and then: what it holds is kept so long. */
const STALE_MS = 250;

const SIDES = ["left", "right"] as const;

/** What is looked at: the session's frame with its space and sources, and what the user lets be known. */
export interface GestureView {
  readonly timeMs: number;
  readonly frame: XRFrame;
  readonly space: XRReferenceSpace;
  readonly sources: Iterable<XRInputSource>;
  readonly consent: WireConsent;
}

export class LocalGestures {
  readonly #report: (event: GestureEvent<string>) => void;
  readonly #viewer = new Float32Array(7);
  #calibration: HandCalibration | undefined;
  #taught: (() => ExtraGestures) | undefined;
  #gestures = new SessionGestures();
  #lastMs = -Infinity;
  /** When each hand was last tracked; -Infinity while it is not there. */
  readonly #seenMs = { left: -Infinity, right: -Infinity };

  constructor(report: (event: GestureEvent<string>) => void) {
    this.#report = report;
  }

  /** Also recognises what the application taught; undefined: only the built-in gestures. Ends what is under way. */
  use(taught: (() => ExtraGestures) | undefined): void {
    this.#taught = taught;
    this.#restart();
  }

  calibrate(calibration: HandCalibration | undefined): void {
    this.#calibration = calibration;
    this.#restart();
  }

  calibration(handedness: "left" | "right"): HandCalibration {
    return this.#gestures.calibration(handedness);
  }

  look(view: GestureView, sampler: PoseSampler): void {
    const { timeMs, frame, space, consent } = view;
    if (timeMs < this.#lastMs + LOOK_EVERY_MS) return;
    this.#lastMs = timeMs;
    if (consent.head) {
      const viewer = frame.getViewerPose(space);
      if (viewer !== undefined && viewer !== null) {
        const { position, orientation } = viewer.transform;
        this.#viewer.set([position.x, position.y, position.z]);
        this.#viewer.set([orientation.x, orientation.y, orientation.z, orientation.w], 3);
        this.#tell(this.#gestures.foldViewer(this.#viewer, timeMs));
      }
    }
    const isHeld = { left: false, right: false };
    if (consent.hands !== "none") {
      for (const source of view.sources) {
        const { hand, handedness } = source;
        if (!hand || handedness === "none") continue;
        isHeld[handedness] = true;
        const joints = sampler.jointsOf(frame, space, hand);
        if (joints === undefined) continue;
        this.#seenMs[handedness] = timeMs;
        this.#tell(this.#gestures.foldHand(joints, timeMs, handedness));
      }
    }
    for (const side of SIDES) {
      const isGone = !isHeld[side] || timeMs - this.#seenMs[side] > STALE_MS;
      if (isGone && this.#seenMs[side] > -Infinity) this.#lose(side, timeMs);
    }
  }

  /** The session is over: what was under way ends. */
  end(): void {
    if (this.#lastMs > -Infinity) this.#restart();
  }

  #restart(): void {
    for (const side of SIDES) if (this.#seenMs[side] > -Infinity) this.#lose(side, this.#lastMs);
    this.#lastMs = -Infinity;
    this.#gestures = new SessionGestures({
      ...(this.#calibration === undefined ? {} : { calibration: this.#calibration }),
      ...(this.#taught === undefined ? {} : { taught: this.#taught }),
    });
  }

  #lose(side: "left" | "right", timeMs: number): void {
    this.#seenMs[side] = -Infinity;
    this.#tell(this.#gestures.lost(side, timeMs));
  }

  #tell(events: readonly GestureEvent<string>[]): void {
    for (let index = 0; index < events.length; index++) this.#report(events[index] as GestureEvent<string>);
  }
}
