import {
  ProviderError,
  type CallOptions,
  type Clock,
  type LimitSnapshot,
  type Log,
  type ProviderFailure,
  type Random,
} from "@fovea/core";
import { addressPolicyOf } from "./address-check.ts";
import { CallRecord } from "./call-record.ts";
import type { HttpCallOptions } from "./call-timers.ts";
import { buildFailure, type FailureDetails } from "./failure.ts";
import type { HttpAnswer, HttpHeaders } from "./http-call.ts";
import type { HttpOwner, HttpTransport } from "./http-transport.ts";
import { parseJson } from "./json-body.ts";
import type { EncodedCall, VendorWire } from "./vendor-wire.ts";
import { WireFault } from "./wire-fault.ts";

/** Everything an adapter needs from the process. */
export interface AdapterDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly http: HttpTransport;
  readonly random?: Random;
}

export interface CallerOptions {
  readonly id: string;
  readonly baseUrl: string;
  /** Credentials and operator's headers, sent with every call. */
  readonly headers: Readonly<Record<string, string>>;
  readonly allowPrivateAddress: boolean;
  readonly forwardTraceparent: boolean;
  readonly wire: VendorWire;
}

/** Refusals are short; what is longer is a page that nobody meant to send. */
const ERROR_BYTES_MAX = 256 * 1024;
/** Whole texts only, so one decoder serves all. */
const UTF8 = new TextDecoder();
const BODY_BYTES_MAX = 64 * 1024 * 1024;

const ACCEPT_JSON: Readonly<Record<string, string>> = { accept: "application/json" };

export interface JsonAnswer {
  readonly body: unknown;
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly limits?: LimitSnapshot;
  readonly requestId?: string;
}

/** One provider's way to the network: adds origin and key, classifies refusals, keeps the passive record. */
export class ProviderCaller {
  readonly id: string;
  readonly record: CallRecord;
  readonly clock: Clock;
  readonly #wire: VendorWire;
  readonly #deps: AdapterDeps;
  readonly #owner: HttpOwner;
  readonly #origin: string;
  readonly #basePath: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #bodyHeaders: Readonly<Record<string, string>>;
  readonly #forwardsTrace: boolean;

  constructor(options: CallerOptions, deps: AdapterDeps) {
    const url = new URL(options.baseUrl);
    this.id = options.id;
    this.clock = deps.clock;
    this.record = new CallRecord(deps.clock);
    this.#wire = options.wire;
    this.#forwardsTrace = options.forwardTraceparent;
    this.#deps = deps;
    this.#owner = { id: options.id, addressPolicy: addressPolicyOf(url, options.allowPrivateAddress) };
    this.#origin = url.origin;
    this.#basePath = url.pathname.replace(/\/+$/, "");
    this.#headers = { "user-agent": "fovea", "accept-encoding": "identity", ...options.headers };
    this.#bodyHeaders = { "content-type": "application/json", ...this.#headers };
  }

  get origin(): string {
    return this.#origin;
  }

  /** Address and credentials of a WebSocket at this provider; a path that begins with two slashes leaves the base path out. */
  socketTo(path: string): { readonly url: URL; readonly headers: Readonly<Record<string, string>> } {
    const whole = path.startsWith("//") ? path.slice(1) : this.#basePath + path;
    const url = new URL(whole, this.#origin);
    url.protocol = url.protocol === "http:" ? "ws:" : "wss:";
    const { "accept-encoding": _encoding, ...headers } = this.#headers;
    return { url, headers };
  }

  /** Resolves with an answer of status 2xx. Throws `ProviderError` for everything else. */
  async open(call: EncodedCall, options: HttpCallOptions = {}): Promise<HttpAnswer> {
    let answer: HttpAnswer;
    try {
      answer = await this.#send(call, options);
    } catch (error) {
      throw this.thrown(error);
    }
    if (answer.status >= 200 && answer.status < 300) return answer;
    const failure = await this.#refusal(answer);
    this.record.failed(failure.code);
    throw new ProviderError(failure);
  }

  /**
   * One GET without credentials and without classification: files on foreign hosts, whose addresses came in an answer.
   * Public addresses alone, and those of the configured host.
   */
  async openForeign(url: URL, options: HttpCallOptions = {}): Promise<HttpAnswer> {
    const isOwn = url.origin === this.#origin;
    const owner: HttpOwner = isOwn ? this.#owner : { id: this.id, addressPolicy: "public" };
    const headers = { "user-agent": "fovea", "accept-encoding": "identity", accept: "*/*" };
    try {
      return await this.#deps.http.open(
        owner,
        { method: "GET", origin: url.origin, path: url.pathname + url.search, headers },
        options,
      );
    } catch (error) {
      throw this.thrown(error);
    }
  }

