import { pieces, writeScript, type Prompt, type Script } from "../answer-script.ts";
import type { Call, Frame, Reply, Stage } from "../exchange.ts";
import { jsonReply, Refusal } from "../exchange.ts";
import { listOf, numberOf, objectOf, textOf, type Json } from "../json.ts";
import { PNG_BASE64, tone } from "../media.ts";

export function invalid(message: string): Refusal {
  return new Refusal({ status: 400, kind: "INVALID_ARGUMENT", message });
}

interface Draft {
  readonly model: string;
  readonly responseId: string;
  readonly script: Script;
  readonly stage: Stage;
  readonly wantsThoughts: boolean;
  readonly wantsAudio: boolean;
  readonly wantsImage: boolean;
  /** The rest of the answer is promised by a token instead of being sent. */
  readonly continuation: string | undefined;
}

export function generateReply(call: Call, stage: Stage, model: string): Reply {
  const draft = readDraft(call, stage, model);
  if (draft.script.filter === "before") return jsonReply(blocked(draft));
  return jsonReply({ ...frameOf(draft, allParts(draft), finishOf(draft), draft.script.usage.output) });
}

export function streamReply(call: Call, stage: Stage, model: string): Reply {
  const draft = readDraft(call, stage, model);
  const isEvents = call.query.get("alt") === "sse";
  return {
    status: 200,
    format: isEvents ? "sse-crlf" : "json-array",
    contentType: isEvents ? "text/event-stream" : "application/json; charset=UTF-8",
    frames: frames(draft),
  };
}

function readDraft(call: Call, stage: Stage, model: string): Draft {
  const body = objectOf(call.json);
  const config = objectOf(body["generationConfig"]);
  const prompt = readPrompt(body, config);
  const modalities = listOf(config["responseModalities"]).map((name) => textOf(name).toUpperCase());
  const whole = writeScript(stage.answer, prompt, stage.random);
  const after = numberOf(stage.answer.extra?.["continueAfter"]);
  const token = textOf(body["continuationToken"]);
  const isContinued = after !== undefined && after < whole.tokens.length;
  const tokens = !isContinued ? whole.tokens : token === "" ? whole.tokens.slice(0, after) : whole.tokens.slice(after);
  return {
    model,
    responseId: stage.nextId("rsp"),
    script: { ...whole, tokens, text: tokens.join("") },
    stage,
    wantsThoughts: objectOf(config["thinkingConfig"])["includeThoughts"] === true,
    wantsAudio: modalities.includes("AUDIO"),
    wantsImage: modalities.includes("IMAGE"),
    continuation: isContinued && token === "" ? `continue-${after}` : undefined,
  };
}

export function readPrompt(body: Json, config: Json): Prompt {
  const contents = body["contents"];
  if (!Array.isArray(contents) || contents.length === 0)
    throw invalid("* GenerateContentRequest.contents: contents is not specified");
  let lastUserText = "";
  let allText = "";
  let imageCount = 0;
  let endsWithToolResult = false;
  for (const item of contents) {
    const content = objectOf(item);
    const role = textOf(content["role"]);
    if (role !== "" && !["user", "model", "function"].includes(role))
      throw invalid("Please use a valid role: user, model.");
    const parts = listOf(content["parts"]).map(objectOf);
    const text = parts.map((part) => textOf(part["text"])).join("");
    allText += ` ${text}`;
    if (role === "model") continue;
    endsWithToolResult = parts.some((part) => part["functionResponse"] !== undefined);
    if (text !== "" || !endsWithToolResult) lastUserText = text;
    imageCount = parts.filter((part) => part["inlineData"] !== undefined || part["fileData"] !== undefined).length;
  }
  const tools = listOf(body["tools"]).flatMap((tool) => listOf(objectOf(tool)["functionDeclarations"]).map(objectOf));
  const schema = config["responseJsonSchema"] ?? config["_responseJsonSchema"] ?? config["responseSchema"];
  const limit = numberOf(config["maxOutputTokens"]);
  return {
    lastUserText,
    allText,
    imageCount,
    tools: tools.map((tool) => ({
      name: textOf(tool["name"]),
      schema: objectOf(tool["parametersJsonSchema"] ?? tool["parameters"]),
    })),
    toolChoice: readChoice(objectOf(objectOf(body["toolConfig"])["functionCallingConfig"])),
    endsWithToolResult,
    wantsJson: config["responseMimeType"] === "application/json",
    ...(schema === undefined ? {} : { schema: objectOf(schema) }),
    ...(limit === undefined ? {} : { maxTokens: limit }),
  };
}

function readChoice(calling: Json): Prompt["toolChoice"] {
  const mode = textOf(calling["mode"]);
  const [only] = listOf(calling["allowedFunctionNames"]);
  if (mode === "ANY" && typeof only === "string") return { name: only };
  if (mode === "ANY") return "required";
  return mode === "NONE" ? "none" : "auto";
}

function finishOf(draft: Draft): string {
  const { script } = draft;
  if (script.finish !== undefined) return script.finish;
  if (draft.continuation !== undefined) return "CONTINUATION";
  if (script.outcome === "filter" || script.refusal !== undefined) return "SAFETY";
  return script.outcome === "length" ? "MAX_TOKENS" : "STOP";
}

