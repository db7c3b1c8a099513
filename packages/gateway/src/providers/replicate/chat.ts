import type { ChatRequest, StreamPart, Warning } from "@fovea/core";
import { AnswerBuilder } from "../answer-builder.ts";
import { dataUrl } from "../base64.ts";
import type { EventAnswer } from "../event-decoder.ts";
import { buildFailure } from "../failure.ts";
import { parseJson, recordOf, stringOf } from "../json-body.ts";
import type { AnswerContext, EncodedCall } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";
import { textOf, usageOfPrediction } from "./prediction.ts";

/** Address of a prediction of `owner/name`, `owner/name:version`, a bare version, or `deployments/owner/name`. */
export function predictionPath(model: string): { readonly path: string; readonly version?: string } {
  const version = /^(?:[^:]+:)?([0-9a-f]{40,64})$/.exec(model)?.[1];
  if (version !== undefined) return { path: "/v1/predictions", version };
  const name = model.split("/").map(encodeURIComponent).join("/");
  return { path: `/v1/${model.startsWith("deployments/") ? "" : "models/"}${name}/predictions` };
}

/** Language models on Replicate take a prompt and, nearly all, these names; their own go through provider options. */
export function encodeChat(request: ChatRequest, isStreamed: boolean): EncodedCall {
  const warnings: Warning[] = [];
  const input: Record<string, unknown> = { prompt: promptOf(request) };
  const system = (request.system ?? []).join("\n\n");
  if (system !== "") input["system_prompt"] = system;
  const { temperature, topP, topK, seed, stop, presencePenalty, frequencyPenalty } = request.sampling ?? {};
  const fields = {
    max_tokens: request.maxOutputTokens,
    temperature,
    top_p: topP,
    top_k: topK,
    seed,
    stop_sequences: stop?.join(","),
    presence_penalty: presencePenalty,
    frequency_penalty: frequencyPenalty,
  };
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) input[name] = value;
  addImage(input, request, warnings);
  if ((request.tools ?? []).length > 0) warnings.push({ field: "tools", message: "predictions take no tools" });
  if (request.output !== undefined && request.output.kind !== "text") {
    warnings.push({ field: "output", message: "predictions take no output format" });
  }
  Object.assign(input, request.providerOptions?.replicate);
  const { path, version } = predictionPath(request.model);
  const body = { ...(version === undefined ? {} : { version }), input, ...(isStreamed ? { stream: true } : {}) };
  // Waiting saves the first poll of an unstreamed answer.
  const headers = isStreamed ? {} : { prefer: "wait=60" };
  return { path, body: JSON.stringify(body), headers, warnings };
}

/** One turn is its text; more are written as a script, which is what prompt-only models were taught. */
function promptOf(request: ChatRequest): string {
  const turns = request.messages.map((message) => ({
    role: message.role === "assistant" ? "Assistant" : "User",
    text: message.content.map((part) => (part.type === "text" ? part.text : "")).join(""),
  }));
  const only = turns[0];
  if (turns.length === 1 && only !== undefined) return only.text;
  return `${turns.map(({ role, text }) => `${role}: ${text}`).join("\n\n")}\n\nAssistant:`;
}

function addImage(input: Record<string, unknown>, request: ChatRequest, warnings: Warning[]): void {
  request.messages.forEach((message, index) => {
    message.content.forEach((part, position) => {
      if (part.type !== "media") return;
      const { data } = part;
      if (part.kind !== "image" || "ref" in data || input["image"] !== undefined) {
        warnings.push({
          field: `messages[${index}].content[${position}]`,
          message: `${part.kind} is not sent to this provider`,
        });
      } else input["image"] = "url" in data ? data.url : dataUrl(part.mime, data.bytes);
    });
  });
}

/** Events of a prediction's own stream: `output` text, `logs`, `error`, and `done`, which alone completes it. */
export class PredictionAnswer implements EventAnswer {
  readonly builder: AnswerBuilder;
  readonly missing = "the event `done`";
  readonly #context: AnswerContext;

  constructor(context: AnswerContext) {
    this.builder = new AnswerBuilder(context);
    this.#context = context;
  }

  event(data: string, name: string): void {
    const { builder } = this;
    builder.start(this.#context.requestId, undefined);
    if (name === "output") builder.text(data);
    else if (name === "logs") builder.part({ type: "progress", logs: data });
    else if (name === "error") this.#fail(stringOf(recordOf(parsed(data))?.["detail"]) ?? data);
    else if (name === "done") {
      const reason = stringOf(recordOf(parsed(data))?.["reason"]) ?? "";
      if (reason === "") builder.finish("stop", "succeeded");
      else this.#fail(`the prediction ended as ${reason}`);
    }
  }

  close(): void {
    // Nothing: `done` finishes at once.
  }

  #fail(message: string): void {
    this.builder.fail(buildFailure("provider_stream_error", this.#context.providerId, message));
  }
}

function parsed(data: string): unknown {
  try {
    return parseJson(data);
  } catch {
    return undefined;
  }
}

/** A finished prediction as an answer. Throws `WireFault` while it is still running. */
export function decodeChat(body: unknown, context: AnswerContext): StreamPart[] {
  const parts: StreamPart[] = [];
  const builder = new AnswerBuilder(context);
  builder.into(parts);
  const prediction = recordOf(body) ?? {};
  const status = stringOf(prediction["status"]) ?? "";
  builder.start(stringOf(prediction["id"]), stringOf(prediction["model"]));
  builder.text(textOf(prediction["output"]));
  const usage = usageOfPrediction(prediction);
  if (usage !== undefined) builder.usage(usage);
  if (status === "succeeded") builder.finish("stop", status);
  else if (status === "failed" || status === "canceled") {
    const message = stringOf(prediction["error"]) ?? `the prediction ended as ${status}`;
    builder.fail(buildFailure("provider_stream_error", context.providerId, message, { providerCode: status }));
  } else throw new WireFault("protocol", `a prediction that is ${status === "" ? "nothing" : status}`);
  return parts;
}
