// One question and its answer, from `ask` to `done`. Every turn ends exactly once, whatever the engine or the client do;
// what comes afterwards is dropped. Parts are numbered within the turn and kept, so that a client that lost its socket can
// be given what it has not seen.
import type { AskMessage, DonePart, ErrorMessage, PartHeader, ServerMessage, ServerPart } from "@fovea/protocol";
import type { AnswerPart } from "../model/answer-part.ts";
import type { TurnFailure } from "./session-ports.ts";
import type { TurnTally } from "./wire-part.ts";
import { addUsage, NO_TALLY, toWirePart } from "./wire-part.ts";

/** The moment of a spoken item at which something is to be done. */
export interface DeedCue {
  readonly itemId: string;
  readonly atMs: number;
}

export type TurnOutcome = DonePart["outcome"];

type KeptMessage = ServerPart | ErrorMessage | Extract<ServerMessage, { type: "degraded" }>;

interface Kept {
  /** Number of the part, or of the part before a message that has none. */
  readonly seq: number;
  readonly message: KeptMessage;
}

/** A part for which the client says whether it arrived. */
export type ReceivablePart =
  | { readonly part: "action" }
  | { readonly part: "haptic"; readonly handedness: "left" | "right" | "both"; readonly wantsTouch: boolean };

export class Turn {
  readonly turnId: string;
  readonly question: string;
  readonly askedMs: number;
  #deadlineMs: number;
  #epoch: number;
  #seq = 0;
  #provider = "";
  #model = "";
  #isCached = false;
  #firstMs: number | undefined;
  #tally: TurnTally = NO_TALLY;
  /** Units of commitment: whole sentences, as the engine releases them. */
  #units: string[] = [];
  #failed = false;
  #outcome: TurnOutcome | undefined;
  readonly #kept: Kept[] = [];
  #keptCharacters = 0;
  #isKeptWhole = true;
  readonly #receipts = new Map<number, ReceivablePart>();

  constructor(ask: AskMessage, askedMs: number, deadlineMs: number, epoch: number) {
    this.turnId = ask.turnId;
    this.question = ask.text ?? "";
    this.askedMs = askedMs;
    this.#deadlineMs = deadlineMs;
    this.#epoch = epoch;
  }

  get isOpen(): boolean {
    return this.#outcome === undefined;
  }

  get outcome(): TurnOutcome | undefined {
    return this.#outcome;
  }

  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** The answer is complete, and being spoken: that may take as long as it takes. */
  allowUntil(deadlineMs: number): void {
    this.#deadlineMs = Math.max(this.#deadlineMs, deadlineMs);
  }

  /** What was said so far. */
  get text(): string {
    return this.#units.join("");
  }

  get firstMs(): number | undefined {
    return this.#firstMs;
  }

  get keptParts(): number {
    return this.#kept.length;
  }

  /** From now on parts belong to this epoch; also those that are sent again. */
  moveToEpoch(epoch: number): void {
    this.#epoch = epoch;
  }

