// Looks every few seconds at where trouble is coming, acts where the operator wants it, and tells what it saw and did.
import type { Cancel, Clock, FailureWarning, GatewayEngine, Log, Meter, PreventiveMeasure } from "@fovea/core";
import { NO_CONTEXT } from "@fovea/core";

export interface ForesightParts {
  readonly engine: GatewayEngine;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** Whether measures are taken, or warnings only told. */
  readonly acts: boolean;
}

export interface ForesightState {
  readonly warnings: readonly { readonly cell: string; readonly sign: string; readonly evidence: string }[];
  /** Newest first. */
  readonly measures: readonly {
    readonly cell: string;
    readonly knob: string;
    readonly from: number;
    readonly to: number;
    readonly reason: string;
    readonly effect: string;
    readonly evidence: string;
  }[];
}

const LOOK_EVERY_MS = 10_000;
const SIGNS: readonly FailureWarning["sign"][] = [
  "rising-latency",
  "error-slope",
  "limit-headroom",
  "quota-burn",
  "token-expiry",
];

export class Foresight {
  readonly #parts: ForesightParts;
  /** `cell sign` of what was told already. */
  #told: ReadonlySet<string> = new Set();
  #warnings: readonly FailureWarning[] = [];
  readonly #counted = new Set<PreventiveMeasure>();
  #cancel: Cancel | undefined;

  constructor(parts: ForesightParts) {
    this.#parts = parts;
    this.#arm();
  }

  get state(): ForesightState {
    const { measures } = this.#parts.engine.resilience.prevention;
    return {
      warnings: this.#warnings.map(({ cellName: cell, sign, evidence }) => ({ cell, sign, evidence })),
      measures: measures.toReversed().map((measure) => ({
        cell: measure.cellName,
        knob: measure.knob,
        from: measure.from,
        to: measure.to,
        reason: measure.reason,
        effect: measure.effect(),
        evidence: measure.evidence(),
      })),
    };
  }

  close(): void {
    this.#cancel?.();
    this.#parts.engine.resilience.prevention.close();
  }

  #arm(): void {
    this.#cancel = this.#parts.clock.schedule(LOOK_EVERY_MS, () => void this.look().finally(() => this.#arm()));
  }

  /** One look; also what the timer does. */
  async look(): Promise<void> {
    const { engine, meter, acts } = this.#parts;
    const { resilience } = engine;
    const prediction = await resilience.predictPotentialFailures(NO_CONTEXT);
    this.#tell(prediction.warnings);
    for (const sign of SIGNS) {
      const count = prediction.warnings.filter((warning) => warning.sign === sign).length;
      meter.gauge("fovea.forecast.warnings", { sign }, count);
    }
    if (acts) await resilience.implementPreventiveMeasures([prediction]);
    resilience.prevention.relax();
    for (const measure of resilience.prevention.measures) this.#count(measure);
  }

  #tell(warnings: readonly FailureWarning[]): void {
    const nameOf = ({ cellName, sign }: FailureWarning): string => `${cellName} ${sign}`;
    for (const warning of warnings) {
      if (this.#told.has(nameOf(warning))) continue;
      const { cellName: cell, sign, evidence } = warning;
      this.#parts.log.write("warn", "a provider may fail soon", { cell, sign, evidence });
    }
    this.#told = new Set(warnings.map(nameOf));
    this.#warnings = warnings;
  }

  #count(measure: PreventiveMeasure): void {
    const effect = measure.effect();
    if (effect === "pending" || this.#counted.has(measure)) return;
    // At most a hundred are kept there, and here.
    if (this.#counted.size > 200) this.#counted.clear();
    this.#counted.add(measure);
    const { log, meter } = this.#parts;
    meter.count("fovea.prevention.measures", { knob: measure.knob, effect });
    log.write("info", "a preventive measure was judged", {
      cell: measure.cellName,
      knob: measure.knob,
      effect,
      evidence: measure.evidence(),
    });
  }
}
