import type { AmplitudeBreakpoint, FrequencyBreakpoint, HapticClip } from "../model/haptic.ts";

/** What an effect tells the person who feels it. Models choose by this text, so it says when to use the effect. */
export interface HapticEffect {
  readonly name: string;
  readonly meaning: string;
  /** 0 a background hint, 1 must interrupt. Decides between effects when two would sound at once. */
  readonly urgency: number;
  readonly clip: HapticClip;
}

type Point = readonly [timeMs: number, amplitude: number, emphasis?: readonly [amplitude: number, frequency: number]];
type Pitch = readonly [timeMs: number, frequency: number];

/**
 * Fovea's own vocabulary. Written from three rules of thumb: one event is one emphasis, good news rises in pitch and bad
 * news falls, and what goes on (texture, nearness) has no emphasis at all. Times in milliseconds here, seconds in clips.
 */
const EFFECTS = {
  confirm: effect(
    "the request was understood and is being done",
    0.4,
    [
      [0, 0.35, [0.7, 0.6]],
      [45, 0.1],
      [110, 0],
    ],
    [
      [0, 0.5],
      [110, 0.7],
    ],
  ),
  select: effect(
    "an item was chosen",
    0.3,
    [
      [0, 0.3, [0.6, 0.8]],
      [40, 0],
    ],
    [
      [0, 0.75],
      [40, 0.75],
    ],
  ),
  tick: effect(
    "a step on a scale or list was passed",
    0.1,
    [
      [0, 0.12, [0.35, 0.9]],
      [18, 0],
    ],
    [
      [0, 0.9],
      [18, 0.9],
    ],
  ),
  hover: effect(
    "a target is under the hand or ray",
    0.1,
    [
      [0, 0],
      [20, 0.18],
      [70, 0.1],
      [110, 0],
    ],
    [
      [0, 0.5],
      [110, 0.5],
    ],
  ),
  grab: effect(
    "an object was taken into the hand",
    0.4,
    [
      [0, 0.5, [0.75, 0.4]],
      [60, 0.3],
      [140, 0.12],
      [200, 0],
    ],
    [
      [0, 0.4],
      [200, 0.25],
    ],
  ),
  release: effect(
    "an object was let go",
    0.3,
    [
      [0, 0.2, [0.45, 0.45]],
      [70, 0.05],
      [120, 0],
    ],
    [
      [0, 0.35],
      [120, 0.5],
    ],
  ),
  notify: effect(
    "news has arrived that can wait",
    0.4,
    [
      [0, 0.25, [0.5, 0.55]],
      [60, 0.04],
      [160, 0.3, [0.6, 0.65]],
      [230, 0.04],
      [300, 0],
    ],
    [
      [0, 0.5],
      [300, 0.65],
    ],
  ),
  attention: effect(
    "look here: the answer needs the user's eyes",
    0.7,
    [
      [0, 0.4, [0.8, 0.6]],
      [80, 0.05],
      [140, 0.5, [0.9, 0.6]],
      [220, 0.05],
      [280, 0.6, [1, 0.65]],
      [380, 0.08],
      [440, 0],
    ],
    [
      [0, 0.55],
      [440, 0.65],
    ],
  ),
  success: effect(
    "the task is finished and went well",
    0.5,
    [
      [0, 0.3, [0.55, 0.4]],
      [70, 0.06],
      [110, 0.4, [0.7, 0.55]],
      [180, 0.08],
      [220, 0.6, [0.9, 0.75]],
      [320, 0.3],
      [460, 0],
    ],
    [
      [0, 0.4],
      [220, 0.7],
      [460, 0.75],
    ],
  ),
  warning: effect(
    "be careful: something may go wrong",
    0.8,
    [
      [0, 0.65, [0.85, 0.35]],
      [150, 0.55],
      [170, 0.05],
      [260, 0.05],
      [280, 0.7, [0.9, 0.35]],
      [430, 0.6],
      [450, 0],
    ],
    [
      [0, 0.35],
      [450, 0.3],
    ],
  ),
  error: effect(
    "the request failed or is not possible",
    0.8,
    [
      [0, 0.7, [0.9, 0.3]],
      [70, 0.2],
      [110, 0.75, [0.95, 0.22]],
      [180, 0.2],
      [220, 0.8, [1, 0.12]],
      [340, 0.35],
      [420, 0],
    ],
    [
      [0, 0.3],
      [420, 0.1],
    ],
  ),
  danger: effect(
    "stop: a collision or the edge of the play area is close",
    1,
    [
      [0, 1, [1, 0.5]],
      [120, 0.9],
      [140, 0.2],
      [180, 1, [1, 0.5]],
      [300, 0.9],
      [320, 0.2],
      [360, 1, [1, 0.5]],
      [520, 0.9],
      [560, 0],
    ],
    [
      [0, 0.45],
      [560, 0.45],
    ],
  ),
  "impact-soft": effect(
    "a soft thing was touched or hit",
    0.3,
    [
      [0, 0.45, [0.5, 0.15]],
      [35, 0.3],
      [90, 0.12],
      [170, 0],
    ],
    [
      [0, 0.2],
      [170, 0.08],
    ],
  ),
  "impact-hard": effect(
    "a hard thing was hit",
    0.5,
    [
      [0, 0.9, [1, 0.75]],
      [15, 0.6],
      [40, 0.25],
      [90, 0.08],
      [140, 0],
    ],
    [
      [0, 0.7],
      [140, 0.35],
    ],
  ),
  bump: effect(
    "something was pushed against a wall or limit",
    0.4,
    [
      [0, 0.6, [0.8, 0.3]],
      [50, 0.3],
      [110, 0],
    ],
    [
      [0, 0.3],
      [110, 0.2],
    ],
  ),
  heartbeat: effect(
    "a living thing, closeness, or waiting with patience",
    0.2,
    [
      [0, 0.4, [0.6, 0.1]],
      [90, 0.1],
      [180, 0.06],
      [230, 0.55, [0.75, 0.12]],
      [340, 0.12],
      [420, 0],
      [900, 0],
    ],
    [
      [0, 0.1],
      [900, 0.1],
    ],
  ),
  "texture-rough": effect("a rough surface such as stone, bark or sand", 0.2, grain(600, 24, 0.15, 0.6), [
    [0, 0.55],
    [600, 0.5],
  ]),
  "texture-smooth": effect(
    "a smooth surface such as glass or silk",
    0.1,
    [
      [0, 0],
      [120, 0.14],
      [480, 0.14],
      [600, 0],
    ],
    [
      [0, 0.85],
      [600, 0.85],
    ],
  ),
  near: effect(
    "the hand or the user comes nearer to the target",
    0.3,
    [
      [0, 0.05],
      [400, 0.7],
      [440, 0],
    ],
    [
      [0, 0.3],
      [440, 0.7],
    ],
  ),
  far: effect(
    "the hand or the user moves away from the target",
    0.3,
    [
      [0, 0.6],
      [400, 0.05],
      [440, 0],
    ],
    [
      [0, 0.65],
      [440, 0.25],
    ],
  ),
  left: effect(
    "the target is to the left",
    0.4,
    [
      [0, 0.7, [0.8, 0.5]],
      [70, 0.05],
      [160, 0.25],
      [230, 0],
    ],
    [
      [0, 0.6],
      [230, 0.3],
    ],
  ),
  right: effect(
    "the target is to the right",
    0.4,
    [
      [0, 0.25],
      [70, 0.05],
      [160, 0.7, [0.8, 0.5]],
      [230, 0],
    ],
    [
      [0, 0.3],
      [230, 0.6],
    ],
  ),
  thinking: effect(
    "the answer takes a moment; the system is at work",
    0.1,
    [
      [0, 0],
      [150, 0.2],
      [450, 0],
      [900, 0.2],
      [1_200, 0],
    ],
    [
      [0, 0.2],
      [1_200, 0.25],
    ],
  ),
  listening: effect(
    "the system listens now",
    0.2,
    [
      [0, 0],
      [60, 0.3],
      [120, 0.3, [0.4, 0.7]],
      [160, 0],
    ],
    [
      [0, 0.4],
      [160, 0.75],
    ],
  ),
  cancel: effect(
    "the running answer or action was stopped",
    0.4,
    [
      [0, 0.5, [0.6, 0.5]],
      [60, 0.2],
      [160, 0],
    ],
    [
      [0, 0.55],
      [160, 0.15],
    ],
  ),
  rain: effect("many small drops, a light and lively surrounding", 0.1, grain(900, 45, 0.02, 0.4), [
    [0, 0.8],
    [900, 0.75],
  ]),
  engine: effect("a motor or machine is running", 0.2, grain(900, 30, 0.4, 0.6), [
    [0, 0.15],
    [900, 0.2],
  ]),
  explosion: effect(
    "a large event with a long rumble",
    0.6,
    [
      [0, 1, [1, 0.4]],
      [80, 0.95],
      [250, 0.6],
      [600, 0.3],
      [1_000, 0.1],
      [1_400, 0],
    ],
    [
      [0, 0.35],
      [300, 0.15],
      [1_400, 0.05],
    ],
  ),
} as const satisfies Readonly<Record<string, Omit<HapticEffect, "name">>>;

