import type { Clock, Ids, Principal } from "@fovea/core";
import type { ConversationItem } from "../voice/voice-port.ts";

/** As long as the vendor keeps its own. */
const KEPT_MS = 2 * 60 * 60_000;
const KEPT_MAX = 1_000;

interface Kept {
  readonly tenantId: string;
  readonly userId: string;
  readonly items: readonly ConversationItem[];
  readonly untilMs: number;
}

/** Conversations that a client may come back to, by handle. In this process only. */
export class ResumableSessions {
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock, ids: Ids) {
    this.#clock = clock;
    this.#ids = ids;
  }

  /** The handle before it, if any, is void from now on: it stood for less. */
  keep(principal: Principal, items: readonly ConversationItem[], before: string | undefined): string {
    if (before !== undefined) this.#kept.delete(before);
    const nowMs = this.#clock.monotonicMs();
    for (const [handle, { untilMs }] of this.#kept) {
      if (untilMs > nowMs && this.#kept.size < KEPT_MAX) break;
      this.#kept.delete(handle);
    }
    const handle = this.#ids.secret();
    const { tenantId, userId } = principal;
    this.#kept.set(handle, { tenantId, userId, items: [...items], untilMs: nowMs + KEPT_MS });
    return handle;
  }

  /** Only for whoever began it. */
  find(handle: string, principal: Principal): readonly ConversationItem[] | undefined {
    const kept = this.#kept.get(handle);
    if (kept === undefined || kept.untilMs <= this.#clock.monotonicMs()) return undefined;
    return kept.tenantId === principal.tenantId && kept.userId === principal.userId ? kept.items : undefined;
  }
}
