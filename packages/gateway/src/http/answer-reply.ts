// Sends one answer of the engine, whole or streamed, in the words of a dialect. The status line waits for the first part
// with content, so that a call which fails before it gets an honest status; after that a failure is told in-band.
import type { AnswerPart, AnswerTrace, Cancel, Cost, XRRequest } from "@fovea/core";
import { GatewayError } from "@fovea/core";
import type { FastifyReply } from "fastify";
import type { AnswerDialect, AnswerEncoder, Spent, StartPart } from "./answer-dialect.ts";
import { collectAnswer, errorOf, startOf } from "./collected-answer.ts";
import { KEEP_ALIVE_MS, type DoorParts } from "./door-parts.ts";
import { warnAbout, type ChatDraft } from "./door-request.ts";
import { failureOf, failureOfPart, headerText, type DoorFailure } from "./error-response.ts";
import { TextStream } from "./server-sent-events.ts";

export interface AnswerCall {
  readonly request: XRRequest;
  readonly draft: ChatDraft;
  readonly dialect: AnswerDialect;
  readonly reply: FastifyReply;
  readonly parts: DoorParts;
}

/** Throws what failed before anything was sent: the door's error handler words it. */
export async function sendAnswer(call: AnswerCall): Promise<FastifyReply> {
  const { reply, parts, request, draft } = call;
  const gone = abortWhenClientLeaves(reply);
  if (draft.isStream) {
    await new StreamedAnswer(call).run(parts.engine.answer(request, gone));
    return reply;
  }
  const answer = await collectAnswer(parts.engine.answer(request, gone));
  const decision = answer.start.decision ?? answer.trace.reason;
  setServedBy(reply, { provider: answer.start.provider, model: answer.start.model, decision, cost: answer.cost });
  if (answer.degraded !== undefined) reply.header("x-fovea-degraded", headerText(answer.degraded));
  warnAbout(reply, [...draft.warnings, ...answer.warnings]);
  return reply.send(call.dialect.whole(answer));
}

