const QUADRANTS: readonly string[] = ["front-right", "back-right", "back-left", "front-left"];

/** The quadrant of a bearing in degrees: 0 to 90 is front-right, clockwise from there. */
export function quadrantOf(bearingDeg: number): string {
  return QUADRANTS[Math.floor((((bearingDeg % 360) + 360) % 360) / 90)] ?? "";
}
