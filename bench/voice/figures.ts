/** One line of figures: p50, p95 and the number of values, against a goal. */
export function line(what: string, values: readonly number[], goal: string): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(0);
  return `${what}: p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)} ms over ${sorted.length} (goal: ${goal})`;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