  /** Messages for the client. This, `fail` and `cancel` are for an open turn: the book asks no other. */
  fold(part: AnswerPart, nowMs: number, cue?: DeedCue): readonly KeptMessage[] {
    switch (part.type) {
      case "start":
        this.#provider = part.provider;
        this.#model = part.model;
        break;
      case "usage":
        this.#tally = addUsage(this.#tally, part);
        return [];
      case "error":
        return this.#fail({ code: part.code, message: part.message, ...retry(part.retryAfterMs) });
      case "degraded":
        return [
          this.#keep({ type: "degraded", turnId: this.turnId, from: part.from, to: part.to, reason: part.reason }),
        ];
      case "end":
        return [this.#end(part.outcome, nowMs, part)];
      case "resumed":
        this.#provider = part.provider;
        this.#model = part.model;
        break;
      case "text-delta":
        this.#units.push(part.text);
        break;
      case "replaced":
        this.#units = [...this.#units.slice(0, part.fromUnit), part.text];
        break;
      default:
        break;
    }
    const plain = toWirePart(part, this.#header()) as ServerPart | undefined;
    if (plain === undefined) return [];
    const isDeed = plain.type === "action" || plain.type === "haptic";
    const message = isDeed && cue !== undefined ? { ...plain, cue } : plain;
    if (part.type !== "start") this.#firstMs ??= nowMs - this.askedMs;
    return [this.#keepPart(message)];
  }

  /** A part that no engine made: the sound of the answer, and its words. */
  tell(make: (header: PartHeader) => ServerPart): readonly KeptMessage[] {
    return [this.#keepPart(make(this.#header()))];
  }

  /** The engine gave up: an error and the end. */
  fail(failure: TurnFailure, nowMs: number): readonly KeptMessage[] {
    return [...this.#fail(failure), this.#end("error", nowMs)];
  }

  cancel(nowMs: number): readonly KeptMessage[] {
    return [this.#end("cancelled", nowMs)];
  }

  /** What the part was; undefined for a part that wants no receipt, or had its. */
  noteReceipt(seq: number): ReceivablePart | undefined {
    const what = this.#receipts.get(seq);
    this.#receipts.delete(seq);
    return what;
  }

  /** What came after part `seq`, in the present epoch; undefined where it is no longer kept. */
  replayAfter(seq: number): readonly KeptMessage[] | undefined {
    const first = this.#kept[0];
    if (!this.#isKeptWhole && (first === undefined || first.seq > seq + 1)) return undefined;
    return this.#kept
      .filter((entry) => entry.seq > seq)
      .map(({ message }) => ("epoch" in message ? { ...message, epoch: this.#epoch } : message));
  }

  /** Gives up the older half of what is kept: halves, so that giving up is not done anew for every part. */
  dropOlderHalf(): void {
    const dropped = this.#kept.splice(0, Math.ceil(this.#kept.length / 2));
    if (dropped.length > 0) this.#isKeptWhole = false;
    for (const { message } of dropped) this.#keptCharacters -= sizeOf(message);
  }

  get keptCharacters(): number {
    return this.#keptCharacters;
  }

  #header(): PartHeader {
    return {
      turnId: this.turnId,
      seq: this.#seq,
      epoch: this.#epoch,
      provider: this.#provider,
      cached: this.#isCached,
    };
  }

  #keepPart(part: ServerPart): ServerPart {
    this.#seq++;
    if (part.type === "action") this.#receipts.set(part.seq, { part: "action" });
    if (part.type === "haptic") {
      this.#receipts.set(part.seq, { part: "haptic", handedness: part.handedness, wantsTouch: wantsTouch(part) });
    }
    return this.#keep(part, part.seq);
  }

  #keep<M extends KeptMessage>(message: M, seq = this.#seq): M {
    this.#kept.push({ seq, message });
    this.#keptCharacters += sizeOf(message);
    return message;
  }

  #fail({ code, message, retryAfterMs, limit }: TurnFailure): readonly KeptMessage[] {
    this.#failed = true;
    const named = limit === undefined ? {} : { limit };
    const { turnId } = this;
    return [this.#keep({ type: "error", code, message, fatal: false, turnId, ...retry(retryAfterMs), ...named })];
  }

  #end(told: TurnOutcome, nowMs: number, end?: Extract<AnswerPart, { type: "end" }>): ServerPart {
    this.#outcome = this.#failed && told !== "cancelled" ? "error" : told;
    const trace = end?.trace;
    if (trace !== undefined) {
      this.#isCached = trace.isCached;
      this.#provider = trace.provider === "" ? this.#provider : trace.provider;
      this.#model = trace.model === "" ? this.#model : trace.model;
    }
    const { inputTokens, outputTokens, microUsd, costSource } = this.#tally;
    return this.#keepPart({
      ...this.#header(),
      type: "done",
      outcome: this.#outcome,
      model: this.#model,
      reason: trace?.reason ?? "",
      latency: { ...(this.#firstMs === undefined ? {} : { first: this.#firstMs }), total: nowMs - this.askedMs },
      steps: trace?.steps ?? [],
      tokens: { input: inputTokens, output: outputTokens },
      cost: { ...(microUsd === undefined ? {} : { microUsd }), source: costSource },
      ...(end === undefined ? {} : { finishReason: end.finishReason }),
    });
  }
}

function wantsTouch({ ways }: Extract<ServerPart, { type: "haptic" }>): boolean {
  return ways === undefined || ways.includes("touch");
}

function retry(retryAfterMs: number | undefined): { readonly retryAfterMs?: number } {
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}

/** Near enough to bound memory by: long texts and clips are what counts. */
function sizeOf(message: KeptMessage): number {
  if (message.type === "text.delta") return 100 + message.text.length;
  if (message.type === "haptic" || message.type === "action" || message.type === "done") return 1_000;
  return 200;
}
