// Content hash of scene nodes: what a thing is and which shape it has, not where it stands. Runtimes cannot be trusted to
// say whether geometry changed (`lastChangedTime` is set on every frame by some), so the content itself decides.
//
// 64 bits as two 32 bit lanes with different multipliers, fed word by word and mixed at the end. Not cryptographic: it
// tells apart the few thousand things of a room (a chance of 1 in 10^12 for a collision among 5,000), and keys caches.

import type { SceneNode } from "./scene-node.ts";

/** Geometry is compared to the millimetre, so that the jitter of floats does not send a room again. */
const STEPS_PER_METRE = 1_000;

export class ContentHasher {
  #first = 0x811c9dc5;
  #second = 0x9e3779b9;

  /** A length goes first, so that ("ab", "c") and ("a", "bc") differ. Undefined differs from the empty text. */
  text(value: string | undefined): this {
    this.integer(value === undefined ? -1 : value.length);
    if (value !== undefined) for (let i = 0; i < value.length; i++) this.#word(value.charCodeAt(i));
    return this;
  }

  integer(value: number): this {
    this.#word(value | 0);
    return this;
  }

  metres(value: number): this {
    return this.integer(Math.round(value * STEPS_PER_METRE));
  }

  metresAll(values: ArrayLike<number>): this {
    this.integer(values.length);
    for (let i = 0; i < values.length; i++) this.metres(values[i] ?? 0);
    return this;
  }

  integers(values: ArrayLike<number>): this {
    this.integer(values.length);
    for (let i = 0; i < values.length; i++) this.integer(values[i] ?? 0);
    return this;
  }

  /** Sixteen hexadecimal digits. */
  digest(): string {
    return hex(finish(this.#first ^ (this.#second >>> 15))) + hex(finish(this.#second + this.#first));
  }

  #word(word: number): void {
    this.#first = Math.imul(this.#first ^ word, 0x01000193) ^ (this.#first >>> 17);
    this.#second =
      Math.imul((this.#second << 13) | (this.#second >>> 19), 5) + Math.imul(word ^ 0x5bd1e995, 0x27d4eb2f);
  }
}

/** Hash of label, words and geometry. Pose, `id`, `ref`, `hash` and `lod` do not enter. */
export function hashNode(node: Omit<SceneNode, "hash" | "id" | "ref" | "pose">): string {
  const hasher = new ContentHasher()
    .text(node.kind)
    .text(node.semanticLabel)
    .text(node.name)
    .text(node.role)
    .text(node.description)
    .text(node.orientation)
    .text(node.text)
    .integer(node.affordances?.length ?? -1);
  for (const affordance of node.affordances ?? []) hasher.text(affordance);
  if (node.bounds !== undefined) hasher.metresAll(node.bounds.min).metresAll(node.bounds.max);
  else hasher.integer(-1);
  hasher.integer(node.polygon?.length ?? -1);
  for (const corner of node.polygon ?? []) hasher.metres(corner[0]).metres(corner[1]);
  return hasher.digest();
}

function finish(lane: number): number {
  let mixed = lane ^ (lane >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
