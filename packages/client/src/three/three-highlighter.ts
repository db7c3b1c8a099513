// Draws the actions of answers with three: an outline box around the entity, a label above it, and an arrow at the edge of
// view when it is behind the user. Nothing here is lit or animated by the scene; colours are the highlighter's own.

import type { SceneNode, WireAction, WireVec3 } from "@fovea/protocol";
import {
  ArrowHelper,
  Box3,
  BoxGeometry,
  CanvasTexture,
  Group,
  InstancedMesh,
  Matrix4,
  Mesh,
  MeshBasicMaterial,
  Quaternion,
  Sprite,
  SpriteMaterial,
  SRGBColorSpace,
  Vector3,
} from "three";
import type { Camera, Object3D } from "three";
import type { ActionPresenter, SceneLookup } from "../index.ts";

export interface HighlighterOptions {
  /** The camera that the user looks through; without one there is no arrow for things out of view. */
  readonly camera?: () => Camera;
  readonly color?: number;
  /** Milliseconds; the page's clock where absent. */
  readonly now?: () => number;
}

type Outline = InstancedMesh<BoxGeometry, MeshBasicMaterial>;

interface Shown {
  readonly group: Group;
  readonly target: string | undefined;
  readonly center: Vector3;
  readonly untilMs: number;
  readonly outline: Outline | undefined;
}

const LABEL_TTL_MS = 8_000;
const POINT_TTL_MS = 4_000;
/** A plane has no thickness and would have no box; 1 cm on each side is what can be seen. */
const THICKNESS_M = 0.02;
const MARGIN_M = 0.015;

/** Fits `Fovea.connect({ highlighter })`: `threeHighlighter()` for defaults. Call `update` of the result every frame. */
export function threeHighlighter(options: HighlighterOptions = {}): (scene: object) => ThreeHighlighter {
  return (scene) => new ThreeHighlighter(scene as Object3D, options);
}

export class ThreeHighlighter implements ActionPresenter {
  readonly #root = new Group();
  readonly #options: HighlighterOptions;
  readonly #color: number;
  readonly #now: () => number;
  #shown: Shown[] = [];
  #lookup: SceneLookup | undefined;
  #arrow: ArrowHelper | undefined;

