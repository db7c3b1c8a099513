import type { Clock } from "@fovea/core";
import { isIP } from "node:net";
import { buildConnector, Pool } from "undici";
import { addressKind, guardedLookup, isAllowed, refusedAddress, type AddressPolicy } from "./address-check.ts";
import type { HttpCallOptions } from "./call-timers.ts";
import { HttpCall, type HttpAnswer, type HttpRequest } from "./http-call.ts";
import { WireFault } from "./wire-fault.ts";

/** Whose connections these are. One pool an owner and origin, so that keys never share a socket. */
export interface HttpOwner {
  readonly id: string;
  readonly addressPolicy: AddressPolicy;
}

export interface HttpTransport {
  /** Resolves when the status line has arrived, whatever the status. Rejects with `WireFault`. Never retries. */
  open(owner: HttpOwner, request: HttpRequest, options?: HttpCallOptions): Promise<HttpAnswer>;
  /** Waits for the owner's running calls, then closes its sockets. */
  release(ownerId: string): Promise<void>;
  /** Ends every call at once. */
  close(): Promise<void>;
}

export interface HttpTransportOptions {
  /** Sockets an owner and origin. Above it calls wait, and the connect timer counts the wait. */
  readonly connectionsMax?: number;
}

export function createHttpTransport(clock: Clock, options: HttpTransportOptions = {}): HttpTransport {
  const pools = new Map<string, { readonly ownerId: string; readonly pool: Pool }>();
  const poolFor = (owner: HttpOwner, origin: string): Pool => {
    const name = `${owner.id} ${owner.addressPolicy} ${origin}`;
    const known = pools.get(name);
    if (known !== undefined) return known.pool;
    const pool = openPool(origin, owner.addressPolicy, options.connectionsMax ?? 512);
    pools.set(name, { ownerId: owner.id, pool });
    return pool;
  };
  const take = (isMine: (ownerId: string) => boolean): Pool[] => {
    const mine = [...pools].filter(([, entry]) => isMine(entry.ownerId));
    for (const [name] of mine) pools.delete(name);
    return mine.map(([, entry]) => entry.pool);
  };
  return {
    open(owner, request, callOptions = {}) {
      const call = new HttpCall(clock, callOptions);
      if (call.start()) dispatch(poolFor(owner, request.origin), request, call);
      return call.head;
    },
    async release(ownerId) {
      await Promise.all(take((id) => id === ownerId).map((pool) => pool.close()));
    },
    async close() {
      await Promise.all(take(() => true).map((pool) => pool.destroy(new WireFault("aborted", "shutting down"))));
    },
  };
}

function dispatch(pool: Pool, request: HttpRequest, call: HttpCall): void {
  try {
    pool.dispatch(
      {
        method: request.method,
        path: request.path,
        headers: request.headers,
        ...(request.body === undefined ? {} : { body: bytesOf(request.body) }),
      },
      call,
    );
  } catch (error) {
    // undici throws for what it will not put on the wire, such as a header with a line break.
    call.onResponseError(
      undefined as never,
      new WireFault("invalid_request", "the request cannot be sent", { cause: error }),
    );
  }
}

function openPool(origin: string, policy: AddressPolicy, connections: number): Pool {
  return new Pool(origin, {
    connections,
    pipelining: 1,
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 30_000,
    keepAliveMaxTimeout: 300_000,
    connect: guardedConnector(policy),
  });
}

function guardedConnector(policy: AddressPolicy): buildConnector.connector {
  // Ours fires first; this one ends sockets that were abandoned while still connecting.
  const connect = buildConnector({ timeout: 10_000, allowH2: false, lookup: guardedLookup(policy) });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, "");
    if (isIP(host) !== 0 && !isAllowed(addressKind(host), policy)) {
      callback(refusedAddress(host), null);
      return;
    }
    connect(options, callback);
  };
}

function bytesOf(body: Uint8Array | string): Buffer {
  if (typeof body === "string") return Buffer.from(body);
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
