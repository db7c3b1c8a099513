import type { ChatRequest, StreamPart } from "@fovea/core";
import { AnswerBuilder } from "../answer-builder.ts";
import { dataUrl } from "../base64.ts";
import type { EventAnswer } from "../event-decoder.ts";
import { buildFailure } from "../failure.ts";
import { parseJson, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import type { AnswerContext, EncodedCall } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";
import { InputWriter, type ModelCard } from "./model-card.ts";
import { REPLICATE_PLACES, type PredictionPlaces } from "./places.ts";
import { textOf, usageOfPrediction } from "./prediction.ts";

const NAMES = {
  prompt: ["prompt", "text", "input", "question", "query", "instruction"],
  system: ["system_prompt", "system_instruction", "system", "system_message", "developer_prompt"],
  maxOutputTokens: ["max_tokens", "max_new_tokens", "max_completion_tokens", "max_output_tokens", "max_length"],
  temperature: ["temperature"],
  topP: ["top_p"],
  topK: ["top_k"],
  seed: ["seed"],
  stop: ["stop_sequences", "stop", "stop_words"],
  presencePenalty: ["presence_penalty"],
  frequencyPenalty: ["frequency_penalty"],
  image: ["image", "images", "image_input", "input_image", "input_images", "img", "media"],
  effort: ["reasoning_effort", "thinking_level"],
} as const;

/** What a model's card is needed for before the call: the names of these differ most. */
export function needsCard(request: ChatRequest): boolean {
  return request.messages.some((message) => message.content.some((part) => part.type === "media"));
}

/** Language models on Replicate take a prompt and, nearly all, these names; their own go through provider options. */
export function encodeChat(
  request: ChatRequest,
  isStreamed: boolean,
  places: PredictionPlaces = REPLICATE_PLACES,
  card?: ModelCard,
): EncodedCall {
  const writer = new InputWriter(card);
  writer.put("messages", NAMES.prompt, promptOf(request));
  const system = (request.system ?? []).join("\n\n");
  if (system !== "") writer.put("system", NAMES.system, system);
  const { temperature, topP, topK, seed, stop, presencePenalty, frequencyPenalty } = request.sampling ?? {};
  writer.put("maxOutputTokens", NAMES.maxOutputTokens, request.maxOutputTokens);
  writer.put("sampling.temperature", NAMES.temperature, temperature);
  writer.put("sampling.topP", NAMES.topP, topP);
  writer.put("sampling.topK", NAMES.topK, topK);
  writer.put("sampling.seed", NAMES.seed, seed);
  writer.put("sampling.stop", NAMES.stop, stop?.join(","));
  writer.put("sampling.presencePenalty", NAMES.presencePenalty, presencePenalty);
  writer.put("sampling.frequencyPenalty", NAMES.frequencyPenalty, frequencyPenalty);
  addImages(writer, request);
  addEffort(writer, request, card);
  const { input, warnings } = writer;
  if ((request.tools ?? []).length > 0) warnings.push({ field: "tools", message: "predictions take no tools" });
  if (request.output !== undefined && request.output.kind !== "text") {
    warnings.push({ field: "output", message: "predictions take no output format" });
  }
  Object.assign(input, request.providerOptions?.replicate);
  const { path, version } = places.create(request.model, card);
  const body = { ...(version === undefined ? {} : { version }), input, ...(isStreamed ? { stream: true } : {}) };
  // Waiting saves the first poll of an unstreamed answer.
  const headers = isStreamed ? {} : { prefer: "wait=60" };
  return { path, body: JSON.stringify(body), headers, warnings };
}

function addEffort(writer: InputWriter, request: ChatRequest, card: ModelCard | undefined): void {
  const { reasoning } = request;
  if (reasoning?.budgetTokens !== undefined) writer.refuse("reasoning.budgetTokens", "is not sent to this provider");
  if (reasoning?.effort === undefined) return;
  // Without a card nobody knows whether the model reasons.
  if (card === undefined) writer.refuse("reasoning.effort", "is not sent to this provider");
  else writer.put("reasoning.effort", NAMES.effort, reasoning.effort);
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

/** One image, or as many as the model's input takes. */
function addImages(writer: InputWriter, request: ChatRequest): void {
  const name = writer.nameOf(NAMES.image);
  const takesSeveral = name !== undefined && writer.property(name)?.isList === true;
  const images: string[] = [];
  request.messages.forEach((message, index) => {
    message.content.forEach((part, position) => {
      if (part.type !== "media") return;
      const { data } = part;
      const isTaken = part.kind === "image" && !("ref" in data) && name !== undefined;
      if (isTaken && (takesSeveral || images.length === 0)) {
        images.push("url" in data ? data.url : dataUrl(part.mime, data.bytes));
      } else writer.refuse(`messages[${index}].content[${position}]`, `${part.kind} is not sent to this provider`);
    });
  });
  if (name !== undefined && images.length > 0) writer.input[name] = takesSeveral ? images : images[0];
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
    else if (name === "done" || name === "completed") this.#end(recordOf(parsed(data)) ?? {});
  }

  /** Replicate ends with a reason where it did not succeed, a Cog container with the whole prediction. */
  #end(said: JsonRecord): void {
    const usage = usageOfPrediction(said);
    if (usage !== undefined) this.builder.usage(usage);
    const reason = stringOf(said["reason"]) ?? stringOf(said["status"]) ?? "";
    if (reason === "" || reason === "succeeded") this.builder.finish("stop", "succeeded");
    else this.#fail(stringOf(said["error"]) ?? `the prediction ended as ${reason}`);
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
