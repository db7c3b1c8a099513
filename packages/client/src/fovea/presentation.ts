// Brings the parts of an answer to the senses: speech to its place in the room, touches to the hands, marks to the eyes,
// each as its word sounds; and tells the gateway what became of them.
import type { AudioPacket, PlaybackMessage, ReceiptMessage, ServerPart, WireVec3 } from "@fovea/protocol";
import type { ClientClock } from "../platform/client-clock.ts";
import type { Caption, CaptionPresenter } from "../present/captions.ts";
import { Captions } from "../present/captions.ts";
import { CueSchedule } from "../present/cue-schedule.ts";
import { Earcons } from "../present/earcons.ts";
import { Haptics } from "../present/haptics.ts";
import type { ActionPresenter, SceneLookup } from "../present/presenter.ts";
import type { Viewer } from "../present/sound-stage.ts";
import { SoundStage } from "../present/sound-stage.ts";
import { SpeechPlayer } from "../present/speech-player.ts";
import type { FoveaEventTarget } from "./client-events.ts";
import type { Preferences } from "./preferences.ts";

type ActionPart = Extract<ServerPart, { type: "action" }>;
type HapticPart = Extract<ServerPart, { type: "haptic" }>;

export interface PresentationParts {
  readonly clock: ClientClock;
  readonly events: FoveaEventTarget;
  readonly scene: SceneLookup;
  readonly preferences: Preferences;
  readonly inputSources: () => Iterable<XRInputSource>;
  /** Undefined where the page has no sound. */
  readonly makeAudio: () => AudioContext | undefined;
  readonly sendReceipt: (receipt: Omit<ReceiptMessage, "type">) => void;
  readonly sendPlayback: (playback: Omit<PlaybackMessage, "type">) => void;
}

export class Presentation {
  readonly haptics: Haptics;
  readonly player: SpeechPlayer;
  readonly #parts: PresentationParts;
  readonly #stage: SoundStage;
  readonly #earcons: Earcons;
  readonly #cues: CueSchedule;
  readonly #captions: Captions;
  /** Turns whose answer is spoken: their captions follow the sound and not the text. */
  readonly #spoken = new Set<string>();
  #isCaptioned = false;
  #isShown = false;
  #presenter: ActionPresenter | undefined;
  #captionPresenter: CaptionPresenter | undefined;

  constructor(parts: PresentationParts) {
    const { clock, events, preferences } = parts;
    this.#parts = parts;
    const positionOf = (id: string): WireVec3 | undefined => parts.scene.find(id)?.pose.position;
    this.#stage = new SoundStage(parts.makeAudio, positionOf, (isBlocked) => preferences.noteBlocked(isBlocked));
    this.#earcons = new Earcons(this.#stage);
    this.player = new SpeechPlayer({
      clock,
      stage: this.#stage,
      report: parts.sendPlayback,
      onChange: () => this.#cues.look(),
    });
    const whenHeard = (itemId: string, atMs: number): number | undefined => this.player.whenHeard(itemId, atMs);
    this.#cues = new CueSchedule(clock, whenHeard);
    this.#captions = new Captions(clock, whenHeard, (caption) => this.#showCaption(caption));
    this.haptics = new Haptics(clock, parts.inputSources, {
      sound: (pulses) => preferences.current.hearing !== "none" && !preferences.isMuted && this.#earcons.knock(pulses),
      sight: (pulses, handedness) => events.emit("haptic", { pulses, handedness }),
    });
  }

  use(presenter: ActionPresenter | undefined): void {
    this.#presenter?.close();
    this.#presenter = presenter;
  }

  useCaptions(presenter: CaptionPresenter | undefined): void {
    this.#captionPresenter?.show(undefined);
    this.#captionPresenter = presenter;
  }

