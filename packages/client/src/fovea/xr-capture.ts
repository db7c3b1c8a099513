// Everything that is taken from a running WebXR session: poses, input sources, select and squeeze, gestures, the room.
// It hangs on the session's own animation frames and never holds one up.

import type { SessionDescription, WireConsent } from "@fovea/protocol";
import { encodePosePacket, POSE_PACKET_BYTES_MAX } from "@fovea/protocol";
import type { GestureEvent } from "@fovea/protocol/gestures";
import { InputSources } from "../capture/input-sources.ts";
import { LocalGestures } from "../capture/local-gestures.ts";
import { PoseSampler } from "../capture/pose-sampler.ts";
import type { CameraSwitch } from "../capture/camera-switch.ts";
import type { SceneObserver } from "../capture/scene-observer.ts";
import type { GatewayConnection } from "../gateway-connection.ts";
import type { ClientClock } from "../platform/client-clock.ts";
import type { FoveaEventTarget } from "./client-events.ts";

const LOOK_EVERY_MS = 500;
const STATS_EVERY_MS = 5_000;
/** A frame that comes a little early still counts: at 90 Hz a rate of 30 means every third frame, not every fourth. */
const EARLY_MS = 3;

export interface CaptureParts {
  readonly connection: GatewayConnection;
  readonly scene: SceneObserver;
  readonly camera: CameraSwitch;
  readonly events: FoveaEventTarget;
  readonly clock: ClientClock;
  readonly consent: () => WireConsent;
  readonly onError: (code: string, message: string) => void;
  /** Each frame of a visible session. */
  readonly onFrame: (frame: XRFrame, space: XRReferenceSpace) => void;
}

