// Words an answer as `GenerateContentResponse`: whole, as SSE frames, or as the elements of one JSON array. A stream has no
// end mark here; the last frame is the one with a finishReason.
import type { AnswerPart, FinishReason, MediaData, Usage } from "@fovea/core";
import type { AnswerDialect, AnswerEncoder, EndPart, Spent, StartPart } from "../answer-dialect.ts";
import type { CollectedAnswer } from "../collected-answer.ts";
import type { DoorFailure } from "../error-response.ts";
import { eventText } from "../server-sent-events.ts";
import { geminiError } from "./failures.ts";

export interface GenerateFacts {
  readonly responseId: string;
  readonly framing: "events" | "array";
  readonly wantsThoughts: boolean;
}

export function generateAnswer(facts: GenerateFacts): AnswerDialect {
  const isEvents = facts.framing === "events";
  return {
    streamType: isEvents ? "text/event-stream" : "application/json; charset=UTF-8",
    // A comment in a frame of its own: the official client drops a data frame that has one.
    keepAlive: isEvents ? ": keep-alive\n\n" : "",
    whole: (answer) => wholeContent(answer, facts),
    encoder: (start) => new FrameEncoder(start, facts),
  };
}

const FINISH: Readonly<Record<FinishReason, string>> = {
  stop: "STOP",
  tool_calls: "STOP",
  length: "MAX_TOKENS",
  content_filter: "SAFETY",
  refusal: "SAFETY",
  paused: "MAX_TOKENS",
  other: "OTHER",
};

/** The dialect counts thoughts beside the candidates, not inside them. */
function usageMember(usage: Usage): object {
  const thoughts = usage.output.reasoning ?? 0;
  return {
    promptTokenCount: usage.input.total,
    candidatesTokenCount: Math.max(0, usage.output.total - thoughts),
    ...(thoughts === 0 ? {} : { thoughtsTokenCount: thoughts }),
    ...(usage.input.cacheRead === 0 ? {} : { cachedContentTokenCount: usage.input.cacheRead }),
    totalTokenCount: usage.input.total + usage.output.total,
  };
}

function callPart(id: string, name: string, args: string, opaque: string | undefined): object {
  const call = { functionCall: { id, name, args: argsOf(args) } };
  return opaque === undefined ? call : { ...call, thoughtSignature: opaque };
}

function argsOf(args: string): unknown {
  try {
    return JSON.parse(args === "" ? "{}" : args);
  } catch {
    return { _raw: args };
  }
}

function mediaPart(mime: string, data: MediaData): object {
  if ("url" in data) return { fileData: { mimeType: mime, fileUri: data.url } };
  if ("ref" in data) return { fileData: { mimeType: mime, fileUri: data.ref } };
  return { inlineData: { mimeType: mime, data: Buffer.from(data.bytes).toString("base64") } };
}

/** Signatures of another vendor would be refused when they come back: only Google's own leave through this door. */
function isGoogles(start: StartPart): boolean {
  return start.providerType === undefined || start.providerType === "google";
}

function wholeContent(answer: CollectedAnswer, facts: GenerateFacts): object {
  const text = answer.text + answer.refusal;
  const isSigned = isGoogles(answer.start);
  const seals = isSigned ? answer.thoughts.filter(({ opaque }) => opaque !== "") : [];
  const parts = [
    ...(facts.wantsThoughts && answer.reasoning !== "" ? [{ text: answer.reasoning, thought: true }] : []),
    ...(text === "" ? [] : [{ text }]),
    ...answer.images.map((image) => mediaPart(image.mime, image.data)),
    ...(answer.audio === undefined ? [] : [mediaPart(answer.audio.mime, { bytes: answer.audio.bytes })]),
    ...seals.map(({ opaque }) => ({ text: "", thoughtSignature: opaque })),
    ...answer.toolCalls.map(({ id, name, args, opaque }) => callPart(id, name, args, isSigned ? opaque : undefined)),
  ];
  const content = { role: "model", parts };
  return {
    candidates: [{ content, finishReason: FINISH[answer.finishReason], index: 0 }],
    ...(answer.usage === undefined ? {} : { usageMetadata: usageMember(answer.usage) }),
    modelVersion: answer.start.model,
    responseId: facts.responseId,
  };
}

class FrameEncoder implements AnswerEncoder {
  readonly #facts: GenerateFacts;
  /** The members behind the candidates, and the closing brace. */
  readonly #tail: string;
  readonly #calls = new Map<number, { id: string; name: string }>();
  #isFirst = true;
  readonly #isSigned: boolean;

  constructor(start: StartPart, facts: GenerateFacts) {
    this.#facts = facts;
    this.#isSigned = isGoogles(start);
    this.#tail = `,${JSON.stringify({ modelVersion: start.model, responseId: facts.responseId }).slice(1)}`;
  }

  begin(): string {
    return "";
  }

  part(part: AnswerPart): string {
    switch (part.type) {
      case "text-delta":
      case "refusal-delta":
        return part.text === "" ? "" : this.#content(`{"text":${JSON.stringify(part.text)}}`);
      case "reasoning-delta":
        return this.#think(part.text, part.opaque);
      case "tool-start":
        this.#calls.set(part.index, { id: part.id, name: part.name });
        return "";
      case "tool-end": {
        const call = this.#calls.get(part.index);
        return call === undefined
          ? ""
          : this.#content(
              JSON.stringify(callPart(call.id, call.name, part.args, this.#isSigned ? part.opaque : undefined)),
            );
      }
      case "tool-call":
        return this.#content(JSON.stringify(callPart(part.id, part.name, part.args, undefined)));
      case "audio-delta":
        return this.#content(JSON.stringify(mediaPart(part.mime, { bytes: part.bytes })));
      case "image":
        return this.#content(JSON.stringify(mediaPart(part.mime, part.data)));
      default:
        return "";
    }
  }

  end(end: EndPart, spent: Spent): string {
    const { usage } = spent;
    const finish = `{"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"${FINISH[end.finishReason]}","index":0}]`;
    const counted = usage === undefined ? "" : `,"usageMetadata":${JSON.stringify(usageMember(usage))}`;
    return this.#frame(finish + counted + this.#tail) + (this.#facts.framing === "array" ? "]" : "");
  }

  fail(failure: DoorFailure): string {
    if (failure.code === "content_filtered") {
      const blocked = `{"candidates":[{"content":{"role":"model","parts":[]},"finishReason":"SAFETY","index":0}]`;
      return this.#frame(blocked + this.#tail) + (this.#facts.framing === "array" ? "]" : "");
    }
    return this.#frame(JSON.stringify(geminiError(failure))) + (this.#facts.framing === "array" ? "]" : "");
  }

  #think(text: string | undefined, opaque: string | undefined): string {
    const seal = opaque === undefined || !this.#isSigned ? undefined : { thoughtSignature: opaque };
    if (this.#facts.wantsThoughts && text !== undefined) {
      return this.#content(JSON.stringify({ text, thought: true, ...seal }));
    }
    return seal === undefined ? "" : this.#content(JSON.stringify({ text: "", ...seal }));
  }

  #content(part: string): string {
    return this.#frame(`{"candidates":[{"content":{"role":"model","parts":[${part}]},"index":0}]${this.#tail}`);
  }

  #frame(json: string): string {
    if (this.#facts.framing === "events") return eventText(json);
    const before = this.#isFirst ? "[" : ",\r\n";
    this.#isFirst = false;
    return before + json;
  }
}
