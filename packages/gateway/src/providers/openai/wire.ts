import type { SupportedFeatures } from "@fovea/core";
import { EventDecoder } from "../event-decoder.ts";
import { draftBuckets, prefixedBuckets } from "../rate-limits.ts";
import type { VendorWire } from "../vendor-wire.ts";
import { decodeChat, OpenAiChatAnswer } from "./chat-from-provider.ts";
import { encodeChat } from "./chat-to-provider.ts";
import { decodeEmbeddings, encodeEmbeddings } from "./embeddings.ts";
import { classifyOpenAi } from "./failures.ts";
import { decodeModelList } from "./models.ts";
import { decodeResponses, ResponsesAnswer } from "./responses-from-provider.ts";
import { encodeResponses } from "./responses-to-provider.ts";
import type { OpenAiProfile } from "./profile.ts";

/** The chat completions family as one wire: OpenAI itself and every server that speaks like it, by profile. */
export function openAiWire(
  profile: OpenAiProfile,
  featuresOf: (model: string) => readonly SupportedFeatures[],
): VendorWire {
  return {
    chat: {
      encode: (request, isStreamed) => encodeChat(request, isStreamed, profile),
      decoder: (context) => new EventDecoder(new OpenAiChatAnswer(context, profile.isDoneEnough)),
      decode: decodeChat,
    },
    embed: {
      encode: (request) => encodeEmbeddings(request, profile),
      decode: decodeEmbeddings,
      inputsMax: profile.embedInputsMax,
      takesTokens: profile.embedsTokens,
    },
    modelList: { path: profile.modelsPath, decode: (body) => decodeModelList(body, featuresOf) },
    probe: { path: profile.modelsPath, warnings: [] },
    requestIdHeader: "x-request-id",
    classify: classifyOpenAi,
    limits: (headers, unixMs) => {
      const own = prefixedBuckets(headers, "x-ratelimit-", unixMs);
      return own.length > 0 ? own : draftBuckets(headers);
    },
  };
}

/** The same vendor over its Responses interface, which its newest reasoning models need for tools and reasoning. */
export function responsesWire(
  profile: OpenAiProfile,
  featuresOf: (model: string) => readonly SupportedFeatures[],
): VendorWire {
  return {
    ...openAiWire(profile, featuresOf),
    chat: {
      encode: (request, isStreamed) => encodeResponses(request, isStreamed, profile),
      decoder: (context) => new EventDecoder(new ResponsesAnswer(context)),
      decode: decodeResponses,
    },
  };
}
