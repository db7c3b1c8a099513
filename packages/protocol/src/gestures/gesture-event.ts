// The gesture code imports nothing: the same files run in the gateway and, bundled, in a browser. The names repeat
// GestureName of model/xr-context.ts, and a test compares the two.

export type HandGestureName =
  | "pinch"
  | "grab"
  | "point"
  | "open-palm"
  | "fist"
  | "thumbs-up"
  | "thumbs-down"
  | "victory"
  | "swipe"
  | "circle"
  | "push"
  | "two-hand-scale"
  | "two-hand-rotate"
  | "nod"
  | "shake";

/** Which hand; `none` for gestures of the head, `both` for those that need two hands. */
export type GestureSide = "left" | "right" | "both" | "none";

/** `Name` is any text where the application taught gestures of its own. */
export interface GestureEvent<Name extends string = HandGestureName> {
  readonly name: Name;
  /** A gesture that is over in one movement (swipe, push, nod, shake) has a `start` and an `end` at the same time. */
  readonly phase: "start" | "update" | "end";
  /** 0 to 1. Of an `end`: the highest confidence the gesture reached. */
  readonly confidence: number;
  readonly tMs: number;
  /** When the gesture started. */
  readonly sinceMs: number;
  readonly handedness: GestureSide;
  /** swipe and push: where the movement went, as seen by the viewer. */
  readonly direction?: "left" | "right" | "up" | "down" | "forward" | "back";
  /**
   * circle: turns so far, clockwise as seen by the viewer positive; two-hand-scale: distance of the hands relative to the
   * start; two-hand-rotate: radians about the vertical axis since the start, positive to the left; swipe and push: metres.
   */
  readonly value?: number;
}

export const NO_GESTURES: readonly GestureEvent[] = [];
