// A browser's camera as far as the SDK touches it: canvases that encode to a stamp, a video, a WebGL that gives pixels.
import type { FakePose } from "./fake-xr.ts";

/** What was drawn last; the encoded "JPEG" is its name. */
export interface Drawn {
  readonly name: string;
  /** Green of each pixel of the probe: sharpness is made of it. */
  readonly contrast: number;
}

const JPEG_HEAD = [0xff, 0xd8];

class FakeContext {
  readonly #canvas: FakeCanvas;
  constructor(canvas: FakeCanvas) {
    this.#canvas = canvas;
  }
  drawImage(image: { drawn?: Drawn }): void {
    if (image.drawn !== undefined) this.#canvas.drawn = image.drawn;
  }
  putImageData(image: FakeImageData): void {
    this.#canvas.drawn = { name: `top ${image.data[0]}`, contrast: 200 };
  }
  getImageData(_x: number, _y: number, width: number, height: number): { data: Uint8ClampedArray } {
    const data = new Uint8ClampedArray(width * height * 4);
    for (let at = 0; at < width * height; at++)
      data[at * 4 + 1] = at % 2 === 0 ? (this.#canvas.drawn?.contrast ?? 0) : 0;
    return { data };
  }
}

export class FakeCanvas {
  width: number;
  height: number;
  drawn: Drawn | undefined;
  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
  }
  getContext(): FakeContext {
    return new FakeContext(this);
  }
  async convertToBlob(): Promise<{ arrayBuffer(): Promise<ArrayBuffer> }> {
    const bytes = Uint8Array.from([...JPEG_HEAD, ...new TextEncoder().encode(this.drawn?.name ?? "nothing")]);
    return { arrayBuffer: async () => bytes.buffer };
  }
}

export class FakeImageData {
  readonly data: Uint8ClampedArray;
  constructor(data: Uint8ClampedArray) {
    this.data = data;
  }
}

export class FakeTrack {
  isStopped = false;
  stop(): void {
    this.isStopped = true;
  }
}

export class FakeVideo {
  videoWidth = 1_280;
  videoHeight = 720;
  srcObject: unknown;
  drawn: Drawn = { name: "video", contrast: 200 };
  async play(): Promise<void> {}
}

/** Rows of the camera's texture, bottom first: the first number of each row is its own. */
export class FakeGl {
  FRAMEBUFFER = 1;
  FRAMEBUFFER_BINDING = 2;
  COLOR_ATTACHMENT0 = 3;
  TEXTURE_2D = 4;
  FRAMEBUFFER_COMPLETE = 5;
  RGBA = 6;
  UNSIGNED_BYTE = 7;
  bound: object | null = { name: "the application's" };
  readonly made: object[] = [];
  readonly deleted: unknown[] = [];
  getParameter(): object | null {
    return this.bound;
  }
  createFramebuffer(): object {
    const made = { name: "own" };
    this.made.push(made);
    return made;
  }
  deleteFramebuffer(which: unknown): void {
    this.deleted.push(which);
  }
  bindFramebuffer(_target: number, which: object | null): void {
    this.bound = which;
  }
  framebufferTexture2D(): void {}
  checkFramebufferStatus(): number {
    return 5;
  }
  // oxlint-disable-next-line max-params -- WebGL's own.
  readPixels(_x: number, _y: number, width: number, height: number, _f: number, _t: number, into: Uint8Array): void {
    for (let row = 0; row < height; row++) into.fill(row + 1, row * width * 4, (row + 1) * width * 4);
  }
}

/** A view as WebXR gives it, with the camera of raw camera access. */
export function cameraView(
  pose: FakePose,
  projection: ArrayLike<number>,
  size?: { width: number; height: number },
): object {
  const { position: p, orientation: q } = pose;
  return {
    projectionMatrix: Float32Array.from(projection),
    transform: {
      position: { x: p[0], y: p[1], z: p[2], w: 1 },
      orientation: { x: q[0], y: q[1], z: q[2], w: q[3] },
    },
    ...(size === undefined ? {} : { camera: size }),
  };
}

/** Puts the fakes where a browser has its own; returns what takes them away. */
export function installFakes(
  video: FakeVideo,
  tracks: FakeTrack[],
  granted: () => Promise<void> = async () => {},
): () => void {
  const names = ["OffscreenCanvas", "ImageData", "XRWebGLBinding", "document"] as const;
  const world = globalThis as unknown as Record<string, unknown>;
  const before = names.map((name) => world[name]);
  world["OffscreenCanvas"] = FakeCanvas;
  world["ImageData"] = FakeImageData;
  world["XRWebGLBinding"] = class {
    getCameraImage(): object {
      return {};
    }
  };
  world["document"] = { hidden: false, createElement: () => video };
  const media = {
    getUserMedia: async () => {
      await granted();
      return { getTracks: () => tracks };
    },
  };
  Object.defineProperty(globalThis.navigator, "mediaDevices", { value: media, configurable: true });
  return () => {
    names.forEach((name, index) => {
      world[name] = before[index];
    });
    Reflect.deleteProperty(globalThis.navigator, "mediaDevices");
  };
}
