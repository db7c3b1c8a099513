// The emulator's server: it reads a call, finds the rule for it, asks the vendor for the reply and delivers it.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Clock } from "@fovea/core";
import { SeededRandom } from "@fovea/core/testing";
import { countTokens } from "./answer-script.ts";
import { Callbacks } from "./callbacks.ts";
import { deliver, wasCut } from "./delivery.ts";
import type { Call, ProviderName, Reply, Stage, Vendor, WholeReply } from "./exchange.ts";
import { Refusal } from "./exchange.ts";
import { faultNamed } from "./named-faults.ts";
import { RateLimits } from "./rate-limits.ts";
import { realClock } from "./real-clock.ts";
import { attachSockets, type SocketHost } from "./realtime/sockets.ts";
import { readBytes, readCall, readJson } from "./request-reading.ts";
import { failureAsk, foreignBody, overLimit, withDrawnDelay } from "./rule-effects.ts";
import { RuleBook } from "./rule-book.ts";
import {
  mergeRules,
  readRule,
  readScenario,
  ScenarioError,
  type Rule,
  type Scenario,
  type ScenarioInput,
} from "./scenario.ts";
import { vendorNamed } from "./vendors.ts";

export interface EmulatorOptions {
  readonly provider: ProviderName;
  /** 0 or absent: any free port. */
  readonly port?: number;
  readonly host?: string;
  readonly scenario?: ScenarioInput;
  /** Delays and windows run on it; the machine's clock by default. */
  readonly clock?: Clock;
}

/** One request as the emulator saw it, for assertions on what a client really sent. */
export interface RecordedCall {
  readonly order: number;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly json: unknown;
  readonly bytes: Uint8Array;
  readonly key: string;
  readonly model: string;
  readonly startedMs: number;
  /** Requests under way when this one arrived, itself included. */
  readonly concurrency: number;
  /** Name or index of the rule that applied. */
  rule: string | undefined;
  status: number | undefined;
  endedMs: number | undefined;
  /** When the client closed before the answer was complete. */
  clientClosedMs: number | undefined;
}

export interface Emulator {
  readonly provider: ProviderName;
  /** Origin, as `http://127.0.0.1:9001`. */
  readonly url: string;
  /** What a client of this vendor takes as its base URL. */
  readonly baseUrl: string;
  readonly port: number;
  readonly requests: readonly RecordedCall[];
  /** Replaces the scenario; counts of attempts, limits and jobs begin anew. */
  setScenario(scenario: ScenarioInput): void;
  clearRequests(): void;
  /** Stops accepting: connections are refused until `resume`. Running answers are cut. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Resolves when the port is open. Throws `ScenarioError` for a scenario that cannot be used. */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const emulator = new RunningEmulator(options);
  await emulator.listen(options.port ?? 0);
  return emulator;
}

interface State {
  readonly scenario: Scenario;
  readonly rules: RuleBook;
  readonly limits: RateLimits;
  readonly random: SeededRandom;
  readonly memory: Map<string, unknown>;
  ids: number;
}

const FIXED_UNIX_MS = 1_767_225_600_000;

class RunningEmulator implements Emulator {
  readonly provider: ProviderName;
  readonly requests: RecordedCall[] = [];
  readonly #vendor: Vendor;
  readonly #clock: Clock;
  readonly #host: string;
  readonly #sockets = new Set<Socket>();
  readonly #callbacks: Callbacks;
  #server: Server | undefined;
  #port = 0;
  #open = 0;
  #order = 0;
  #state: State;

  constructor(options: EmulatorOptions) {
    this.provider = options.provider;
    this.#vendor = vendorNamed(options.provider);
    this.#clock = options.clock ?? realClock;
    this.#host = options.host ?? "127.0.0.1";
    this.#callbacks = new Callbacks(this.#clock);
    this.#state = freshState(options.scenario);
  }

  get url(): string {
    return `http://${this.#host}:${this.#port}`;
  }

  get baseUrl(): string {
    return this.url + this.#vendor.basePath;
  }

  get port(): number {
    return this.#port;
  }

  setScenario(scenario: ScenarioInput): void {
    this.#state = freshState(scenario);
  }

  clearRequests(): void {
    this.requests.length = 0;
  }

