// From which side does a voice come? Two microphones hear it at slightly different times; the lag with the greatest
// generalised cross-correlation gives the angle (time difference of arrival; far-field, one source).

/** Metres a second in air at 20 °C. */
const SOUND_SPEED = 343;

export interface SpeakerDirection {
  /** Radians from straight ahead, positive to the left of the pair's axis (from first to second microphone is right). */
  readonly azimuthRad: number;
  /** Height of the correlation peak, 0 to 1. */
  readonly confidence: number;
}

export interface MicrophonePair {
  readonly spacingM: number;
  readonly sampleRateHz: number;
}

/** Both channels cover the same time. Undefined for silence, or where the pair is too close to tell anything. */
export function speakerDirection(
  left: Int16Array,
  right: Int16Array,
  pair: MicrophonePair,
): SpeakerDirection | undefined {
  const lagMax = Math.ceil((pair.spacingM / SOUND_SPEED) * pair.sampleRateHz);
  if (lagMax < 1 || left.length <= 4 * lagMax) return undefined;
  let bestLag = 0;
  let best = -1;
  const values: number[] = [];
  for (let lag = -lagMax; lag <= lagMax; lag++) {
    const value = correlationAt(left, right, lag, lagMax);
    values.push(value);
    if (value > best) {
      best = value;
      bestLag = lag;
    }
  }
  if (!(best > 0)) return undefined;
  const index = bestLag + lagMax;
  const lag = bestLag + parabolicPeak(values[index - 1], best, values[index + 1]);
  const sine = ((lag / pair.sampleRateHz) * SOUND_SPEED) / pair.spacingM;
  return { azimuthRad: Math.asin(Math.max(-1, Math.min(1, sine))), confidence: best };
}

/** Positive lag: the right microphone hears it later, so the source is on the left. */
function correlationAt(left: Int16Array, right: Int16Array, lag: number, margin: number): number {
  let product = 0;
  let powerLeft = 0;
  let powerRight = 0;
  for (let i = margin; i < left.length - margin; i++) {
    const a = left[i] as number;
    const b = right[i + lag] as number;
    product += a * b;
    powerLeft += a * a;
    powerRight += b * b;
  }
  const power = Math.sqrt(powerLeft * powerRight);
  return power === 0 ? 0 : product / power;
}

/** Offset of the true peak from the middle of three samples, -0.5 to 0.5. */
function parabolicPeak(before: number | undefined, at: number, after: number | undefined): number {
  if (before === undefined || after === undefined) return 0;
  const curvature = before - 2 * at + after;
  return curvature >= 0 ? 0 : Math.max(-0.5, Math.min(0.5, (0.5 * (before - after)) / curvature));
}
