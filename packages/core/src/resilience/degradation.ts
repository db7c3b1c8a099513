// The ladder down which an answer goes when providers fail: full, a smaller model, without pictures, text alone, geometry
// alone, a spoken notice. It is walked only as far down as what is left requires.
import type { XRContext } from "../model/xr-context.ts";
import type { Candidate } from "../providers/catalogue.ts";

export type LadderRung = "full" | "smaller-model" | "no-vision" | "text-only" | "embedded" | "notice";

/** Specification: DegradedMode. */
export interface DegradedMode {
  readonly rung: LadderRung;
  /** What the user does without. */
  readonly lost: readonly string[];
  /** Said or shown once; empty where nothing is lost. */
  readonly userNotice: string;
  /** `provider/model` of the cells that can still serve. */
  readonly serving: readonly string[];
}

export interface LadderView {
  /** Chat cells of vendors, best first. */
  readonly vendors: readonly Candidate[];
  readonly embedded: readonly Candidate[];
  isUsable(candidate: Candidate): boolean;
  quality(candidate: Candidate): number;
}

const NOTICES: Readonly<Record<LadderRung, string>> = {
  full: "",
  "smaller-model": "I am using a simpler model at the moment.",
  "no-vision": "I cannot see through the camera at the moment.",
  "text-only": "I can talk, but not act in the room at the moment.",
  embedded: "I can only answer about what is where in this room at the moment.",
  notice: "I cannot answer at the moment. Please try again in a minute.",
};

export function degradedMode(context: XRContext, view: LadderView): DegradedMode {
  const usable = view.vendors.filter((candidate) => view.isUsable(candidate));
  const has = (feature: "vision-input" | "tools"): boolean =>
    usable.some((candidate) => candidate.model.features.includes(feature)) ||
    !view.vendors.some((candidate) => candidate.model.features.includes(feature));
  const name = (candidate: Candidate): string => `${candidate.cell.providerId}/${candidate.cell.model}`;
  const serving = usable.map(name);
  if (usable.length === 0 && view.vendors.length > 0) {
    const rung = view.embedded.length > 0 && context.scene.entities.length > 0 ? "embedded" : "notice";
    return made(rung, ["conversation", "pictures", "actions"], rung === "embedded" ? view.embedded.map(name) : []);
  }
  if (usable.length === 0) return made(view.embedded.length > 0 ? "full" : "notice", [], view.embedded.map(name));
  if (!has("tools")) return made("text-only", ["actions"], serving);
  if (context.consent.camera && !has("vision-input")) return made("no-vision", ["pictures"], serving);
  const best = Math.max(...view.vendors.map((candidate) => view.quality(candidate)));
  const left = Math.max(...usable.map((candidate) => view.quality(candidate)));
  return left < best - 0.1 ? made("smaller-model", ["the best model"], serving) : made("full", [], serving);
}

function made(rung: LadderRung, lost: readonly string[], serving: readonly string[]): DegradedMode {
  return { rung, lost, userNotice: NOTICES[rung], serving };
}
