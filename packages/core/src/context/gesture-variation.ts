const VALUES = 66;

/**
 * A copy of a joint sequence as another person might have performed it: turned by up to 14 degrees, 10 % larger or smaller,
 * with other bone lengths (1 mm), up to 10 % cut off at either end, and bent in time.
 */
export function varySequence(joints: Float32Array, random: () => number): Float32Array {
  const between = (from: number, to: number): number => from + (to - from) * random();
  const gaussian = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const samples = joints.length / VALUES;
  const first = Math.floor(samples * between(0, 0.1));
  const last = Math.max(Math.min(samples, first + 8), samples - Math.floor(samples * between(0, 0.1)));
  const kept = last - first;
  const rotation = smallRotation(gaussian(), gaussian(), gaussian(), between(-0.25, 0.25));
  const scale = between(0.9, 1.1);
  const bones = Float64Array.from({ length: VALUES }, () => gaussian() * 0.001);
  const slow = between(-0.12, 0.12);
  const wave = between(-0.06, 0.06);
  const centre = centreOf(joints);
  const out = new Float32Array(kept * VALUES);
  const moved = new Float64Array(VALUES);
  for (let sample = 0; sample < kept; sample++) {
    const x = sample / Math.max(1, kept - 1);
    const bent = Math.min(1, Math.max(0, x + slow * Math.sin(Math.PI * x) + wave * Math.sin(2 * Math.PI * x)));
    const at = first + bent * (kept - 1);
    const before = Math.min(Math.floor(at), samples - 2);
    for (let i = 0; i < VALUES; i++) {
      const a = joints[before * VALUES + i] as number;
      const value = a + ((joints[(before + 1) * VALUES + i] as number) - a) * (at - before);
      moved[i] = value - (centre[i % 3] as number);
    }
    for (let i = 0; i < VALUES; i++) {
      const joint = i - (i % 3);
      const row = (i % 3) * 3;
      const turned =
        (rotation[row] as number) * (moved[joint] as number) +
        (rotation[row + 1] as number) * (moved[joint + 1] as number) +
        (rotation[row + 2] as number) * (moved[joint + 2] as number);
      out[sample * VALUES + i] = turned * scale + (bones[i] as number);
    }
  }
  return out;
}

function centreOf(joints: Float32Array): Float64Array {
  const centre = new Float64Array(3);
  for (let i = 0; i < joints.length; i++) {
    centre[i % 3] = (centre[i % 3] as number) + ((joints[i] as number) * 3) / joints.length;
  }
  return centre;
}

/** Row-major, by Rodrigues' formula about the given axis of any length. */
function smallRotation(x: number, y: number, z: number, angleRad: number): readonly number[] {
  const size = Math.hypot(x, y, z) || 1;
  const [ux, uy, uz] = [x / size, y / size, z / size];
  const c = Math.cos(angleRad);
  const s = Math.sin(angleRad);
  const t = 1 - c;
  return [
    c + ux * ux * t,
    ux * uy * t - uz * s,
    ux * uz * t + uy * s,
    uy * ux * t + uz * s,
    c + uy * uy * t,
    uy * uz * t - ux * s,
    uz * ux * t - uy * s,
    uz * uy * t + ux * s,
    c + uz * uz * t,
  ];
}
