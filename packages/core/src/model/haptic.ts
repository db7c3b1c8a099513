/** `.haptic` version 1 (Lofelt/Meta, NiceVibrations datamodel): seconds, amplitude and frequency 0 to 1. */
export interface HapticClip {
  readonly version: { readonly major: 1; readonly minor: number; readonly patch: number };
  readonly metadata?: {
    readonly editor?: string;
    readonly author?: string;
    readonly source?: string;
    readonly project?: string;
    readonly tags?: readonly string[];
    readonly description?: string;
  };
  readonly signals: {
    readonly continuous: {
      readonly envelopes: {
        readonly amplitude: readonly AmplitudeBreakpoint[];
        readonly frequency?: readonly FrequencyBreakpoint[];
      };
    };
  };
}

export interface AmplitudeBreakpoint {
  readonly time: number;
  readonly amplitude: number;
  readonly emphasis?: { readonly amplitude: number; readonly frequency: number };
}

export interface FrequencyBreakpoint {
  readonly time: number;
  readonly frequency: number;
}

/** One pulse of a WebXR actuator: value 0 to 1, milliseconds. */
export interface HapticPulse {
  readonly atMs: number;
  readonly value: number;
  readonly durationMs: number;
}

/** Specification: HapticResponse. */
export interface HapticResponse {
  readonly meaning: string;
  readonly clip: HapticClip;
  readonly pulses: readonly HapticPulse[];
  readonly handedness: "left" | "right" | "both";
  readonly gain: number;
}
