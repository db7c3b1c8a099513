// Views into scanned rooms whose truth comes from three-mesh-bvh and shares no code with the engine: a camera looks at a
// point of the room's surface, the point is projected with its own formula, and what a model would answer is rounded to
// its thousandths. Image and depth travel as packets of the wire, with its rounding of poses.
import { loadScannedMesh, SeededRandom } from "@fovea/core/testing";
import { decodeDepthPacket, decodeImagePacket, encodeDepthPacket, encodeImagePacket } from "@fovea/protocol";
import type { DepthPacket, ImagePacket } from "@fovea/protocol";
import { BufferAttribute, BufferGeometry, DoubleSide, Matrix4, Quaternion, Ray, Vector3 } from "three";
import { MeshBVH } from "three-mesh-bvh";

type Room = Parameters<typeof loadScannedMesh>[0];

export interface SyntheticView {
  /** The point of the room that the model meant. */
  readonly truth: readonly [number, number, number];
  readonly distanceM: number;
  /** Angle between line of sight and surface normal, degrees. */
  readonly incidenceDeg: number;
  /** As a model gives it: y and x in thousandths of the image. */
  readonly pointThousandths: readonly [y: number, x: number];
  readonly image: ImagePacket;
  readonly depth: DepthPacket;
  /** Where the head is when the model has answered. */
  readonly laterPose: Float32Array;
}

export const WIDTH = 1_280;
export const HEIGHT = 960;
const FOCAL = 900;
const DEPTH_WIDTH = 200;
const DEPTH_HEIGHT = 150;
const JPEG = Uint8Array.of(0xff, 0xd8, 0xff, 0xd9);

export class ViewMaker {
  readonly #bvh: MeshBVH;
  readonly #random: SeededRandom;
  readonly #positions: Float32Array;
  readonly #indices: Uint32Array;
  readonly #toRoom: Matrix4;

