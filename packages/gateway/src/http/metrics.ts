import type { FastifyInstance } from "fastify";

/** Prometheus text. Needs the scope `metrics` unless the operator opened it. */
export function registerMetrics(app: FastifyInstance, text: () => string, isPublic: boolean): void {
  app.get("/metrics", { config: { access: isPublic ? "public" : "metrics" } }, (_request, reply) => {
    void reply.header("content-type", "text/plain; version=0.0.4; charset=utf-8");
    return text();
  });
}
