import type { FastifyInstance } from "fastify";
import { GatewayError } from "@fovea/core";
import { z } from "zod";
import { SCOPES } from "../config/config-schema.ts";
import type { Authenticator } from "./authenticate.ts";

const bodySchema = z.strictObject({
  user: z.string().min(1).max(128).optional(),
  scopes: z.array(z.enum(SCOPES)).min(1).optional(),
});

/** `POST /v1/session-tokens`: an application's server asks with its key and hands the token to its page. */
export function registerSessionTokens(app: FastifyInstance, authenticator: Authenticator): void {
  app.post("/v1/session-tokens", { config: { access: "session" } }, (request, reply) => {
    const parsed = bodySchema.safeParse(request.body ?? {});
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new GatewayError("request_invalid", issue?.message ?? "the body is not valid", {
        param: issue?.path.join(".") ?? "body",
      });
    }
    const { user, scopes } = parsed.data;
    const { token, expiresAtUnixMs } = authenticator.issueSessionToken(request.principal, {
      ...(user === undefined ? {} : { userId: user }),
      ...(scopes === undefined ? {} : { scopes }),
    });
    void reply.code(201).header("cache-control", "no-store");
    return {
      token,
      expires_at: new Date(expiresAtUnixMs).toISOString(),
      expires_in: Math.round(authenticator.sessionTokenMs / 1000),
    };
  });
}
