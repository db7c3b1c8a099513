// The scorer of the SHREC'22 track on continuous gestures: a detection counts if the label is equal, it covers at least half
// of the true gesture and is at most twice as long; each true gesture counts once. Per class, then averaged over classes.
// Lengths are last minus first sample, as the track counts them: only so do the published outputs give the published table.

export interface Span {
  readonly label: string;
  readonly start: number;
  readonly end: number;
}

export interface Detection extends Span {
  /** Last sample that was used to decide. */
  readonly decided: number;
}

export interface OnlineScore {
  readonly detectionRate: number;
  readonly falsePositives: number;
  readonly jaccard: number;
  /** Mean over classes of the samples from the reported start to the decision. */
  readonly delay: number;
}

interface Row {
  truth: number;
  right: number;
  wrong: number;
  readonly delays: number[];
}

export function scoreOnline(
  truth: readonly (readonly Span[])[],
  found: readonly (readonly Detection[])[],
): OnlineScore {
  const rows = new Map<string, Row>();
  for (const { label } of truth.flat()) {
    const row = rows.get(label) ?? { truth: 0, right: 0, wrong: 0, delays: [] };
    row.truth += 1;
    rows.set(label, row);
  }
  truth.forEach((spans, i) => {
    const free = new Set(spans);
    for (const detection of found[i] ?? []) {
      const row = rows.get(detection.label);
      const hit = [...free].find((span) => isHit(span, detection));
      if (hit !== undefined) free.delete(hit);
      // Labels that never occur count for no class.
      if (row === undefined) continue;
      if (hit === undefined) row.wrong += 1;
      else {
        row.right += 1;
        row.delays.push(detection.decided - detection.start);
      }
    }
  });
  const all = [...rows.values()];
  const mean = (of: (row: Row) => number): number => all.reduce((sum, row) => sum + of(row), 0) / all.length;
  return {
    detectionRate: mean((row) => row.right / row.truth),
    falsePositives: mean((row) => row.wrong / row.truth),
    jaccard: mean((row) => row.right / (row.truth + row.wrong)),
    delay: mean((row) => row.delays.reduce((sum, delay) => sum + delay, 0) / Math.max(1, row.delays.length)),
  };
}

function isHit(span: Span, detection: Span): boolean {
  const common = Math.min(detection.end, span.end) - Math.max(detection.start, span.start);
  const length = span.end - span.start;
  return span.label === detection.label && common >= 0.5 * length && detection.end - detection.start <= 2 * length;
}
