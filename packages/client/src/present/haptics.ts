import type { HapticPart, JsonObject, WirePulse } from "@fovea/protocol";
import { actuatorsOf, effectsOf } from "../platform/actuator.ts";
import type { ActuatorLike } from "../platform/actuator.ts";
import type { CancelTask, ClientClock } from "../platform/client-clock.ts";
import { pulsesOf } from "./pulses.ts";

export interface PlayOptions {
  /** Which hand; both where absent. */
  readonly handedness?: "left" | "right" | "both";
  /** 0 to 1, 1 where absent. */
  readonly gain?: number;
  /** What to play where the name of a clip is not known here. */
  readonly fallbackPulses?: readonly WirePulse[];
  /** What to try, in order; touch, sound, sight where absent. */
  readonly ways?: HapticPart["ways"];
}

/** What stands in for a touch; each is true if it did something. */
export interface TouchStandIns {
  readonly sound: (pulses: readonly WirePulse[]) => boolean;
  readonly sight: (pulses: readonly WirePulse[], handedness: string) => boolean;
}

/** Whether a touch was noticed, and through what. `audio` and `visual` stood in for it: it was not felt. */
export interface HapticDelivery {
  readonly delivered: boolean;
  readonly via: "playEffect" | "pulse" | "audio" | "visual" | "none";
}

/** Named touches that every page knows. The gateway has the large vocabulary and sends pulses with every name. */
const BUILT_IN: Readonly<Record<string, readonly WirePulse[]>> = {
  "impact-soft": [{ value: 0.4, duration: 40, at: 0 }],
  "impact-medium": [{ value: 0.7, duration: 40, at: 0 }],
  "impact-hard": [{ value: 1, duration: 60, at: 0 }],
  tick: [{ value: 0.3, duration: 15, at: 0 }],
  success: [
    { value: 0.5, duration: 40, at: 0 },
    { value: 0.8, duration: 60, at: 120 },
  ],
  warning: [
    { value: 1, duration: 80, at: 0 },
    { value: 1, duration: 80, at: 160 },
  ],
};

/** Plays touches on whatever the input sources offer, and says honestly what came of it. */
export class Haptics {
  readonly #clock: ClientClock;
  readonly #inputSources: () => Iterable<XRInputSource>;
  readonly #standIns: TouchStandIns;
  readonly #running = new Set<CancelTask>();

  constructor(clock: ClientClock, inputSources: () => Iterable<XRInputSource>, standIns: TouchStandIns) {
    this.#clock = clock;
    this.#inputSources = inputSources;
    this.#standIns = standIns;
  }

  /**
   * Plays a named touch, a `.haptic` version 1 document or, where neither is known, `fallbackPulses`. Settles when the
   * first pulse has begun, not when the last has ended. Never rejects: what cannot be played comes back undelivered.
   */
  async play(clip: string | JsonObject, options: PlayOptions = {}): Promise<HapticDelivery> {
    const handedness = options.handedness ?? "both";
    const pulses = scaled(this.#pulses(clip, options), options.gain ?? 1);
    if (pulses.length === 0) return { delivered: false, via: "none" };
    for (const way of options.ways ?? WAYS_IN_ORDER) {
      if (way === "touch") {
        const via = await this.#touch(pulses, handedness);
        if (via !== "none") return { delivered: true, via };
      } else if (way === "sound" && this.#standIns.sound(pulses)) return { delivered: true, via: "audio" };
      else if (way === "sight" && this.#standIns.sight(pulses, handedness)) return { delivered: false, via: "visual" };
    }
    return { delivered: false, via: "none" };
  }

  async #touch(pulses: readonly WirePulse[], handedness: string): Promise<"playEffect" | "pulse" | "none"> {
    const targets: ActuatorLike[] = [];
    for (const source of this.#inputSources())
      if (handedness === "both" || source.handedness === handedness) targets.push(...actuatorsOf(source).slice(0, 1));
    const results = await Promise.all(targets.map((actuator) => this.#start(actuator, pulses)));
    return results.find((result) => result !== "none") ?? "none";
  }

  /** Ends what is running: the user has interrupted, and a late touch would belong to nothing. */
  stop(): void {
    for (const cancel of this.#running) cancel();
    this.#running.clear();
  }

  #pulses(clip: string | JsonObject, options: PlayOptions): readonly WirePulse[] {
    if (typeof clip !== "string") {
      const pulses = pulsesOf(clip);
      return pulses.length > 0 ? pulses : (options.fallbackPulses ?? []);
    }
    if (options.fallbackPulses !== undefined && options.fallbackPulses.length > 0) return options.fallbackPulses;
    return Object.hasOwn(BUILT_IN, clip) ? (BUILT_IN[clip] ?? []) : [];
  }

  /** Tries the first pulse by each way the actuator has; the way that works plays the rest. */
  async #start(actuator: ActuatorLike, pulses: readonly WirePulse[]): Promise<"playEffect" | "pulse" | "none"> {
    const first = pulses[0];
    if (first === undefined) return "none";
    for (const way of WAYS) {
      const began = first.at > 0 ? way.exists(actuator) : await way.play(actuator, first);
      if (!began) continue;
      for (const pulse of first.at > 0 ? pulses : pulses.slice(1)) this.#later(pulse, () => way.play(actuator, pulse));
      return way.name;
    }
    return "none";
  }

  #later(pulse: WirePulse, play: () => Promise<boolean>): void {
    const cancel = this.#clock.schedule(pulse.at, () => {
      this.#running.delete(cancel);
      void play();
    });
    this.#running.add(cancel);
  }
}

const WAYS_IN_ORDER = ["touch", "sound", "sight"] as const;

interface Way {
  readonly name: "playEffect" | "pulse";
  exists(actuator: ActuatorLike): boolean;
  /** False when the actuator has no such method, refuses or throws. */
  play(actuator: ActuatorLike, pulse: WirePulse): Promise<boolean>;
}

const WAYS: readonly Way[] = [
  {
    name: "playEffect",
    exists: (actuator) => effectsOf(actuator).length > 0,
    play: async (actuator, { value, duration }) => {
      const effects = effectsOf(actuator);
      const effect = effects.includes("dual-rumble") ? "dual-rumble" : effects[0];
      if (effect === undefined || actuator.playEffect === undefined) return false;
      const parameters = { duration, startDelay: 0, strongMagnitude: value, weakMagnitude: value * 0.5 };
      // "preempted" still means that it began.
      return actuator.playEffect(effect, parameters).then(
        (result) => result !== "invalid-parameter",
        () => false,
      );
    },
  },
  {
    name: "pulse",
    exists: (actuator) => typeof actuator.pulse === "function",
    play: async (actuator, { value, duration }) => {
      if (typeof actuator.pulse !== "function") return false;
      try {
        return (await actuator.pulse(value, duration)) !== false;
      } catch {
        return false;
      }
    },
  },
];

function scaled(pulses: readonly WirePulse[], gain: number): WirePulse[] {
  return pulses
    .map((pulse) => ({ ...pulse, value: Math.min(1, pulse.value * gain) }))
    .filter(({ value, duration }) => value > 0 && duration > 0);
}
