// Makes the parts of an XR answer from a provider's parts: calls of Fovea's own tools become actions and haptics at once,
// the rest of the calls are the application's. An action is done once, whatever its call is named the second time.
import type { AnswerPart } from "../model/answer-part.ts";
import type { ContentPart, Message, ToolCall, Warning } from "../model/chat.ts";
import type { SceneSnapshot } from "../model/spatial.ts";
import type { ContentStreamPart } from "../mesh/mesh-part.ts";
import { isSpatialAction, parseSpatialAction } from "../responses/spatial-actions.ts";

/** What became of one call, for the round in which the model goes on. `pending` calls are answered by the application. */
export interface ComposedCall {
  readonly call: ToolCall;
  readonly state: "done" | "refused" | "pending";
  /** What the model is told; empty while pending. */
  readonly text: string;
}

export class TurnComposer {
  readonly #scene: SceneSnapshot;
  readonly #requestId: string;
  readonly #done = new Set<string>();
  readonly #open = new Map<number, { readonly id: string; readonly name: string }>();
  #calls: ComposedCall[] = [];
  #warnings: Warning[] = [];
  #roundText = "";
  #actions = 0;

  readonly #ownTools: ReadonlySet<string>;

  /** `ownTools`: names of the application's tools; one that is called like an action of Fovea is the application's. */
  constructor(requestId: string, scene: SceneSnapshot, ownTools: ReadonlySet<string>) {
    this.#requestId = requestId;
    this.#ownTools = ownTools;
    this.#scene = scene;
  }

  /** Undefined where the part is of no concern to the client yet. */
  fold(part: ContentStreamPart): AnswerPart | undefined {
    switch (part.type) {
      case "text-delta":
        this.#roundText += part.text;
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
    const asked: ContentPart[] = this.#roundText === "" ? [] : [{ type: "text", text: this.#roundText }];
    const answered: ContentPart[] = [];
    for (const { call, state, text: told } of this.#calls) {
      const { id, name, args } = call;
      asked.push({ type: "tool-call", id, name, args });
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
    this.#roundText = "";
    this.#open.clear();
  }

  #close(index: number, args: string, opaque: string | undefined): AnswerPart | undefined {
    const start = this.#open.get(index);
    this.#open.delete(index);
    if (start === undefined) return undefined;
    const call: ToolCall = { id: start.id, name: start.name, args, ...(opaque === undefined ? {} : { opaque }) };
    if (this.#ownTools.has(call.name) || !isSpatialAction(call.name)) {
      this.#calls.push({ call, state: "pending", text: "" });
      return { type: "tool-call", id: call.id, name: call.name, args };
    }
    return this.#act(call, call.name);
  }

  #act(call: ToolCall, name: Parameters<typeof parseSpatialAction>[0]): AnswerPart | undefined {
    const reading = parseSpatialAction(name, call.args, this.#scene);
    if (reading.kind === "refused") {
      this.#warnings.push({ field: `tools.${name}`, message: reading.reason });
      this.#calls.push({ call, state: "refused", text: reading.reason });
      return undefined;
    }
    this.#calls.push({ call, state: "done", text: "done" });
    const what = reading.kind === "action" ? reading.action : { kind: "haptic", name: reading.haptic.name };
    const deed = JSON.stringify(what);
    if (this.#done.has(deed)) return undefined;
    this.#done.add(deed);
    const id = `${this.#requestId}.${++this.#actions}`;
    if (reading.kind === "action") return { type: "action", id, action: reading.action };
    return { type: "haptic", id, ...reading.haptic };
  }
}
