// `GET /v1/models` exists in three dialects. The headers of the caller decide which one answers.
import type { ModelListing } from "@fovea/core";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { anthropicFailure } from "./anthropic/failures.ts";
import { anthropicModelNamed, anthropicModels } from "./anthropic/models.ts";
import type { DoorParts } from "./door-parts.ts";
import { openDoor, type DoorStyle } from "./door-scope.ts";
import { geminiFailure } from "./gemini/failures.ts";
import { geminiModelNamed, geminiModels } from "./gemini/models.ts";
import { openAiFailure } from "./openai/failures.ts";
import { openAiModelNamed, openAiModels } from "./openai/models.ts";

interface ListDialect {
  readonly list: (models: readonly ModelListing[]) => object;
  readonly one: (models: readonly ModelListing[], name: string) => object;
  readonly wordFailure: DoorStyle["wordFailure"];
}

const OPENAI: ListDialect = { list: openAiModels, one: openAiModelNamed, wordFailure: openAiFailure };
const ANTHROPIC: ListDialect = { list: anthropicModels, one: anthropicModelNamed, wordFailure: anthropicFailure };
const GEMINI: ListDialect = { list: geminiModels, one: geminiModelNamed, wordFailure: geminiFailure };

export function registerModelLists(app: FastifyInstance, parts: DoorParts): void {
  const models = (request: FastifyRequest): readonly ModelListing[] =>
    parts.engine.listModels(parts.principalOf(request));
  const style = {
    name: "models",
    wordFailure: OPENAI.wordFailure,
    styleOf: (request: FastifyRequest) => dialectOf(request),
  };
  openDoor(app, parts, style, (scope) => {
    scope.get("/v1/models", (request) => dialectOf(request).list(models(request)));
    scope.get<{ Params: { "*": string } }>("/v1/models/*", (request) =>
      dialectOf(request).one(models(request), request.params["*"]),
    );
  });
}

function dialectOf(request: FastifyRequest): ListDialect {
  const { headers, url } = request;
  const isGemini = "x-goog-api-key" in headers || "x-goog-api-client" in headers || /[?&]key=/.test(url);
  if (isGemini) return GEMINI;
  return "anthropic-version" in headers || "x-api-key" in headers ? ANTHROPIC : OPENAI;
}
