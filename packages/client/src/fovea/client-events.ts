import type {
  AudioPacket,
  HapticPart,
  JsonObject,
  LimitsMessage,
  SeenNode,
  TranscriptMessage,
  TurnStateMessage,
  WelcomeMessage,
  WireAction,
  WirePulse,
} from "@fovea/protocol";
import type { Caption } from "../present/captions.ts";
import type { AnswerTurn } from "./turn.ts";
import type { HapticDelivery } from "../present/haptics.ts";

/** Details of every event of a Fovea session, by event name. */
export interface FoveaEvents {
  /** The gateway welcomed this page; `resumed` when an earlier session goes on. */
  connect: { readonly sessionId: string; readonly resumed: boolean; readonly levels: WelcomeMessage["levels"] };
  /** The connection was lost; `retryMs` until the next attempt. */
  disconnect: { readonly code: number; readonly reason: string; readonly retryMs: number };
  /** The session is over for good. `error` is absent after `close()`. */
  close: { readonly error?: Error };
  action: { readonly turnId: string; readonly seq: number; readonly action: WireAction };
  /** `preventDefault()` says that the page shows the touch in its own way. */
  haptic: {
    readonly turnId?: string;
    readonly clip?: HapticPart["clip"];
    readonly pulses: readonly WirePulse[];
    readonly handedness: string;
  };
  /** What came of a touch. */
  hapticend: HapticDelivery & { readonly turnId?: string };
  /** Samples of the stream that an `audio` part opened. The payload is only valid during the event. */
  audio: AudioPacket;
  /** What stands as a caption now; without `caption` it is taken away. */
  caption: { readonly caption?: Caption };
  transcript: Omit<TranscriptMessage, "type">;
  /** A question was asked aloud and is being answered. */
  turn: { readonly turn: AnswerTurn };
  /** Of the microphone, decibels of full scale. */
  miclevel: { readonly levelDb: number };
  /** The microphone was stopped, unplugged or withdrawn. */
  micend: Record<string, never>;
  /** The answer is late: show that it comes. */
  filler: { readonly turnId: string };
  /** Who speaks: `listening`, `thinking`, `speaking`, `interrupted`, `idle`. */
  turnstate: Omit<TurnStateMessage, "type">;
  /** The gateway wants less, or again more, of what is sent; the client does so by itself. */
  rates: { readonly poseHz: number; readonly imageHz?: number; readonly imageWidth?: number; readonly reason?: string };
  degraded: { readonly turnId?: string; readonly from: string; readonly to: string; readonly reason: string };
  resumed: { readonly turns: readonly string[] };
  error: { readonly code: string; readonly message: string; readonly field?: string };
  consent: { readonly levels: WelcomeMessage["levels"] };
  /** What is left of the caller's budgets, where the gateway has any. */
  limits: { readonly budgets: LimitsMessage["budgets"] };
  flush: { readonly epoch: number };
  gesturestart: GestureDetail;
  gestureupdate: GestureDetail;
  gestureend: GestureDetail;
  sessionstart: { readonly mode: string };
  sessionend: Record<string, never>;
  /** Things that the gateway found in the camera's images, or forgot; `scene.find` knows them. */
  seen: { readonly add: readonly SeenNode[]; readonly remove: readonly string[] };
  toolcall: { readonly name: string; readonly args: JsonObject };
}

/** A gesture that this page recognised, without a round trip: one of the built-in ones, or one the application taught. */
export interface GestureDetail {
  readonly name: string;
  /** `none` for gestures of the head, `both` for those that need two hands. */
  readonly handedness: "left" | "right" | "both" | "none";
  /** 0 to 1. Of a `gestureend`: the highest that the gesture reached. */
  readonly confidence: number;
  /** Time of the frame, and when the gesture began, milliseconds. */
  readonly t: number;
  readonly since: number;
  /** Of a swipe or push, as the viewer sees it. */
  readonly direction?: "left" | "right" | "up" | "down" | "forward" | "back";
  /** Turns of a circle, ratio of a two-hand scale, radians of a two-hand rotation, metres of a swipe or push. */
  readonly value?: number;
}

export type FoveaEventName = keyof FoveaEvents;
export type FoveaEvent<K extends FoveaEventName> = CustomEvent<FoveaEvents[K]>;

/** An EventTarget whose events are typed and which knows whether anybody listens. */
export class FoveaEventTarget extends EventTarget {
  readonly #listeners = new Map<string, number>();

  /** Adds a listener and returns what takes it away again. */
  on<K extends FoveaEventName>(name: K, listener: (event: FoveaEvent<K>) => void): () => void {
    const wrapped = (event: Event): void => listener(event as FoveaEvent<K>);
    this.addEventListener(name, wrapped);
    this.#listeners.set(name, this.listenersOf(name) + 1);
    let isOn = true;
    return () => {
      if (!isOn) return;
      isOn = false;
      this.removeEventListener(name, wrapped);
      this.#listeners.set(name, this.listenersOf(name) - 1);
    };
  }

  listenersOf(name: FoveaEventName): number {
    return this.#listeners.get(name) ?? 0;
  }

  /** True when a listener called `preventDefault()`. */
  emit<K extends FoveaEventName>(name: K, detail: FoveaEvents[K]): boolean {
    return !this.dispatchEvent(new CustomEvent(name, { detail, cancelable: true }));
  }
}
