import type { ContentPart, Message, Usage } from "@fovea/core";
import { toBase64 } from "../base64.ts";
import { arrayOf, countOf, recordOf, stringOf, type JsonRecord } from "../json-body.ts";

type Json = Record<string, unknown>;

/** Messages as turns: neighbours of one role are one turn. */
export function turnsOf(messages: readonly Message[]): readonly Json[] {
  const turns: { role: string; parts: Json[] }[] = [];
  for (const message of messages) {
    const role = message.role === "assistant" ? "model" : "user";
    const parts = message.content.flatMap(partOf);
    if (parts.length === 0) continue;
    const open = turns.at(-1);
    if (open?.role === role) open.parts.push(...parts);
    else turns.push({ role, parts });
  }
  return turns;
}

function partOf(part: ContentPart): Json[] {
  switch (part.type) {
    case "text":
      return part.text === "" ? [] : [{ text: part.text }];
    case "media":
      return "bytes" in part.data ? [{ inlineData: { mimeType: part.mime, data: toBase64(part.data.bytes) } }] : [];
    // Calls and results of an earlier connection are told as words: their ids mean nothing to a new one.
    case "tool-call":
      return [{ text: `[called ${part.name} with ${part.args}]` }];
    case "tool-result":
      return [
        {
          text: `[${part.name} answered: ${part.content.map((inner) => (inner.type === "text" ? inner.text : "")).join("")}]`,
        },
      ];
    default:
      return [];
  }
}

export function usageOfLive(usage: JsonRecord | undefined): Usage | undefined {
  const input = countOf(usage?.["promptTokenCount"]);
  const output = countOf(usage?.["responseTokenCount"]);
  if (input === undefined || output === undefined) return undefined;
  const audioIn = audioTokens(usage?.["promptTokensDetails"]);
  const audioOut = audioTokens(usage?.["responseTokensDetails"]);
  return {
    input: {
      total: input,
      cacheRead: countOf(usage?.["cachedContentTokenCount"]) ?? 0,
      cacheWrite: 0,
      ...(audioIn === undefined ? {} : { audio: audioIn }),
    },
    output: { total: output, ...(audioOut === undefined ? {} : { audio: audioOut }) },
    source: "provider",
  };
}

function audioTokens(details: unknown): number | undefined {
  const audio = arrayOf(details)
    .map(recordOf)
    .find((row) => stringOf(row?.["modality"]) === "AUDIO");
  return countOf(audio?.["tokenCount"]);
}
