// What is done about a warning, and whether it helped: a measure moves one knob, is judged after half a minute by the
// numbers it was meant to change, and is taken back where they did not agree.
import type { Cancel, Clock } from "../ports/clock.ts";
import type { FailureForecast, FailureWarning, WarningSign } from "./failure-forecast.ts";

/** The knobs of the mesh. Shares are factors of a cell's usual share, limits are concurrent requests. */
export interface PreventionKnobs {
  shareOf(cellName: string): number;
  setShare(cellName: string, share: number): void;
  limitOf(cellName: string): number;
  setLimit(cellName: string, limit: number): void;
}

export interface PreventiveMeasure {
  readonly cellName: string;
  readonly knob: "shift-share" | "lower-concurrency";
  readonly reason: string;
  readonly from: number;
  readonly to: number;
  /** `pending` until it is judged; `kept` where it helped or was not needed any more; `undone` where it did not. */
  readonly effect: () => "pending" | "kept" | "undone";
  /** What the judgement rests on, once there is one. */
  readonly evidence: () => string;
}

const JUDGED_AFTER_MS = 30_000;
const SHARE_MIN = 0.1;
/** Earlier there is nothing to gain by moving calls away from a key that still works. */
const EXPIRY_ACT_MS = 3_600_000;

interface Open {
  readonly measure: PreventiveMeasure;
  readonly cancel: Cancel;
  readonly undo: () => void;
}

export class Prevention {
  readonly #clock: Clock;
  readonly #forecast: FailureForecast;
  readonly #knobs: PreventionKnobs;
  readonly #open = new Map<string, Open>();
  readonly #all: PreventiveMeasure[] = [];
  /** How a knob stood before the first of a row of measures. */
  readonly #original = new Map<string, () => void>();

  constructor(clock: Clock, forecast: FailureForecast, knobs: PreventionKnobs) {
    this.#clock = clock;
    this.#forecast = forecast;
    this.#knobs = knobs;
  }

  /** Most recent last, at most 100. */
  get measures(): readonly PreventiveMeasure[] {
    return this.#all;
  }

  /** The measure, or why none was taken. */
  apply(warning: FailureWarning, hasOtherCell: boolean): PreventiveMeasure | string {
    const { cellName, sign } = warning;
    if (this.#open.has(cellName)) return "a measure for this cell is being judged";
    if (sign === "token-expiry" && (warning.withinMs ?? 0) > EXPIRY_ACT_MS) return "there is time to replace the key";
    if (sign !== "limit-headroom" && !hasOtherCell) return "no other cell could take its share";
    const before = this.#forecast.level(cellName);
    const callsBefore = this.#forecast.callsOf(cellName);
    const knob = sign === "limit-headroom" ? "lower-concurrency" : "shift-share";
    const from = knob === "shift-share" ? this.#knobs.shareOf(cellName) : this.#knobs.limitOf(cellName);
    const to =
      knob === "shift-share"
        ? Math.max(SHARE_MIN, from * (1 - warning.probability / 2))
        : Math.max(1, Math.floor(from * 0.7));
    const set = (value: number): void => {
      if (knob === "shift-share") this.#knobs.setShare(cellName, value);
      else this.#knobs.setLimit(cellName, value);
    };
    let effect: ReturnType<PreventiveMeasure["effect"]> = "pending";
    let evidence = "";
    const measure = {
      cellName,
      knob,
      reason: warning.evidence,
      from,
      to,
      effect: () => effect,
      evidence: () => evidence,
    } as const;
    // Several measures in a row each begin where the one before ended; what they are taken back to is the beginning.
    const original = `${cellName} ${knob}`;
    if (!this.#original.has(original)) this.#original.set(original, () => set(from));
    set(to);
    const cancel = this.#clock.schedule(JUDGED_AFTER_MS, () => {
      this.#open.delete(cellName);
      const after = this.#forecast.level(cellName);
      const isStillWarned = this.#isStillWarned(cellName, sign);
      const moved = movedShare(callsBefore, this.#forecast.callsOf(cellName));
      const isShared = sign === "token-expiry" || sign === "quota-burn";
      evidence = isShared ? describeShare(moved) : describe(sign, before, after);
      effect = (isShared ? moved.after < moved.before : hasHelped(sign, before, after, isStillWarned))
        ? "kept"
        : "undone";
      if (isShared && !isStillWarned) effect = "kept";
      // A sign that is gone needs its measure no longer, and one that stayed was not helped by it.
      if (effect === "undone" || !this.#isStillWarned(cellName, sign)) set(from);
    });
    this.#open.set(cellName, { measure, cancel, undo: () => set(from) });
    this.#all.push(measure);
    if (this.#all.length > 100) this.#all.shift();
    return measure;
  }

  /** Gives cells back what was taken from them, where no sign of trouble is left. */
  relax(): void {
    const warned = new Set(this.#forecast.warnings(this.#clock.monotonicMs()).map((warning) => warning.cellName));
    for (const [name, restore] of this.#original) {
      const cellName = name.slice(0, name.lastIndexOf(" "));
      if (warned.has(cellName) || this.#open.has(cellName)) continue;
      restore();
      this.#original.delete(name);
    }
  }

  /** Takes back what is not judged yet. */
  close(): void {
    for (const { cancel, undo } of this.#open.values()) {
      cancel();
      undo();
    }
    this.#open.clear();
  }

  #isStillWarned(cellName: string, sign: WarningSign): boolean {
    return this.#forecast
      .warnings(this.#clock.monotonicMs())
      .some((item) => item.cellName === cellName && item.sign === sign);
  }
}

/** Share of all calls that a cell had before a measure, and has had since. */
interface MovedShare {
  readonly before: number;
  readonly after: number;
}

type Calls = ReturnType<FailureForecast["callsOf"]>;

function movedShare(before: Calls, after: Calls): MovedShare {
  const since = after.all - before.all;
  return {
    before: before.own / Math.max(1, before.all),
    after: since === 0 ? 0 : (after.own - before.own) / since,
  };
}

function describeShare({ before, after }: MovedShare): string {
  return `${(before * 100).toFixed(0)} % of the calls before, ${(after * 100).toFixed(0)} % since`;
}

type Level = ReturnType<FailureForecast["level"]>;

function hasHelped(sign: WarningSign, before: Level, after: Level, isStillWarned: boolean): boolean {
  if (!isStillWarned) return true;
  if (before === undefined || after === undefined || sign === "limit-headroom") return false;
  if (sign === "rising-latency") return after.firstContentMs < before.firstContentMs * 0.95;
  return after.errorShare < before.errorShare * 0.95;
}

function describe(sign: WarningSign, before: Level, after: Level): string {
  if (before === undefined || after === undefined) return "nothing was measured";
  if (sign === "rising-latency") {
    return `first content ${Math.round(before.firstContentMs)} ms before, ${Math.round(after.firstContentMs)} ms after`;
  }
  return `errors ${(before.errorShare * 100).toFixed(0)} % before, ${(after.errorShare * 100).toFixed(0)} % after`;
}
