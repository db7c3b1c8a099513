// The camera of a session: takes pictures at the rate that the gateway wants, the sharper ones, and sends each with the
// pose, the lens and the depth of its own moment.
import type { WireConsent } from "@fovea/protocol";
import { encodeImagePacket } from "@fovea/protocol";
import type { CancelTask, ClientClock } from "../platform/client-clock.ts";
import type { Lens, Picture, PoseNumbers, VideoMount } from "./camera-source.ts";
import { lensOf, poseNumbers, QUEST_MOUNT, RawCamera, VideoCamera } from "./camera-source.ts";
import { readDepth } from "./depth-reader.ts";
import { JpegEncoder } from "./jpeg.ts";

export interface CameraOptions {
  /** Images a second; the gateway may want fewer. 1 where absent. */
  readonly fps?: number;
  /** Longest side in pixels; 1,024 where absent. */
  readonly sideMax?: number;
  /** JPEG quality, 0 to 1; 0.8 where absent. */
  readonly quality?: number;
  /** The WebGL context of the session, for raw camera access; `attach(renderer)` finds it. */
  readonly gl?: WebGL2RenderingContext | WebGLRenderingContext;
  /** For a video camera: constraints beside those of the headset's world-facing camera. */
  readonly video?: MediaTrackConstraints;
  /** For a video camera: where it sits on the head. Quest 3's estimates where absent. */
  readonly mount?: VideoMount;
  /** Pictures that the application makes itself (its own canvas), instead of a camera. */
  readonly picture?: () => ApplicationPicture | undefined;
}

export interface ApplicationPicture {
  readonly image: CanvasImageSource;
  readonly width: number;
  readonly height: number;
  /** Column-major, as WebXR and three give it. */
  readonly projectionMatrix: ArrayLike<number>;
  /** Position and orientation x, y, z, w in the reference space. */
  readonly pose: ArrayLike<number>;
}

export type CameraKind = "raw-camera-access" | "video" | "application";

export interface CameraParts {
  readonly clock: ClientClock;
  readonly consent: () => WireConsent;
  readonly send: (packet: Uint8Array<ArrayBuffer>) => boolean;
  readonly isOpen: () => boolean;
  readonly session: () => XRSession | undefined;
  readonly onError: (code: string, message: string) => void;
}

const DEFAULT_HZ = 1;
const SIDE_MAX = 1_024;
const QUALITY = 0.8;
/** A picture with less detail than this share of what is usual waits for a better one, for at most one interval. */
const BLURRED = 0.6;
const RETRY_MS = 120;
const POSE_STALE_MS = 250;

export class Camera {
  readonly #parts: CameraParts;
  readonly #encoder = new JpegEncoder();
  #options: CameraOptions | undefined;
  #video: VideoCamera | undefined;
  #raw: RawCamera | undefined;
  #rawSession: XRSession | undefined;
  #gl: CameraOptions["gl"];
  #grantedHz = 0;
  #grantedSide = Infinity;
  #images = 0;
  #depths = 0;
  #dueMs = 0;
  #isBusy = false;
  #usualSharpness = 0;
  #viewer: { readonly pose: PoseNumbers; readonly atMs: number } | undefined;
  #cancelTimer: CancelTask = () => {};
  /** A start that a stop has overtaken must not leave a camera on. */
  #run = 0;

  constructor(parts: CameraParts) {
    this.#parts = parts;
  }

  get isRunning(): boolean {
    return this.#options !== undefined;
  }

  get sentImages(): number {
    return this.#images;
  }

  /** Images a second as the gateway allows; 0 where nobody there could look at them. */
  setImageHz(imageHz: number): void {
    this.#grantedHz = imageHz;
    if (this.isRunning) this.#plan();
  }

  /** No image is larger than the gateway wants it; undefined where it does not mind. */
  setImageWidth(imageWidth: number | undefined): void {
    this.#grantedSide = imageWidth ?? Infinity;
  }

  useContext(gl: CameraOptions["gl"]): void {
    this.#gl = gl;
  }

