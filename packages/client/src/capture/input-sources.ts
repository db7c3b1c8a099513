import type { InputSourceDescription } from "@fovea/protocol";
import { LIMITS, SourceTable } from "@fovea/protocol";
import { actuatorsOf, effectsOf } from "../platform/actuator.ts";

/** The input sources of a session with stable numbers, and what has to be told of them. */
export class InputSources {
  readonly table = new SourceTable();
  readonly #ids = new Map<XRInputSource, number>();
  /** As described: a gamepad object is live, and a count that grows later must not change the layout of packets. */
  #descriptions: readonly InputSourceDescription[] = [];

  /** Takes the present list and returns what changed; undefined when nothing did. */
  update(
    present: Iterable<XRInputSource>,
  ): { readonly add: InputSourceDescription[]; readonly remove: number[] } | undefined {
    const now = new Set<XRInputSource>();
    for (const source of present) if (now.size < LIMITS.inputSourcesMax) now.add(source);
    const remove: number[] = [];
    for (const [source, id] of this.#ids) {
      if (now.has(source)) continue;
      this.#ids.delete(source);
      this.table.delete(id);
      remove.push(id);
    }
    const add: InputSourceDescription[] = [];
    for (const source of now) {
      if (this.#ids.has(source)) continue;
      const description = describe(source, this.#freeId());
      this.#ids.set(source, description.id);
      this.table.set(description);
      add.push(description);
    }
    if (add.length === 0 && remove.length === 0) return undefined;
    this.#descriptions = [...this.#descriptions.filter(({ id }) => !remove.includes(id)), ...add];
    return { add, remove };
  }

  describe(): readonly InputSourceDescription[] {
    return this.#descriptions;
  }

  idOf(source: XRInputSource): number | undefined {
    return this.#ids.get(source);
  }

  sources(): Iterable<[XRInputSource, number]> {
    return this.#ids;
  }

  /** Freed numbers rest while others are free, so that a late packet is not read as another source's. */
  #freeId(): number {
    for (let tries = 0; tries < 256; tries++) {
      this.#nextId = (this.#nextId + 1) & 0xff;
      if (!this.table.has(this.#nextId)) return this.#nextId;
    }
    return 0;
  }
  #nextId = 0;
}

function describe(source: XRInputSource, id: number): InputSourceDescription {
  const actuators = actuatorsOf(source);
  const handedness = source.handedness === "left" || source.handedness === "right" ? source.handedness : "none";
  return {
    id,
    handedness,
    targetRayMode: source.targetRayMode,
    profiles: [...source.profiles].slice(0, LIMITS.profilesMax),
    hand: source.hand !== undefined && source.hand !== null,
    buttons: Math.min(source.gamepad?.buttons.length ?? 0, LIMITS.buttonsMax),
    axes: Math.min(source.gamepad?.axes.length ?? 0, LIMITS.axesMax),
    haptics: {
      pulse: actuators.some((actuator) => typeof actuator.pulse === "function"),
      effects: [...new Set(actuators.flatMap((actuator) => effectsOf(actuator)))],
      actuators: actuators.length,
    },
  };
}
