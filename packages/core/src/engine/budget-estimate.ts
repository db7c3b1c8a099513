// What a request may take at most, reserved before its call.
import type { OperationRequest } from "../providers/answer-engine.ts";
import type { UnaryOperation } from "../providers/capabilities.ts";
import type { XRRequest } from "../model/xr-request.ts";
import type { CellRates } from "../routing/cell-states.ts";
import type { RoutedPlan } from "../routing/routed-plan.ts";
import type { BudgetEstimate } from "./budgets.ts";
import { isTurn } from "./turn-request.ts";

/** For callers who name no limit of their own. */
const OUTPUT_TOKENS_GUESS = 500;
/** Facts, manners and tools that the engine adds to a turn. */
const TURN_TOKENS = 2_000;
const CHARACTERS_PER_TOKEN = 4;

/** Tokens that go in, as far as they are known before the call. */
export function inputTokensOf(request: XRRequest): number {
  // Doors count the answer's room into the context a model must have.
  const given = Math.max(0, request.needs.contextTokensMin - (request.chat.maxOutputTokens ?? 0));
  return given + (isTurn(request) ? TURN_TOKENS : 0);
}

/** What goes in, and as much as may come out, at the dearest cell of the plan. */
export function worstCaseOf(request: XRRequest, plan: RoutedPlan, rates: CellRates): BudgetEstimate {
  const output = request.chat.maxOutputTokens ?? OUTPUT_TOKENS_GUESS;
  return estimate(plan, rates, inputTokensOf(request), output);
}

/** By the text that goes in. What is billed by images or seconds is known after the call only. */
export function worstCaseOfOperation<O extends UnaryOperation>(
  { input }: OperationRequest<O>,
  plan: RoutedPlan,
  rates: CellRates,
): BudgetEstimate {
  return estimate(plan, rates, Math.ceil(charactersOf(input, 0) / CHARACTERS_PER_TOKEN), 0);
}

function estimate(plan: RoutedPlan, rates: CellRates, input: number, output: number): BudgetEstimate {
  let costMicroUsd: number | undefined;
  let hasUnpriced = false;
  for (const { candidate } of plan.cells) {
    const known = rates(candidate);
    if (known === undefined) hasUnpriced = true;
    else costMicroUsd = Math.max(costMicroUsd ?? 0, (known.input * input + known.output * output) / 1_000);
  }
  return { tokens: input + output, costMicroUsd, hasUnpriced };
}

/** Texts only: bytes of media have no tokens that could be told from their length. */
function charactersOf(value: unknown, depth: number): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null || depth > 4 || ArrayBuffer.isView(value)) return 0;
  let sum = 0;
  for (const item of Object.values(value)) sum += charactersOf(item, depth + 1);
  return sum;
}
