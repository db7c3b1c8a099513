// Where a camera image can come from, each found by looking for what it needs: the headset's own camera pixels (WebXR raw
// camera access), a video camera of the device (getUserMedia), or a picture that the application draws itself.
import type { Point } from "./matrix.ts";

/** How a camera sees, in pixels of the image. */
export interface Lens {
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
}

/** From where an image was taken: seven numbers in the reference space. */
export type PoseNumbers = Float32Array;

/** One picture to encode, with all that is needed to place its pixels. `release` lets the runtime have it back. */
export interface Picture {
  readonly image: CanvasImageSource | ImageData;
  readonly width: number;
  readonly height: number;
  readonly lens: Lens;
  readonly isLensEstimated: boolean;
  /** Absent where nobody knows from where it was taken. */
  readonly pose?: PoseNumbers;
}

/** Pixels from a projection matrix (column-major): xr reference, section 6. */
export function lensOf(projection: ArrayLike<number>, width: number, height: number): Lens {
  const cell = (index: number): number => projection[index] ?? 0;
  return {
    fx: (cell(0) * width) / 2,
    fy: (cell(5) * height) / 2,
    cx: ((1 - cell(8)) * width) / 2,
    cy: ((1 + cell(9)) * height) / 2,
  };
}

export function poseNumbers({ position: p, orientation: q }: XRRigidTransform): PoseNumbers {
  return Float32Array.of(p.x, p.y, p.z, q.x, q.y, q.z, q.w);
}

/** A pose with a fixed offset in its own axes: where the camera sits on the head. */
export function offsetPose(pose: PoseNumbers, offset: Readonly<Point>, pitchRad: number): PoseNumbers {
  const [x = 0, y = 0, z = 0, qx = 0, qy = 0, qz = 0, qw = 1] = pose;
  const [ox, oy, oz] = offset;
  const tx = 2 * (qy * oz - qz * oy);
  const ty = 2 * (qz * ox - qx * oz);
  const tz = 2 * (qx * oy - qy * ox);
  const sine = Math.sin(pitchRad / 2);
  const cosine = Math.cos(pitchRad / 2);
  return Float32Array.of(
    x + ox + qw * tx + qy * tz - qz * ty,
    y + oy + qw * ty + qz * tx - qx * tz,
    z + oz + qw * tz + qx * ty - qy * tx,
    qw * sine + qx * cosine,
    qy * cosine + qz * sine,
    qz * cosine - qy * sine,
    qw * cosine - qx * sine,
  );
}

/** What WebXR calls a view with the camera of raw camera access. */
interface CameraView extends XRView {
  readonly camera?: { readonly width: number; readonly height: number } | null;
}

interface CameraBinding {
  getCameraImage(camera: object): WebGLTexture | null;
}

/**
 * The pixels of the headset's camera. The texture lives for one frame only, so they are read at once, inside it. The
 * camera of a view sees what the view sees: its projection is the lens.
 */
export class RawCamera {
  readonly #gl: WebGL2RenderingContext | WebGLRenderingContext;
  readonly #binding: CameraBinding;
  readonly #target: WebGLFramebuffer | null;

  /** Undefined where the session or the browser has no such thing. */
  static open(
    session: XRSession,
    gl: WebGL2RenderingContext | WebGLRenderingContext | undefined,
  ): RawCamera | undefined {
    const isGranted = [...(session.enabledFeatures ?? [])].includes("camera-access");
    if (!isGranted || gl === undefined || typeof XRWebGLBinding === "undefined") return undefined;
    const binding = new XRWebGLBinding(session, gl as WebGLRenderingContext) as unknown as Partial<CameraBinding>;
    if (typeof binding.getCameraImage !== "function") return undefined;
    return new RawCamera(gl, binding as CameraBinding);
  }

  private constructor(gl: WebGL2RenderingContext | WebGLRenderingContext, binding: CameraBinding) {
    this.#gl = gl;
    this.#binding = binding;
    this.#target = gl.createFramebuffer();
  }

