import type { AnswerPart } from "../src/model/answer-part.ts";
import type { ContentPart } from "../src/model/chat.ts";
import type { Principal } from "../src/model/privacy.ts";
import type { XRRequest } from "../src/model/xr-request.ts";
import { NO_CONTEXT } from "../src/model/xr-context.ts";
import type { AuditRecord } from "../src/ports/audit-sink.ts";
import type { Labels, Meter } from "../src/ports/meter.ts";
import type { EngineParts } from "../src/engine/engine-parts.ts";
import { ProviderRegistry } from "../src/providers/provider-registry.ts";
import { CountingIds } from "./counting-ids.ts";
import { FakeClock } from "./fake-clock.ts";
import { MemoryLog } from "./memory-log.ts";
import { SeededRandom } from "./seeded-random.ts";

export const LOCAL_PRINCIPAL: Principal = {
  tenantId: "default",
  userId: "user_1",
  scopes: ["chat", "session"],
  via: "open",
};

/** Keeps what was measured, by name. */
export class MemoryMeter implements Meter {
  readonly entries: { readonly name: string; readonly labels: Labels; readonly value: number }[] = [];
  count(name: string, labels: Labels, by = 1): void {
    this.entries.push({ name, labels, value: by });
  }
  gauge(name: string, labels: Labels, value: number): void {
    this.entries.push({ name, labels, value });
  }
  record(name: string, labels: Labels, value: number): void {
    this.entries.push({ name, labels, value });
  }
  total(name: string): number {
    return this.entries.reduce((sum, entry) => (entry.name === name ? sum + entry.value : sum), 0);
  }
}

/** The doubles an engine needs, with a registry to fill. */
export interface EngineDoubles extends EngineParts {
  readonly clock: FakeClock;
  readonly log: MemoryLog;
  readonly meter: MemoryMeter;
  readonly auditRecords: AuditRecord[];
}

export function engineDoubles(aliases: Readonly<Record<string, readonly string[]>> = {}, seed = 1): EngineDoubles {
  const auditRecords: AuditRecord[] = [];
  return {
    clock: new FakeClock(),
    random: new SeededRandom(seed),
    ids: new CountingIds(),
    log: new MemoryLog(),
    meter: new MemoryMeter(),
    audit: { append: (record) => void auditRecords.push(record) },
    auditRecords,
    registry: new ProviderRegistry(aliases),
  };
}

/** A chat with one user message, and whatever else the caller says. */
export function chatRequest(
  model: string,
  text: string | readonly ContentPart[],
  rest: Partial<XRRequest> = {},
): XRRequest {
  const content: readonly ContentPart[] = typeof text === "string" ? [{ type: "text", text }] : text;
  return {
    requestId: "request_1",
    kind: "chat",
    model,
    chat: { messages: [{ role: "user", content }] },
    context: NO_CONTEXT,
    needs: {
      modalities: ["text"],
      tools: false,
      structuredOutput: false,
      vision: false,
      audioInput: false,
      contextTokensMin: 0,
    },
    deadlineMs: 60_000,
    latencyClass: "conversational",
    principal: LOCAL_PRINCIPAL,
    commit: "token",
    ...rest,
  };
}

/** An answer as one line: text as it is, other parts in brackets. What a person would check by eye. */
export function answerLine(parts: readonly AnswerPart[]): string {
  return parts.map(partWord).join("");
}

function partWord(part: AnswerPart): string {
  switch (part.type) {
    case "start":
      return `[start ${part.provider}/${part.model}]`;
    case "text-delta":
      return part.text;
    case "action":
      return `[${part.action.kind} ${"target" in part.action ? (part.action.target ?? "") : ""}]`;
    case "haptic":
      return `[haptic ${part.name}]`;
    case "tool-call":
      return `[tool ${part.name} ${part.args}]`;
    case "usage":
      return `[usage ${part.usage.output.total}]`;
    case "resumed":
      return `[resumed ${part.fromUnit} ${part.provider}]`;
    case "degraded":
      return `[degraded ${part.from} to ${part.to}]`;
    case "error":
      return `[error ${part.code}]`;
    case "end":
      return `[end ${part.outcome} ${part.finishReason}]`;
    default:
      return `[${part.type}]`;
  }
}
