// Where predictions are made and found: below /v1 at Replicate, at the root of a Cog container. The objects are the same.
import type { EncodedCall } from "../vendor-wire.ts";
import type { ModelCard } from "./model-card.ts";

type Place = Pick<EncodedCall, "path" | "method" | "headers">;

export interface PredictionPlaces {
  /** `version` goes into the body. */
  create(model: string, card: ModelCard | undefined): { readonly path: string; readonly version?: string };
  get(id: string): Place;
  cancel(id: string): Place;
  /** Where a model describes its inputs; undefined where only its version or deployment is named. */
  card(model: string): string | undefined;
  readonly probe: string;
  readonly modelList?: string;
}

export const REPLICATE_PLACES: PredictionPlaces = {
  create: predictionPath,
  get: (id) => ({ path: `/v1/predictions/${encodeURIComponent(id)}` }),
  cancel: (id) => ({ method: "POST", path: `/v1/predictions/${encodeURIComponent(id)}/cancel` }),
  card: (model) => {
    const name = /^([\w.-]+\/[\w.-]+)(?::[0-9a-f]{40,64})?$/.exec(model)?.[1];
    return name === undefined || name.startsWith("deployments/") ? undefined : `/v1/models/${name}`;
  },
  probe: "/v1/account",
  modelList: "/v1/models",
};

/** A container runs one model, whatever it is called here. Source: Cog HTTP API. */
export const COG_PLACES: PredictionPlaces = {
  create: () => ({ path: "/predictions" }),
  get: (id) => ({ path: `/predictions/${encodeURIComponent(id)}` }),
  cancel: (id) => ({ method: "POST", path: `/predictions/${encodeURIComponent(id)}/cancel` }),
  card: () => "/openapi.json",
  probe: "/health-check",
};

/**
 * Address of a prediction of `owner/name`, `owner/name:version`, a bare version, or `deployments/owner/name`. Models that
 * are not run by name have a card with the version that is.
 */
export function predictionPath(model: string, card?: ModelCard): { readonly path: string; readonly version?: string } {
  const version = /^(?:[^:]+:)?([0-9a-f]{40,64})$/.exec(model)?.[1] ?? card?.version;
  if (version !== undefined) return { path: "/v1/predictions", version };
  const name = model.split("/").map(encodeURIComponent).join("/");
  return { path: `/v1/${model.startsWith("deployments/") ? "" : "models/"}${name}/predictions` };
}
