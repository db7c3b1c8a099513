import type { ChatRequest, ContentPart, Warning } from "@fovea/core";
import { toBase64 } from "../base64.ts";
import { parseJson, recordOf } from "../json-body.ts";
import type { EncodedCall } from "../vendor-wire.ts";
import { modelPath, thinksInLevels } from "./models.ts";
import { withoutConst } from "./schema.ts";

type Json = Record<string, unknown>;
type Warn = (field: string, message: string) => void;

/** Stands in for the signature of a call that another provider's model made. Source: Gemini thought signature guide. */
const FOREIGN_SIGNATURE = "skip_thought_signature_validator";

/** `continuation` asks for the rest of an answer that reached the vendor's limit of one call. */
export function encodeContents(request: ChatRequest, isStreamed: boolean, continuation?: string): EncodedCall {
  const warnings: Warning[] = [];
  const warn: Warn = (field, message) => void warnings.push({ field, message });
  const body: Json = { contents: encodeTurns(request, warn) };
  const system = (request.system ?? []).filter((text) => text !== "");
  if (system.length > 0) body["systemInstruction"] = { parts: system.map((text) => ({ text })) };
  addTools(body, request, warn);
  const config = generationConfig(request, warn);
  if (Object.keys(config).length > 0) body["generationConfig"] = config;
  if (request.endUser !== undefined) warn("endUser", "is not sent to this provider");
  if (request.cacheHints !== undefined) warn("cacheHints", "are not sent to this provider");
  const { generationConfig: moreConfig, ...options } = request.providerOptions?.google ?? {};
  for (const [name, value] of Object.entries(options)) {
    if (name === "contents" || name === "model") warn(`providerOptions.google.${name}`, "is set by the gateway");
    else body[name] = value;
  }
  if (continuation !== undefined) body["continuationToken"] = continuation;
  if (recordOf(moreConfig) !== undefined) body["generationConfig"] = { ...config, ...recordOf(moreConfig) };
  const method = isStreamed ? "streamGenerateContent?alt=sse" : "generateContent";
  return { path: `${modelPath(request.model)}:${method}`, body: JSON.stringify(body), warnings };
}

function encodeTurns(request: ChatRequest, warn: Warn): Json[] {
  const turns: { role: string; parts: Json[] }[] = [];
  request.messages.forEach((message, index) => {
    const role = message.role === "assistant" ? "model" : "user";
    const parts = message.content.flatMap((part, position) =>
      encodePart(part, request, `messages[${index}].content[${position}]`, warn),
    );
    const open = turns.at(-1);
    if (open?.role === role) open.parts.push(...parts);
    else turns.push({ role, parts });
  });
  for (const turn of turns) if (turn.role === "model") signFirstCall(turn.parts, request.model);
  return turns.filter((turn) => turn.parts.length > 0);
}

/** Gemini 3 wants a signature on the first call of each model turn, and on no other. */
function signFirstCall(parts: readonly Json[], model: string): void {
  const first = parts.find((part) => part["functionCall"] !== undefined);
  if (first !== undefined && first["thoughtSignature"] === undefined && thinksInLevels(model)) {
    first["thoughtSignature"] = FOREIGN_SIGNATURE;
  }
}

function encodePart(part: ContentPart, request: ChatRequest, where: string, warn: Warn): Json[] {
  switch (part.type) {
    case "text":
      return part.text === "" ? [] : [{ text: part.text }];
    case "reasoning": {
      if (part.opaque?.provider !== "google") {
        warn(where, "reasoning of another provider is not sent");
        return [];
      }
      return [
        {
          text: part.text ?? "",
          ...(part.text === undefined ? {} : { thought: true }),
          thoughtSignature: part.opaque.value,
        },
      ];
    }
    case "tool-call": {
      const signature = part.opaque?.provider === "google" ? { thoughtSignature: part.opaque.value } : {};
      return [
        { functionCall: { ...idOf(part.id), name: part.name, args: argsOf(part.args, where, warn) }, ...signature },
      ];
    }
    case "tool-result":
      return encodeResult(part, request, where, warn);
    case "media":
      return [encodeMedia(part)];
    case "citation":
      return [];
  }
}

/** Ids made by the gateway or by another vendor mean nothing here; Gemini then matches by name and order. */
function idOf(id: string): { id?: string } {
  return /^(?:call_|toolu_|chatcmpl-)/.test(id) ? {} : { id };
}

