import type { WireVec3 } from "@fovea/protocol";

/** Where a sound comes from: a thing (and it follows), a point, or the head where absent. */
export type SoundPlace = string | WireVec3 | undefined;

export interface Viewer {
  readonly position: WireVec3;
  readonly forward: WireVec3;
  readonly up: WireVec3;
}

/** Low-pass that stands for what lies between: free, and wholly behind something. */
const FREE_HZ = 20_000;
const BEHIND_HZ = 700;
const BEHIND_DB = -4;

interface Voice {
  readonly at: string;
  readonly panner: PannerNode;
}

/** Places sounds around the listener: one PannerNode with HRTF for each, and the listener where the head is. */
export class SoundStage {
  readonly #make: () => AudioContext | undefined;
  readonly #onState: (isBlocked: boolean) => void;
  readonly #positionOf: (id: string) => WireVec3 | undefined;
  readonly #following = new Set<Voice>();
  #context: AudioContext | undefined;

  /** `make` gives undefined where the page has no sound at all; `onState` is told when sound is blocked or allowed. */
  constructor(
    make: () => AudioContext | undefined,
    positionOf: (id: string) => WireVec3 | undefined,
    onState: (isBlocked: boolean) => void,
  ) {
    this.#make = make;
    this.#positionOf = positionOf;
    this.#onState = onState;
  }

  /** The context if it runs. One that browsers keep silent until the user has touched the page is asked to run. */
  running(): AudioContext | undefined {
    this.#context ??= this.#open();
    const context = this.#context;
    if (context === undefined || context.state === "closed") return undefined;
    if (context.state === "running") return context;
    void context.resume().catch(() => {});
    return undefined;
  }

  /** A way to the ears. `end` takes it down; until then a thing that moves is followed. */
  place(context: AudioContext, at: SoundPlace, occlusion = 0): { readonly input: AudioNode; readonly end: () => void } {
    const filter = context.createBiquadFilter();
    filter.type = "lowpass";
    filter.frequency.value = FREE_HZ * (BEHIND_HZ / FREE_HZ) ** occlusion;
    const gain = context.createGain();
    gain.gain.value = 10 ** ((BEHIND_DB * occlusion) / 20);
    filter.connect(gain);
    const position = typeof at === "string" ? this.#positionOf(at) : at;
    if (position === undefined) {
      gain.connect(context.destination);
      return { input: filter, end: () => gain.disconnect() };
    }
    const panner = context.createPanner();
    panner.panningModel = "HRTF";
    panner.distanceModel = "inverse";
    panner.refDistance = 1;
    movePanner(panner, position);
    gain.connect(panner).connect(context.destination);
    const voice = typeof at === "string" ? { at, panner } : undefined;
    if (voice !== undefined) this.#following.add(voice);
    const end = (): void => {
      panner.disconnect();
      if (voice !== undefined) this.#following.delete(voice);
    };
    return { input: filter, end };
  }

  /** Whether sounds were placed at all: without them nobody need know where the ears are. */
  get isInUse(): boolean {
    return this.#context !== undefined;
  }

  /** Once a frame: the ears are where the head is, and sounds are where their things are. */
  update(viewer: Viewer): void {
    const context = this.#context;
    if (context === undefined) return;
    moveListener(context.listener, viewer);
    for (const { at, panner } of this.#following) {
      const position = this.#positionOf(at);
      if (position !== undefined) movePanner(panner, position);
    }
  }

  #open(): AudioContext | undefined {
    const context = this.#make();
    if (context === undefined) return undefined;
    context.onstatechange = () => this.#onState(context.state !== "running");
    if (context.state !== "running") this.#onState(true);
    return context;
  }

  async close(): Promise<void> {
    this.#following.clear();
    const context = this.#context;
    this.#context = undefined;
    if (context !== undefined && context.state !== "closed") await context.close();
  }
}

function movePanner(panner: PannerNode, [x, y, z]: WireVec3): void {
  panner.positionX.value = x;
  panner.positionY.value = y;
  panner.positionZ.value = z;
}

/** Firefox has methods in place of the parameters. */
function moveListener(listener: AudioListener, { position, forward, up }: Viewer): void {
  if (listener.positionX === undefined) {
    listener.setPosition(...position);
    listener.setOrientation(...forward, ...up);
    return;
  }
  listener.positionX.value = position[0];
  listener.positionY.value = position[1];
  listener.positionZ.value = position[2];
  listener.forwardX.value = forward[0];
  listener.forwardY.value = forward[1];
  listener.forwardZ.value = forward[2];
  listener.upX.value = up[0];
  listener.upY.value = up[1];
  listener.upZ.value = up[2];
}
