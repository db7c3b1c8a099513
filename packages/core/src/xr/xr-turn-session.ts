import type { AnswerPart } from "../model/answer-part.ts";
import type { Message } from "../model/chat.ts";
import type { XRSessionConfig, XRSessionHandle } from "../model/xr-adapter-types.ts";
import type { XRContext } from "../model/xr-context.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { AnswerEngine } from "../providers/answer-engine.ts";

export interface TurnSessionParts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly engine: Pick<AnswerEngine, "answer">;
  readonly config: XRSessionConfig;
  readonly model: string;
}

const TURN_MS = 30_000;
const MESSAGES_KEPT = 20;

/** A conversation over a context that the caller brings: for those who embed the engine without its realtime doors. */
export class XRTurnSession implements XRSessionHandle {
  readonly id: string;
  readonly startedMs: number;
  readonly #parts: TurnSessionParts;
  readonly #controller = new AbortController();
  #history: readonly Message[] = [];
  #turns = 0;
  #errors = 0;
  #firstContentMsSum = 0;
  #firstContents = 0;

  constructor(parts: TurnSessionParts) {
    this.#parts = parts;
    this.id = parts.ids.next("session");
    this.startedMs = parts.clock.monotonicMs();
  }

  /** Throws `session_unknown` once the session has ended. */
  async *ask(text: string, context: XRContext, signal?: AbortSignal): AsyncGenerator<AnswerPart> {
    const { clock, engine } = this.#parts;
    if (this.#controller.signal.aborted) throw new GatewayError("session_unknown", `session '${this.id}' has ended`);
    const startedMs = clock.monotonicMs();
    const question: Message = { role: "user", content: [{ type: "text", text }] };
    const onAbort = (): void => controller.abort();
    const controller = new AbortController();
    for (const source of [signal, this.#controller.signal]) source?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    this.#turns += 1;
    let said = "";
    let isAnswered = false;
    try {
      for await (const part of engine.answer(this.#request(question, context), controller.signal)) {
        if (part.type === "text-delta") said += part.text;
        if (part.type === "error") this.#errors += 1;
        if (!isAnswered && (part.type === "text-delta" || part.type === "action")) {
          isAnswered = true;
          this.#firstContents += 1;
          this.#firstContentMsSum += clock.monotonicMs() - startedMs;
        }
        yield part;
      }
    } finally {
      for (const source of [signal, this.#controller.signal]) source?.removeEventListener("abort", onAbort);
      const answer: Message = { role: "assistant", content: [{ type: "text", text: said }] };
      if (said !== "") this.#history = [...this.#history, question, answer].slice(-MESSAGES_KEPT);
    }
  }

  stats(): { turns: number; errors: number; firstContentMsMean: number | undefined } {
    const mean = this.#firstContents === 0 ? undefined : this.#firstContentMsSum / this.#firstContents;
    return { turns: this.#turns, errors: this.#errors, firstContentMsMean: mean };
  }

  end(): void {
    this.#controller.abort();
  }

  #request(question: Message, context: XRContext): Parameters<AnswerEngine["answer"]>[0] {
    const { clock, ids, config, model } = this.#parts;
    const { userId, tenantId, tools, latencyTargetMs } = config;
    return {
      requestId: ids.next("turn"),
      kind: "turn",
      model,
      chat: { messages: [...this.#history, question], ...(tools === undefined ? {} : { tools }) },
      context,
      needs: {
        modalities: ["text"],
        tools: false,
        structuredOutput: false,
        vision: false,
        audioInput: false,
        contextTokensMin: 0,
      },
      deadlineMs: clock.monotonicMs() + TURN_MS,
      latencyClass: latencyTargetMs !== undefined && latencyTargetMs > 4_000 ? "conversational" : "interactive",
      principal: { tenantId: tenantId ?? "default", userId, scopes: ["chat", "session"], via: "open" },
      commit: "sentence",
    };
  }
}