function argsOf(args: string, where: string, warn: Warn): unknown {
  try {
    const value = recordOf(parseJson(args));
    if (value !== undefined) return value;
  } catch {
    // History may hold what another model wrote.
  }
  warn(where, "arguments that are not a JSON object are sent as {}");
  return {};
}

function encodeResult(
  part: ContentPart & { type: "tool-result" },
  request: ChatRequest,
  where: string,
  warn: Warn,
): Json[] {
  const text = part.content.map((piece) => (piece.type === "text" ? piece.text : "")).join("");
  const media = part.content.filter((piece) => piece.type !== "text");
  const response = part.isError === true ? { error: text } : responseOf(text);
  return [
    { functionResponse: { ...idOf(part.id), name: part.name, response } },
    ...media.flatMap((piece) => encodePart(piece, request, where, warn)),
  ];
}

/** The response must be an object; text that is one already goes as it is. */
function responseOf(text: string): unknown {
  if (text.trimStart().startsWith("{")) {
    try {
      const value = recordOf(parseJson(text));
      if (value !== undefined) return value;
    } catch {
      // Plain text that only looks like JSON.
    }
  }
  return { output: text };
}

function encodeMedia(part: ContentPart & { type: "media" }): Json {
  const { data, mime } = part;
  if ("bytes" in data) return { inlineData: { mimeType: mime, data: toBase64(data.bytes) } };
  const inline = "url" in data ? /^data:([^;,]+);base64,(.*)$/s.exec(data.url) : null;
  if (inline !== null) return { inlineData: { mimeType: inline[1], data: inline[2] } };
  return { fileData: { mimeType: mime, fileUri: "url" in data ? data.url : data.ref } };
}

function addTools(body: Json, request: ChatRequest, warn: Warn): void {
  const tools = request.tools ?? [];
  if (tools.length === 0) return;
  const functionDeclarations = tools.map((tool) => ({
    name: tool.name,
    ...(tool.description === undefined ? {} : { description: tool.description }),
    parametersJsonSchema: withoutConst(tool.schema),
  }));
  body["tools"] = [{ functionDeclarations }];
  const choice = request.toolChoice;
  if (choice !== undefined && choice !== "auto") {
    const functionCallingConfig =
      typeof choice === "string"
        ? { mode: choice === "none" ? "NONE" : "ANY" }
        : { mode: "ANY", allowedFunctionNames: [choice.name] };
    body["toolConfig"] = { functionCallingConfig };
  }
  if (request.parallelTools === false) warn("parallelTools", "cannot be switched off at this provider");
}

function generationConfig(request: ChatRequest, warn: Warn): Json {
  const { output, sampling = {}, voice } = request;
  const { stop, ...numbers } = sampling;
  const config: Json = { ...numbers };
  if (stop !== undefined && stop.length > 0) config["stopSequences"] = stop;
  if (request.maxOutputTokens !== undefined) config["maxOutputTokens"] = request.maxOutputTokens;
  if (output?.kind === "json" || output?.kind === "schema") config["responseMimeType"] = "application/json";
  if (output?.kind === "schema") config["responseJsonSchema"] = withoutConst(output.schema);
  if (request.modalities?.includes("audio") === true) {
    config["responseModalities"] = request.modalities.map((modality) => modality.toUpperCase());
    if (voice !== undefined) config["speechConfig"] = { voiceConfig: { prebuiltVoiceConfig: { voiceName: voice.id } } };
  }
  const thinking = thinkingConfig(request, warn);
  if (thinking !== undefined) config["thinkingConfig"] = thinking;
  return config;
}

const LEVELS = { minimal: "minimal", low: "low", medium: "medium", high: "high", xhigh: "high", max: "high" } as const;
const BUDGETS = { none: 0, minimal: 512, low: 1_024, medium: 8_192, high: 24_576, xhigh: 24_576, max: 24_576 } as const;

function thinkingConfig(request: ChatRequest, warn: Warn): Json | undefined {
  const { reasoning, model } = request;
  if (reasoning === undefined) return undefined;
  const show = reasoning.show === undefined ? {} : { includeThoughts: reasoning.show };
  if (reasoning.budgetTokens !== undefined) return { ...show, thinkingBudget: reasoning.budgetTokens };
  if (reasoning.effort === undefined) return reasoning.show === undefined ? undefined : show;
  if (!thinksInLevels(model)) return { ...show, thinkingBudget: BUDGETS[reasoning.effort] };
  if (reasoning.effort !== "none") return { ...show, thinkingLevel: LEVELS[reasoning.effort] };
  warn("reasoning.effort", "this model cannot stop reasoning; the lowest level is sent");
  return { ...show, thinkingLevel: "low" };
}
