import type {
  DonePart,
  ErrorMessage,
  HapticPart,
  ServerPart,
  WireAction,
  ActionPart,
  StartPart,
} from "@fovea/protocol";

/** What `ask` yields, in order. `start` comes first, `done` last unless the turn ended in an `error`. */
export type TurnPart =
  | { readonly type: "start"; readonly provider: string; readonly model: string; readonly reason?: string }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "audio"; readonly part: Extract<ServerPart, { type: "audio" }> }
  | { readonly type: "words"; readonly part: Extract<ServerPart, { type: "words" }> }
  | { readonly type: "action"; readonly action: WireAction }
  | { readonly type: "haptic"; readonly haptic: HapticPart }
  | { readonly type: "asset"; readonly part: Extract<ServerPart, { type: "asset" }> }
  | { readonly type: "replaced"; readonly fromUnit: number; readonly text: string }
  | { readonly type: "resumed"; readonly provider: string; readonly model: string }
  | { readonly type: "degraded"; readonly from: string; readonly to: string; readonly reason: string }
  | {
      readonly type: "error";
      readonly code: string;
      readonly message: string;
      readonly retryAfterMs?: number;
      readonly field?: string;
    }
  | ({ readonly type: "done" } & Pick<
      DonePart,
      "outcome" | "provider" | "model" | "reason" | "latency" | "steps" | "tokens" | "cost" | "cached" | "finishReason"
    >);

/** Parts that wait for a slow consumer; beyond, the answer is broken off rather than the page filled. */
const WAITING_MAX = 4_096;

/**
 * One question and its answer. Iterate it once; stopping early (`break`) cancels. It always ends: with `done`, or with an
 * `error` part when the gateway, the network or `cancel()` ended it.
 */
export class AnswerTurn implements AsyncIterable<TurnPart> {
  readonly id: string;
  readonly #onCancel: () => void;
  readonly #waiting: TurnPart[] = [];
  #wake: (() => void) | undefined;
  #isOver = false;
  /** Of the last part received; told to the gateway after a reconnect. -1 before the first. */
  lastSeq = -1;

  constructor(id: string, onCancel: () => void) {
    this.id = id;
    this.#onCancel = onCancel;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Withdraws the question. Parts already received stay; an `error` part with code `request_cancelled` ends the turn. */
  cancel(): void {
    if (this.#isOver) return;
    this.#onCancel();
    this.fail("request_cancelled", "The turn was cancelled.");
  }

  /** Called by the SDK. */
  push(part: TurnPart): void {
    if (this.#isOver) return;
    if (this.#waiting.length >= WAITING_MAX) {
      this.#onCancel();
      this.fail("consumer_too_slow", `more than ${WAITING_MAX} parts are waiting`);
      return;
    }
    this.#waiting.push(part);
    if (part.type === "done") this.#isOver = true;
    this.#wake?.();
  }

  /** Called by the SDK. */
  fail(code: string, message: string, details: Pick<ErrorMessage, "retryAfterMs" | "field"> = {}): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#waiting.push({ type: "error", code, message, ...details });
    this.#wake?.();
  }

  /** All text of the answer. Rejects with the turn's error. */
  async text(): Promise<string> {
    let text = "";
    for await (const part of this) {
      if (part.type === "text") text += part.text;
      else if (part.type === "error") throw new Error(`${part.code}: ${part.message}`);
    }
    return text;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TurnPart, void, undefined> {
    let head = 0;
    try {
      for (;;) {
        const part = this.#waiting[head];
        if (part !== undefined) {
          // The consumed front is cut off in blocks: shifting every part would cost more than the part.
          if (++head > 256) {
            this.#waiting.splice(0, head);
            head = 0;
          }
          yield part;
        } else if (this.#isOver) return;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      if (!this.#isOver) this.cancel();
    }
  }
}

/** The part as the application sees it; undefined for parts that the SDK deals with itself. */
export function toTurnPart(part: ServerPart): TurnPart | undefined {
  switch (part.type) {
    case "start":
      return startOf(part);
    case "text.delta":
      return { type: "text", text: part.text };
    case "action":
      return actionOf(part);
    case "haptic":
      return { type: "haptic", haptic: part };
    case "audio":
      return { type: "audio", part };
    case "words":
      return { type: "words", part };
    case "asset":
      return { type: "asset", part };
    case "replaced":
      return { type: "replaced", fromUnit: part.fromUnit, text: part.text };
    case "resumed":
      return { type: "resumed", provider: part.provider, model: part.model };
    case "tool.call":
      return undefined;
    case "done": {
      const { outcome, provider, model, reason, latency, steps, tokens, cost, cached, finishReason } = part;
      const done = { type: "done" as const, outcome, provider, model, reason, latency, steps, tokens, cost, cached };
      return finishReason === undefined ? done : { ...done, finishReason };
    }
  }
}

function startOf({ provider, model, reason }: StartPart): TurnPart {
  return reason === undefined ? { type: "start", provider, model } : { type: "start", provider, model, reason };
}

function actionOf({ action }: ActionPart): TurnPart {
  return { type: "action", action };
}
