// The camera as the rest of the SDK sees it: its code is loaded when it is first switched on, because most pages never do.
import type { Camera, CameraKind, CameraOptions, CameraParts } from "./camera.ts";

export class CameraSwitch {
  readonly #parts: CameraParts;
  #camera: Camera | undefined;
  #imageHz = 0;
  #imageWidth: number | undefined;
  #gl: CameraOptions["gl"];
  /** Counts starts and stops: a start that a stop has overtaken must not switch anything on. */
  #turn = 0;

  constructor(parts: CameraParts) {
    this.#parts = parts;
  }

  get isRunning(): boolean {
    return this.#camera?.isRunning === true;
  }

  setImageHz(imageHz: number): void {
    this.#imageHz = imageHz;
    this.#camera?.setImageHz(imageHz);
  }

  setImageWidth(imageWidth: number | undefined): void {
    this.#imageWidth = imageWidth;
    this.#camera?.setImageWidth(imageWidth);
  }

  useContext(gl: CameraOptions["gl"]): void {
    this.#gl = gl;
    this.#camera?.useContext(gl);
  }

  async start(options?: CameraOptions): Promise<CameraKind> {
    const turn = ++this.#turn;
    const { Camera } = await import("./camera.ts");
    if (turn !== this.#turn) throw new DOMException("the camera was stopped", "AbortError");
    this.#camera ??= new Camera(this.#parts);
    this.#camera.setImageHz(this.#imageHz);
    this.#camera.setImageWidth(this.#imageWidth);
    this.#camera.useContext(this.#gl);
    return this.#camera.start(options);
  }

  stop(): void {
    this.#turn++;
    this.#camera?.stop();
  }

  onFrame(timeMs: number, frame: XRFrame, space: XRReferenceSpace): void {
    this.#camera?.onFrame(timeMs, frame, space);
  }
}
