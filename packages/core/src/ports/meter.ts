export type Labels = Readonly<Record<string, string>>;

/** Counters, gauges and histograms. Label values come from closed sets (provider, model, outcome), never from users. */
export interface Meter {
  count(name: string, labels: Labels, by?: number): void;
  gauge(name: string, labels: Labels, value: number): void;
  /** Seconds for durations (Prometheus and OpenTelemetry base unit), bytes for sizes. */
  record(name: string, labels: Labels, value: number): void;
}

export const NO_METER: Meter = { count() {}, gauge() {}, record() {} };
