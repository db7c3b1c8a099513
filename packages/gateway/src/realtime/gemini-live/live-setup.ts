// The `setup` of a Gemini Live client, as settings of the conversation behind the door.
import type { JsonSchema, ToolDefinition } from "@fovea/core";
import {
  EventError,
  isObject,
  listAt,
  objectAt,
  oneOf,
  optionalNumber,
  optionalObject,
  optionalText,
  shallowEnough,
  textAt,
  type Json,
} from "../doors/json-event.ts";
import type { VoiceSettings } from "../voice/voice-port.ts";

export interface LiveClientSetup {
  readonly model: string;
  readonly settings: Partial<VoiceSettings>;
  readonly isManual: boolean;
  readonly interrupts: boolean;
  readonly wantsInputText: boolean;
  readonly wantsOutputText: boolean;
  readonly wantsActivity: boolean;
  /** Undefined: the client does not want to resume. */
  readonly resumption: { readonly handle: string | undefined; readonly isTransparent: boolean } | undefined;
}

const TOOLS_MAX = 128;
const DEPTH_MAX = 32;

export function readSetup(setup: Json): LiveClientSetup {
  const generation = optionalObject(setup["generationConfig"], "setup.generationConfig") ?? {};
  const input = optionalObject(setup["realtimeInputConfig"], "setup.realtimeInputConfig") ?? {};
  const detection =
    optionalObject(input["automaticActivityDetection"], "setup.realtimeInputConfig.automaticActivityDetection") ?? {};
  const isManual = detection["disabled"] === true;
  const interrupts = input["activityHandling"] !== "NO_INTERRUPTION";
  const speaks = modalityOf(generation["responseModalities"]) === "AUDIO";
  const resumption = optionalObject(setup["sessionResumption"], "setup.sessionResumption");
  const silenceMs = optionalNumber(
    detection["silenceDurationMs"],
    "setup.realtimeInputConfig.automaticActivityDetection.silenceDurationMs",
    0,
    10_000,
  );
  const prerollMs = optionalNumber(
    detection["prefixPaddingMs"],
    "setup.realtimeInputConfig.automaticActivityDetection.prefixPaddingMs",
    0,
    5_000,
  );
  const maxOutputTokens = optionalNumber(
    generation["maxOutputTokens"],
    "setup.generationConfig.maxOutputTokens",
    1,
    1_000_000,
  );
  const temperature = optionalNumber(generation["temperature"], "setup.generationConfig.temperature", 0, 2);
  const instructions = instructionsOf(setup["systemInstruction"]);
  return {
    model: textAt(setup["model"], "setup.model").replace(/^models\//, ""),
    isManual,
    interrupts,
    wantsInputText: isObject(setup["inputAudioTranscription"]),
    wantsOutputText: isObject(setup["outputAudioTranscription"]),
    wantsActivity: setup["explicitVadSignal"] === true,
    resumption:
      resumption === undefined
        ? undefined
        : {
            handle: optionalText(resumption["handle"], "setup.sessionResumption.handle"),
            isTransparent: resumption["transparent"] === true,
          },
    settings: {
      ...(instructions === "" ? {} : { instructions }),
      tools: toolsOf(setup["tools"]),
      speaks,
      ...voiceOf(generation),
      ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
      ...(temperature === undefined ? {} : { temperature }),
      turnDetection: isManual
        ? { kind: "manual" }
        : {
            kind: "server",
            createsResponse: true,
            interruptsResponse: interrupts,
            ...(silenceMs === undefined ? {} : { silenceMs }),
            ...(prerollMs === undefined ? {} : { prerollMs }),
          },
    },
  };
}

function modalityOf(value: unknown): "AUDIO" | "TEXT" {
  if (value === undefined || value === null) return "AUDIO";
  const list = listAt(value, "setup.generationConfig.responseModalities", 3);
  return oneOf(list[0] ?? "AUDIO", ["AUDIO", "TEXT"], "setup.generationConfig.responseModalities[0]");
}

function voiceOf(generation: Json): Partial<VoiceSettings> {
  const speech = optionalObject(generation["speechConfig"], "setup.generationConfig.speechConfig");
  const voice = optionalObject(speech?.["voiceConfig"], "setup.generationConfig.speechConfig.voiceConfig");
  const prebuilt = optionalObject(
    voice?.["prebuiltVoiceConfig"],
    "setup.generationConfig.speechConfig.voiceConfig.prebuiltVoiceConfig",
  );
  const language = optionalText(speech?.["languageCode"], "setup.generationConfig.speechConfig.languageCode");
  return {
    voice:
      optionalText(
        prebuilt?.["voiceName"],
        "setup.generationConfig.speechConfig.voiceConfig.prebuiltVoiceConfig.voiceName",
      ) ?? "",
    ...(language === undefined ? {} : { language }),
  };
}

function instructionsOf(value: unknown): string {
  if (typeof value === "string") return value;
  const content = optionalObject(value, "setup.systemInstruction");
  const parts = Array.isArray(content?.["parts"]) ? content["parts"] : [];
  return parts
    .map((part: unknown) => (isObject(part) && typeof part["text"] === "string" ? part["text"] : ""))
    .join("\n");
}

/** Tools that the vendor carries out itself (search, code) are left out: nobody here would. */
function toolsOf(value: unknown): readonly ToolDefinition[] {
  if (value === undefined || value === null) return [];
  return listAt(value, "setup.tools", TOOLS_MAX).flatMap((entry, index) => {
    const declared = objectAt(entry, `setup.tools[${index}]`)["functionDeclarations"];
    if (declared === undefined) return [];
    return listAt(declared, `setup.tools[${index}].functionDeclarations`, TOOLS_MAX).map((item, position) =>
      toolOf(item, `setup.tools[${index}].functionDeclarations[${position}]`),
    );
  });
}

function toolOf(item: unknown, at: string): ToolDefinition {
  const given = objectAt(item, at);
  const description = optionalText(given["description"], `${at}.description`);
  const written = given["parametersJsonSchema"] ?? given["parameters"] ?? { type: "object", properties: {} };
  shallowEnough(written, `${at}.parameters`);
  const schema = objectAt(jsonSchemaOf(written, 0, at), `${at}.parameters`) as JsonSchema;
  return { name: textAt(given["name"], `${at}.name`), schema, ...(description === undefined ? {} : { description }) };
}

/** The vendor's own schema names its types in capitals. */
function jsonSchemaOf(value: unknown, depth: number, at: string): unknown {
  if (depth > DEPTH_MAX)
    throw new EventError("invalid_value", `'${at}.parameters' is nested too deeply.`, `${at}.parameters`);
  if (Array.isArray(value)) return value.map((item) => jsonSchemaOf(item, depth + 1, at));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) =>
      name === "type" && typeof inner === "string"
        ? [name, inner.toLowerCase()]
        : [name, jsonSchemaOf(inner, depth + 1, at)],
    ),
  );
}
