import type { EventEffect, XREvent } from "../model/xr-event.ts";
import type { XRContext } from "../model/xr-context.ts";

/** What a handler decided. `pass` hands the event to the next handler of its type. */
export type Handling =
  | { readonly outcome: "handled" | "ignored"; readonly effects: readonly EventEffect[]; readonly reason?: string }
  | "pass";

/** Specification section 6. `process` may call providers; the signal ends with the session. */
export interface IXREventHandler<Event extends XREvent = XREvent> {
  readonly name: string;
  process(event: Event, context: XRContext, signal?: AbortSignal): Handling | Promise<Handling>;
  /** Forgets what the handler keeps for a session. */
  endSession?(sessionId: string): void;
}

export function handled(...effects: readonly EventEffect[]): Handling {
  return { outcome: "handled", effects };
}

export function ignored(reason: string): Handling {
  return { outcome: "ignored", effects: [], reason };
}