  /**
   * Starts to take pictures and says from what. Pictures leave only with consent to the camera. Rejects with the
   * browser's own error where there is no camera to be had.
   */
  async start(options: CameraOptions = {}): Promise<CameraKind> {
    this.stop();
    const run = ++this.#run;
    const session = this.#parts.session();
    if (options.picture !== undefined) return this.#begin(options, "application");
    const raw = session === undefined ? undefined : RawCamera.open(session, options.gl ?? this.#gl);
    if (raw !== undefined) {
      this.#raw = raw;
      this.#rawSession = session;
      return this.#begin(options, "raw-camera-access");
    }
    const wanted = { facingMode: "environment", width: { ideal: 1_280 }, height: { ideal: 960 }, ...options.video };
    const video = await VideoCamera.open(wanted, options.mount ?? QUEST_MOUNT);
    if (run !== this.#run) {
      video.close();
      throw new DOMException("the camera was stopped", "AbortError");
    }
    this.#video = video;
    return this.#begin(options, "video");
  }

  stop(): void {
    this.#run++;
    this.#cancelTimer();
    this.#options = undefined;
    this.#video?.close();
    this.#video = undefined;
    this.#raw?.close();
    this.#raw = undefined;
    this.#rawSession = undefined;
    this.#viewer = undefined;
  }

  /** Called inside every animation frame of the session that poses are taken from. */
  onFrame(timeMs: number, frame: XRFrame, space: XRReferenceSpace): void {
    if (!this.isRunning) return;
    const isRaw = this.#raw !== undefined && frame.session === this.#rawSession;
    if (!isRaw && this.#video === undefined) return;
    // A video camera shows what was before the head a moment ago: the pose of the newest frame is as near as it gets.
    const viewer = frame.getViewerPose(space);
    this.#viewer = viewer === undefined ? undefined : { pose: poseNumbers(viewer.transform), atMs: timeMs };
    if (!this.#isDue(timeMs)) return;
    const depthRef = this.#sendDepth(timeMs, frame, viewer);
    const picture = isRaw ? this.#raw?.take(frame, space) : this.#video?.take(this.#viewer?.pose);
    if (picture !== undefined) void this.#send(picture, timeMs, depthRef);
  }

  #begin(options: CameraOptions, kind: CameraKind): CameraKind {
    this.#options = options;
    this.#usualSharpness = 0;
    this.#dueMs = 0;
    this.#plan();
    return kind;
  }

  get #intervalMs(): number {
    const hz = Math.min(this.#options?.fps ?? DEFAULT_HZ, this.#grantedHz);
    return hz > 0 ? 1_000 / hz : Infinity;
  }

  /** Frames drive a session's cameras; without a session a timer does. */
  #plan(): void {
    this.#cancelTimer();
    if (this.#raw !== undefined || !Number.isFinite(this.#intervalMs)) return;
    this.#cancelTimer = this.#parts.clock.schedule(Math.min(RETRY_MS, this.#intervalMs), () => this.#tick());
  }

  #tick(): void {
    if (!this.isRunning) return;
    const nowMs = this.#parts.clock.nowMs();
    const hasFrames =
      this.#video !== undefined && this.#viewer !== undefined && nowMs - this.#viewer.atMs < POSE_STALE_MS;
    if (!hasFrames && this.#isDue(nowMs)) {
      const picture = this.#applicationPicture() ?? this.#video?.take(undefined);
      if (picture !== undefined) void this.#send(picture, nowMs, 0);
    }
    this.#plan();
  }

  #applicationPicture(): Picture | undefined {
    const made = this.#options?.picture?.();
    if (made === undefined) return undefined;
    const { image, width, height, projectionMatrix, pose } = made;
    return {
      image,
      width,
      height,
      lens: lensOf(projectionMatrix, width, height),
      isLensEstimated: false,
      pose: Float32Array.from(pose),
    };
  }

  #isDue(nowMs: number): boolean {
    if (this.#isBusy || nowMs < this.#dueMs || !this.#parts.isOpen()) return false;
    const isHidden = this.#parts.session()?.visibilityState === "hidden" || globalThis.document?.hidden === true;
    return !isHidden && this.#parts.consent().camera && Number.isFinite(this.#intervalMs);
  }

  #sendDepth(timeMs: number, frame: XRFrame, viewer: XRViewerPose | undefined): number {
    const view = viewer?.views[0];
    if (view === undefined || this.#parts.consent().room !== "full") return 0;
    const packet = readDepth(frame, view, this.#depths + 1, timeMs);
    if (packet === undefined || !this.#parts.send(packet)) return 0;
    return ++this.#depths;
  }

  async #send(picture: Picture, timeMs: number, depthRef: number): Promise<void> {
    const run = this.#run;
    const options = this.#options ?? {};
    const intervalMs = this.#intervalMs;
    const wasDueMs = this.#dueMs === 0 ? timeMs : this.#dueMs;
    this.#isBusy = true;
    try {
      const { sideMax = SIDE_MAX, quality = QUALITY } = options;
      const encoded = await this.#encoder.encode(picture, Math.min(sideMax, this.#grantedSide), quality);
      if (run !== this.#run || encoded === undefined) return;
      const isBlurred = encoded.sharpness < this.#usualSharpness * BLURRED;
      this.#usualSharpness += (encoded.sharpness - this.#usualSharpness) * (this.#usualSharpness === 0 ? 1 : 0.1);
      if (isBlurred && timeMs < wasDueMs + intervalMs) {
        this.#dueMs = Math.max(wasDueMs, 1);
        return;
      }
      // Consent may have gone while the picture was encoded.
      if (!this.#parts.consent().camera) return;
      this.#dueMs = timeMs + intervalMs - 1;
      const packet = encodeImagePacket({
        format: "jpeg",
        isIntrinsicsEstimated: picture.isLensEstimated,
        isPoseUnknown: picture.pose === undefined,
        imageId: this.#images + 1,
        t: timeMs,
        cameraPose: picture.pose ?? NOWHERE,
        intrinsics: numbersOf(encoded.lens),
        width: encoded.width,
        height: encoded.height,
        depthRef,
        payload: encoded.bytes,
      });
      if (this.#parts.send(packet as Uint8Array<ArrayBuffer>)) this.#images++;
    } catch (error) {
      this.#parts.onError("camera_failed", String(error));
    } finally {
      this.#isBusy = false;
    }
  }
}

const NOWHERE = Float32Array.of(0, 0, 0, 0, 0, 0, 1);

function numbersOf({ fx, fy, cx, cy }: Lens): Float32Array {
  return Float32Array.of(fx, fy, cx, cy);
}