function usageMetadata(script: Script, output: number): Json {
  const { usage } = script;
  const candidates = Math.max(0, output - usage.reasoning);
  return {
    promptTokenCount: usage.input,
    candidatesTokenCount: candidates,
    totalTokenCount: usage.input + candidates + usage.reasoning,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: usage.input }],
    ...(usage.cached === 0 ? {} : { cachedContentTokenCount: usage.cached }),
    ...(usage.reasoning === 0 ? {} : { thoughtsTokenCount: usage.reasoning }),
  };
}

function frameOf(draft: Draft, parts: readonly Json[], finish: string | undefined, output: number): Json {
  const token = finish === "CONTINUATION" ? { continuationToken: draft.continuation } : {};
  const candidate = {
    content: { parts, role: "model" },
    ...(finish === undefined ? {} : { finishReason: finish }),
    index: 0,
    ...token,
  };
  return {
    candidates: [candidate],
    usageMetadata: usageMetadata(draft.script, output),
    modelVersion: draft.model,
    responseId: draft.responseId,
  };
}

function blocked(draft: Draft): Json {
  const safetyRatings = [{ category: "HARM_CATEGORY_DANGEROUS_CONTENT", probability: "HIGH" }];
  return {
    promptFeedback: { blockReason: "SAFETY", safetyRatings },
    usageMetadata: { promptTokenCount: draft.script.usage.input, totalTokenCount: draft.script.usage.input },
    modelVersion: draft.model,
    responseId: draft.responseId,
  };
}

function thoughtParts(draft: Draft): readonly Json[] {
  const text = draft.script.reasoning.join("");
  return draft.wantsThoughts && text !== "" ? pieces(text).map((piece) => ({ text: piece, thought: true })) : [];
}

/** The first call of a turn carries the signature; parallel calls after it have none. */
function callParts(draft: Draft): readonly Json[] {
  return draft.script.toolCalls.map((toolCall, index) => ({
    functionCall: {
      ...(toolCall.id === undefined ? {} : { id: toolCall.id }),
      name: toolCall.name,
      args: argsOf(toolCall.args),
    },
    ...(index === 0 ? { thoughtSignature: Buffer.from(`signed ${draft.responseId}`).toString("base64") } : {}),
  }));
}

function argsOf(args: string): Json {
  try {
    return objectOf(JSON.parse(args));
  } catch {
    return {};
  }
}

function audioPart(draft: Draft): Json {
  const data = Buffer.from(tone(draft.stage.answer.audioMs ?? 200)).toString("base64");
  return { inlineData: { mimeType: "audio/L16;codec=pcm;rate=24000", data } };
}

function allParts(draft: Draft): readonly Json[] {
  if (draft.wantsAudio) return [audioPart(draft)];
  const text = draft.script.text === "" ? [] : [{ text: draft.script.text }];
  const thoughts = thoughtParts(draft);
  const joined = thoughts.length === 0 ? [] : [{ text: draft.script.reasoning.join(""), thought: true }];
  const image = draft.wantsImage ? [{ inlineData: { mimeType: "image/png", data: PNG_BASE64 } }] : [];
  return [...joined, ...text, ...image, ...callParts(draft)];
}

function frames(draft: Draft): readonly Frame[] {
  const { script } = draft;
  const put = (kind: Frame["kind"], data: Json): Frame => ({ kind, data: JSON.stringify(data) });
  if (script.filter === "before") return [put("terminal", blocked(draft))];
  const out: Frame[] = thoughtParts(draft).map((part) => put("lifecycle", frameOf(draft, [part], undefined, 0)));
  let output = script.usage.reasoning;
  const content: readonly Json[] = draft.wantsAudio ? [audioPart(draft)] : script.tokens.map((text) => ({ text }));
  for (const part of content) out.push(put("content", frameOf(draft, [part], undefined, ++output)));
  const streamsArgs = draft.stage.answer.extra?.["partialArgs"] === true;
  for (const part of callParts(draft)) {
    const parts = streamsArgs ? partialCalls(part) : [part];
    for (const piece of parts) out.push(put("content", frameOf(draft, [piece], undefined, ++output)));
  }
  // Whatever the scenario says was used in all, the last count is the one that holds.
  out.push(put("terminal", frameOf(draft, [{ text: "" }], finishOf(draft), script.usage.output)));
  return out;
}

/** Arguments of a flat object in pieces, as `streamFunctionCallArguments` sends them. */
function partialCalls(part: Json): readonly Json[] {
  const { args, ...head } = objectOf(part["functionCall"]);
  const pieces: Json[] = [{ ...part, functionCall: { ...head, willContinue: true } }];
  for (const [name, value] of Object.entries(objectOf(args))) {
    const jsonPath = `$.${name}`;
    if (typeof value !== "string") {
      const typed = typeof value === "number" ? { numberValue: value } : { boolValue: value === true };
      pieces.push({ functionCall: { partialArgs: [{ jsonPath, ...typed }], willContinue: true } });
      continue;
    }
    const halves = [value.slice(0, value.length >> 1), value.slice(value.length >> 1)];
    for (const [index, stringValue] of halves.entries()) {
      const partialArgs = [{ jsonPath, stringValue, willContinue: index === 0 }];
      pieces.push({ functionCall: { partialArgs, willContinue: true } });
    }
  }
  return [...pieces, { functionCall: { willContinue: false } }];
}
