import type { HapticResponse } from "../model/haptic.ts";
import type { SpatialQuery, SpatialQueryResult } from "../model/spatial.ts";
import type {
  MultiModalInput,
  MultiModalOutput,
  MultiModalResponse,
  XRContextResult,
  XRSessionConfig,
  XRSessionHandle,
} from "../model/xr-adapter-types.ts";
import type { XRContext } from "../model/xr-context.ts";
import type { XRRequest } from "../model/xr-request.ts";
import type { AnswerPart } from "../model/answer-part.ts";
import type { IdentifiedAdapter } from "./provider-adapter.ts";

/**
 * Specification section 2. Geometry comes first in all of it: a model only refines what the scene does not decide.
 * `id` and `process` are used by the specification's own breaker and are therefore part of the contract.
 */
export interface IXRProviderAdapter extends IdentifiedAdapter {
  processXRContext(context: XRContext): Promise<XRContextResult>;
  handleSpatialQueries(queries: SpatialQuery[], context?: XRContext): Promise<SpatialQueryResult[]>;
  generateHapticResponses(responses: string[]): Promise<HapticResponse[]>;

  processMultiModalInput(input: MultiModalInput): Promise<MultiModalOutput>;
  generateMultiModalResponse(context: XRContext): Promise<MultiModalResponse>;

  startXRSession(config: XRSessionConfig): Promise<XRSessionHandle>;
  endXRSession(sessionId: string): Promise<void>;

  /** One request to its end, as parts. */
  process(request: XRRequest, signal?: AbortSignal): Promise<readonly AnswerPart[]>;
}
