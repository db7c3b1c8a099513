import type { FastifyInstance } from "fastify";
import { registerAnthropicDoor } from "./anthropic/anthropic-door.ts";
import type { DoorParts } from "./door-parts.ts";
import { registerGeminiDoor } from "./gemini/gemini-door.ts";
import { registerOllamaDoor } from "./ollama/ollama-door.ts";
import { registerOpenAiDoor } from "./openai/openai-door.ts";
import { registerVisionDoor } from "./vision/detections.ts";

/** One origin serves all four dialects; their paths do not collide, but for the model list, which reads the headers. */
export function registerDoors(app: FastifyInstance, parts: DoorParts): void {
  registerOpenAiDoor(app, parts);
  registerAnthropicDoor(app, parts);
  registerGeminiDoor(app, parts);
  registerOllamaDoor(app, parts);
  registerVisionDoor(app, parts);
}
