import type { Principal } from "@fovea/core";
import { GatewayError } from "@fovea/core";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { invalid } from "./request-fields.ts";

const feedbackSchema = z
  .strictObject({
    /** `x-request-id` of the answer. */
    request_id: z.string().min(1).max(80),
    rating: z.enum(["good", "bad"]).optional(),
    /** 0 useless to 1 right. */
    score: z.number().min(0).max(1).optional(),
  })
  .refine((body) => (body.rating === undefined) !== (body.score === undefined), {
    error: "needs either `rating` or `score`",
  });

/** `POST /v1/feedback`, scope `chat`: how an answer turned out, for its caller's own tenant. Routing learns from it. */
export function registerFeedback(
  app: FastifyInstance,
  feedback: (principal: Principal, requestId: string, score: number) => boolean,
): void {
  app.post("/v1/feedback", { config: { access: "chat" } }, (request, reply) => {
    const read = feedbackSchema.safeParse(request.body);
    if (!read.success) {
      const issue = read.error.issues[0];
      throw invalid(issue?.path.join(".") || "body", issue?.message ?? "is not valid");
    }
    const { request_id: requestId, rating, score = rating === "good" ? 1 : 0 } = read.data;
    if (!feedback(request.principal, requestId, score))
      throw new GatewayError(
        "route_unknown",
        `no request '${requestId}' among those that are remembered and not rated`,
      );
    return reply.code(204).send();
  });
}
