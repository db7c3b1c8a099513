// A provider like any other, without key, network or model: it answers from the geometry of the room in the request.
import type {
  CallOptions,
  ChatRequest,
  ChatResponse,
  EmbeddingRequest,
  EmbeddingResponse,
  IdentifiedAdapter,
  Message,
  ModelInfo,
  ProviderHealth,
  RoomAnswer,
  StreamPart,
  SupportedFeatures,
  Usage,
  XRContext,
} from "@fovea/core";
import {
  answerUtterance,
  chooseModalities,
  collectChat,
  GatewayError,
  handleSpatialQueries,
  interpret,
  phrasebookFor,
  ProviderError,
  toBatch,
} from "@fovea/core";
import { DialogueMemory } from "./dialogue-memory.ts";
import { EMBEDDING_DIMENSIONS, embedText } from "./lexical-embedding.ts";

export const EMBEDDED_MODEL = "geometry";
export const EMBEDDED_EMBEDDING_MODEL = "lexical-256";

const FEATURES: readonly SupportedFeatures[] = ["chat", "streaming", "tools", "spatial", "spatial-actions", "embed"];

const FREE_USAGE: Usage = {
  input: { total: 0, cacheRead: 0, cacheWrite: 0 },
  output: { total: 0 },
  source: "provider",
};

const MODELS: readonly ModelInfo[] = [
  {
    id: EMBEDDED_MODEL,
    features: ["chat", "streaming", "tools", "spatial", "spatial-actions"],
    input: ["text"],
    output: ["text", "action", "haptic"],
  },
  { id: EMBEDDED_EMBEDDING_MODEL, features: ["embed"], input: ["text"] },
];

/** Answers are computed before the first part; the stream exists so that each sentence can be spoken as it comes. */
export class EmbeddedAdapter implements IdentifiedAdapter {
  readonly type = "embedded";
  readonly id: string;
  readonly region = "local";
  readonly supportedFeatures: SupportedFeatures[] = [...FEATURES];
  readonly #memory = new DialogueMemory();
  #calls = 0;

  constructor(id = "embedded") {
    this.id = id;
  }

  models(): readonly ModelInfo[] {
    return MODELS;
  }

  async chat(request: ChatRequest, options?: CallOptions): Promise<ChatResponse> {
    return collectChat(this.chatStream(request, options));
  }

  async *chatStream(request: ChatRequest, options?: CallOptions): AsyncIterable<ChatResponse> {
    options?.signal?.throwIfAborted();
    const responseId = `geometry-${++this.#calls}`;
    const batch = (parts: readonly StreamPart[]): ChatResponse => toBatch(responseId, EMBEDDED_MODEL, parts);
    if (isToolRound(request.messages)) {
      yield batch([{ type: "start", id: responseId, model: EMBEDDED_MODEL }, ...ending()]);
      return;
    }
    const answer = this.#answer(request);
    const texts = answer.sentences.map((sentence, i): StreamPart => ({
      type: "text-delta",
      index: 0,
      text: i === 0 ? sentence : ` ${sentence}`,
    }));
    const [first, ...rest] = texts;
    yield batch([
      { type: "start", id: responseId, model: EMBEDDED_MODEL },
      ...deedParts(answer, request, responseId),
      ...(first === undefined ? [] : [first]),
    ]);
    for (const text of rest) {
      if (options?.signal?.aborted === true) throw this.#aborted();
      yield batch([text]);
    }
    yield batch(ending());
  }

  async embeddings(request: EmbeddingRequest, options?: CallOptions): Promise<EmbeddingResponse> {
    options?.signal?.throwIfAborted();
    if (request.tokens !== undefined) {
      throw new GatewayError("request_invalid", `provider ${this.id} embeds text, not token numbers`, {
        param: "input",
      });
    }
    const dimensions = Math.min(request.dimensions ?? EMBEDDING_DIMENSIONS, EMBEDDING_DIMENSIONS);
    return {
      model: EMBEDDED_EMBEDDING_MODEL,
      vectors: request.input.map((text) => embedText(text, dimensions)),
      usage: FREE_USAGE,
    };
  }