/** Fires as soon as the client's socket closes before the answer is out; work upstream stops with it. */
export function abortWhenClientLeaves(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

export interface ServedBy {
  readonly provider: string;
  readonly model: string;
  readonly decision: string | undefined;
  /** Absent while it is not known yet; a price that nobody knows is `unpriced`, never zero. */
  readonly cost: Cost | undefined;
}

export function setServedBy(reply: FastifyReply, served: ServedBy): void {
  reply.tellLimits?.();
  reply.header("x-fovea-provider", headerText(served.provider));
  reply.header("x-fovea-model", headerText(served.model));
  if (served.decision !== undefined) reply.header("x-fovea-decision", headerText(served.decision));
  if (served.cost !== undefined) reply.header("x-fovea-cost", costText(served.cost));
}

/** Millionths of a US dollar. */
export function costText(cost: Cost): string {
  return cost.microUsd === undefined ? "unpriced" : String(Math.round(cost.microUsd * 1000) / 1000);
}

const BROKEN = new GatewayError("answer_broken", "The answer ended without its last part.");

class StreamedAnswer {
  readonly #call: AnswerCall;
  readonly #stream: TextStream;
  readonly #stopKeepAlive: Cancel;
  #encoder: AnswerEncoder | undefined;
  #start: StartPart | undefined;
  #isOpen = false;
  #degraded: string | undefined;
  #spent: Spent = { usage: undefined, cost: undefined };

  constructor(call: AnswerCall) {
    this.#call = call;
    this.#stream = new TextStream(call.reply.raw);
    this.#stopKeepAlive = this.#keepAlive();
  }

  async run(answer: AsyncIterable<AnswerPart>): Promise<void> {
    try {
      if (!(await this.#pass(answer))) throw BROKEN;
    } catch (error) {
      if (!this.#isOpen) throw error;
      if (!GatewayError.is(error))
        this.#call.parts.log.write("error", "answer failed after it had begun", faultOf(error));
      this.#fail(failureOf(error));
    } finally {
      this.#stopKeepAlive();
    }
  }

  /** True when the answer came to its end, good or bad. */
  async #pass(answer: AsyncIterable<AnswerPart>): Promise<boolean> {
    const { raw } = this.#call.reply;
    let isFailed = false;
    for await (const part of answer) {
      if (raw.destroyed || isFailed) continue;
      if (part.type === "start") this.#start = part;
      else if (part.type === "usage") this.#spent = { usage: part.usage, cost: part.cost };
      else if (part.type === "degraded" && !this.#isOpen) this.#degraded = `${part.from} -> ${part.to}: ${part.reason}`;
      else if (part.type === "error") {
        if (!this.#isOpen) throw errorOf(part);
        this.#fail(failureOfPart(part));
        isFailed = true;
      } else if (part.type === "end") {
        this.#finish(part);
        return true;
      } else await this.#write(this.#encode(part));
    }
    return isFailed || raw.destroyed;
  }

  #encode(part: AnswerPart): string {
    if (part.type === "replaced")
      throw new GatewayError("answer_broken", "A delivered part of the answer was revised.");
    const { opening, encoder } = this.#begun();
    return opening + encoder.part(part);
  }

  /** The encoder, and what must be written before its first words. */
  #begun(trace?: AnswerTrace): { readonly opening: string; readonly encoder: AnswerEncoder } {
    if (this.#encoder !== undefined) return { opening: "", encoder: this.#encoder };
    const start = this.#start ?? (trace === undefined ? NO_START : startOf(trace));
    this.#open(start);
    this.#encoder = this.#call.dialect.encoder(start);
    return { opening: this.#encoder.begin(), encoder: this.#encoder };
  }

  #open(start: StartPart | undefined): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    const { reply, dialect, draft } = this.#call;
    if (start !== undefined) {
      setServedBy(reply, { provider: start.provider, model: start.model, decision: start.decision, cost: undefined });
    }
    if (this.#degraded !== undefined) reply.header("x-fovea-degraded", headerText(this.#degraded));
    warnAbout(reply, [...draft.warnings, ...(start?.warnings ?? [])]);
    reply.hijack();
    const headers = reply.getHeaders() as Record<string, string>;
    reply.raw.writeHead(200, {
      ...headers,
      "content-type": dialect.streamType,
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
      ...(hasTrailers(reply) ? { trailer: "x-fovea-cost, x-fovea-decision" } : {}),
    });
    if (start === undefined) reply.raw.flushHeaders();
  }

  async #write(text: string): Promise<void> {
    await this.#stream.write(text);
  }

  #finish(end: Extract<AnswerPart, { type: "end" }>): void {
    if (end.outcome === "error" || end.outcome === "cancelled") throw BROKEN;
    const { opening, encoder } = this.#begun(end.trace);
    const { raw } = this.#call.reply;
    void this.#stream.write(opening + encoder.end(end, this.#spent));
    const { cost } = this.#spent;
    raw.addTrailers({
      ...(cost === undefined ? {} : { "x-fovea-cost": costText(cost) }),
      "x-fovea-decision": headerText(end.trace.reason),
    });
    raw.end();
  }

  #fail(failure: DoorFailure): void {
    const { raw } = this.#call.reply;
    if (raw.destroyed || raw.writableEnded) return;
    const { opening, encoder } = this.#begun();
    void this.#stream.write(opening + encoder.fail(failure));
    raw.end();
  }

  #keepAlive(): Cancel {
    const { clock, keepAliveMs = KEEP_ALIVE_MS } = this.#call.parts;
    const { keepAlive } = this.#call.dialect;
    if (keepAlive === "") return () => {};
    let cancel: Cancel = () => {};
    const look = (): void => {
      cancel = clock.schedule(keepAliveMs, look);
      if (this.#stream.takeActivity() || this.#call.reply.raw.destroyed) return;
      this.#open(undefined);
      void this.#stream.write(keepAlive);
      this.#stream.takeActivity();
    };
    cancel = clock.schedule(keepAliveMs, look);
    return () => cancel();
  }
}

/** Trailers need chunks, which HTTP/1.0 has not; proxies speak it to their backends by default. */
function hasTrailers(reply: FastifyReply): boolean {
  return reply.raw.req.httpVersion !== "1.0";
}

const NO_START: StartPart = { type: "start", requestId: "", provider: "", model: "", warnings: [] };

function faultOf(error: unknown): { readonly kind: string } {
  return { kind: error instanceof Error ? error.name : typeof error };
}