  constructor(room: Room, seed: number) {
    const { pose, positions, indices } = loadScannedMesh(room);
    this.#toRoom = new Matrix4().compose(
      new Vector3(...pose.position),
      new Quaternion(...pose.orientation),
      new Vector3(1, 1, 1),
    );
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(positions.slice(), 3));
    geometry.setIndex(new BufferAttribute(indices.slice(), 1));
    geometry.applyMatrix4(this.#toRoom);
    this.#positions = geometry.getAttribute("position").array as Float32Array;
    this.#indices = indices;
    this.#bvh = new MeshBVH(geometry);
    this.#random = new SeededRandom(seed);
  }

  /** A view from about `distanceM`; undefined where the chosen point cannot be seen from there. */
  next(distanceM: number): SyntheticView | undefined {
    const random = this.#random;
    const triangle = Math.floor(random.next() * (this.#indices.length / 3));
    const corner = (index: number): Vector3 =>
      new Vector3().fromArray(this.#positions, (this.#indices[triangle * 3 + index] as number) * 3);
    const [a, b, c] = [corner(0), corner(1), corner(2)];
    const u = Math.sqrt(random.next());
    const v = random.next();
    const truth = a
      .clone()
      .multiplyScalar(1 - u)
      .addScaledVector(b, u * (1 - v))
      .addScaledVector(c, u * v);
    const normal = b.clone().sub(a).cross(c.clone().sub(a)).normalize();
    const away = new Vector3(random.next() - 0.5, (random.next() - 0.5) * 0.7, random.next() - 0.5).normalize();
    const eye = truth.clone().addScaledVector(away, distanceM);
    // Looks a little aside, so that the point is anywhere in the image.
    const aim = truth
      .clone()
      .add(new Vector3(random.next() - 0.5, random.next() - 0.5, random.next() - 0.5).multiplyScalar(1.2));
    const turn = new Quaternion().setFromRotationMatrix(new Matrix4().lookAt(eye, aim, new Vector3(0, 1, 0)));
    const local = truth.clone().sub(eye).applyQuaternion(turn.clone().invert());
    if (local.z > -0.2) return undefined;
    const xPx = WIDTH / 2 + (FOCAL * local.x) / -local.z;
    const yPx = HEIGHT / 2 - (FOCAL * local.y) / -local.z;
    if (xPx < 20 || yPx < 20 || xPx > WIDTH - 20 || yPx > HEIGHT - 20) return undefined;
    const toTruth = truth.clone().sub(eye).normalize();
    const hit = this.#bvh.raycastFirst(new Ray(eye, toTruth), DoubleSide);
    if (hit === null || hit.point.distanceTo(truth) > 0.001) return undefined;
    const incidenceDeg = (Math.acos(Math.min(1, Math.abs(toTruth.dot(normal)))) * 180) / Math.PI;
    const depth = this.#depthOf(eye, turn);
    return {
      truth: [truth.x, truth.y, truth.z],
      distanceM,
      incidenceDeg,
      pointThousandths: [Math.round((yPx / HEIGHT) * 1_000), Math.round((xPx / WIDTH) * 1_000)],
      image: overTheWire(eye, turn),
      depth,
      laterPose: this.#later(eye, turn),
    };
  }

  /** What the depth sensor of a headset gives: a coarse grid in millimetres, from its own place beside the camera. */
  #depthOf(cameraEye: Vector3, turn: Quaternion): DepthPacket {
    const eye = cameraEye.clone().add(new Vector3(-0.06, 0.015, 0.02).applyQuaternion(turn));
    const projection = [1.1, 1.4, 0.05, -0.03] as const;
    const payload = new Uint8Array(DEPTH_WIDTH * DEPTH_HEIGHT * 2);
    const cells = new DataView(payload.buffer);
    const ray = new Ray(eye);
    for (let row = 0; row < DEPTH_HEIGHT; row++) {
      for (let column = 0; column < DEPTH_WIDTH; column++) {
        const clipX = ((column + 0.5) / DEPTH_WIDTH) * 2 - 1;
        const clipY = 1 - ((row + 0.5) / DEPTH_HEIGHT) * 2;
        const local = new Vector3((clipX + projection[2]) / projection[0], (clipY + projection[3]) / projection[1], -1);
        const stretch = local.length();
        ray.direction.copy(local).divideScalar(stretch).applyQuaternion(turn);
        const hit = this.#bvh.raycastFirst(ray, DoubleSide);
        const millimetres = hit === null ? 0 : Math.round((hit.distance / stretch) * 1_000);
        cells.setUint16((row * DEPTH_WIDTH + column) * 2, Math.min(65_535, millimetres), true);
      }
    }
    const decoded = decodeDepthPacket(
      encodeDepthPacket({
        format: "uint16",
        depthId: 1,
        t: 0,
        sensorPose: poseArray(eye, turn),
        normDepthBufferFromNormView: Float32Array.of(1, 0, 0, 1, 0, 0),
        projection: Float32Array.of(...projection),
        rawValueToMeters: 0.001,
        width: DEPTH_WIDTH,
        height: DEPTH_HEIGHT,
        payload,
      }),
    );
    if (decoded.outcome !== "packet") throw new Error(decoded.error.message);
    return decoded.packet;
  }

  /** Two seconds later: walked up to a metre, turned up to sixty degrees. */
  #later(eye: Vector3, turn: Quaternion): Float32Array {
    const random = this.#random;
    const moved = eye.clone().add(new Vector3(random.next() - 0.5, 0, random.next() - 0.5).multiplyScalar(2));
    const turned = turn
      .clone()
      .premultiply(new Quaternion().setFromAxisAngle(new Vector3(0, 1, 0), ((random.next() - 0.5) * 2 * Math.PI) / 3));
    return poseArray(moved, turned);
  }
}

function overTheWire(eye: Vector3, turn: Quaternion): ImagePacket {
  const decoded = decodeImagePacket(
    encodeImagePacket({
      format: "jpeg",
      isIntrinsicsEstimated: false,
      imageId: 1,
      t: 0,
      cameraPose: poseArray(eye, turn),
      intrinsics: Float32Array.of(FOCAL, FOCAL, WIDTH / 2, HEIGHT / 2),
      width: WIDTH,
      height: HEIGHT,
      depthRef: 1,
      payload: JPEG,
    }),
  );
  if (decoded.outcome !== "packet") throw new Error(decoded.error.message);
  return decoded.packet;
}

function poseArray(eye: Vector3, turn: Quaternion): Float32Array {
  return Float32Array.of(eye.x, eye.y, eye.z, turn.x, turn.y, turn.z, turn.w);
}
