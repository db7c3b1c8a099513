// One request, one result: embeddings, speech, transcription, images, ranking. Same headers and warnings as for answers.
import type { OperationInput, OperationOutput, Served, UnaryOperation, Warning } from "@fovea/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { abortWhenClientLeaves, setServedBy } from "./answer-reply.ts";
import type { DoorParts } from "./door-parts.ts";
import { deadlineOf, requestIdOf, traceOf, warnAbout } from "./door-request.ts";

export interface OperationCall<O extends UnaryOperation> {
  readonly operation: O;
  readonly input: OperationInput[O];
  readonly warnings: readonly Warning[];
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly parts: DoorParts;
}

/** Throws the engine's failure; otherwise the headers are set and the result is there to be worded. */
export async function performOperation<O extends UnaryOperation>(
  call: OperationCall<O>,
): Promise<Served<OperationOutput[O]>> {
  const { operation, input, request, reply, parts } = call;
  const served = await parts.engine.perform(
    {
      requestId: requestIdOf(reply),
      operation,
      input,
      principal: parts.principalOf(request),
      deadlineMs: deadlineOf(request, operation, parts),
      ...traceOf(request),
    },
    abortWhenClientLeaves(reply),
  );
  const { providerId: provider, model, cost, plan } = served;
  setServedBy(reply, { provider, model, decision: plan.reason, cost });
  const told = (served.result as { readonly warnings?: readonly Warning[] }).warnings ?? [];
  warnAbout(reply, [...call.warnings, ...told]);
  return served;
}
