// Pictures to JPEG, no larger than a model needs, with a measure of how sharp they are.
import type { Lens, Picture } from "./camera-source.ts";

export interface EncodedPicture {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
  readonly lens: Lens;
  /** Mean absolute Laplacian of the brightness, on a small copy. */
  readonly sharpness: number;
}

type AnyCanvas = OffscreenCanvas | HTMLCanvasElement;
type AnyContext = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D;

const PROBE_WIDTH = 160;
const PROBE_HEIGHT = 120;

export class JpegEncoder {
  #canvas: AnyCanvas | undefined;
  #probe: AnyCanvas | undefined;
  #raw: AnyCanvas | undefined;

  /** Draws at once, inside the caller's frame; encodes afterwards. Undefined where the browser has no canvas to draw on. */
  async encode(picture: Picture, sideMax: number, quality: number): Promise<EncodedPicture | undefined> {
    const scale = Math.min(1, sideMax / Math.max(picture.width, picture.height));
    const width = Math.max(1, Math.round(picture.width * scale));
    const height = Math.max(1, Math.round(picture.height * scale));
    this.#canvas = sized(this.#canvas, width, height);
    const context = contextOf(this.#canvas);
    const image = this.#drawable(picture);
    if (context === undefined || image === undefined) return undefined;
    context.drawImage(image, 0, 0, width, height);
    const sharpness = this.#sharpnessOf(this.#canvas);
    const bytes = await jpegOf(this.#canvas, quality);
    if (bytes === undefined) return undefined;
    const { fx, fy, cx, cy } = picture.lens;
    const [sx, sy] = [width / picture.width, height / picture.height];
    return { bytes, width, height, lens: { fx: fx * sx, fy: fy * sy, cx: cx * sx, cy: cy * sy }, sharpness };
  }

  #drawable({ image, width, height }: Picture): CanvasImageSource | undefined {
    if (!("data" in image)) return image;
    this.#raw = sized(this.#raw, width, height);
    contextOf(this.#raw)?.putImageData(image, 0, 0);
    return this.#raw;
  }

  #sharpnessOf(canvas: AnyCanvas): number {
    this.#probe = sized(this.#probe, PROBE_WIDTH, PROBE_HEIGHT);
    const context = contextOf(this.#probe);
    if (context === undefined) return 1;
    context.drawImage(canvas, 0, 0, PROBE_WIDTH, PROBE_HEIGHT);
    return sharpnessOf(context.getImageData(0, 0, PROBE_WIDTH, PROBE_HEIGHT).data, PROBE_WIDTH, PROBE_HEIGHT);
  }
}

/** Of RGBA pixels; 0 for a picture of one colour. */
export function sharpnessOf(rgba: ArrayLike<number>, width: number, height: number): number {
  const at = (x: number, y: number): number => rgba[(y * width + x) * 4 + 1] ?? 0;
  let sum = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++)
      sum += Math.abs(4 * at(x, y) - at(x - 1, y) - at(x + 1, y) - at(x, y - 1) - at(x, y + 1));
  }
  return sum / ((width - 2) * (height - 2));
}

function sized(canvas: AnyCanvas | undefined, width: number, height: number): AnyCanvas {
  if (canvas === undefined) {
    if (typeof OffscreenCanvas !== "undefined") return new OffscreenCanvas(width, height);
    const made = document.createElement("canvas");
    made.width = width;
    made.height = height;
    return made;
  }
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  return canvas;
}

function contextOf(canvas: AnyCanvas): AnyContext | undefined {
  return (canvas.getContext("2d", { willReadFrequently: true }) as AnyContext | null) ?? undefined;
}

async function jpegOf(canvas: AnyCanvas, quality: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const blob =
    "convertToBlob" in canvas
      ? await canvas.convertToBlob({ type: "image/jpeg", quality })
      : await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
  return blob === null ? undefined : new Uint8Array(await blob.arrayBuffer());
}
