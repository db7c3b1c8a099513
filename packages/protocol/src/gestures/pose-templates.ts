// Static hand poses by templates: the pose whose joints fit best after turning, moving and scaling the whole hand.
// Aligning all 25 joints, and not the palm alone, spreads the joint noise over the hand and is the likeliest match under
// equal noise of every joint. The residual of the best rotation comes from the largest eigenvalue of Horn's matrix (Horn
// 1987), found by Newton's method on its characteristic polynomial (Theobald 2005), so no rotation is ever computed.

import { angleDistance, foldHandAngles, HAND_ANGLES } from "./hand-angles.ts";

/** One pose to recognise: 75 numbers, x y z of the 25 WebXR joints, of a right hand. */
export interface PoseTemplate {
  readonly name: string;
  readonly joints: Float64Array;
}

export interface PoseMatch {
  readonly name: string;
  /** 0 to 1: how much better than the next pose of another name, in units of the joint noise that real trackers have. */
  readonly confidence: number;
  /** Root mean square of the joints' misfit in hand sizes (wrist to middle knuckle). */
  readonly misfit: number;
}

/** A hand that fits no template better than this is no known pose. About 12 mm a joint. */
const MISFIT_MAX = 0.13;

/**
 * A hand that fits no template by its joints' places is looked at by its angles: nearer than the first, and nearer by the
 * second than any pose of another name. Two people's, or two hands', way of making one pose is 0.05 to 0.3 apart.
 */
const ANGLES_MAX = 0.32;
const ANGLES_LEAD = 0.08;

/** Joint noise of a good tracker, 2 mm on a hand of 9.5 cm. */
const NOISE = 0.021;

export class PoseTemplates {
  readonly #names: string[] = [];
  readonly #shapes: Float64Array[] = [];
  readonly #angles: Float64Array[] = [];
  readonly #shape = new Float64Array(75);
  readonly #shown = new Float64Array(HAND_ANGLES);

  constructor(templates: readonly PoseTemplate[] = []) {
    for (const template of templates) this.add(template.name, template.joints, "right");
  }

  /** Teaches one example. Several examples of one name are several templates. */
  add(name: string, joints: ArrayLike<number>, handedness: "left" | "right"): void {
    const shape = new Float64Array(75);
    if (!foldShape(joints, handedness === "left", shape)) return;
    this.#names.push(name);
    this.#shapes.push(shape);
    const angles = new Float64Array(HAND_ANGLES);
    foldHandAngles(joints, handedness === "left", angles);
    this.#angles.push(angles);
  }