  /** A part of an answer, in order; `start` says whether the answer is captioned. */
  part(part: ServerPart): void {
    switch (part.type) {
      case "start":
        this.#isCaptioned = this.#parts.preferences.current.captions ?? part.captions === true;
        return;
      case "text.delta":
        if (!this.#spoken.has(part.turnId)) this.#captions.text(part.turnId, part.text);
        return;
      case "audio":
        return this.#speech(part);
      case "words":
        return this.#captions.words(part);
      case "action":
        return this.#atCue(part, () => this.#perform(part));
      case "haptic":
        return this.#atCue(part, () => void this.#feel(part));
      case "replaced":
        this.#presenter?.clear();
        this.#captions.flush();
        return;
      case "done":
        this.#cues.release(part.turnId);
        this.#captions.end(part.turnId);
        this.#spoken.delete(part.turnId);
        return;
      default:
        return;
    }
  }

  packet(packet: AudioPacket): void {
    this.player.push(packet);
  }

  /** Once a frame: the ears move with the head. */
  frame(frame: XRFrame, space: XRReferenceSpace): void {
    if (!this.#stage.isInUse) return;
    const pose = frame.getViewerPose(space);
    if (pose !== undefined) this.#stage.update(viewerOf(pose.transform.matrix));
  }

  /** Asks for the sound that browsers give only after a touch of the user. */
  unlock(): void {
    this.#stage.running();
  }

  flush(): void {
    this.haptics.stop();
    this.player.flush();
    this.#cues.flush();
    this.#captions.flush();
    this.#presenter?.clear();
    this.#spoken.clear();
  }

  close(): void {
    this.flush();
    this.player.close();
    this.#presenter?.close();
    void this.#stage.close();
  }

  #speech(part: Extract<ServerPart, { type: "audio" }>): void {
    const itemId = part.itemId ?? `${part.turnId}/${part.streamId}`;
    if (this.player.open(part)) {
      this.#spoken.add(part.turnId);
      this.#captions.speech(part.turnId, itemId, part.at);
    } else {
      // Nothing will sound, and the user shall not miss what is said.
      this.#isCaptioned = true;
    }
  }

  #atCue(part: ActionPart | HapticPart, run: () => void): void {
    if (part.cue === undefined) return run();
    this.#cues.add(part.turnId, part.cue, run, () => this.#receipt(part, false, "none"));
  }

  #perform(part: ActionPart): void {
    const { events, scene, preferences } = this.#parts;
    const isTaken = events.emit("action", { turnId: part.turnId, seq: part.seq, action: part.action });
    const isUnseen = preferences.current.sight === "none";
    const isSounded = !isTaken && isUnseen && this.#earcons.chime(placeOf(part.action, scene));
    const isDrawn = !isTaken && !isUnseen && (this.#presenter?.present(part.action, scene) ?? false);
    const isHeard = isTaken || events.listenersOf("action") > 0;
    const via = isSounded ? "audio" : isDrawn ? "visual" : isHeard ? "application" : "none";
    this.#receipt(part, via !== "none", via);
  }

  async #feel(part: HapticPart): Promise<void> {
    const { clip, handedness, gain, fallbackPulses, turnId, ways } = part;
    const options = { handedness, gain, fallbackPulses, ...(ways === undefined ? {} : { ways }) };
    const delivery = await this.haptics.play(clip, options);
    this.#receipt(part, delivery.delivered, delivery.via);
    this.#parts.events.emit("hapticend", { ...delivery, turnId });
  }

  #receipt(part: ServerPart, delivered: boolean, via: ReceiptMessage["via"]): void {
    const { turnId, seq } = part;
    this.#parts.sendReceipt({ turnId, seq, delivered, via, t: this.#parts.clock.nowMs() });
  }

  #showCaption(caption: Caption | undefined): void {
    if (caption === undefined ? !this.#isShown : !this.#isCaptioned) return;
    this.#isShown = caption !== undefined;
    this.#parts.events.emit("caption", caption === undefined ? {} : { caption });
    this.#captionPresenter?.show(caption);
  }
}

/** Columns of the head's matrix: z looks back, y up. */
function viewerOf(m: Float32Array): Viewer {
  const at = (index: number): number => m[index] as number;
  return { position: [at(12), at(13), at(14)], forward: [-at(8), -at(9), -at(10)], up: [at(4), at(5), at(6)] };
}

function placeOf(action: ActionPart["action"], scene: SceneLookup): string | WireVec3 | undefined {
  if (action.kind === "highlight" && action.position !== undefined) return action.position;
  if (!("target" in action) || action.target === undefined) return undefined;
  return scene.find(action.target) === undefined ? undefined : action.target;
}
