import type { FastifyInstance } from "fastify";

export interface HealthParts {
  readonly version: string;
  /** Why the gateway should get no traffic now; undefined when it should. */
  readonly notReady: () => string | undefined;
  /** Which configuration is in force; without the reasons why a newer one is not, which are for operators. */
  readonly configuration?: () => {
    readonly version: number;
    readonly loadedAtUnixMs: number;
    readonly lastReload: string;
    readonly needsRestart: readonly string[];
  };
}

/** `/healthz`: the process runs. `/readyz`: it takes work; 503 while it starts or drains, with the reason. */
export function registerHealth(app: FastifyInstance, parts: HealthParts): void {
  const config = { access: "public" } as const;
  app.get("/healthz", { config }, () => {
    const known = parts.configuration?.();
    if (known === undefined) return { status: "ok", version: parts.version };
    const { version, loadedAtUnixMs, lastReload, needsRestart } = known;
    const configuration = { version, loadedAtUnixMs, lastReload, needsRestart: needsRestart.length > 0 };
    return { status: "ok", version: parts.version, configuration };
  });
  app.get("/readyz", { config }, (_request, reply) => {
    const reason = parts.notReady();
    if (reason === undefined) return { status: "ready", version: parts.version };
    void reply.code(503).header("retry-after", "1");
    return { status: "not ready", reason };
  });
}