  async listen(port: number): Promise<void> {
    const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
      void this.#serve(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    server.on("connection", (socket: Socket) => {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    attachSockets(server, this.#socketHost());
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, this.#host, resolve);
    });
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  async pause(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    this.#callbacks.cancel();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async resume(): Promise<void> {
    if (this.#server === undefined) await this.listen(this.#port);
  }

  close(): Promise<void> {
    return this.pause();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.pause();
  }

  #socketHost(): SocketHost {
    return {
      vendor: this.#vendor,
      clock: this.#clock,
      random: () => this.#state.random,
      memory: () => this.#state.memory,
      nextId: (prefix) => this.#stage({}, this.#state).nextId(prefix),
      order: () => ++this.#order,
      isKnownKey: (key) => this.#state.scenario.keys?.includes(key) ?? true,
      ruleFor: (call, model) => {
        const record = this.#record(call, this.#clock.monotonicMs(), model);
        return withDrawnDelay(this.#ruleFor(call, record, this.#state), this.#state.random);
      },
    };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    const startedMs = this.#clock.monotonicMs();
    const order = ++this.#order;
    this.#open++;
    let record: RecordedCall | undefined;
    response.once("close", () => {
      this.#open--;
      const nowMs = this.#clock.monotonicMs();
      if (record !== undefined) {
        record.endedMs = nowMs;
        if (!response.writableFinished && !wasCut(response)) record.clientClosedMs = nowMs;
      }
      gone.abort();
    });
    const call = readCall(request, await readBytes(request), order, this.#vendor);
    record = this.#record(call, startedMs);
    await this.#answer(call, record, response, gone.signal);
  }

  #record(call: Call, startedMs: number, model = this.#vendor.modelOf(call)): RecordedCall {
    const { order, method, path, headers, json, bytes, key } = call;
    const query = call.query.toString();
    const unknown = { rule: undefined, status: undefined, endedMs: undefined, clientClosedMs: undefined };
    const record = {
      order,
      method,
      path,
      query,
      headers,
      json,
      bytes,
      key,
      model,
      startedMs,
      concurrency: this.#open,
      ...unknown,
    };
    this.requests.push(record);
    return record;
  }

  async #answer(call: Call, record: RecordedCall, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const state = this.#state;
    let rule: Rule;
    try {
      rule = this.#ruleFor(call, record, state);
    } catch (error) {
      if (!(error instanceof ScenarioError)) throw error;
      response.writeHead(400, { "content-type": "text/plain" }).end(`emulator: ${error.message}`);
      return;
    }
    rule = withDrawnDelay(rule, state.random);
    const stage = this.#stage(rule, state);
    const tokens = countTokens(Buffer.from(call.bytes).toString("utf8").slice(0, 20_000));
    const nowMs = this.#clock.monotonicMs();
    const { isOver, state: limitState } = state.limits.take(call.key, tokens, nowMs, this.#clock.unixMs());
    const reply = isOver
      ? this.#vendor.failure(overLimit(state.scenario, limitState.requestsResetMs), stage)
      : this.#replyTo(call, rule, stage, state);
    record.status = reply.status;
    const headers = {
      ...this.#vendor.commonHeaders(stage),
      ...this.#vendor.limitHeaders(limitState),
      ...(isOver ? { "retry-after": String(Math.ceil(limitState.requestsResetMs / 1000)) } : {}),
      ...reply.headers,
      ...(rule.retryAfter === undefined ? {} : { "retry-after": String(rule.retryAfter) }),
      ...(rule.redirect === undefined ? {} : { location: rule.redirect }),
      ...rule.headers,
    };
    const again = (): Reply => this.#replyTo(call, rule, this.#stage(rule, state), state);
    await deliver(reply, headers, {
      response,
      rule: isOver ? {} : rule,
      clock: this.#clock,
      random: stage.random,
      vendor: this.#vendor,
      signal,
      call,
      again,
    });
  }

  #ruleFor(call: Call, record: RecordedCall, state: State): Rule {
    const found = state.rules.find(call, record.model);
    record.rule = found.name;
    let rule = mergeRules(state.scenario.defaults ?? {}, found.rule);
    const byModel = /(?:^|\/)emu\/(.+)$/.exec(record.model)?.[1];
    const byHeader = call.headers["x-emu-fault"];
    for (const name of [byModel, byHeader]) {
      if (name === undefined) continue;
      const named = faultNamed(name);
      if (named === undefined) throw new ScenarioError(`"${name}" is not a fault`);
      rule = mergeRules(rule, named);
    }
    const own = call.headers["x-emu-rule"];
    if (own !== undefined) rule = mergeRules(rule, readRule(readJson(Buffer.from(own)), "x-emu-rule"));
    return rule;
  }

  #stage(rule: Rule, state: State): Stage {
    const { scenario, memory } = state;
    const sequence = state.ids;
    return {
      answer: rule.answer ?? {},
      random: state.random,
      unixMs: scenario.realDates ? this.#clock.unixMs() : FIXED_UNIX_MS + sequence * 1000,
      nowMs: this.#clock.monotonicMs(),
      memory,
      models: scenario.models ?? [],
      secret: scenario.webhookSecret,
      post: (delayMs, url, build) => this.#callbacks.post(delayMs, url, build),
      nextId: (prefix) => `${prefix}${(++state.ids).toString(36).padStart(8, "0")}${scenario.seed.toString(36)}`,
    };
  }

  #replyTo(call: Call, rule: Rule, stage: Stage, state: State): Reply {
    const ask = failureAsk(rule);
    const special = rule.body === undefined || rule.body === "vendor" ? undefined : foreignBody(rule);
    if (special !== undefined) return special;
    if (rule.redirect !== undefined) return { status: rule.status ?? 302, contentType: "text/plain", body: "" };
    if (ask !== undefined) return this.#vendor.failure(ask, stage);
    const known = state.scenario.keys;
    const open = this.#reply(() => this.#vendor.open?.(call, stage), stage);
    if (open !== undefined) return open;
    if (call.key === "" || (known !== undefined && !known.includes(call.key))) {
      return this.#vendor.failure({ status: 401, kind: "authentication" }, stage);
    }
    return this.#reply(() => this.#vendor.handle(call, stage), stage);
  }

  #reply<R extends Reply | undefined>(make: () => R, stage: Stage): R | WholeReply {
    try {
      return make();
    } catch (error) {
      if (error instanceof Refusal) return this.#vendor.failure(error.ask, stage);
      throw error;
    }
  }
}

function freshState(input: ScenarioInput | undefined): State {
  const scenario = readScenario(input ?? {});
  const random = new SeededRandom(scenario.seed);
  return {
    scenario,
    random,
    rules: new RuleBook(scenario.rules, random.fork(1)),
    limits: new RateLimits(scenario.limits),
    memory: new Map(),
    ids: 0,
  };
}
