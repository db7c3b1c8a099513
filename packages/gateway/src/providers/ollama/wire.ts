// Ollama's own wire, where its OpenAI-compatible one says less: thinking apart from text, images without addresses,
// `num_ctx` and the other options of its models. Source: docs/api.md of ollama/ollama.
import type { EmbeddingRequest, EmbeddingResponse, ModelInfo, SupportedFeatures } from "@fovea/core";
import { arrayOf, recordOf, stringOf } from "../json-body.ts";
import { LineDecoder } from "../line-decoder.ts";
import { classifyOpenAi } from "../openai/failures.ts";
import { vectorOf } from "../vectors.ts";
import type { EncodedCall, VendorWire } from "../vendor-wire.ts";
import { decodeChat, OllamaAnswer, usageOf } from "./chat-from-provider.ts";
import { encodeChat } from "./chat-to-provider.ts";

export function ollamaWire(featuresOf: (model: string) => readonly SupportedFeatures[]): VendorWire {
  return {
    chat: {
      encode: encodeChat,
      decoder: (context) => new LineDecoder(new OllamaAnswer(context)),
      decode: decodeChat,
    },
    embed: { encode: encodeEmbed, decode: decodeEmbed, inputsMax: 256 },
    modelList: { path: "/api/tags", decode: (body) => decodeTags(body, featuresOf) },
    probe: { path: "/api/tags", warnings: [] },
    requestIdHeader: "x-request-id",
    classify: classifyOpenAi,
    limits: () => [],
  };
}

/** People write the address with and without the path of either interface. */
export function ollamaBaseUrl(url: string): string {
  return url.replace(/\/+$/, "").replace(/\/(?:v1|api)$/, "");
}

function encodeEmbed(request: EmbeddingRequest): EncodedCall {
  const { model, input, dimensions } = request;
  const body = { model, input, ...(dimensions === undefined ? {} : { dimensions }) };
  return { path: "/api/embed", body: JSON.stringify(body), warnings: [] };
}

function decodeEmbed(body: unknown, request: EmbeddingRequest): EmbeddingResponse {
  const answer = recordOf(body) ?? {};
  const usage = usageOf(answer);
  return {
    model: stringOf(answer["model"]) ?? request.model,
    vectors: arrayOf(answer["embeddings"]).map(vectorOf),
    ...(usage === undefined ? {} : { usage }),
  };
}

function decodeTags(body: unknown, featuresOf: (model: string) => readonly SupportedFeatures[]): readonly ModelInfo[] {
  return arrayOf(recordOf(body)?.["models"]).flatMap((row) => {
    const id = stringOf(recordOf(row)?.["name"]) ?? stringOf(recordOf(row)?.["model"]);
    return id === undefined ? [] : [{ id, features: featuresOf(id) }];
  });
}
