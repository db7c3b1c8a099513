// The seven invariants of a provider stream live here once: whatever order a vendor's events come in, parts leave in
// legal order, with one terminal part, and tool arguments that are whole JSON. Codecs say what happened; this says it on.
import type { FinishReason, ProviderFailure, StreamPart, Usage } from "@fovea/core";
import { buildFailure, type FailureDetails } from "./failure.ts";
import { parseJson } from "./json-body.ts";
import { estimateUsage } from "./usage-estimate.ts";
import type { AnswerContext } from "./vendor-wire.ts";
import { WireFault } from "./wire-fault.ts";

interface OpenCall {
  readonly id: string;
  readonly name: string;
  readonly index: number;
  args: string;
  opaque?: string;
}

export class AnswerBuilder {
  readonly #context: AnswerContext;
  #parts: StreamPart[] = [];
  #hasStarted = false;
  #hasContent = false;
  #isDone = false;
  #outputCharacters = 0;
  #calls = 0;
  #usage: Usage | undefined;
  #refused = false;
  readonly #open = new Map<number | string, OpenCall>();

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  get hasCalls(): boolean {
    return this.#calls > 0;
  }

  get hasRefusal(): boolean {
    return this.#refused;
  }

  /** Where the parts go until the next call. */
  into(parts: StreamPart[]): void {
    this.#parts = parts;
  }

  start(id: string | undefined, model: string | undefined): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    const { requestId, warnings } = this.#context;
    this.#parts.push({
      type: "start",
      ...(id === undefined || id === "" ? {} : { id }),
      ...(model === undefined || model === "" ? {} : { model }),
      ...(requestId === undefined ? {} : { requestId }),
      ...(warnings.length === 0 ? {} : { warnings }),
    });
  }

  text(text: string, index = 0): void {
    if (text === "" || this.#isDone) return;
    this.#content(text.length);
    this.#parts.push({ type: "text-delta", index, text });
  }

  reasoning(text: string | undefined, opaque?: string, index = 0): void {
    if (this.#isDone || ((text === undefined || text === "") && opaque === undefined)) return;
    this.#outputCharacters += text?.length ?? 0;
    this.#parts.push({
      type: "reasoning-delta",
      index,
      ...(text === undefined || text === "" ? {} : { text }),
      ...(opaque === undefined ? {} : { opaque }),
    });
  }

  refusal(text: string): void {
    if (text === "" || this.#isDone) return;
    this.#refused = true;
    this.#content(text.length);
    this.#parts.push({ type: "refusal-delta", text });
  }

  /** Any other part: audio, media, citation, progress. */
  part(part: Extract<StreamPart, { type: "audio-delta" | "media" | "citation" | "progress" }>): void {
    if (this.#isDone) return;
    if (part.type === "audio-delta" || part.type === "media") this.#hasContent = true;
    this.#parts.push(part);
  }

  /** `key` is the vendor's own name of the call within this answer. */
  callStart(key: number | string, id: string | undefined, name: string, opaque?: string): void {
    if (this.#isDone || this.#open.has(key)) return;
    const index = this.#calls++;
    const call: OpenCall = { id: id === undefined || id === "" ? `call_${index}` : id, name, index, args: "" };
    if (opaque !== undefined) call.opaque = opaque;
    this.#open.set(key, call);
    this.#content(name.length);
    this.#parts.push({ type: "tool-start", index, id: call.id, name });
  }

  hasOpenCall(key: number | string): boolean {
    return this.#open.has(key);
  }

  /** Arguments so far are a whole JSON value: what follows under this key belongs to another call. */
  isCallWhole(key: number | string): boolean {
    const call = this.#open.get(key);
    return call !== undefined && call.args !== "" && isJsonObject(call.args);
  }

  hasArgs(key: number | string): boolean {
    return (this.#open.get(key)?.args ?? "") !== "";
  }

  callArgs(key: number | string, args: string): void {
    const call = this.#open.get(key);
    if (call === undefined || args === "" || this.#isDone) return;
    call.args += args;
    this.#outputCharacters += args.length;
    this.#parts.push({ type: "tool-delta", index: call.index, args });
  }

  callEnd(key: number | string): void {
    const call = this.#open.get(key);
    if (call === undefined || this.#isDone) return;
    if (call.args === "") {
      call.args = "{}";
      this.#parts.push({ type: "tool-delta", index: call.index, args: "{}" });
    }
    if (!isJsonObject(call.args)) throw new WireFault("protocol", `arguments of ${call.name} are not a JSON object`);
    this.#open.delete(key);
    this.#parts.push({
      type: "tool-end",
      index: call.index,
      args: call.args,
      ...(call.opaque === undefined ? {} : { opaque: call.opaque }),
    });
  }

  /** Cumulative: the last one before the end counts. */
  usage(usage: Usage): void {
    this.#usage = usage;
  }

  get reportedUsage(): Usage | undefined {
    return this.#usage;
  }

  /** A call cut short by the length limit never ends: its arguments would not be JSON. */
  finish(reason: FinishReason, raw: string): void {
    if (this.#isDone) return;
    for (const key of this.#open.keys()) {
      const isCut = reason !== "tool_calls" && reason !== "stop" && !this.isCallWhole(key);
      if (!isCut) this.callEnd(key);
    }
    this.start(undefined, undefined);
    const usage = this.#usage ?? estimateUsage(this.#context.request, this.#outputCharacters);
    this.#parts.push({ type: "usage", usage, isFinal: true });
    this.#parts.push({ type: "finish", reason, raw });
    this.#isDone = true;
  }

  fail(failure: ProviderFailure): void {
    if (this.#isDone) return;
    const usage =
      this.#usage ?? (this.#hasContent ? estimateUsage(this.#context.request, this.#outputCharacters) : undefined);
    if (usage !== undefined) this.#parts.push({ type: "usage", usage, isFinal: false });
    const billed = this.#usage === undefined ? failure.billed : "yes";
    this.#parts.push({ type: "error", failure: { ...failure, partialOutput: this.#hasContent, billed } });
    this.#isDone = true;
  }

  fault(fault: WireFault, details: FailureDetails = {}): void {
    this.fail(buildFailure(fault.code, this.#context.providerId, fault.message, { ...this.#ids(), ...details }));
  }

  #ids(): FailureDetails {
    const { requestId } = this.#context;
    return requestId === undefined ? {} : { requestId };
  }

  #content(characters: number): void {
    this.#hasContent = true;
    this.#outputCharacters += characters;
  }
}

function isJsonObject(text: string): boolean {
  try {
    const value = parseJson(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