  /** The best pose, or undefined when joints are missing or none fits. */
  match(joints: ArrayLike<number>, handedness: "left" | "right"): PoseMatch | undefined {
    const sizeScale = foldShape(joints, handedness === "left", this.#shape);
    if (sizeScale === 0) return undefined;
    let best = -1;
    let bestFit = -1;
    let nextFit = -1;
    for (let i = 0; i < this.#shapes.length; i++) {
      const fit = bestRotationFit(this.#shape, this.#shapes[i] as Float64Array);
      if (fit > bestFit) {
        if (best >= 0 && this.#names[best] !== this.#names[i]) nextFit = bestFit;
        best = i;
        bestFit = fit;
      } else if (fit > nextFit && this.#names[best] !== this.#names[i]) nextFit = fit;
    }
    if (best < 0) return undefined;
    // Both shapes have unit size, so the squared misfit at the best scale is 1 - fit squared.
    const misfit = Math.sqrt(Math.max(0, 1 - bestFit * bestFit) / 25) * sizeScale;
    if (misfit > MISFIT_MAX) return this.#matchAngles(joints, handedness, misfit);
    const lead = (bestFit * bestFit - Math.max(0, nextFit) ** 2) * sizeScale * sizeScale;
    return { name: this.#names[best] as string, confidence: 1 / (1 + Math.exp(-lead / (2 * NOISE * NOISE))), misfit };
  }

  #matchAngles(joints: ArrayLike<number>, handedness: "left" | "right", misfit: number): PoseMatch | undefined {
    foldHandAngles(joints, handedness === "left", this.#shown);
    let best = 0;
    let nearest = Infinity;
    let next = ANGLES_MAX + ANGLES_LEAD;
    for (let i = 0; i < this.#angles.length; i++) {
      const distance = angleDistance(this.#shown, this.#angles[i] as Float64Array);
      if (distance < nearest) {
        if (this.#names[best] !== this.#names[i]) next = Math.min(next, nearest);
        best = i;
        nearest = distance;
      } else if (distance < next && this.#names[best] !== this.#names[i]) next = distance;
    }
    if (!(nearest <= ANGLES_MAX && next - nearest >= ANGLES_LEAD)) return undefined;
    const confidence = 1 / (1 + Math.exp(-(next - nearest) / ANGLES_LEAD));
    return { name: this.#names[best] as string, confidence, misfit };
  }
}

/** Centred, mirrored to a right hand, scaled to unit size. Returns the size in wrist-to-knuckle lengths, 0 if unusable. */
function foldShape(joints: ArrayLike<number>, isLeft: boolean, out: Float64Array): number {
  const centre = [0, 0, 0];
  for (let i = 0; i < 75; i++) centre[i % 3] = (centre[i % 3] as number) + (joints[i] as number) / 25;
  let square = 0;
  for (let i = 0; i < 75; i++) {
    const value = (joints[i] as number) - (centre[i % 3] as number);
    out[i] = isLeft && i % 3 === 0 ? -value : value;
    square += value * value;
  }
  const size = Math.sqrt(square);
  if (!(size > 0)) return 0;
  for (let i = 0; i < 75; i++) out[i] = (out[i] as number) / size;
  return (
    1 /
    Math.hypot(
      (out[33] as number) - (out[0] as number),
      (out[34] as number) - (out[1] as number),
      (out[35] as number) - (out[2] as number),
    )
  );
}

/** Largest possible sum of products of the two point sets over all rotations: 1 for equal shapes of unit size. */
function bestRotationFit(a: Float64Array, b: Float64Array): number {
  let xx = 0,
    xy = 0,
    xz = 0,
    yx = 0,
    yy = 0,
    yz = 0,
    zx = 0,
    zy = 0,
    zz = 0;
  for (let i = 0; i < 75; i += 3) {
    const ax = a[i] as number,
      ay = a[i + 1] as number,
      az = a[i + 2] as number;
    const bx = b[i] as number,
      by = b[i + 1] as number,
      bz = b[i + 2] as number;
    xx += ax * bx;
    xy += ax * by;
    xz += ax * bz;
    yx += ay * bx;
    yy += ay * by;
    yz += ay * bz;
    zx += az * bx;
    zy += az * by;
    zz += az * bz;
  }
  const square = xx * xx + xy * xy + xz * xz + yx * yx + yy * yy + yz * yz + zx * zx + zy * zy + zz * zz;
  const determinant = xx * (yy * zz - yz * zy) - xy * (yx * zz - yz * zx) + xz * (yx * zy - yy * zx);
  const c2 = -2 * square;
  const c1 = -8 * determinant;
  const c0 = hornDeterminant(xx, xy, xz, yx, yy, yz, zx, zy, zz);
  // The largest root lies below 1, because both shapes have unit size; Newton from above converges without overshooting.
  let root = 1;
  for (let i = 0; i < 50; i++) {
    const value = ((root * root + c2) * root + c1) * root + c0;
    const slope = (4 * root * root + 2 * c2) * root + c1;
    if (slope === 0) break;
    const step = value / slope;
    root -= step;
    if (Math.abs(step) < 1e-12) break;
  }
  return root;
}

/** Determinant of Horn's symmetric 4 by 4 matrix. */
// oxlint-disable-next-line max-params -- Nine entries of one matrix; an array would allocate for each template.
function hornDeterminant(
  xx: number,
  xy: number,
  xz: number,
  yx: number,
  yy: number,
  yz: number,
  zx: number,
  zy: number,
  zz: number,
): number {
  const a = xx + yy + zz,
    b = yz - zy,
    c = zx - xz,
    d = xy - yx;
  const e = xx - yy - zz,
    f = xy + yx,
    g = zx + xz;
  const h = -xx + yy - zz,
    i = yz + zy,
    j = -xx - yy + zz;
  const m1 = h * j - i * i,
    m2 = f * j - i * g,
    m3 = f * i - h * g;
  const first = e * m1 - f * m2 + g * m3;
  const second = b * m1 - f * (c * j - i * d) + g * (c * i - h * d);
  const third = b * m2 - e * (c * j - i * d) + g * (c * g - f * d);
  const fourth = b * m3 - e * (c * i - h * d) + f * (c * g - f * d);
  return a * first - b * second + c * third - d * fourth;
}