  async healthCheck(): Promise<ProviderHealth> {
    return { state: "healthy", latencyMs: 0, errorRate: 0, sinceMs: 0, checkedBy: "configuration" };
  }

  async getAvailableModels(): Promise<string[]> {
    return this.models().map((model) => model.id);
  }

  /** No vendor, no limits. */
  getRateLimits(): { requestsPerMinute: number; tokensPerMinute: number } {
    return { requestsPerMinute: Infinity, tokensPerMinute: Infinity };
  }

  async close(): Promise<void> {
    this.#memory.clear();
  }

  #answer(request: ChatRequest): RoomAnswer {
    const { xr } = request;
    const utterances = userTexts(request.messages);
    const hasRoom = xr !== undefined && (xr.sessionId !== "" || xr.scene.entities.length > 0);
    if (!hasRoom) return { ...NO_ANSWER, sentences: withoutRoom(utterances.at(-1) ?? "", xr?.locale ?? "en") };
    const answer = answerUtterance(xr, utterances, this.#memory.recall(xr.sessionId, utterances));
    this.#memory.remember(xr.sessionId, utterances, answer.focus);
    return withPlace(answer, xr);
  }

  #aborted(): ProviderError {
    return new ProviderError({
      code: "aborted",
      providerId: this.id,
      message: "the caller cancelled",
      retryable: false,
      scope: "request",
      partialOutput: true,
      billed: "no",
    });
  }
}

const NO_ANSWER: RoomAnswer = { sentences: [], deeds: [], focus: { ids: [] }, isUnderstood: false };

/** For someone who does not see the highlight: where the one thing is that the answer speaks of. */
function withPlace(answer: RoomAnswer, context: XRContext): RoomAnswer {
  if (!chooseModalities(context).saysPlaces) return answer;
  const shown = answer.deeds.flatMap((deed) => ("target" in deed.args ? [deed.args.target] : []));
  const [target, ...others] = [...new Set(shown)];
  const isTold = answer.result?.values.some((value) => value.name === "clock") === true;
  if (target === undefined || others.length > 0 || isTold) return answer;
  const [place] = handleSpatialQueries(context, [{ kind: "direction", to: { ids: [target] } }]);
  return place?.answer === undefined ? answer : { ...answer, sentences: [...answer.sentences, place.answer] };
}

/** What the provider is and how to get to a room; shorter where it was asked for something that it cannot tell. */
function withoutRoom(utterance: string, locale: string): readonly string[] {
  const read = interpret(utterance, NO_NAMES);
  const book = phrasebookFor(locale);
  if (read.intent === "query" || read.intent === "command") return book.noRoom("room");
  if (read.intent !== "outside") return book.noRoom("me");
  return read.why === "model" || read.why === "unclear" ? book.noRoom("world") : book.outside(read.why);
}

const NO_NAMES = { has: () => false, wordsMax: 0 } as const;

function ending(): readonly StreamPart[] {
  return [
    { type: "usage", usage: FREE_USAGE, isFinal: true },
    { type: "finish", reason: "stop", raw: "stop" },
  ];
}

/** Only tools that the caller offered; an application without a highlight gets the words alone. */
function deedParts(answer: RoomAnswer, request: ChatRequest, responseId: string): readonly StreamPart[] {
  if (request.toolChoice === "none") return [];
  const offered = new Set(request.tools?.map((tool) => tool.name) ?? []);
  const deeds = answer.deeds.filter((deed) => offered.has(deed.name));
  return deeds.flatMap((deed, index): readonly StreamPart[] => {
    const args = JSON.stringify(deed.args);
    return [
      { type: "tool-start", index, id: `${responseId}-${index}`, name: deed.name },
      { type: "tool-delta", index, args },
      { type: "tool-end", index, args },
    ];
  });
}

/** The caller hands back results of our own actions: the answer was given with them, there is nothing to add. */
function isToolRound(messages: readonly Message[]): boolean {
  return messages.at(-1)?.role === "tool";
}

function userTexts(messages: readonly Message[]): readonly string[] {
  return messages
    .filter((message) => message.role === "user")
    .map((message) => message.content.map((part) => (part.type === "text" ? part.text : "")).join(" "))
    .filter((text) => text.trim() !== "");
}
