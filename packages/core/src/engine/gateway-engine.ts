import type { AnswerPart } from "../model/answer-part.ts";
import type { Principal } from "../model/privacy.ts";
import type { XRRequest } from "../model/xr-request.ts";
import { attemptMeter, observersOf } from "../mesh/observers.ts";
import { ProviderMesh } from "../mesh/provider-mesh.ts";
import type { AnswerEngine, ClientTools, ModelListing, OperationRequest, Served } from "../providers/answer-engine.ts";
import type { OperationOutput, UnaryOperation } from "../providers/capabilities.ts";
import { XRRequestRouter } from "../routing/xr-request-router.ts";
import type { SpineParts } from "./answer.ts";
import { answer } from "./answer.ts";
import type { EngineParts } from "./engine-parts.ts";
import { performOperation } from "./perform-operation.ts";

/** The engine with its managers, for those who show or steer them. */
export interface GatewayEngine extends AnswerEngine {
  readonly mesh: ProviderMesh;
  readonly router: XRRequestRouter;
  readonly registry: EngineParts["registry"];
}

/** Constructed means usable. The engine owns no timers of its own and closes nothing: adapters belong to their maker. */
export function createEngine(parts: EngineParts): GatewayEngine {
  const router = new XRRequestRouter(parts.registry);
  const observer = observersOf([attemptMeter(parts.meter)]);
  const mesh = new ProviderMesh({ clock: parts.clock, observer });
  const spine: SpineParts = { ...parts, router, mesh };
  return {
    mesh,
    router,
    registry: parts.registry,
    answer: (request: XRRequest, signal: AbortSignal, tools?: ClientTools): AsyncIterable<AnswerPart> =>
      answer(spine, request, signal, tools),
    perform: <O extends UnaryOperation>(
      request: OperationRequest<O>,
      signal: AbortSignal,
    ): Promise<Served<OperationOutput[O]>> => performOperation(spine, request, signal),
    listModels: (_principal: Principal): readonly ModelListing[] => parts.registry.list(),
  };
}
