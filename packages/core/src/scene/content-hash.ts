import type { EntityDescription } from "./entity-description.ts";

/** Millimetres: float jitter of a tracker must not make a room look changed. */
const STEPS_PER_METRE = 1_000;

/**
 * 64 bits over what an entity is and how it is shaped, not where it stands: two entities of equal hash are the same
 * thing for a cache. Computed here and not taken from the client, because cache entries are shared between clients.
 * Two FNV-1a streams of 32 bits (Fowler, Noll, Vo) with different offsets; not a defence against forgery.
 */
export function contentHashOf(entity: EntityDescription): string {
  begin();
  mixText(entity.kind);
  mixText(entity.semanticLabel);
  mixText(entity.name ?? "");
  mixText(entity.description ?? "");
  mixText(entity.orientation ?? "");
  for (let axis = 0; axis < 3; axis++) {
    mixLength(entity.bounds.min[axis] as number);
    mixLength(entity.bounds.max[axis] as number);
  }
  for (const [x, z] of entity.polygon ?? []) {
    mixLength(x);
    mixLength(z);
  }
  for (const affordance of entity.affordances) mixText(affordance);
  if (entity.surface !== undefined) {
    mix(entity.surface.triangleCount);
    mix(entity.surface.fingerprint);
  }
  return hex(low) + hex(high);
}

let low = 0;
let high = 0;

function begin(): void {
  low = 0x811c9dc5;
  high = 0x050c5d1f;
}

function mix(value: number): void {
  low = Math.imul(low ^ value, 0x01000193);
  high = Math.imul(high ^ (value + 0x9e37), 0x01000193);
}

function mixText(text: string): void {
  for (let index = 0; index < text.length; index++) mix(text.charCodeAt(index));
  // Ends every text, so that "ab" + "c" and "a" + "bc" differ.
  mix(0x1_0000);
}

function mixLength(valueM: number): void {
  const steps = Math.round(valueM * STEPS_PER_METRE) | 0;
  mix(steps & 0xffff);
  mix(steps >>> 16);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