export type HapticEffectName = keyof typeof EFFECTS;

export const HAPTIC_EFFECTS: readonly HapticEffect[] = Object.entries(EFFECTS).map(([name, entry]) =>
  named(name, entry),
);

const BY_NAME: ReadonlyMap<string, HapticEffect> = new Map(HAPTIC_EFFECTS.map((entry) => [entry.name, entry]));

export function findHapticEffect(name: string): HapticEffect | undefined {
  return BY_NAME.get(name);
}

/** The same as `findHapticEffect`, for names known at compile time. */
export function hapticEffect(name: HapticEffectName): HapticEffect {
  return named(name, EFFECTS[name]);
}

function named(name: string, entry: Omit<HapticEffect, "name">): HapticEffect {
  const metadata = { editor: "Fovea", project: name, description: entry.meaning };
  return { name, ...entry, clip: { ...entry.clip, metadata } };
}

function effect(
  meaning: string,
  urgency: number,
  amplitude: readonly Point[],
  frequency: readonly Pitch[],
): Omit<HapticEffect, "name"> {
  return { meaning, urgency, clip: buildClip(amplitude, frequency) };
}

function buildClip(amplitude: readonly Point[], frequency: readonly Pitch[]): HapticClip {
  return {
    version: { major: 1, minor: 0, patch: 0 },
    signals: {
      continuous: {
        envelopes: {
          amplitude: amplitude.map(([timeMs, value, emphasis]): AmplitudeBreakpoint =>
            emphasis === undefined
              ? { time: timeMs / 1_000, amplitude: value }
              : {
                  time: timeMs / 1_000,
                  amplitude: value,
                  emphasis: { amplitude: emphasis[0], frequency: emphasis[1] },
                },
          ),
          frequency: frequency.map(([timeMs, value]): FrequencyBreakpoint => ({
            time: timeMs / 1_000,
            frequency: value,
          })),
        },
      },
    },
  };
}

/** Uneven grain without randomness: the golden ratio's multiples never repeat and never cluster. */
function grain(durationMs: number, stepMs: number, low: number, high: number): readonly Point[] {
  const points: Point[] = [[0, 0]];
  let share = 0;
  for (let timeMs = stepMs; timeMs < durationMs; timeMs += stepMs) {
    share = (share + 0.618_033_988_75) % 1;
    points.push([timeMs, Math.round((low + (high - low) * share) * 1_000) / 1_000]);
  }
  points.push([durationMs, 0]);
  return points;
}