  constructor(scene: Object3D, options: HighlighterOptions) {
    this.#options = options;
    this.#color = options.color ?? 0x35e0ff;
    this.#now = options.now ?? (() => performance.now());
    this.#root.name = "fovea-highlights";
    scene.add(this.#root);
  }

  /** Ids of the entities that are outlined now. */
  get targets(): string[] {
    return this.#shown.flatMap(({ target }) => target ?? []);
  }

  present(action: WireAction, scene: SceneLookup): boolean {
    this.#lookup = scene;
    switch (action.kind) {
      case "highlight":
        if (action.target !== undefined && this.#outline(action.target, action.ttlMs)) return true;
        return action.position === undefined
          ? false
          : this.#ball(action.position, action.radiusM ?? 0.15, action.ttlMs);
      case "label":
        return this.#outline(action.target, LABEL_TTL_MS, action.text);
      case "point":
        return this.#outline(action.target, POINT_TTL_MS);
      case "place":
      case "move":
      case "navigate":
      case "ui":
        // The application's own objects are the application's to move.
        return false;
    }
  }

  /** Keeps outlines on things that move, lets them pulse, and ends them in time. */
  update(): void {
    const nowMs = this.#now();
    for (const shown of this.#shown) {
      const node = shown.target === undefined ? undefined : this.#lookup?.find(shown.target);
      if (node !== undefined) placeGroup(shown.group, node);
      if (shown.outline !== undefined) shown.outline.material.opacity = 0.72 + 0.28 * Math.sin(nowMs / 180);
      if (nowMs >= shown.untilMs) this.#drop(shown);
    }
    this.#shown = this.#shown.filter(({ untilMs }) => nowMs < untilMs);
    this.#pointTowards(this.#shown.at(-1));
  }

  clear(): void {
    for (const shown of this.#shown) this.#drop(shown);
    this.#shown = [];
    this.#pointTowards(undefined);
  }

  close(): void {
    this.clear();
    this.#root.removeFromParent();
  }

  /** Outlines the entity, with the words or with its own name above it. The same entity again replaces what it has. */
  #outline(target: string, ttlMs: number, text?: string): boolean {
    const node = this.#lookup?.find(target);
    if (node === undefined) return false;
    for (const before of this.#shown.filter((shown) => shown.target === target)) this.#remove(before);
    const { center, size } = boxOf(node);
    const group = new Group();
    placeGroup(group, node);
    const outline = this.#edges(size, center);
    const words = text ?? node.name ?? node.semanticLabel;
    group.add(outline, this.#veil(size, center), labelSprite(words, aboveOf(node, center, size)));
    this.#root.add(group);
    this.#shown.push({ group, target, center, untilMs: this.#now() + ttlMs, outline });
    return true;
  }

  /** Edges as bars: lines of WebGL are one pixel wide, which nobody sees in a headset. */
  #edges(size: Vector3, center: Vector3): Outline {
    const material = new MeshBasicMaterial({ color: this.#color, transparent: true, depthTest: false });
    const bars = new InstancedMesh(new BoxGeometry(1, 1, 1), material, 12);
    const thick = Math.min(0.014, Math.max(0.005, size.length() * 0.006));
    const matrix = new Matrix4();
    let bar = 0;
    for (let axis = 0; axis < 3; axis++) {
      for (let corner = 0; corner < 4; corner++) {
        const scale = new Vector3(thick, thick, thick).setComponent(axis, size.getComponent(axis) + thick);
        const place = new Vector3();
        place.setComponent((axis + 1) % 3, ((corner & 1) - 0.5) * size.getComponent((axis + 1) % 3));
        place.setComponent((axis + 2) % 3, ((corner >> 1) - 0.5) * size.getComponent((axis + 2) % 3));
        bars.setMatrixAt(bar++, matrix.makeScale(scale.x, scale.y, scale.z).setPosition(place));
      }
    }
    bars.position.copy(center);
    bars.renderOrder = 1_000;
    bars.frustumCulled = false;
    return bars;
  }

  /** A faint body inside the lines, so that the thing is found at a glance. */
  #veil(size: Vector3, center: Vector3): Mesh {
    const material = new MeshBasicMaterial({
      color: this.#color,
      transparent: true,
      opacity: 0.14,
      depthTest: false,
      depthWrite: false,
    });
    const mesh = new Mesh(new BoxGeometry(size.x, size.y, size.z), material);
    mesh.position.copy(center);
    mesh.renderOrder = 999;
    return mesh;
  }

  #ball(position: WireVec3, radiusM: number, ttlMs: number): boolean {
    const group = new Group();
    const size = new Vector3(radiusM, radiusM, radiusM).multiplyScalar(2);
    const center = new Vector3(0, 0, 0);
    const outline = this.#edges(size, center);
    group.position.set(...position);
    group.add(outline, this.#veil(size, center));
    this.#root.add(group);
    this.#shown.push({ group, target: undefined, center, untilMs: this.#now() + ttlMs, outline });
    return true;
  }

  /** An arrow before the eyes while the newest outline is out of view. */
  #pointTowards(shown: Shown | undefined): void {
    const camera = this.#options.camera?.();
    if (shown === undefined || camera === undefined) {
      this.#arrow?.removeFromParent();
      return;
    }
    const goal = shown.center.clone().applyQuaternion(shown.group.quaternion).add(shown.group.position);
    const eye = camera.getWorldPosition(new Vector3());
    const turn = camera.getWorldQuaternion(new Quaternion());
    const ahead = new Vector3(0, 0, -1).applyQuaternion(turn);
    const toGoal = goal.clone().sub(eye).normalize();
    // 38 degrees: beyond, a thing is outside the view of today's headsets and of the desktop page.
    if (ahead.dot(toGoal) > Math.cos(0.66)) {
      this.#arrow?.removeFromParent();
      return;
    }
    this.#arrow ??= new ArrowHelper(toGoal, eye, 0.14, this.#color, 0.05, 0.04);
    this.#arrow.position.copy(eye).addScaledVector(ahead, 0.8);
    this.#arrow.setDirection(toGoal);
    if (this.#arrow.parent === null) this.#root.add(this.#arrow);
  }

  #remove(shown: Shown): void {
    this.#drop(shown);
    this.#shown = this.#shown.filter((other) => other !== shown);
  }

  #drop({ group }: Shown): void {
    group.removeFromParent();
    group.traverse((object) => {
      const { geometry, material } = object as Partial<Mesh>;
      geometry?.dispose();
      for (const one of material === undefined ? [] : [material].flat()) {
        if (one instanceof SpriteMaterial) one.map?.dispose();
        one.dispose();
      }
    });
  }
}

function placeGroup(group: Group, { pose }: SceneNode): void {
  group.position.set(...pose.position);
  group.quaternion.set(...pose.orientation);
}

function boxOf(node: SceneNode): { readonly center: Vector3; readonly size: Vector3 } {
  const box = new Box3();
  if (node.bounds !== undefined) box.set(new Vector3(...node.bounds.min), new Vector3(...node.bounds.max));
  else for (const [x, z] of node.polygon ?? []) box.expandByPoint(new Vector3(x, 0, z));
  if (box.isEmpty()) box.setFromCenterAndSize(new Vector3(), new Vector3(0.1, 0.1, 0.1));
  const size = box.getSize(new Vector3());
  const center = box.getCenter(new Vector3());
  size.x = Math.max(THICKNESS_M, size.x + MARGIN_M * 2);
  size.y = Math.max(THICKNESS_M, size.y + MARGIN_M * 2);
  size.z = Math.max(THICKNESS_M, size.z + MARGIN_M * 2);
  return { center, size };
}

/** A hand's breadth above the box, in the group's own axes: what is up in the room need not be up there. */
function aboveOf({ pose }: SceneNode, center: Vector3, size: Vector3): Vector3 {
  const up = new Vector3(0, 1, 0).applyQuaternion(new Quaternion(...pose.orientation).invert());
  const half = (Math.abs(up.x) * size.x + Math.abs(up.y) * size.y + Math.abs(up.z) * size.z) / 2;
  return center.clone().addScaledVector(up, half + 0.085);
}

function labelSprite(text: string, place: Vector3): Sprite {
  const shown = text.length > 48 ? `${text.slice(0, 47)}…` : text;
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  const font = "600 44px system-ui, sans-serif";
  if (context !== null) {
    context.font = font;
    canvas.width = Math.ceil(context.measureText(shown).width) + 56;
    canvas.height = 84;
    context.font = font;
    context.fillStyle = "rgba(8, 16, 28, 0.86)";
    context.beginPath();
    context.roundRect(0, 0, canvas.width, canvas.height, 42);
    context.fill();
    context.fillStyle = "#e8fbff";
    context.textBaseline = "middle";
    context.fillText(shown, 28, canvas.height / 2 + 2);
  }
  const texture = new CanvasTexture(canvas);
  texture.colorSpace = SRGBColorSpace;
  const sprite = new Sprite(new SpriteMaterial({ map: texture, depthTest: false, transparent: true }));
  const height = 0.105;
  sprite.scale.set((height * canvas.width) / Math.max(1, canvas.height), height, 1);
  sprite.position.copy(place);
  sprite.renderOrder = 1_001;
  return sprite;
}
