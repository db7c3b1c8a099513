// Which conversation stands behind a door: one that a realtime vendor holds, where the model is one of theirs, else the
// gateway's own, which listens, answers and speaks by the models of the mesh.
import type {
  AnswerEngine,
  Budgets,
  Candidate,
  CellHealthBook,
  Clock,
  Ids,
  Log,
  Meter,
  PriceBook,
  Principal,
  ProviderRegistry,
  XRContext,
} from "@fovea/core";
import { GatewayError, hasCapability } from "@fovea/core";
import { BridgeAccount } from "../bridge/bridge-account.ts";
import { openBridge, type BridgeOptions } from "../bridge/bridged-voice.ts";
import { openVoice } from "../voice/open-voice.ts";
import type { VoiceHandle, VoiceOutputPort, VoiceSettings } from "../voice/voice-port.ts";

export interface SessionParts {
  readonly engine: AnswerEngine;
  readonly registry: ProviderRegistry;
  readonly health: Pick<CellHealthBook, "of" | "admit">;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly meter: Meter;
  readonly budgets: Pick<Budgets, "reserve">;
  readonly limitsOf: (principal: Principal) => ReturnType<Budgets["remaining"]>;
  readonly prices: Pick<PriceBook, "costOf">;
  readonly link?: BridgeOptions["limits"];
  readonly answerLimits?: BridgeOptions["answerLimits"];
}

export interface OpenSession {
  readonly principal: Principal;
  readonly settings: Partial<VoiceSettings> & { readonly model: string };
  readonly output: VoiceOutputPort;
  readonly context: () => XRContext;
}

/** Vendors that can hold the conversation under this name, in order; empty where the gateway holds it itself. */
export function liveCandidates(registry: ProviderRegistry, model: string): readonly Candidate[] {
  if (model === "auto") return [];
  try {
    return registry.resolve(model, "realtime").tiers.flat().filter(converses);
  } catch (error) {
    if (GatewayError.has(error, "model_unknown") || GatewayError.has(error, "request_unsupported")) return [];
    throw error;
  }
}

/** Throws `model_unknown` where nobody has the model, neither to converse nor to answer. */
export function checkModel(registry: ProviderRegistry, model: string): void {
  if (liveCandidates(registry, model).length === 0) registry.resolve(model, "chat");
}

export function openSession(parts: SessionParts, session: OpenSession): VoiceHandle {
  const { principal, settings, output, context } = session;
  const candidates = liveCandidates(parts.registry, settings.model);
  const { engine, clock, ids, log, meter, health, link, answerLimits } = parts;
  if (candidates.length === 0)
    return openVoice({ engine, clock, ids, log, meter, principal, settings, output, context });
  const account = new BridgeAccount({ budgets: parts.budgets, prices: parts.prices, meter, principal });
  return openBridge({
    account,
    clock,
    ids,
    log,
    meter,
    health,
    candidates,
    settings,
    output,
    ...(link === undefined ? {} : { limits: link }),
    ...(answerLimits === undefined ? {} : { answerLimits }),
  });
}

function converses(candidate: Candidate): boolean {
  const { adapter } = candidate.entry;
  if (!hasCapability(adapter, "realtime")) return false;
  return adapter.openRealtime({ kind: "conversation", model: candidate.cell.model }).dialect !== undefined;
}
