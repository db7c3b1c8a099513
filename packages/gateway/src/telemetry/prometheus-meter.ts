// The gateway's own meter: typed arrays written in place, turned into text only when somebody scrapes. A record costs a
// key and an addition; nothing is allocated for a label set that was seen before.
import type { Labels, Meter } from "@fovea/core";
import type { MetricDefinition } from "./metric-table.ts";
import { DEFAULT_SECONDS, METRIC_TABLE, prometheusName } from "./metric-table.ts";

/** More label sets than this mean that something unbounded became a label. */
const LABEL_SETS_MAX = 500;
const OVERFLOW = "overflow";
const DROPPED = "fovea.metrics.dropped_label_sets";

/** One label set of a metric as it stands. `buckets` are counts a bucket, not cumulative; the last is above all bounds. */
export interface Series {
  readonly labels: Labels;
  readonly value: number;
  readonly sum: number;
  readonly count: number;
  readonly buckets: readonly number[];
}

/** One metric with all its label sets. */
export interface MetricFamily {
  readonly name: string;
  readonly definition: MetricDefinition;
  readonly bounds: readonly number[];
  readonly series: readonly Series[];
}

/** Label value to the next label's values, and at the last label to the slot. */
type Branch = Map<string, Branch | number>;

class Family {
  readonly name: string;
  readonly definition: MetricDefinition;
  readonly bounds: readonly number[];
  /** Not one joined key: joining and hashing a new text for each record costs more than the look-ups of its parts. */
  readonly #root: Branch = new Map();
  readonly #labelSets: Labels[] = [];
  readonly #width: number;
  #values: Float64Array;

  constructor(name: string, definition: MetricDefinition) {
    this.name = name;
    this.definition = definition;
    this.bounds = definition.kind === "histogram" ? (definition.buckets ?? DEFAULT_SECONDS) : [];
    // A histogram slot: one count for each bound, one above them, the sum.
    this.#width = definition.kind === "histogram" ? this.bounds.length + 2 : 1;
    this.#values = new Float64Array(this.#width * 4);
    if (definition.labels.length === 0) this.#add({});
  }

  /** Where the label set's numbers begin. Beyond the limit all label sets share one slot. */
  offset(labels: Labels, onDropped: () => void): number {
    const names = this.definition.labels;
    if (names.length === 0) return 0;
    let branch: Branch | number | undefined = this.#root;
    for (let index = 0; index < names.length && branch instanceof Map; index++)
      branch = branch.get(labels[names[index] ?? ""] ?? "");
    if (typeof branch === "number") return branch;
    if (this.#labelSets.length < LABEL_SETS_MAX) return this.#add(labels);
    onDropped();
    const shared = Object.fromEntries(names.map((label) => [label, OVERFLOW]));
    return this.#find(shared) ?? this.#add(shared);
  }

  #find(labels: Labels): number | undefined {
    let branch: Branch | number | undefined = this.#root;
    for (const name of this.definition.labels)
      branch = branch instanceof Map ? branch.get(labels[name] ?? "") : undefined;
    return typeof branch === "number" ? branch : undefined;
  }

  #add(labels: Labels): number {
    const offset = this.#labelSets.length * this.#width;
    const names = this.definition.labels;
    let branch = this.#root;
    for (const name of names.slice(0, -1)) {
      const value = labels[name] ?? "";
      const known = branch.get(value);
      const next: Branch = known instanceof Map ? known : new Map();
      if (next !== known) branch.set(value, next);
      branch = next;
    }
    branch.set(labels[names.at(-1) ?? ""] ?? "", offset);
    this.#labelSets.push(Object.fromEntries(names.map((name) => [name, labels[name] ?? ""])));
    if (offset + this.#width > this.#values.length) {
      const grown = new Float64Array(this.#values.length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    return offset;
  }

  add(offset: number, by: number): void {
    this.#values[offset] = (this.#values[offset] ?? 0) + by;
  }

  set(offset: number, value: number): void {
    this.#values[offset] = value;
  }

  observe(offset: number, value: number): void {
    let index = 0;
    while (index < this.bounds.length && value > (this.bounds[index] ?? Infinity)) index++;
    this.add(offset + index, 1);
    this.add(offset + this.#width - 1, value);
  }

  series(): Series[] {
    return this.#labelSets.map((labels, slot) => {
      const numbers = Array.from(this.#values.subarray(slot * this.#width, (slot + 1) * this.#width));
      if (this.definition.kind !== "histogram")
        return { labels, value: numbers[0] ?? 0, sum: 0, count: 0, buckets: [] };
      const sum = numbers.pop() ?? 0;
      return { labels, value: 0, sum, count: numbers.reduce((total, count) => total + count, 0), buckets: numbers };
    });
  }
}

/** Metrics of the table, and any other name a part of the engine uses: those appear without unit, labels as first seen. */
export class PrometheusMeter implements Meter {
  readonly #families = new Map<string, Family>();
  readonly #collectors: (() => void)[] = [];

