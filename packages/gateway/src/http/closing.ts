import type { Clock, Log } from "@fovea/core";
import type { FastifyInstance } from "fastify";
import type { Gate } from "./server.ts";

export interface ClosingParts {
  readonly app: FastifyInstance;
  readonly sockets: { readonly sessions: number; close(message: string): Promise<void> };
  readonly gate: Gate;
  readonly log: Log;
  readonly clock: Clock;
  readonly shutdownMs: number;
}

/** The orderly end: refuse, drain, cut what is left, then close what the server stood on. */
export class Closing {
  readonly #parts: ClosingParts;
  readonly #closeRest: () => Promise<void>;
  readonly #done = Promise.withResolvers<void>();
  #isStarted = false;

  constructor(parts: ClosingParts, closeRest: () => Promise<void>) {
    this.#parts = parts;
    this.#closeRest = closeRest;
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  start(reason: string): Promise<void> {
    if (!this.#isStarted) {
      this.#isStarted = true;
      this.#run(reason).then(this.#done.resolve, this.#done.reject);
    }
    return this.done;
  }

  async #run(reason: string): Promise<void> {
    const { app, sockets, gate, log, clock, shutdownMs } = this.#parts;
    log.write("info", "gateway is stopping", { reason, requestsInWork: gate.inWork, sessions: sockets.sessions });
    gate.close();
    const cancelCut = clock.schedule(shutdownMs, () => {
      log.write("warn", "requests were cut at the end of the shutdown time", { requestsInWork: gate.inWork });
      app.server.closeAllConnections();
    });
    try {
      // Sessions are told first: their clients come back to another process while requests here end.
      await Promise.all([sockets.close("the gateway is shutting down"), app.close()]);
    } finally {
      cancelCut();
      await this.#closeRest();
    }
    log.write("info", "gateway stopped");
  }
}
