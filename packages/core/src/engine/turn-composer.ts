// Makes the parts of an XR answer from a provider's parts: calls of Fovea's own tools become actions and haptics at once,
// questions about the room are answered for the model's next round, the rest of the calls are the application's. An action
// is done once, whatever its call is named the second time.
import { rotateInverse } from "../geometry/quat.ts";
import { subtract } from "../geometry/vec3.ts";
import type { AnswerPart } from "../model/answer-part.ts";
import type { ContentPart, Message, ToolCall, Warning } from "../model/chat.ts";
import type { XRContext } from "../model/xr-context.ts";
import type { ContentStreamPart } from "../mesh/mesh-part.ts";
import type { ProviderType } from "../model/provider-info.ts";
import { chooseTouch } from "../responses/modality-choice.ts";
import { placeHaptic } from "../responses/haptic-composer.ts";
import type { HapticDeed } from "../responses/haptic-schema.ts";
import type { ActionReading } from "../responses/spatial-actions.ts";
import { isSpatialAction, parseSpatialAction } from "../responses/spatial-actions.ts";
import type { RoomQueries } from "./room-queries.ts";
import type { SightMarks } from "./sight-marks.ts";

/**
 * What became of one call, for the round in which the model goes on. `pending` calls are answered by the application,
 * `answered` ones were questions about the room.
 */
export interface ComposedCall {
  readonly call: ToolCall;
  /** Who made the call, and so who may see its signature again. */
  readonly from: ProviderType;
  readonly state: "done" | "answered" | "refused" | "pending";
  /** What the model is told; empty while pending. */
  readonly text: string;
}

export class TurnComposer {
  readonly #context: XRContext;
  readonly #requestId: string;
  readonly #done = new Set<string>();
  readonly #open = new Map<number, { readonly id: string; readonly name: string }>();
  #calls: ComposedCall[] = [];
  #warnings: Warning[] = [];
  #roundText = "";
  #actions = 0;
  #servedBy: ProviderType = "custom";
  readonly #seals = new Map<
    number,
    { text: string; seal?: { readonly provider: ProviderType; readonly value: string } }
  >();
  /** The last thing said in an earlier round; the next one is set off from it. */
  #lastText = "";

  readonly #ownTools: ReadonlySet<string>;
  readonly #queries: RoomQueries;
  readonly #marks: SightMarks | undefined;

  /**
   * `ownTools`: names of the application's tools; one that is called like an action of Fovea is the application's.
   * `marks`: only where the question came with an image.
   */
  // oxlint-disable-next-line max-params -- What the two kinds of own tools need, each given once.
  constructor(
    requestId: string,
    context: XRContext,
    ownTools: ReadonlySet<string>,
    queries: RoomQueries,
    marks?: SightMarks,
  ) {
    this.#marks = marks;
    this.#requestId = requestId;
    this.#queries = queries;
    this.#ownTools = ownTools;
    this.#context = context;
  }

  /** Undefined where the part is of no concern to the client yet. */
  fold(part: ContentStreamPart): AnswerPart | undefined {
    switch (part.type) {
      case "text-delta":
        return this.#say(part);
      case "reasoning-delta":
        this.#keepSeal(part.index, part.text, part.opaque);
        return part;
      case "tool-start":
        this.#open.set(part.index, part);
        return undefined;
      case "tool-delta":
        return undefined;
      case "tool-end":
        return this.#close(part.index, part.args, part.opaque);
      case "media":
        return { type: "image", mime: part.mime, data: part.data };
      default:
        return part;
    }
  }

  /** Whose signatures the parts carry from here on. */
  servedBy(type: ProviderType): void {
    this.#servedBy = type;
  }

  get calls(): readonly ComposedCall[] {
    return this.#calls;
  }

  /** What models asked for that could not be done, for the log and the trace. */
  get warnings(): readonly Warning[] {
    return this.#warnings;
  }

  get roundText(): string {
    return this.#roundText;
  }

