import { CanvasTexture, LinearFilter, Sprite, SpriteMaterial, SRGBColorSpace, Vector3 } from "three";
import type { Camera, Scene, WebGLRenderer } from "three";

const WIDTH = 1024;
const HEIGHT = 256;
const SHOWN_MS = 12_000;

/** The answer inside the headset, where no HTML is seen: a board below the line of sight that follows the head. */
export class CaptionBoard {
  readonly #canvas = document.createElement("canvas");
  readonly #texture: CanvasTexture;
  readonly #sprite: Sprite;
  readonly #camera: Camera;
  #untilMs = 0;

  constructor(scene: Scene, camera: Camera) {
    this.#camera = camera;
    this.#canvas.width = WIDTH;
    this.#canvas.height = HEIGHT;
    this.#texture = new CanvasTexture(this.#canvas);
    this.#texture.colorSpace = SRGBColorSpace;
    this.#texture.minFilter = LinearFilter;
    this.#sprite = new Sprite(new SpriteMaterial({ map: this.#texture, depthTest: false, transparent: true }));
    this.#sprite.scale.set(0.72, 0.18, 1);
    this.#sprite.renderOrder = 2_000;
    this.#sprite.visible = false;
    scene.add(this.#sprite);
  }

  show(text: string): void {
    const context = this.#canvas.getContext("2d");
    if (context === null) return;
    context.clearRect(0, 0, WIDTH, HEIGHT);
    context.fillStyle = "rgba(8, 16, 28, 0.84)";
    context.beginPath();
    context.roundRect(0, 0, WIDTH, HEIGHT, 48);
    context.fill();
    context.fillStyle = "#e9f3fb";
    context.font = "500 44px system-ui, sans-serif";
    wrapped(context, text, WIDTH - 96)
      .slice(-4)
      .forEach((line, index) => context.fillText(line, 48, 68 + index * 54));
    this.#texture.needsUpdate = true;
    this.#untilMs = performance.now() + SHOWN_MS;
  }

  /** Only inside an immersive view without HTML above it; the emulator's page shows captions of its own. */
  update(renderer: WebGLRenderer): void {
    const isHtmlSeen = document.querySelector("#room-choice:not([hidden])") !== null;
    this.#sprite.visible = renderer.xr.isPresenting && !isHtmlSeen && performance.now() < this.#untilMs;
    if (!this.#sprite.visible) return;
    const eye = this.#camera.getWorldPosition(new Vector3());
    const ahead = this.#camera.getWorldDirection(new Vector3());
    this.#sprite.position.copy(eye).addScaledVector(ahead, 1.1).y -= 0.32;
  }
}

function wrapped(context: CanvasRenderingContext2D, text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && context.measureText(longer).width > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return line === "" ? lines : [...lines, line];
}
