import type { ChatRequest } from "../model/chat.ts";
import type { Usage } from "../model/measure.ts";
import type { LatencyClass } from "../model/xr-request.ts";
import type { CallOptions } from "../providers/provider-adapter.ts";
import type { RoutedCell, RoutedPlan } from "../routing/routed-plan.ts";
import type { CommitUnit } from "./delivery.ts";

/** One chat on its way through a plan. `requestFor` makes the call for a cell: what may leave depends on who gets it. */
export interface MeshCall {
  readonly plan: RoutedPlan;
  readonly deadlineMs: number;
  readonly latencyClass: LatencyClass;
  readonly commit: CommitUnit;
  readonly whole: boolean;
  readonly isSpeech: boolean;
  /** True where the answer is one object (JSON): another model makes it anew, it cannot go on in the middle. */
  readonly isStructured: boolean;
  /** Budgets are kept by tenant. */
  readonly tenantId: string;
  readonly traceparent?: string;
  requestFor(cell: RoutedCell): ChatRequest;
}

/** One result from the first cell that gives one. */
export interface UnaryMeshCall<T> {
  readonly plan: RoutedPlan;
  readonly deadlineMs: number;
  readonly tenantId: string;
  readonly traceparent?: string;
  call(cell: RoutedCell, options: CallOptions): Promise<T>;
  usageOf(value: T): Usage | undefined;
}