  constructor() {
    for (const [name, definition] of Object.entries(METRIC_TABLE))
      this.#families.set(name, new Family(name, definition));
  }

  count(name: string, labels: Labels, by = 1): void {
    const family = this.#family(name, "counter", labels);
    if (by > 0)
      family.add(
        family.offset(labels, () => this.#dropped(name)),
        by,
      );
  }

  gauge(name: string, labels: Labels, value: number): void {
    const family = this.#family(name, "gauge", labels);
    family.set(
      family.offset(labels, () => this.#dropped(name)),
      value,
    );
  }

  record(name: string, labels: Labels, value: number): void {
    if (!Number.isFinite(value)) return;
    const family = this.#family(name, "histogram", labels);
    family.observe(
      family.offset(labels, () => this.#dropped(name)),
      value,
    );
  }

  /** Runs before every scrape, for what is read rather than counted (memory, sockets, loop delay). */
  onCollect(collector: () => void): void {
    this.#collectors.push(collector);
  }

  /** Brings a label set to life at zero: a ratio over a counter that never counted is absent, not zero. */
  declare(name: string, labels: Labels): void {
    this.#families.get(name)?.offset(labels, () => this.#dropped(name));
  }

  /** For counters that another part keeps and this one only shows. */
  setTotal(name: string, labels: Labels, total: number): void {
    const family = this.#family(name, "counter", labels);
    family.set(
      family.offset(labels, () => this.#dropped(name)),
      total,
    );
  }

  read(name: string): { readonly bounds: readonly number[]; readonly series: readonly Series[] } {
    const family = this.#families.get(name);
    return { bounds: family?.bounds ?? [], series: family?.series() ?? [] };
  }

  /** Every metric that has a label set, as it stands now. */
  families(): readonly MetricFamily[] {
    for (const collect of this.#collectors) collect();
    return [...this.#families.values()].map((family) => {
      const { name, definition, bounds } = family;
      return { name, definition, bounds, series: family.series() };
    });
  }

  /** Prometheus text exposition format 0.0.4. Metrics without any label set are left out. */
  text(): string {
    for (const collect of this.#collectors) collect();
    let text = "";
    for (const family of this.#families.values()) text += familyText(family);
    return text;
  }

  #family(name: string, kind: MetricDefinition["kind"], labels: Labels): Family {
    let family = this.#families.get(name);
    if (family === undefined) {
      family = new Family(name, { kind, help: `Recorded as ${name}.`, labels: Object.keys(labels) });
      this.#families.set(name, family);
    }
    return family;
  }

  #dropped(metric: string): void {
    if (metric !== DROPPED) this.count(DROPPED, { metric });
  }
}

function familyText(family: Family): string {
  const all = family.series();
  if (all.length === 0) return "";
  const name = prometheusName(family.name, family.definition);
  let text = `# HELP ${name} ${family.definition.help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")}\n`;
  text += `# TYPE ${name} ${family.definition.kind}\n`;
  for (const series of all) {
    if (family.definition.kind === "histogram") text += histogramText(name, family.bounds, series);
    else text += `${name}${labelText(series.labels)} ${series.value}\n`;
  }
  return text;
}

function histogramText(name: string, bounds: readonly number[], series: Series): string {
  let text = "";
  let cumulative = 0;
  for (const [index, bound] of bounds.entries()) {
    cumulative += series.buckets[index] ?? 0;
    text += `${name}_bucket${labelText(series.labels, String(bound))} ${cumulative}\n`;
  }
  text += `${name}_bucket${labelText(series.labels, "+Inf")} ${series.count}\n`;
  text += `${name}_sum${labelText(series.labels)} ${series.sum}\n`;
  text += `${name}_count${labelText(series.labels)} ${series.count}\n`;
  return text;
}

/** Empty values are left out: in Prometheus a label with an empty value is the same as no label. */
function labelText(labels: Labels, le?: string): string {
  const pairs = Object.entries(labels)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name.replace(/[^a-zA-Z0-9_]/g, "_")}="${escapeLabel(value)}"`);
  if (le !== undefined) pairs.push(`le="${le}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}
