import type { AnswerPart } from "../model/answer-part.ts";
import type { Cost } from "../model/measure.ts";
import type { Principal } from "../model/privacy.ts";
import type { SupportedFeatures } from "../model/provider-info.ts";
import type { RoutingPlan } from "../model/routing-plan.ts";
import type { XRRequest } from "../model/xr-request.ts";
import type { OperationInput, OperationOutput, UnaryOperation } from "./capabilities.ts";

/** A unary call on its way through the engine. `input.model` is as the caller named it. */
export interface OperationRequest<O extends UnaryOperation> {
  readonly requestId: string;
  readonly operation: O;
  readonly input: OperationInput[O];
  readonly principal: Principal;
  readonly deadlineMs: number;
  readonly traceparent?: string;
}

/** A result with who gave it, for response headers and the audit trail. */
export interface Served<T> {
  readonly result: T;
  readonly providerId: string;
  readonly model: string;
  readonly cost: Cost;
  readonly plan: RoutingPlan;
}

/** A tool call that the application must carry out, with complete JSON text. */
export interface ClientToolCall {
  readonly id: string;
  readonly name: string;
  readonly args: string;
}

/**
 * The way back for tools that live in the application (`Fovea.tool`). The call itself goes out as a part `tool-call`;
 * whoever owns the connection answers here. A rejection, or the end of the turn's time, becomes an error result for the
 * model, never an error of the turn.
 */
export interface ClientTools {
  resultOf(call: ClientToolCall, signal: AbortSignal): Promise<{ readonly text: string; readonly isError?: boolean }>;
}

/** One line of `/v1/models`. */
export interface ModelListing {
  /** What a caller may write as `model`. */
  readonly name: string;
  readonly providerId: string;
  readonly features: readonly SupportedFeatures[];
  readonly contextTokens?: number;
}

/**
 * What every door sees of the engine. Before the first part a failure is thrown as `GatewayError`; afterwards it is a
 * part of type `error`, followed by `end`. Aborting the signal cancels the provider call.
 */
export interface AnswerEngine {
  answer(request: XRRequest, signal: AbortSignal, tools?: ClientTools): AsyncIterable<AnswerPart>;
  perform<O extends UnaryOperation>(
    request: OperationRequest<O>,
    signal: AbortSignal,
  ): Promise<Served<OperationOutput[O]>>;
  listModels(principal: Principal): readonly ModelListing[];
}