  take(frame: XRFrame, space: XRReferenceSpace): Picture | undefined {
    const view = frame.getViewerPose(space)?.views.find((one) => (one as CameraView).camera);
    const camera = (view as CameraView | undefined)?.camera;
    if (view === undefined || !camera) return undefined;
    const texture = this.#binding.getCameraImage(camera);
    if (texture === null) return undefined;
    const { width, height } = camera;
    const pixels = this.#read(texture, width, height);
    if (pixels === undefined) return undefined;
    return {
      image: new ImageData(pixels, width, height),
      width,
      height,
      lens: lensOf(view.projectionMatrix, width, height),
      isLensEstimated: false,
      pose: poseNumbers(view.transform),
    };
  }

  close(): void {
    this.#gl.deleteFramebuffer(this.#target);
  }

  /** Rows come from the bottom up; the image wants them from the top down. What was bound before is bound again. */
  #read(texture: WebGLTexture, width: number, height: number): Uint8ClampedArray<ArrayBuffer> | undefined {
    const gl = this.#gl;
    const before = gl.getParameter(gl.FRAMEBUFFER_BINDING) as WebGLFramebuffer | null;
    const pixels = new Uint8Array(width * height * 4);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#target);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
    const isComplete = gl.checkFramebufferStatus(gl.FRAMEBUFFER) === gl.FRAMEBUFFER_COMPLETE;
    if (isComplete) gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, null, 0);
    gl.bindFramebuffer(gl.FRAMEBUFFER, before);
    if (!isComplete) return undefined;
    const upright = new Uint8ClampedArray(pixels.length);
    const row = width * 4;
    for (let y = 0; y < height; y++) upright.set(pixels.subarray(y * row, (y + 1) * row), (height - 1 - y) * row);
    return upright;
  }
}

/** Where a video camera sits on the head, and how it sees. */
export interface VideoMount {
  /** Metres in the head's axes. */
  readonly offset: Readonly<Point>;
  /** Positive looks up. */
  readonly pitchRad: number;
  /** Focal length as a share of the image's width. */
  readonly focalShare: number;
}

/** Estimates for the passthrough camera of Quest 3 (xrblocks, QuestCameraParams); no headset exposes exact values. */
export const QUEST_MOUNT: VideoMount = { offset: [0, 0.02, -0.025], pitchRad: -0.26, focalShare: 800 / 1_280 };

/** A video camera of the device. The lens is a guess; so is the mount. */
export class VideoCamera {
  readonly #stream: MediaStream;
  readonly #video: HTMLVideoElement;
  readonly #mount: VideoMount;

  /** Rejects with the browser's error where the user or the device says no. */
  static async open(constraints: MediaTrackConstraints, mount: VideoMount): Promise<VideoCamera> {
    const media = globalThis.navigator?.mediaDevices;
    if (typeof media?.getUserMedia !== "function") throw new DOMException("no camera access", "NotSupportedError");
    const stream = await media.getUserMedia({ video: constraints, audio: false });
    const video = document.createElement("video");
    video.muted = true;
    video.playsInline = true;
    video.srcObject = stream;
    await video.play();
    return new VideoCamera(stream, video, mount);
  }

  private constructor(stream: MediaStream, video: HTMLVideoElement, mount: VideoMount) {
    this.#stream = stream;
    this.#video = video;
    this.#mount = mount;
  }

  /** `viewer`: the head's pose now; without it nothing can be placed. */
  take(viewer: PoseNumbers | undefined): Picture | undefined {
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (width === 0 || height === 0) return undefined;
    const focal = this.#mount.focalShare * width;
    return {
      image: this.#video,
      width,
      height,
      lens: { fx: focal, fy: focal, cx: width / 2, cy: height / 2 },
      isLensEstimated: true,
      ...(viewer === undefined ? {} : { pose: offsetPose(viewer, this.#mount.offset, this.#mount.pitchRad) }),
    };
  }

  close(): void {
    for (const track of this.#stream.getTracks()) track.stop();
    this.#video.srcObject = null;
  }
}
