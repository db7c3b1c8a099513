// The prediction object, which Replicate and every self-hosted Cog container share. Models differ only in their schema,
// so outputs are read by what the values are, never by the model's name.
import type { Job, Usage } from "@fovea/core";
import { countOf, numberOf, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import { WireFault } from "../wire-fault.ts";

/** Replicate deletes input, output and logs this long after completion. */
const KEPT_MS = 3_600_000;
const OUTPUTS_MAX = 1_000;

const STATES: Readonly<Record<string, Job["state"] | undefined>> = {
  __proto__: null as never,
  starting: "queued",
  queued: "queued",
  processing: "running",
  succeeded: "succeeded",
  failed: "failed",
  canceled: "cancelled",
  aborted: "cancelled",
};

export function decodePrediction(body: unknown): Job {
  const prediction = recordOf(body);
  const state = STATES[stringOf(prediction?.["status"]) ?? ""];
  if (prediction === undefined || state === undefined) throw new WireFault("protocol", "a prediction without a status");
  const logs = stringOf(prediction["logs"]) ?? "";
  const error =
    stringOf(prediction["error"]) ?? (prediction["data_removed"] === true ? "the output has been deleted" : undefined);
  const fraction = fractionIn(logs);
  const usage = usageOfPrediction(prediction);
  return {
    id: stringOf(prediction["id"]) ?? "",
    state,
    output: outputsOf(prediction["output"], expiry(prediction)),
    ...(state === "succeeded" ? { fraction: 1 } : fraction === undefined ? {} : { fraction }),
    ...(logs === "" ? {} : { logs }),
    ...(error === undefined || error === "" ? {} : { error }),
    ...(usage === undefined ? {} : { usage }),
    ...resultOf(prediction["output"]),
  };
}

/** What is not an address, or not only: a transcript, a score, the words of a language model. */
function resultOf(output: unknown): Pick<Job, "result"> {
  const isAddress = (value: unknown): boolean => typeof value === "string" && /^(?:https?:|data:)/.test(value);
  const values = Array.isArray(output) ? output : Object.values(recordOf(output) ?? { output });
  return output === null || output === undefined || values.every(isAddress) ? {} : { result: output };
}

/** Text models report tokens beside the seconds; images are counted by what came out. */
export function usageOfPrediction(prediction: JsonRecord): Usage | undefined {
  const metrics = recordOf(prediction["metrics"]);
  if (metrics === undefined) return undefined;
  const seconds = numberOf(metrics["predict_time"]);
  const images = countOf(metrics["image_count"]);
  return {
    input: { total: countOf(metrics["input_token_count"]) ?? 0, cacheRead: 0, cacheWrite: 0 },
    output: { total: countOf(metrics["output_token_count"]) ?? 0 },
    ...(seconds === undefined ? {} : { seconds: { compute: seconds } }),
    ...(images === undefined ? {} : { units: { images } }),
    source: "provider",
  };
}

/** The text of a language model: a string, or the pieces it was made in. */
export function textOf(output: unknown): string {
  if (typeof output === "string") return output;
  return Array.isArray(output) ? output.map((piece) => (typeof piece === "string" ? piece : "")).join("") : "";
}

function expiry(prediction: JsonRecord): number | undefined {
  const completed = Date.parse(stringOf(prediction["completed_at"]) ?? "");
  return Number.isNaN(completed) ? undefined : completed + KEPT_MS;
}

/** The last percentage of a progress bar, as most models print it. */
function fractionIn(logs: string): number | undefined {
  const tail = logs.slice(-2_000);
  const last = [...tail.matchAll(/(\d{1,3})%/g)].at(-1)?.[1];
  return last === undefined ? undefined : Math.min(100, Number(last)) / 100;
}

/** Every address in the output, wherever it stands, with the name it stood under as its role. */
function outputsOf(value: unknown, expiresAtUnixMs: number | undefined): Job["output"] {
  const found: { url: string; mime?: string; role: string; expiresAtUnixMs?: number }[] = [];
  const visit = (item: unknown, role: string): void => {
    if (found.length >= OUTPUTS_MAX) return;
    if (typeof item === "string") {
      if (!/^(?:https?:|data:)/.test(item)) return;
      const mime = mimeOf(item);
      const kind = role === "" ? roleOf(mime) : role;
      found.push({
        url: item,
        role: kind,
        ...(mime === undefined ? {} : { mime }),
        ...(expiresAtUnixMs === undefined || item.startsWith("data:") ? {} : { expiresAtUnixMs }),
      });
    } else if (Array.isArray(item)) for (const one of item) visit(one, role);
    else for (const [name, one] of Object.entries(recordOf(item) ?? {})) visit(one, name);
  };
  visit(value, "");
  return found;
}

const MIMES: Readonly<Record<string, string | undefined>> = {
  __proto__: null as never,
  glb: "model/gltf-binary",
  gltf: "model/gltf+json",
  obj: "model/obj",
  ply: "application/x-ply",
  splat: "application/x-splat",
  spz: "application/x-spz",
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  gif: "image/gif",
  mp4: "video/mp4",
  webm: "video/webm",
  mp3: "audio/mpeg",
  wav: "audio/wav",
  zip: "application/zip",
};

export function mimeOf(url: string): string | undefined {
  const inline = /^data:([^;,]+)/.exec(url)?.[1];
  if (inline !== undefined) return inline;
  const extension = /\.([a-z0-9]+)(?:[?#]|$)/i.exec(url)?.[1];
  return MIMES[extension?.toLowerCase() ?? ""];
}

export function roleOf(mime: string | undefined): string {
  if (mime === undefined) return "file";
  if (mime.startsWith("model/")) return "mesh";
  if (/x-(?:ply|splat|spz)/.test(mime)) return "splat";
  return /^(?:image|video|audio)\//.exec(mime)?.[0]?.slice(0, -1) ?? "file";
}
