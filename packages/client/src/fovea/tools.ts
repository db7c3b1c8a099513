import type { JsonObject, JsonValue, ToolCallPart, ToolDescription } from "@fovea/protocol";
import type { OutboxMessage } from "../outbox.ts";

export interface ToolContext {
  readonly turnId: string;
  /** Aborted when the turn is cancelled or the session closes. */
  readonly signal: AbortSignal;
}

/** A function of the application that a model may call. What it returns must be plain data. */
export interface Tool extends ToolDescription {
  execute(args: JsonObject, context: ToolContext): JsonValue | void | Promise<JsonValue | void>;
}

const ERROR_CHARACTERS_MAX = 500;

/** The application's tools: told to the gateway, called by it, answered once each. */
export class Tools {
  readonly #tools = new Map<string, Tool>();
  readonly #running = new Map<string, Set<AbortController>>();
  readonly #send: (message: OutboxMessage) => void;

  constructor(send: (message: OutboxMessage) => void) {
    this.#send = send;
  }

  /** Replaces a tool of the same name. Returns what takes it away again. */
  add(tool: Tool): () => void {
    this.#tools.set(tool.name, tool);
    this.#send({ type: "tools", add: [describe(tool)], remove: [] });
    return () => {
      if (this.#tools.get(tool.name) !== tool) return;
      this.#tools.delete(tool.name);
      this.#send({ type: "tools", add: [], remove: [tool.name] });
    };
  }

  /** In a new session the gateway knows none. */
  resend(): void {
    if (this.#tools.size > 0) this.#send({ type: "tools", add: [...this.#tools.values()].map(describe), remove: [] });
  }

  async call({ turnId, callId, name, args }: ToolCallPart): Promise<void> {
    const tool = this.#tools.get(name);
    if (tool === undefined) {
      this.#send({ type: "tool.result", turnId, callId, error: `there is no tool ${name}` });
      return;
    }
    const controller = new AbortController();
    const running = this.#running.get(turnId) ?? new Set();
    running.add(controller);
    this.#running.set(turnId, running);
    try {
      const result = (await tool.execute(args, { turnId, signal: controller.signal })) ?? null;
      // Results of a cancelled turn answer nothing: the gateway has written the call off.
      if (!controller.signal.aborted) this.#send({ type: "tool.result", turnId, callId, result: plain(result) });
    } catch (error) {
      const text = (error instanceof Error ? error.message : String(error)).slice(0, ERROR_CHARACTERS_MAX);
      if (!controller.signal.aborted) this.#send({ type: "tool.result", turnId, callId, error: text });
    } finally {
      running.delete(controller);
      if (running.size === 0) this.#running.delete(turnId);
    }
  }

  abort(turnId?: string): void {
    for (const [id, controllers] of this.#running)
      if (turnId === undefined || turnId === id) for (const controller of controllers) controller.abort();
  }
}

function describe({ name, description, parameters }: Tool): ToolDescription {
  return { name, description, parameters };
}

/** Throws for what JSON cannot hold, which then is the tool's error. */
function plain(value: JsonValue): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}