export class XRCapture {
  readonly #parts: CaptureParts;
  readonly #inputs = new InputSources();
  readonly #sampler = new PoseSampler();
  readonly #packet = new Uint8Array(POSE_PACKET_BYTES_MAX);
  readonly gestures = new LocalGestures((event) => this.#tellGesture(event));
  #session: XRSession | undefined;
  #space: XRReferenceSpace | undefined;
  #mode: SessionDescription["mode"] = "immersive-ar";
  #stopListening: () => void = () => {};
  #poseHz = 30;
  #lastPoseMs = -Infinity;
  #lastLookMs = -Infinity;
  #lastStatsMs = -Infinity;
  #framesSince = 0;
  #isPosted = false;
  #posted: Uint8Array<ArrayBuffer> | undefined;

  constructor(parts: CaptureParts) {
    this.#parts = parts;
  }

  get session(): XRSession | undefined {
    return this.#session;
  }

  inputSources(): Iterable<XRInputSource> {
    return this.#session?.inputSources ?? [];
  }

  setPoseHz(poseHz: number): void {
    this.#poseHz = poseHz;
  }

  describeInputs(): ReturnType<InputSources["describe"]> {
    return this.#inputs.describe();
  }

  describeSession(): SessionDescription | undefined {
    const session = this.#session;
    if (session === undefined) return undefined;
    const { environmentBlendMode, interactionMode, frameRate } = session;
    return {
      mode: this.#mode,
      referenceSpace: "local-floor",
      enabledFeatures: [...(session.enabledFeatures ?? [])].slice(0, 64),
      ...(environmentBlendMode ? { environmentBlendMode } : {}),
      ...(interactionMode ? { interactionMode } : {}),
      ...(frameRate ? { frameRate } : {}),
    };
  }

  /** Takes a running session. A second call for the same session only changes the reference space. */
  attach(session: XRSession, space: XRReferenceSpace, mode?: SessionDescription["mode"]): void {
    if (this.#session === session) {
      if (space !== this.#space) this.#useSpace(space);
      return;
    }
    this.detach();
    this.#session = session;
    this.#mode = mode ?? (session.environmentBlendMode === "opaque" ? "immersive-vr" : "immersive-ar");
    this.#listen(session);
    this.#useSpace(space);
    this.#inputs.update(session.inputSources);
    const described = this.describeSession();
    if (this.#parts.connection.isOpen && described !== undefined) {
      this.#parts.connection.send({ type: "session", session: described });
      this.#parts.connection.send({ type: "inputs", add: this.#inputs.describe(), remove: [] });
    }
    this.#parts.events.emit("sessionstart", { mode: this.#mode });
    this.#nextFrame(session);
  }

  detach(): void {
    if (this.#session === undefined) return;
    this.#stopListening();
    this.#session = undefined;
    this.#space = undefined;
    this.#sampler.forget();
    this.gestures.end();
    const removed = this.#inputs.update([]);
    if (this.#parts.connection.isOpen) {
      if (removed !== undefined) this.#parts.connection.send({ type: "inputs", ...removed });
      this.#parts.connection.send({ type: "session" });
    }
    this.#parts.events.emit("sessionend", {});
  }

  /** Application objects change without an XR session too; the room needs a frame. */
  lookAtObjects(): void {
    if (this.#session === undefined) this.#sendScene();
  }

  #useSpace(space: XRReferenceSpace): void {
    this.#space = space;
    const onReset = (): void => {
      this.#sampler.forget();
      this.#parts.scene.resend();
      this.#lastLookMs = -Infinity;
    };
    space.addEventListener("reset", onReset);
    onReset();
  }

  #listen(session: XRSession): void {
    const ended = new AbortController();
    const listen = (type: string, listener: (event: never) => void): void =>
      session.addEventListener(
        type as "end",
        listener as unknown as (event: XRSessionEvent) => void,
        {
          signal: ended.signal,
        } as AddEventListenerOptions,
      );
    listen("end", () => this.detach());
    listen("visibilitychange", () =>
      this.#parts.connection.sendNow({
        type: "visibility",
        state: session.visibilityState,
        t: this.#parts.clock.nowMs(),
      }),
    );
    listen("inputsourceschange", () => this.#inputsChanged(session));
    for (const type of ["select", "squeeze"] as const) {
      listen(`${type}start`, (event: XRInputSourceEvent) => this.#pressed(type, "start", event));
      listen(`${type}end`, (event: XRInputSourceEvent) => this.#pressed(type, "end", event));
    }
    this.#stopListening = () => ended.abort();
  }

  #inputsChanged(session: XRSession): void {
    const changes = this.#inputs.update(session.inputSources);
    if (changes !== undefined && this.#parts.connection.isOpen)
      this.#parts.connection.send({ type: "inputs", ...changes });
  }

  #pressed(type: "select" | "squeeze", phase: "start" | "end", event: XRInputSourceEvent): void {
    const id = this.#inputs.idOf(event.inputSource);
    const isHidden = event.inputSource.hand && this.#parts.consent().hands === "none";
    if (id === undefined || isHidden) return;
    this.#parts.connection.send({ type, phase, inputSource: id, t: this.#parts.clock.nowMs() });
  }

  #nextFrame(session: XRSession): void {
    session.requestAnimationFrame((timeMs, frame) => {
      if (this.#session !== session) return;
      this.#nextFrame(session);
      try {
        this.#onFrame(timeMs, frame, session);
      } catch (error) {
        // The application's own animation must go on, whatever a runtime does here.
        this.#parts.onError("capture_failed", String(error));
      }
    });
  }

  #onFrame(timeMs: number, frame: XRFrame, session: XRSession): void {
    const space = this.#space;
    this.#framesSince++;
    // What a user does behind a system dialogue is not ours to see.
    if (space === undefined || session.visibilityState !== "visible") return;
    // Gestures are the page's own: they go on while the connection is lost.
    const sources = session.inputSources;
    this.gestures.look({ timeMs, frame, space, sources, consent: this.#parts.consent() }, this.#sampler);
    if (!this.#parts.connection.isOpen) return;
    this.#parts.onFrame(frame, space);
    if (this.#poseHz > 0 && timeMs - this.#lastPoseMs >= 1_000 / this.#poseHz - EARLY_MS)
      this.#sendPose(timeMs, frame, space);
    if (timeMs - this.#lastLookMs >= LOOK_EVERY_MS) {
      this.#lastLookMs = timeMs;
      this.#sendScene(frame, space);
    }
    this.#parts.camera.onFrame(timeMs, frame, space);
    if (timeMs - this.#lastStatsMs >= STATS_EVERY_MS) this.#sendStats(timeMs);
  }

  #sendPose(timeMs: number, frame: XRFrame, space: XRReferenceSpace): void {
    this.#lastPoseMs = timeMs;
    const consent = this.#parts.consent();
    const sample = this.#sampler.sample(timeMs, frame, space, this.#inputs, consent);
    if (sample === undefined) return;
    const length = encodePosePacket(sample, this.#inputs.table, this.#packet);
    if (typeof length !== "number") {
      this.#parts.connection.counts.packetsDropped++;
      return;
    }
    // Sending waits for the next task: the frame is the application's. A packet still waiting then is replaced.
    if (this.#posted !== undefined) this.#parts.connection.counts.packetsDropped++;
    this.#posted = this.#packet.slice(0, length);
    if (this.#isPosted) return;
    this.#isPosted = true;
    this.#parts.clock.schedule(0, () => {
      this.#isPosted = false;
      const packet = this.#posted;
      this.#posted = undefined;
      if (packet !== undefined) this.#parts.connection.sendPacket(packet);
    });
  }

  #tellGesture(event: GestureEvent<string>): void {
    const { name, phase, handedness, confidence, tMs, sinceMs, direction, value } = event;
    this.#parts.events.emit(`gesture${phase}`, {
      name,
      handedness,
      confidence,
      t: tMs,
      since: sinceMs,
      ...(direction === undefined ? {} : { direction }),
      ...(value === undefined ? {} : { value }),
    });
    // With joints on the wire the gateway recognises gestures itself, and the head's always.
    const isAsked = this.#parts.consent().hands === "gesture" && name !== "nod" && name !== "shake";
    if (!isAsked || phase === "update" || !this.#parts.connection.isOpen) return;
    // The wire knows hands: what both do together is told of each.
    for (const side of handedness === "both" ? (["left", "right"] as const) : [handedness]) {
      this.#parts.connection.send({ type: "gesture", name, phase, handedness: side, confidence, t: tMs });
    }
  }

  #sendScene(frame?: XRFrame, space?: XRReferenceSpace): void {
    for (const update of this.#parts.scene.look(this.#parts.consent(), frame, space))
      if (!this.#parts.connection.send(update)) this.#parts.onError("outbox_full", "a scene update could not be kept");
    // One mesh a look: a room of a megabyte must not hold up what the user is doing.
    const shape = this.#parts.connection.isOpen ? this.#parts.scene.nextShape(this.#parts.consent()) : undefined;
    if (shape !== undefined && this.#parts.connection.sendPacket(shape.packet)) shape.onSent();
  }

  #sendStats(timeMs: number): void {
    const elapsedMs = timeMs - this.#lastStatsMs;
    if (Number.isFinite(elapsedMs))
      this.#parts.connection.sendNow({
        type: "stats",
        fps: Math.min(1_000, (this.#framesSince / elapsedMs) * 1_000),
        droppedSamples: this.#parts.connection.counts.packetsDropped,
        t: timeMs,
      });
    this.#lastStatsMs = timeMs;
    this.#framesSince = 0;
  }
}