  /** A redirect is an answer here: whoever asks decides whether to follow. */
  async openFile(url: URL, options: HttpCallOptions = {}): Promise<HttpAnswer> {
    const call = { path: url.pathname + url.search, origin: url.origin, headers: { accept: "*/*" }, warnings: [] };
    try {
      return await this.#send(call, options);
    } catch (error) {
      throw this.thrown(error);
    }
  }

  #send(call: EncodedCall, options: HttpCallOptions): Promise<HttpAnswer> {
    const hasBody = call.body !== undefined;
    const request = {
      method: call.method ?? (hasBody ? "POST" : "GET"),
      origin: call.origin ?? this.#origin,
      path: call.origin === undefined ? this.#basePath + call.path : call.path,
      headers: this.#headersOf(call, hasBody, options),
      ...(call.body === undefined ? {} : { body: call.body }),
    };
    return this.#deps.http.open(this.#owner, request, options);
  }

  #headersOf(call: EncodedCall, hasBody: boolean, options: HttpCallOptions): Readonly<Record<string, string>> {
    const headers = { ...(hasBody ? this.#bodyHeaders : this.#headers), ...call.headers };
    if (!this.#forwardsTrace || options.traceparent === undefined) return headers;
    return { ...headers, traceparent: options.traceparent };
  }

  async #refusal(answer: HttpAnswer): Promise<ProviderFailure> {
    const head = { providerId: this.id, status: answer.status, headers: answer.headers, unixMs: this.clock.unixMs() };
    const body = await answer.readAll(ERROR_BYTES_MAX).then(
      (bytes) => new TextDecoder().decode(bytes),
      // The status alone decides when the explanation does not arrive; a caller who left is told so.
      (error: unknown) => (error instanceof WireFault && error.code === "aborted" ? error : ""),
    );
    if (body instanceof WireFault) return this.failure(body);
    const failure = this.#wire.classify(head, body);
    this.readLimits(answer.headers);
    if (failure.code === "rate_limited") this.record.refused(failure.retryAfterMs);
    return failure;
  }

  /** One call whose answer is one JSON value. */
  async json(call: EncodedCall, options: CallOptions = {}): Promise<JsonAnswer> {
    const answer = await this.open(
      { ...call, headers: call.headers === undefined ? ACCEPT_JSON : { ...ACCEPT_JSON, ...call.headers } },
      { ...options, isWhole: true },
    );
    const limits = this.readLimits(answer.headers);
    const requestId = this.requestId(answer.headers);
    try {
      const type = answer.headers["content-type"] ?? "";
      if (/text\/html/i.test(type)) throw new WireFault("protocol", "an HTML page instead of an answer");
      const bytes = await answer.readAll(BODY_BYTES_MAX);
      const body = parseJson(UTF8.decode(bytes));
      this.record.succeeded();
      return {
        body,
        status: answer.status,
        headers: answer.headers,
        ...(limits === undefined ? {} : { limits }),
        ...(requestId === undefined ? {} : { requestId }),
      };
    } catch (error) {
      answer.discard();
      throw this.thrown(error, { status: answer.status, ...(requestId === undefined ? {} : { requestId }) });
    }
  }

  /** One call whose answer is one file. A JSON answer in its place is a refusal inside 200. */
  async bytes(
    call: EncodedCall,
    bytesMax: number,
    options: CallOptions = {},
  ): Promise<{ readonly bytes: Uint8Array; readonly headers: HttpHeaders }> {
    const answer = await this.open(call, { ...options, isWhole: true });
    this.readLimits(answer.headers);
    try {
      if (/text\/html/i.test(answer.headers["content-type"] ?? "")) {
        throw new WireFault("protocol", "an HTML page instead of an answer");
      }
      const bytes = await answer.readAll(bytesMax);
      this.record.succeeded();
      return { bytes, headers: answer.headers };
    } catch (error) {
      answer.discard();
      throw this.thrown(error, { status: answer.status });
    }
  }

  requestId(headers: HttpHeaders): string | undefined {
    return headers[this.#wire.requestIdHeader] ?? headers["x-request-id"] ?? headers["request-id"];
  }

  readLimits(headers: HttpHeaders): LimitSnapshot | undefined {
    return this.record.limited(this.#wire.limits(headers, this.clock.unixMs()));
  }

  failure(fault: WireFault, details: FailureDetails = {}): ProviderFailure {
    return buildFailure(fault.code, this.id, fault.message, details);
  }

  /** Wire faults become provider errors and are recorded; anything else is a defect and stays what it is. */
  thrown(error: unknown, details: FailureDetails = {}): unknown {
    if (!(error instanceof WireFault)) return error;
    const failure = this.failure(error, details);
    this.record.failed(failure.code);
    if (failure.code !== "aborted") {
      this.#deps.log.write("info", "provider call failed", {
        providerId: this.id,
        code: failure.code,
        requestId: failure.requestId,
      });
    }
    return new ProviderError(failure, { cause: error });
  }

  async release(): Promise<void> {
    await this.#deps.http.release(this.id);
  }
}
