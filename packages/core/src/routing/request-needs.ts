// Which cells may serve a request, and why the others may not.
import type { SupportedFeatures } from "../model/provider-info.ts";
import type { RequestNeeds } from "../model/xr-request.ts";
import type { Candidate } from "../providers/catalogue.ts";

/** `hard`: never, whoever asks. `soft`: not by Fovea's own choice, but a caller who named the model may try. */
export interface Obstacle {
  readonly kind: "hard" | "soft";
  readonly reason: string;
}

/** Undefined where nothing stands in the way. Residency and length are hard: no wish of a caller changes them. */
export function obstacleOf(candidate: Candidate, needs: RequestNeeds): Obstacle | undefined {
  const { model, cell, entry } = candidate;
  const isLocal = entry.adapter.type === "embedded";
  if (needs.region !== undefined && !isLocal && !isInRegion(cell.region, needs.region)) {
    return { kind: "hard", reason: `data must stay in ${needs.region}, this cell is in ${cell.region}` };
  }
  if (model.contextTokens !== undefined && model.contextTokens < needs.contextTokensMin) {
    return { kind: "hard", reason: `needs ${needs.contextTokensMin} tokens of context, has ${model.contextTokens}` };
  }
  const { features } = model;
  if (needs.vision && !has(features, "vision-input")) return soft("cannot see images");
  if (needs.audioInput && !has(features, "audio-input")) return soft("cannot hear audio");
  if (needs.tools && !has(features, "tools")) return soft("has no tools");
  if (needs.structuredOutput && !has(features, "structured-output")) return soft("has no structured output");
  for (const modality of needs.modalities) {
    if (modality !== "text" && model.output !== undefined && !model.output.includes(modality)) {
      // Actions and haptics are made from tool calls; a model need not list them.
      if (modality !== "action" && modality !== "haptic") return soft(`does not make ${modality}`);
    }
  }
  return undefined;
}

function has(features: readonly SupportedFeatures[], feature: SupportedFeatures): boolean {
  return features.includes(feature);
}

function soft(reason: string): Obstacle {
  return { kind: "soft", reason };
}

/** `eu` holds `eu-west-1`; `eu-west-1` does not hold `eu`. */
function isInRegion(region: string, wanted: string): boolean {
  return region === wanted || region.startsWith(`${wanted}-`);
}
