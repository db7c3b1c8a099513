import type { WordedFailure } from "../door-scope.ts";
import type { DoorFailure } from "../error-response.ts";

export function ollamaFailure(failure: DoorFailure): WordedFailure {
  const status = failure.code === "budget_exhausted" ? 402 : failure.status;
  return { status, body: { error: failure.message } };
}
