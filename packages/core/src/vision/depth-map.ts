// One depth image of WebXR with the pose and the projection of its own sensor, which need not be the camera's. Values are
// distances to the sensor's plane, not along the ray; 0 means not known.
import type { DepthPacket } from "@fovea/protocol";
import type { Pose } from "../geometry/pose.ts";
import { toLocalPoint } from "../geometry/pose.ts";
import { rotateInverse } from "../geometry/quat.ts";
import type { Ray } from "../geometry/ray.ts";

const REACH_M = 12;
const STEP_M = 0.02;
/** Come from where nothing is known: nearer than this to the surface it may be just in front of it. */
const FRESH_M = 0.04;
/** A ray that is this far behind what the sensor sees has passed behind an edge, not through a surface. */
const EDGE_M = 0.15;
const NEAR_M = 0.05;
const REFINEMENTS = 12;

export class DepthMap {
  readonly depthId: number;
  readonly pose: Pose;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Metres, row by row; 0 where nothing is known. */
  readonly #metres: Float32Array;
  #isAtEdge = false;
  #wasHidden = false;
  readonly #affine: Float32Array;
  readonly #projection: Float32Array;

  /** Copies what it keeps: a packet lies in the socket's buffer. */
  constructor(packet: DepthPacket) {
    this.depthId = packet.depthId;
    const [x = 0, y = 0, z = 0, qx = 0, qy = 0, qz = 0, qw = 1] = packet.sensorPose;
    this.pose = { position: [x, y, z], orientation: [qx, qy, qz, qw] };
    this.widthPx = packet.width;
    this.heightPx = packet.height;
    this.#affine = packet.normDepthBufferFromNormView.slice();
    this.#projection = packet.projection.slice();
    this.#metres = metresOf(packet);
  }

  get sizeBytes(): number {
    return this.#metres.byteLength;
  }

  /** Whether the last distance may be another thing's: where cells jump, or after a stretch that the sensor could not see. */
  get isUnsure(): boolean {
    return this.#isAtEdge || this.#wasHidden;
  }

  /**
   * Metres along the ray to the first surface that the sensor saw; undefined where the ray leaves the sensor's view, or
   * passes behind an edge and is not seen to come out.
   */
  distanceAlong(ray: Ray): number | undefined {
    const origin = toLocalPoint(this.pose, ray.origin);
    const direction = rotateInverse(this.pose.orientation, ray.direction);
    // Behind the sensor's surface counts as hidden until the ray is seen in front of it again.
    let before: "front" | "unknown" | "behind" = "unknown";
    let beforeM = NEAR_M;
    this.#wasHidden = false;
    for (let alongM = NEAR_M; alongM <= REACH_M; alongM += STEP_M + alongM * 0.005) {
      const gap = this.#gapAt(origin, direction, alongM);
      if (gap >= 0 && before === "front" && gap <= EDGE_M) return this.#refine(origin, direction, beforeM, alongM);
      if (gap >= 0 && before === "unknown" && gap <= FRESH_M) return alongM;
      this.#wasHidden ||= gap >= 0;
      before = gap < 0 ? "front" : gap >= 0 ? "behind" : "unknown";
      beforeM = alongM;
    }
    return undefined;
  }

  #refine(origin: readonly number[], direction: readonly number[], fromM: number, toM: number): number {
    let low = fromM;
    let high = toM;
    for (let round = 0; round < REFINEMENTS; round++) {
      const middle = (low + high) / 2;
      if (this.#gapAt(origin, direction, middle) < 0) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  }

  /** How far the point on the ray lies behind the surface seen in its direction; NaN where that is not known. */
  #gapAt(origin: readonly number[], direction: readonly number[], alongM: number): number {
    const x = (origin[0] as number) + (direction[0] as number) * alongM;
    const y = (origin[1] as number) + (direction[1] as number) * alongM;
    const depthM = -((origin[2] as number) + (direction[2] as number) * alongM);
    if (depthM < NEAR_M) return Number.NaN;
    const [p0 = 1, p5 = 1, p8 = 0, p9 = 0] = this.#projection;
    // Clip space to normalised view coordinates: origin top left, y down.
    const viewX = ((x * p0) / depthM - p8 + 1) / 2;
    const viewY = (1 - ((y * p5) / depthM - p9)) / 2;
    if (!(viewX >= 0 && viewX <= 1 && viewY >= 0 && viewY <= 1)) return Number.NaN;
    const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = this.#affine;
    this.#isAtEdge = false;
    const surfaceM = this.#sample(
      (a * viewX + c * viewY + e) * this.widthPx,
      (b * viewX + d * viewY + f) * this.heightPx,
    );
    return surfaceM === 0 ? Number.NaN : depthM - surfaceM;
  }

  /**
   * Between the middles of four cells, in inverse depth, which is linear on planes. Across an edge the nearest cell alone
   * counts: a mean of table and floor is nowhere.
   */
  #sample(atX: number, atY: number): number {
    const column = clamp(Math.floor(atX - 0.5), this.widthPx - 2);
    const row = clamp(Math.floor(atY - 0.5), this.heightPx - 2);
    const nearest = this.#cell(clamp(Math.floor(atX), this.widthPx - 1), clamp(Math.floor(atY), this.heightPx - 1));
    if (nearest === 0 || this.widthPx < 2 || this.heightPx < 2) return nearest;
    const shareX = Math.min(1, Math.max(0, atX - 0.5 - column));
    const shareY = Math.min(1, Math.max(0, atY - 0.5 - row));
    const a = this.#cell(column, row);
    const b = this.#cell(column + 1, row);
    const c = this.#cell(column, row + 1);
    const d = this.#cell(column + 1, row + 1);
    this.#isAtEdge = Math.min(a, b, c, d) <= 0 || Math.max(a, b, c, d) - Math.min(a, b, c, d) > 0.05 + nearest * 0.05;
    if (this.#isAtEdge) return nearest;
    const top = (1 - shareX) / a + shareX / b;
    const bottom = (1 - shareX) / c + shareX / d;
    return 1 / ((1 - shareY) * top + shareY * bottom);
  }

  #cell(column: number, row: number): number {
    return this.#metres[row * this.widthPx + column] ?? 0;
  }
}

function clamp(value: number, max: number): number {
  return Math.max(0, Math.min(max, value));
}

function metresOf({ format, payload, rawValueToMeters, width, height }: DepthPacket): Float32Array {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const metres = new Float32Array(width * height);
  for (let cell = 0; cell < metres.length; cell++) {
    const raw = view.getUint16(cell * 2, true);
    const value = (format === "uint16" ? raw : halfOf(raw)) * rawValueToMeters;
    metres[cell] = value > 0 && value < 1_000 ? value : 0;
  }
  return metres;
}

/** IEEE 754 half precision. */
function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1_024) * 2 ** (exponent - 15);
}
