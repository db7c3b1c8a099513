// Captions in the room: beside the thing that speaks while it is in view, else below the line of sight with an arrow to the
// side the voice comes from. The board follows the head late and softly: text that is glued to the head cannot be read.
import type { WireVec3 } from "@fovea/protocol";
import { CanvasTexture, LinearFilter, Quaternion, Sprite, SpriteMaterial, SRGBColorSpace, Vector3 } from "three";
import type { Camera, Object3D } from "three";
import type { Caption, CaptionPresenter, SceneLookup } from "../index.ts";

export interface CaptionsOptions {
  /** The camera that the user looks through. */
  readonly camera: () => Camera;
  /** Where things are, for captions beside them: `xr.scene`. */
  readonly scene?: Pick<SceneLookup, "find">;
  /** Height of a line in metres at one metre: 0.035 where absent, about two degrees. */
  readonly lineM?: number;
}

const WIDTH = 1_024;
const LINE_PX = 56;
const PAD_PX = 36;
const LINES_MAX = 3;
const AWAY_M = 1.2;
const BELOW_RAD = 0.3;
/** Beside a thing while it stands within this angle of the line of sight. */
const IN_VIEW_RAD = 0.5;
/** Share of the way that the board moves each frame. */
const FOLLOW = 0.08;

/** Give it to `xr.captions.use`, and call `update` every frame. */
export class ThreeCaptions implements CaptionPresenter {
  readonly #options: CaptionsOptions;
  readonly #canvas = document.createElement("canvas");
  readonly #texture: CanvasTexture;
  readonly #sprite: Sprite;
  #caption: Caption | undefined;
  #side: "left" | "right" | undefined;
  #isPlaced = false;

  constructor(scene: Object3D, options: CaptionsOptions) {
    this.#options = options;
    this.#canvas.width = WIDTH;
    this.#canvas.height = LINES_MAX * LINE_PX + 2 * PAD_PX;
    this.#texture = new CanvasTexture(this.#canvas);
    this.#texture.colorSpace = SRGBColorSpace;
    this.#texture.minFilter = LinearFilter;
    this.#sprite = new Sprite(new SpriteMaterial({ map: this.#texture, depthTest: false, transparent: true }));
    this.#sprite.name = "fovea-captions";
    this.#sprite.renderOrder = 2_000;
    this.#sprite.visible = false;
    scene.add(this.#sprite);
  }

  /** The line that stands now, for tests and for pages that show it elsewhere too. */
  get caption(): Caption | undefined {
    return this.#caption;
  }

  show(caption: Caption | undefined): void {
    this.#caption = caption;
    this.#sprite.visible = caption !== undefined;
    if (caption === undefined) this.#isPlaced = false;
    else this.#draw(caption);
  }

  /** Every frame, after the camera has moved. */
  update(): void {
    const caption = this.#caption;
    if (caption === undefined) return;
    const camera = this.#options.camera();
    const eye = camera.getWorldPosition(new Vector3());
    const turn = camera.getWorldQuaternion(new Quaternion());
    const speaker = this.#placeOf(caption.at);
    const goal = goalFor(eye, turn, speaker);
    const side = sideOf(eye, turn, speaker);
    if (side !== this.#side) {
      this.#side = side;
      this.#draw(caption);
    }
    if (this.#isPlaced) this.#sprite.position.lerp(goal, FOLLOW);
    else this.#sprite.position.copy(goal);
    this.#isPlaced = true;
    const height = (this.#options.lineM ?? 0.035) * (this.#canvas.height / LINE_PX) * eye.distanceTo(goal);
    this.#sprite.scale.set((height * WIDTH) / this.#canvas.height, height, 1);
  }

  close(): void {
    this.#sprite.removeFromParent();
    this.#sprite.material.dispose();
    this.#texture.dispose();
  }

  #placeOf(at: Caption["at"]): Vector3 | undefined {
    const position: WireVec3 | undefined = typeof at === "string" ? this.#options.scene?.find(at)?.pose.position : at;
    return position === undefined ? undefined : new Vector3(...position);
  }

  #draw({ text, word }: Caption): void {
    const context = this.#canvas.getContext("2d");
    if (context === null) return;
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.font = "500 44px system-ui, sans-serif";
    context.textBaseline = "middle";
    const lines = wrapped(context, text.split(/\s+/), WIDTH - 4 * PAD_PX);
    const shown = lines.slice(0, LINES_MAX);
    const width = Math.max(...shown.map((line) => context.measureText(line.words.join(" ")).width));
    const left = (WIDTH - width) / 2;
    context.fillStyle = "rgba(8, 16, 28, 0.84)";
    context.beginPath();
    context.roundRect(left - PAD_PX, 0, width + 2 * PAD_PX, shown.length * LINE_PX + PAD_PX, PAD_PX);
    context.fill();
    shown.forEach((line, row) => {
      let x = left;
      line.words.forEach((part, index) => {
        context.fillStyle = line.from + index === word ? "#35e0ff" : "#e9f3fb";
        context.fillText(part, x, PAD_PX / 2 + (row + 0.5) * LINE_PX);
        x += context.measureText(`${part} `).width;
      });
    });
    context.fillStyle = "#35e0ff";
    if (this.#side === "left") context.fillText("◀", left - 2.4 * PAD_PX, PAD_PX / 2 + LINE_PX / 2);
    if (this.#side === "right") context.fillText("▶", left + width + 1.3 * PAD_PX, PAD_PX / 2 + LINE_PX / 2);
    this.#texture.needsUpdate = true;
  }
}

function goalFor(eye: Vector3, turn: Quaternion, speaker: Vector3 | undefined): Vector3 {
  const ahead = new Vector3(0, 0, -1).applyQuaternion(turn);
  if (speaker !== undefined) {
    const to = speaker.clone().sub(eye);
    const awayM = to.length();
    // Under the thing, no farther than text can be read.
    if (awayM > 0.3 && ahead.angleTo(to) < IN_VIEW_RAD) {
      const reach = Math.min(awayM, 2.5);
      return eye
        .clone()
        .addScaledVector(to.normalize(), reach)
        .add(new Vector3(0, -0.18 * reach, 0));
    }
  }
  return new Vector3(0, -Math.sin(BELOW_RAD), -Math.cos(BELOW_RAD))
    .applyQuaternion(turn)
    .multiplyScalar(AWAY_M)
    .add(eye);
}

function sideOf(eye: Vector3, turn: Quaternion, speaker: Vector3 | undefined): "left" | "right" | undefined {
  if (speaker === undefined) return undefined;
  const local = speaker.clone().sub(eye).applyQuaternion(turn.clone().invert());
  if (local.angleTo(new Vector3(0, 0, -1)) < IN_VIEW_RAD) return undefined;
  return local.x < 0 ? "left" : "right";
}

interface Line {
  /** Index of the first word. */
  readonly from: number;
  readonly words: readonly string[];
}

function wrapped(context: CanvasRenderingContext2D, words: readonly string[], width: number): readonly Line[] {
  const lines: Line[] = [];
  let line: string[] = [];
  for (const [index, word] of words.entries()) {
    if (line.length > 0 && context.measureText([...line, word].join(" ")).width > width) {
      lines.push({ from: index - line.length, words: line });
      line = [];
    }
    line.push(word);
  }
  return [...lines, { from: words.length - line.length, words: line }];
}
