import type { FastifyInstance } from "fastify";
import type { Clock } from "@fovea/core";
import { failureOf } from "../error-response.ts";
import type { GatewayServer } from "../server.ts";
import type { ErrorNote, GatewayStatus, TrafficStatus } from "./gateway-status.ts";
import { TrafficWindow } from "./traffic-window.ts";

const ERRORS_MAX = 50;

/** Watches every request of the server for the dashboard. */
export class TrafficWatch {
  readonly #window: TrafficWindow;
  readonly #errors: ErrorNote[] = [];
  readonly #app: FastifyInstance;

  constructor(server: GatewayServer, clock: Clock) {
    const { app } = server;
    this.#app = app;
    this.#window = new TrafficWindow(clock);
    server.onAnswered((request, status, durationMs) => {
      // The dashboard's own polling would drown what it wants to show.
      const isOwn = request.access === "public" || request.routeUrl.startsWith("/admin/");
      if (!isOwn) this.#window.record(durationMs, status >= 500);
    });
    app.addHook("onError", (request, _reply, error, done) => {
      const failure = failureOf(error);
      if (this.#errors.length >= ERRORS_MAX) this.#errors.shift();
      const route = `${request.method} ${request.routeUrl}`;
      this.#errors.push({
        atUnixMs: clock.unixMs(),
        code: failure.code,
        status: failure.status,
        route,
        requestId: request.id,
      });
      done();
    });
  }

  /** Newest first. */
  get errors(): readonly ErrorNote[] {
    return this.#errors.toReversed();
  }

  async status(inWork: number): Promise<TrafficStatus> {
    const sockets = await new Promise<number>((resolve) => {
      this.#app.server.getConnections((error, count) => resolve(error === null ? count : 0));
    });
    return {
      inWork,
      sockets,
      requestsPerSecond: this.#window.requestsPerSecond(),
      errorsPerSecond: this.#window.errorsPerSecond(),
      latencyMs: this.#window.latencyMs(),
    };
  }
}

/** `GET /admin/status`, scope `metrics`: one JSON document with all that the dashboard shows. */
export function registerAdmin(app: FastifyInstance, status: () => Promise<GatewayStatus>): void {
  app.get("/admin/status", { config: { access: "metrics" } }, async (_request, reply) => {
    void reply.header("cache-control", "no-store");
    return status();
  });
}
