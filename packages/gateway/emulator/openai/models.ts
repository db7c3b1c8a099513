import type { Call, Reply, Stage } from "../exchange.ts";
import { jsonReply, Refusal } from "../exchange.ts";

interface Listed {
  readonly id: string;
  readonly shutdownDate?: string;
}

const DEFAULT_MODELS: readonly Listed[] = [
  { id: "gpt-5.1", shutdownDate: "2027-04-01" },
  { id: "gpt-4.1-mini", shutdownDate: "2027-01-14" },
  { id: "gpt-4o-mini", shutdownDate: "2027-01-14" },
  { id: "gpt-4o-mini-tts", shutdownDate: "2027-01-06" },
  { id: "gpt-transcribe" },
  { id: "gpt-image-2.5-flare" },
  { id: "gpt-realtime-2.1-mini" },
  { id: "text-embedding-3-small" },
  { id: "text-embedding-3-large" },
];

export function modelsReply(call: Call, stage: Stage, name: string | undefined): Reply {
  const listed: readonly Listed[] = stage.models.length === 0 ? DEFAULT_MODELS : stage.models.map((id) => ({ id }));
  const data = listed.map(({ id, shutdownDate }) => ({
    id,
    object: "model",
    created: 1_715_367_049,
    owned_by: "system",
    ...(shutdownDate === undefined ? {} : { shutdown_date: shutdownDate }),
  }));
  if (call.method !== "GET") throw new Refusal({ status: 405, message: "Not allowed to POST on /v1/models." });
  if (name === undefined) return jsonReply({ object: "list", data });
  const found = data.find((model) => model.id === name);
  if (found === undefined) {
    throw new Refusal({
      status: 404,
      kind: "model_not_found",
      message: `The model '${name}' does not exist`,
      param: "model",
    });
  }
  return jsonReply(found);
}
