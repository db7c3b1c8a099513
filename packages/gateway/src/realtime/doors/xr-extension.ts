// XR beside protocols that know none: the room and the head come in as one more event, highlights and touches go out as
// events that other clients pass over. The messages are those of the native wire (docs/reference/wire.md).
import type { AnswerPart, Clock, Consent, Principal, XRContext } from "@fovea/core";
import { ContextBuilder, NO_CONTEXT, SCENE_LIMITS, SceneGraph, sceneDeltaFrom } from "@fovea/core";
import { createPoseSample, parseClientMessage } from "@fovea/protocol";
import { EventError, listAt, numberAt, objectAt, type Json } from "./json-event.ts";

/** Who sends the room through such a door has agreed to it there; nothing else is sent by it. */
const CONSENT: Consent = { head: true, hands: "none", room: "full", camera: false, audio: true, eyes: false };

const POSITION_MAX = 10_000;

export class XRExtension {
  readonly #clock: Clock;
  readonly #principal: Principal;
  readonly #openedMs: number;
  readonly #isAsked: boolean;
  #builder: ContextBuilder | undefined;

  constructor(clock: Clock, principal: Principal, url?: URL) {
    this.#isAsked = url?.searchParams.get("xr") === "1";
    this.#clock = clock;
    this.#principal = principal;
    this.#openedMs = clock.monotonicMs();
  }

  /** Whether the client knows of XR: it has told of a room or a head, or says `?xr=1`. Others get their own protocol alone. */
  get isOn(): boolean {
    return this.#isAsked || this.#builder !== undefined;
  }

  /** `NO_CONTEXT` until a client has told of a room or a head. */
  context(): XRContext {
    return this.#builder?.freeze(this.#nowMs()) ?? NO_CONTEXT;
  }

  /** A `scene.update` of the native wire, or `{ type: "pose", viewer: [x, y, z, qx, qy, qz, qw] }`. */
  take(value: unknown, param: string): void {
    const message = objectAt(value, param);
    if (message["type"] === "pose") this.#pose(message, param);
    else this.#scene(message, param);
  }

  #scene(message: Json, param: string): void {
    const parsed = parseClientMessage(JSON.stringify(message));
    if (parsed.outcome === "error") {
      const { field, message: what } = parsed.error;
      throw new EventError("invalid_value", `'${param}.${field}': ${what}`, `${param}.${field}`);
    }
    if (parsed.outcome !== "message" || parsed.message.type !== "scene.update") {
      throw new EventError("invalid_value", `'${param}.type' must be 'scene.update' or 'pose'.`, `${param}.type`);
    }
    const builder = this.#open();
    builder.scene.apply(sceneDeltaFrom(parsed.message, CONSENT), this.#nowMs());
    builder.reconcileScene(this.#nowMs());
  }

  #pose(message: Json, param: string): void {
    const numbers = listAt(message["viewer"], `${param}.viewer`, 7);
    if (numbers.length !== 7)
      throw new EventError("invalid_value", `'${param}.viewer' has seven numbers.`, `${param}.viewer`);
    const sample = createPoseSample();
    sample.t = this.#nowMs();
    for (const [index, value] of numbers.entries()) {
      sample.viewer[index] = numberAt(value, `${param}.viewer[${index}]`, -POSITION_MAX, POSITION_MAX);
    }
    const length = Math.hypot(...sample.viewer.subarray(3));
    if (Math.abs(length - 1) > 0.01) {
      throw new EventError("invalid_value", `'${param}.viewer' ends in a quaternion of length one.`, `${param}.viewer`);
    }
    this.#open().foldPose(sample, this.#nowMs(), true);
  }

  #open(): ContextBuilder {
    if (this.#builder !== undefined) return this.#builder;
    const facts = { ...NO_CONTEXT, sessionId: `door-${this.#openedMs}`, userId: this.#principal.userId };
    const builder = new ContextBuilder(facts, new SceneGraph(SCENE_LIMITS));
    builder.applyConsent(CONSENT);
    this.#builder = builder;
    return builder;
  }

  #nowMs(): number {
    return this.#clock.monotonicMs() - this.#openedMs;
  }
}

/** What of an answer has no place in the client's own protocol. */
export function xrEventOf(part: AnswerPart): { readonly type: string; readonly fields: Json } | undefined {
  if (part.type === "action") return { type: "fovea.action", fields: { action_id: part.id, action: part.action } };
  if (part.type === "haptic") {
    const { id, name, pulses, handedness, gain } = part;
    return { type: "fovea.haptic", fields: { haptic_id: id, name, pulses, handedness, gain } };
  }
  return undefined;
}
