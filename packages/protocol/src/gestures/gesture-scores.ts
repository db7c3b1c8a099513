import { FEATURE, ramp } from "./gesture-features.ts";

/** Poses of one hand, in the order of `foldPoseScores`. */
export const POSE_NAMES = [
  "pinch",
  "grab",
  "point",
  "open-palm",
  "fist",
  "thumbs-up",
  "thumbs-down",
  "victory",
] as const;

export type PoseName = (typeof POSE_NAMES)[number];

/**
 * How well the hand fits each pose, 0 to 1, as the worst of the pose's own conditions: a hand must meet all of them.
 * `reach` holds how straight each finger of this user gets at most, so that stiff or short-modelled fingers count as
 * straight too. The numbers come from the 55 handy and 7 handy-work poses and the recorded Quest 3 hands; a hand at rest
 * (fingers nearly straight, hanging or lying) fits none of them.
 */
export function foldPoseScores(features: Float64Array, reach: Float64Array, out: Float64Array): void {
  const index = (features[FEATURE.straight + 1] as number) / (reach[1] as number);
  const middle = (features[FEATURE.straight + 2] as number) / (reach[2] as number);
  const ring = (features[FEATURE.straight + 3] as number) / (reach[3] as number);
  const little = (features[FEATURE.straight + 4] as number) / (reach[4] as number);
  const thumb = (features[FEATURE.straight] as number) / (reach[0] as number);
  const pinch = features[FEATURE.pinch] as number;
  const across = features[FEATURE.thumbAcross] as number;
  const thumbUp = features[FEATURE.thumbUp] as number;
  const loosest = Math.max(index, middle, ring, little);
  const tightest = Math.min(index, middle, ring, little);
  const othersCurled = Math.min(ramp(middle, 0.85, 0.7), ramp(ring, 0.85, 0.72), ramp(little, 0.9, 0.76));
  const thumbsOut = Math.min(ramp(loosest, 0.72, 0.58), ramp(across, 0.78, 0.9), ramp(thumb, 0.8, 0.9));
  const grab = Math.min(ramp(loosest, 0.84, 0.72), ramp(across, 0.88, 0.72));
  out[0] = Math.min(ramp(pinch, 0.32, 0.18), ramp(index, 0.5, 0.62), 1 - grab);
  out[1] = grab;
  out[2] = Math.min(ramp(index, 0.84, 0.92), othersCurled, ramp(pinch, 0.3, 0.42));
  out[3] = Math.min(
    ramp(tightest, 0.88, 0.95),
    ramp(features[FEATURE.fingersUp] as number, 0.5, 0.75),
    ramp(pinch, 0.35, 0.5),
  );
  out[4] = Math.min(ramp(loosest, 0.68, 0.58), ramp(across, 0.62, 0.5));
  out[5] = Math.min(thumbsOut, ramp(thumbUp, 0.45, 0.7));
  out[6] = Math.min(thumbsOut, ramp(thumbUp, -0.45, -0.7));
  out[7] = Math.min(
    ramp(Math.min(index, middle), 0.84, 0.92),
    ramp(ring, 0.85, 0.7),
    ramp(little, 0.85, 0.72),
    ramp(features[FEATURE.spread] as number, 0.27, 0.36),
    ramp(pinch, 0.3, 0.42),
  );
}
