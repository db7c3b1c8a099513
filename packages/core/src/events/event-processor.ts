// Events of one session are processed in the order they came, one after the other; sessions do not wait for each
// other, so a slow provider behind one headset holds up nobody else. Applications register handlers that are asked
// before the built-in one and may pass.
import type { Log } from "../ports/log.ts";
import { privateValue } from "../ports/log.ts";
import type { Meter } from "../ports/meter.ts";
import type { EventResult, KnownXREvent, XREvent } from "../model/xr-event.ts";
import { XREventType } from "../model/xr-event.ts";
import type { XRContext } from "../model/xr-context.ts";
import type { Handling, IXREventHandler } from "./event-handler.ts";
import { ForeignEventHandler } from "./handlers/foreign-event-handler.ts";
import { HandTrackingHandler } from "./handlers/hand-tracking-handler.ts";
import { HapticFeedbackHandler } from "./handlers/haptic-feedback-handler.ts";
import { SpatialInteractionHandler } from "./handlers/spatial-interaction-handler.ts";
import { VoiceCommandHandler } from "./handlers/voice-command-handler.ts";

export interface EventProcessorParts {
  /** The session's context at the instant of the event, or as near as its window reaches; undefined for no such session. */
  contextAt(sessionId: string, atMs: number): XRContext | undefined;
  readonly log: Log;
  readonly meter: Meter;
}

/** Events of one session that wait. More than this is a flood: the new event is refused, the order of the rest stays. */
const WAITING_MAX = 64;

type HandlerTable = { readonly [T in XREventType]: IXREventHandler<Extract<KnownXREvent, { type: T }>> };

interface Lane {
  waiting: number;
  last: Promise<unknown>;
  readonly abort: AbortController;
}

/** Specification section 6. */
export class XREventProcessor {
  readonly #parts: EventProcessorParts;
  readonly #handlers: HandlerTable;
  readonly #defaultHandler = new ForeignEventHandler();
  readonly #registered = new Map<string, IXREventHandler[]>();
  readonly #lanes = new Map<string, Lane>();
  readonly #interactions: SpatialInteractionHandler;

  constructor(parts: EventProcessorParts) {
    this.#parts = parts;
    this.#interactions = new SpatialInteractionHandler();
    this.#handlers = {
      [XREventType.HAND_TRACKING]: new HandTrackingHandler(),
      [XREventType.VOICE_COMMAND]: new VoiceCommandHandler(),
      [XREventType.SPATIAL_INTERACTION]: this.#interactions,
      [XREventType.HAPTIC_FEEDBACK]: new HapticFeedbackHandler(),
    };
  }

  /** Asked before the built-in handler, the newest first. Returns what removes it again. */
  register(type: string, handler: IXREventHandler): () => void {
    const handlers = this.#registered.get(type) ?? [];
    this.#registered.set(type, handlers);
    handlers.unshift(handler);
    return () => {
      const index = handlers.indexOf(handler);
      if (index >= 0) handlers.splice(index, 1);
    };
  }

  /** Settles when the event's turn came and its handler decided. A handler that throws refuses the event, nothing more. */
  async processEvent(event: XREvent): Promise<EventResult> {
    const lane = this.#laneOf(event.sessionId);
    if (lane.waiting >= WAITING_MAX) {
      this.#count(event, "refused");
      return refused(event, "too many events of this session are waiting");
    }
    lane.waiting++;
    const result = lane.last.then(() => this.#process(event, lane.abort.signal));
    lane.last = result;
    try {
      return await result;
    } finally {
      lane.waiting--;
    }
  }

  /** Aborts what is running for the session and forgets it. */
  endSession(sessionId: string): void {
    this.#lanes.get(sessionId)?.abort.abort();
    this.#lanes.delete(sessionId);
    for (const handler of Object.values(this.#handlers)) handler.endSession?.(sessionId);
    for (const handlers of this.#registered.values()) for (const handler of handlers) handler.endSession?.(sessionId);
  }

  get sessionCount(): number {
    return this.#lanes.size;
  }

  async #process(event: XREvent, signal: AbortSignal): Promise<EventResult> {
    const context = this.buildXRContext(event);
    if (context === undefined || signal.aborted) {
      this.#count(event, "refused");
      return refused(event, "the session is over");
    }
    for (const handler of [...(this.#registered.get(event.type) ?? []), this.getEventHandler(event.type)]) {
      const handling = await this.#ask(handler, event, context, signal);
      if (handling === "pass") continue;
      this.#count(event, handling.outcome);
      return { eventId: event.eventId, handledBy: handler.name, ...handling };
    }
    this.#count(event, "ignored");
    return { eventId: event.eventId, handledBy: this.#defaultHandler.name, outcome: "ignored", effects: [] };
  }

  async #ask(
    handler: IXREventHandler,
    event: XREvent,
    context: XRContext,
    signal: AbortSignal,
  ): Promise<Exclude<Handling, "pass"> | "pass" | EventRefusal> {
    try {
      return await handler.process(event, context, signal);
    } catch (error) {
      // A message may quote what the user said: the log gets the kind and the length.
      const { name, message } = error instanceof Error ? error : { name: typeof error, message: "" };
      this.#parts.log.write("error", "an event handler failed", {
        handler: handler.name,
        type: event.type,
        error: name,
        detail: privateValue(message),
      });
      return { outcome: "refused", effects: [], reason: "the handler failed" };
    }
  }

  private buildXRContext(event: XREvent): XRContext | undefined {
    return this.#parts.contextAt(event.sessionId, event.atMs);
  }

  private getEventHandler(eventType: string): IXREventHandler {
    const handlers = this.#handlers as Readonly<Record<string, IXREventHandler>>;
    return Object.hasOwn(handlers, eventType) ? (handlers[eventType] ?? this.#defaultHandler) : this.#defaultHandler;
  }

  #laneOf(sessionId: string): Lane {
    const known = this.#lanes.get(sessionId);
    if (known !== undefined) return known;
    const lane: Lane = { waiting: 0, last: Promise.resolve(), abort: new AbortController() };
    this.#lanes.set(sessionId, lane);
    return lane;
  }

  #count(event: XREvent, outcome: EventResult["outcome"]): void {
    const type = Object.hasOwn(this.#handlers, event.type) ? event.type : "other";
    this.#parts.meter.count("xr_events_total", { type, outcome });
  }
}

interface EventRefusal {
  readonly outcome: "refused";
  readonly effects: readonly [];
  readonly reason: string;
}

function refused(event: XREvent, reason: string): EventResult {
  return { eventId: event.eventId, outcome: "refused", handledBy: "none", reason, effects: [] };
}
