// The score of a cell for a request: a sum of named terms, each value times weight, so that a decision can be recomputed
// by hand from what the trace shows. Higher is better; the unit is "seconds of waiting avoided".
import type { ScoreTerm } from "../model/routing-plan.ts";
import type { Candidate } from "../providers/catalogue.ts";
import type { RequestCharacteristics } from "./request-profile.ts";

export interface ScoreInputs {
  readonly candidate: Candidate;
  readonly characteristics: RequestCharacteristics;
  /** Seconds until first content, queue and distrust included. */
  readonly loadS: number;
  /** Micro-dollars this request would cost here; undefined where no price is known. */
  readonly costMicroUsd: number | undefined;
  /** 0 to 1; 1 unless the cell has just recovered. */
  readonly share: number;
  readonly isAffine: boolean;
  /** True where the same model is asked everywhere: then quality cannot differ. */
  readonly isSameModel: boolean;
  readonly quality: number | undefined;
}

export interface Score {
  readonly score: number;
  readonly terms: readonly ScoreTerm[];
}

/** A model one step too weak for a request is worth two seconds of waiting. */
const QUALITY_WEIGHT = 20;
const AFFINITY_S = 0.05;

export function scoreOf(inputs: ScoreInputs): Score {
  const { candidate, characteristics, loadS, share } = inputs;
  const { weight: preference } = candidate.entry;
  const terms: ScoreTerm[] = [];
  // Preference and slow start scale the load: half the weight is as good as twice the wait.
  const scale = Math.max(0.01, preference * share);
  terms.push({
    name: "latency",
    value: loadS / scale,
    weight: -1,
    note: `s to first content, preference ${preference}`,
  });
  const { costMicroUsd } = inputs;
  if (costMicroUsd !== undefined) {
    // One cent is worth one second to a request that counts its money.
    terms.push({ name: "cost", value: costMicroUsd / 10_000, weight: -characteristics.costSensitivity, note: "cents" });
  }
  if (!inputs.isSameModel) {
    const quality = inputs.quality ?? qualityPrior(candidate.model.id);
    const shortfall = Math.max(0, characteristics.complexity - quality);
    terms.push({
      name: "quality",
      value: shortfall,
      weight: -QUALITY_WEIGHT,
      note: `quality ${quality.toFixed(2)} (prior)`,
    });
  }
  if (inputs.isAffine) terms.push({ name: "affinity", value: 1, weight: AFFINITY_S, note: "served this session last" });
  let score = 0;
  for (const term of terms) score += term.value * term.weight;
  return { score, terms };
}

/** From what vendors call their models, until outcomes or the operator say better. 0 to 1. */
export function qualityPrior(modelId: string): number {
  const id = modelId.toLowerCase();
  const billions = /(?:^|[^\d.])(\d{1,3}(?:\.\d)?)b(?:$|[^a-z])/.exec(id)?.[1];
  if (billions !== undefined) return Math.min(0.9, 0.2 + 0.16 * Math.log2(1 + Number(billions)) * 0.75);
  if (/nano|tiny|8b-instant|gemma/.test(id)) return 0.35;
  if (/mini|haiku|flash|small|lite|instant|command-light/.test(id)) return 0.55;
  if (/opus|pro\b|ultra|large|max\b|sonnet|gpt-[5-9]|o\d/.test(id)) return 0.9;
  return 0.7;
}
