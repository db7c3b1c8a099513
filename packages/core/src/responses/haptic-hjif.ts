import type { HapticClip } from "../model/haptic.ts";
import { hapticDurationS } from "./haptic-envelope.ts";

/** Frequency 0 and 1 of a clip in hertz, as an actuator of a controller covers them. */
const LOW_HZ = 65;
const HIGH_HZ = 300;

/**
 * MPEG haptics interchange (ISO/IEC 23090-31), JSON form: the envelopes as one vectorial wave with keyframes, the emphases as
 * a band of transients. Times in milliseconds. Layout after MPEGGroup/HapticReferenceSoftware source/IOHaptics/src/IOJson.cpp;
 * not run against that software.
 */
export function compileHjif(clip: HapticClip): Readonly<Record<string, unknown>> {
  const { amplitude, frequency = [] } = clip.signals.continuous.envelopes;
  const ms = (seconds: number): number => Math.round(seconds * 1_000);
  const hz = (value: number): number => Math.round(LOW_HZ * (HIGH_HZ / LOW_HZ) ** value);
  const keyframes = [
    ...amplitude.map((point) => ({ relative_position: ms(point.time), amplitude_modulation: point.amplitude })),
    ...frequency.map((point) => ({ relative_position: ms(point.time), frequency_modulation: hz(point.frequency) })),
  ].sort((a, b) => a.relative_position - b.relative_position);
  const transients = amplitude.flatMap(({ time, emphasis }, index) =>
    emphasis === undefined
      ? []
      : [
          {
            id: index + 1,
            effect_type: "Basis",
            position: ms(time),
            phase: 0,
            base_signal: "Sine",
            keyframes: [
              {
                relative_position: 0,
                amplitude_modulation: emphasis.amplitude,
                frequency_modulation: hz(emphasis.frequency),
              },
            ],
          },
        ],
  );
  const wave = { id: 0, effect_type: "Basis", position: 0, phase: 0, base_signal: "Sine", keyframes };
  const band = (type: string, effects: readonly unknown[]): Readonly<Record<string, unknown>> => ({
    band_type: type,
    curve_type: "Linear",
    block_length: ms(hapticDurationS(clip)),
    lower_frequency_limit: 0,
    upper_frequency_limit: 1_000,
    effects,
  });
  return {
    version: "2023",
    profile: "Main",
    level: 1,
    date: "",
    description: clip.metadata?.description ?? "",
    timescale: 1_000,
    avatars: [{ id: 0, lod: 0, type: "Vibration" }],
    perceptions: [
      {
        id: 0,
        avatar_id: 0,
        description: clip.metadata?.project ?? "",
        perception_modality: "Vibrotactile",
        unit_exponent: 0,
        perception_unit_exponent: 0,
        effect_library: [],
        reference_devices: [],
        channels: [
          {
            id: 0,
            description: "",
            gain: 1,
            mixing_coefficient: 1,
            body_part_mask: 0,
            vertices: [],
            bands: [band("VectorialWave", [wave]), ...(transients.length === 0 ? [] : [band("Transient", transients)])],
          },
        ],
      },
    ],
    syncs: [],
  };
}
