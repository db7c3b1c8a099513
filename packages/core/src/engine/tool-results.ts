import type { Clock } from "../ports/clock.ts";
import type { ClientTools } from "../providers/answer-engine.ts";
import type { ComposedCall } from "./turn-composer.ts";

export interface ToolResult {
  readonly text: string;
  readonly isError?: boolean;
}

export interface ToolLimit {
  readonly clock: Clock;
  readonly limitMs: number;
}

/** An application that does not answer must not take the whole turn with it. */
const TOOL_MS_MAX = 10_000;

/** Asks the application for all results side by side. A rejection or silence becomes an error result for the model. */
export async function resultsOf(
  calls: readonly ComposedCall[],
  tools: ClientTools | undefined,
  signal: AbortSignal,
  limit: ToolLimit,
): Promise<ReadonlyMap<string, ToolResult>> {
  const results = new Map<string, ToolResult>();
  if (tools === undefined) return results;
  const limitMs = Math.min(TOOL_MS_MAX, limit.limitMs);
  const pending = calls.filter((item) => item.state === "pending");
  await Promise.all(
    pending.map(({ call }) => {
      const { id, name, args } = call;
      return new Promise<void>((resolve) => {
        const settle = (result: ToolResult): void => {
          cancel();
          signal.removeEventListener("abort", onAbort);
          if (!results.has(id)) results.set(id, result);
          resolve();
        };
        const onAbort = (): void => settle({ text: "cancelled", isError: true });
        const cancel = limit.clock.schedule(limitMs, () =>
          settle({ text: "the application did not answer", isError: true }),
        );
        signal.addEventListener("abort", onAbort, { once: true });
        if (signal.aborted) return onAbort();
        tools
          .resultOf({ id, name, args }, signal)
          .then(settle, () => settle({ text: "the tool failed", isError: true }));
      });
    }),
  );
  return results;
}