  /** The two messages that tell the model what became of its calls; `results` holds those of the application by id. */
  roundMessages(
    results: ReadonlyMap<string, { readonly text: string; readonly isError?: boolean }>,
  ): readonly Message[] {
    const asked: ContentPart[] = this.#sealedReasoning();
    if (this.#roundText !== "") asked.push({ type: "text", text: this.#roundText });
    const answered: ContentPart[] = [];
    for (const { call, from, state, text: told } of this.#calls) {
      const { id, name, args } = call;
      const opaque = call.opaque === undefined ? {} : { opaque: { provider: from, value: call.opaque } };
      asked.push({ type: "tool-call", id, name, args, ...opaque });
      const outcome = state === "pending" ? results.get(id) : { text: told, isError: state === "refused" };
      const text = outcome?.text ?? "no result";
      const failed = outcome === undefined || outcome.isError === true ? { isError: true } : {};
      answered.push({ type: "tool-result", id, name, content: [{ type: "text", text }], ...failed });
    }
    return [
      { role: "assistant", content: asked },
      { role: "tool", content: answered },
    ];
  }

  /** Forgets the round; what was done stays done. */
  nextRound(): void {
    this.#calls = [];
    if (this.#roundText !== "") this.#lastText = this.#roundText;
    this.#roundText = "";
    this.#open.clear();
    this.#seals.clear();
    this.#queries.nextRound();
  }

  /** "Let me see." and "It is two metres." come from two rounds and are two sentences. */
  #say(part: Extract<ContentStreamPart, { type: "text-delta" }>): AnswerPart {
    const isGlued = this.#roundText === "" && /\S$/.test(this.#lastText) && /^\S/.test(part.text);
    this.#roundText += part.text;
    return isGlued ? { ...part, text: ` ${part.text}` } : part;
  }

  #keepSeal(index: number, text: string | undefined, opaque: string | undefined): void {
    const known = this.#seals.get(index) ?? { text: "" };
    known.text += text ?? "";
    if (opaque !== undefined) known.seal = { provider: this.#servedBy, value: opaque };
    this.#seals.set(index, known);
  }

  /** Vendors that sign their reasoning refuse the results of a call without it. */
  #sealedReasoning(): ContentPart[] {
    const parts: ContentPart[] = [];
    for (const { text, seal } of this.#seals.values()) {
      if (seal !== undefined) parts.push({ type: "reasoning", ...(text === "" ? {} : { text }), opaque: seal });
    }
    return parts;
  }

  #close(index: number, args: string, opaque: string | undefined): AnswerPart | undefined {
    const start = this.#open.get(index);
    this.#open.delete(index);
    if (start === undefined) return undefined;
    const call: ToolCall = { id: start.id, name: start.name, args, ...(opaque === undefined ? {} : { opaque }) };
    if (!this.#ownTools.has(call.name)) {
      if (isSpatialAction(call.name)) return this.#act(call, call.name);
      const mark = this.#marks?.reply(call, this.#context.scene);
      if (mark !== undefined) {
        const state = mark.kind === "marked" ? "done" : "refused";
        this.#calls.push({ call, from: this.#servedBy, state, text: mark.text });
        if (mark.kind === "refused") return undefined;
        return { type: "sighting", id: `${this.#requestId}.${++this.#actions}`, sighting: mark.sighting };
      }
      const reply = this.#queries.reply(call);
      if (reply !== undefined) {
        this.#calls.push({
          call,
          from: this.#servedBy,
          state: reply.isError ? "refused" : "answered",
          text: reply.text,
        });
        return undefined;
      }
    }
    this.#calls.push({ call, from: this.#servedBy, state: "pending", text: "" });
    return { type: "tool-call", id: call.id, name: call.name, args };
  }

  #act(call: ToolCall, name: Parameters<typeof parseSpatialAction>[0]): AnswerPart | undefined {
    const reading = parseSpatialAction(name, call.args, this.#context.scene);
    if (reading.kind === "refused") {
      this.#warnings.push({ field: `tools.${name}`, message: reading.reason });
      this.#calls.push({ call, from: this.#servedBy, state: "refused", text: reading.reason });
      return undefined;
    }
    this.#calls.push({ call, from: this.#servedBy, state: "done", text: "done" });
    const what = reading.kind === "action" ? reading.action : { kind: "haptic", name: reading.haptic.name };
    const deed = JSON.stringify(what);
    if (this.#done.has(deed)) return undefined;
    this.#done.add(deed);
    const id = `${this.#requestId}.${++this.#actions}`;
    if (reading.kind === "action") return { type: "action", id, action: reading.action };
    const haptic = placedHaptic(reading, this.#context);
    const { ways, gain } = chooseTouch(this.#context, haptic.handedness);
    return { type: "haptic", id, ...haptic, gain: Math.min(1, haptic.gain * gain), ways };
  }
}

/** A touch about a thing is felt on the hand of its side, the stronger the nearer. */
function placedHaptic(reading: Extract<ActionReading, { kind: "haptic" }>, context: XRContext): HapticDeed {
  const { haptic, target, isHandNamed } = reading;
  const entity = target === undefined ? undefined : context.scene.byId.get(target);
  if (entity === undefined || !context.viewer.isTracked) return haptic;
  const { pose } = context.viewer;
  const local = rotateInverse(pose.orientation, subtract(entity.pose.position, pose.position));
  const { handedness, gain } = placeHaptic(local[0], Math.hypot(...local));
  return { ...haptic, gain: haptic.gain * gain, ...(isHandNamed ? {} : { handedness }) };
}
