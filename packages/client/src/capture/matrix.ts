// Column-major 4 x 4 matrices as WebXR and three give them, read in place.

/** Writes the rotation of the matrix at `from` as a unit quaternion x, y, z, w. The columns are normalised: no scale. */
export function quaternionOf(matrix: ArrayLike<number>, from: number, into: Float32Array | number[], at: number): void {
  const cell = (index: number): number => matrix[from + index] ?? 0;
  const sx = 1 / (Math.hypot(cell(0), cell(1), cell(2)) || 1);
  const sy = 1 / (Math.hypot(cell(4), cell(5), cell(6)) || 1);
  const sz = 1 / (Math.hypot(cell(8), cell(9), cell(10)) || 1);
  const m00 = cell(0) * sx;
  const m10 = cell(1) * sx;
  const m20 = cell(2) * sx;
  const m01 = cell(4) * sy;
  const m11 = cell(5) * sy;
  const m21 = cell(6) * sy;
  const m02 = cell(8) * sz;
  const m12 = cell(9) * sz;
  const m22 = cell(10) * sz;
  let x = m21 - m12;
  let y = m02 - m20;
  let z = m10 - m01;
  let w = 1 + m00 + m11 + m22;
  // The largest of the four candidates keeps the divisor away from zero.
  if (m00 + m11 + m22 <= 0) {
    if (m00 >= m11 && m00 >= m22) [x, y, z, w] = [1 + m00 - m11 - m22, m10 + m01, m02 + m20, m21 - m12];
    else if (m11 >= m22) [x, y, z, w] = [m10 + m01, 1 - m00 + m11 - m22, m21 + m12, m02 - m20];
    else [x, y, z, w] = [m02 + m20, m21 + m12, 1 - m00 - m11 + m22, m10 - m01];
  }
  const length = Math.hypot(x, y, z, w) || 1;
  into[at] = x / length;
  into[at + 1] = y / length;
  into[at + 2] = z / length;
  into[at + 3] = w / length;
}

export type Point = [x: number, y: number, z: number];

export function transformed(matrix: ArrayLike<number>, x: number, y: number, z: number): Point {
  const row = (index: number): number =>
    (matrix[index] ?? 0) * x + (matrix[index + 4] ?? 0) * y + (matrix[index + 8] ?? 0) * z + (matrix[index + 12] ?? 0);
  return [row(0), row(1), row(2)];
}

/** The point turned by the inverse of a unit quaternion. */
export function rotatedBack(q: ArrayLike<number>, [x, y, z]: Readonly<Point>): Point {
  const qx = -(q[0] ?? 0);
  const qy = -(q[1] ?? 0);
  const qz = -(q[2] ?? 0);
  const qw = q[3] ?? 1;
  const tx = 2 * (qy * z - qz * y);
  const ty = 2 * (qz * x - qx * z);
  const tz = 2 * (qx * y - qy * x);
  return [x + qw * tx + qy * tz - qz * ty, y + qw * ty + qz * tx - qx * tz, z + qw * tz + qx * ty - qy * tx];
}
