import type {
  AskMessage,
  HelloMessage,
  ServerMessage,
  ServerPart,
  WelcomeMessage,
  WireConsent,
  WirePreferences,
} from "@fovea/protocol";
import { decodeAudioPacket, NO_WIRE_CONSENT, packetKindOf } from "@fovea/protocol";
import { Microphone, MICROPHONE_STREAM } from "../capture/microphone.ts";
import type { ExtraGestures, HandCalibration } from "@fovea/protocol/gestures";
import type { Object3DLike } from "../platform/object-3d.ts";
import type { CameraKind, CameraOptions } from "../capture/camera.ts";
import { CameraSwitch } from "../capture/camera-switch.ts";
import type { ObjectDescription, ObserveOptions } from "../capture/scene-observer.ts";
import { SceneObserver } from "../capture/scene-observer.ts";
import { FoveaError, GatewayConnection } from "../gateway-connection.ts";
import type { OutboxMessage } from "../outbox.ts";
import type { CancelTask, ClientClock, ClientRandom } from "../platform/client-clock.ts";
import { BROWSER_CLOCK, BROWSER_RANDOM } from "../platform/client-clock.ts";
import type { SocketConstructor } from "../platform/socket.ts";
import type { CaptionPresenter } from "../present/captions.ts";
import type { Haptics } from "../present/haptics.ts";
import type { ActionPresenter } from "../present/presenter.ts";
import { FoveaEventTarget } from "./client-events.ts";
import { Preferences } from "./preferences.ts";
import { Presentation } from "./presentation.ts";
import type { TurnPart } from "./turn.ts";
import { AnswerTurn, toTurnPart } from "./turn.ts";
import type { Tool } from "./tools.ts";
import { Tools } from "./tools.ts";
import { XRCapture } from "./xr-capture.ts";

export const CLIENT_VERSION = "0.1.0";

export interface ConnectOptions {
  /** `wss://gateway.example/xr`. */
  readonly url: string;
  /** Fetches a short-lived session token from the application's own server, anew for every connection. */
  readonly token?: () => string | Promise<string>;
  /** What may leave the page; nothing where absent. Change it with `consent.set`. */
  readonly consent?: Partial<WireConsent>;
  /** BCP 47; the browser's language where absent. */
  readonly locale?: string;
  /** Who names the same room shares one conversation by voice; `name` is how the others know this person. */
  readonly room?: { readonly id: string; readonly name: string };
  /** Name of the device, where the application knows it. */
  readonly device?: string;
  /** Which senses answers may use, as the user has set. */
  readonly preferences?: WirePreferences;
  /** The page's own audio context, or undefined for none; one is made at the first sound where absent. */
  readonly audioContext?: () => AudioContext | undefined;
  /** Makes the presenter that `highlighter.default(scene)` installs; `threeHighlighter` of `@fovea/client/three`. */
  readonly highlighter?: (scene: object) => ActionPresenter;
  /** How long the first connection may take; 15 s where absent. */
  readonly connectTimeoutMs?: number;
  readonly WebSocket?: SocketConstructor;
  readonly clock?: ClientClock;
  readonly random?: ClientRandom;
}

export interface AskOptions {
  readonly include?: AskMessage["include"];
  readonly modalities?: AskMessage["modalities"];
  /** How long the user is willing to wait for the first part. */
  readonly latencyMs?: number;
  /** `provider/model`, a plain name, an alias or `auto`. */
  readonly model?: string;
}

/** A three-like renderer: its `xr` manager is all that is used. */
export interface RendererLike {
  /** For raw camera access. */
  getContext?(): WebGL2RenderingContext | WebGLRenderingContext;
  readonly xr: {
    getSession(): XRSession | null;
    getReferenceSpace(): XRReferenceSpace | null;
    addEventListener(type: "sessionstart" | "sessionend", listener: () => void): void;
  };
}

function browserAudio(): AudioContext | undefined {
  return typeof AudioContext === "undefined" ? undefined : new AudioContext({ latencyHint: "interactive" });
}

const LOOK_EVERY_MS = 500;
const OPEN_TURNS_MAX = 16;
const ALL_SENSES = ["gaze", "pointing", "scene"] as const;
const SPOKEN: AskMessage["modalities"] = ["text", "audio", "action", "haptic"];

/** A live connection of one page to a Fovea gateway. */
export class Fovea extends FoveaEventTarget {
  readonly #clock: ClientClock;
  readonly #options: ConnectOptions;
  readonly #connection: GatewayConnection;
  readonly #observer = new SceneObserver();
  readonly #capture: XRCapture;
  readonly #camera: CameraSwitch;
  readonly #tools: Tools;
  readonly #turns = new Map<string, AnswerTurn>();
  #consent: WireConsent;
  #granted: WireConsent = NO_WIRE_CONSENT;
  readonly #presentation: Presentation;
  #epoch = 0;
  #turnCount = 0;
  #sessionId = "";
  #cancelLook: CancelTask = () => {};
  #lastAnswer: { readonly provider: string; readonly cached: boolean } | undefined;
  #pageId: string;
  #onFirst: { resolve: () => void; reject: (error: Error) => void } | undefined;

  /** Objects and rooms: what questions can be about. */
  readonly scene: {
    observe(options: ObserveOptions): void;
    add(object: Object3DLike, description: ObjectDescription): string;
    remove(which: string | Object3DLike): boolean;
    find: SceneObserver["find"];
    objectOf: SceneObserver["objectOf"];
    nodes: SceneObserver["nodes"];
  };
  /** The user's camera, for questions about what is seen. Nothing leaves without consent to `camera`. */
  readonly camera: {
    /** Starts to send pictures at the gateway's rate; says what they are taken from. Rejects where there is no camera. */
    start(options?: CameraOptions): Promise<CameraKind>;
    stop(): void;
    readonly isRunning: boolean;
  };
  readonly haptics: Haptics;
  /** Gestures are told as `gesturestart`, `gestureupdate` and `gestureend`, recognised in this page. */
  readonly gestures: {
    /** Also tells what the application taught: `use(readGestures(text))` of `@fovea/client/gestures`. */
    use(taught: (() => ExtraGestures) | undefined): void;
    /** What was learned of this user's hand; give it to `calibrate` in the next session. */
    calibration(handedness: "left" | "right"): HandCalibration;
    calibrate(calibration: HandCalibration | undefined): void;
  };
  /** Which senses answers may use; the gateway chooses its words and ways by it. */
  readonly preferences: Preferences;
  readonly captions: {
    /** Shows captions where they are called for; see also the `caption` event. */
    use(presenter: CaptionPresenter | undefined): void;
  };
  readonly consent: {
    /** Changes what may leave the page, at once; members that are not named stay. */
    set(consent: Partial<WireConsent>): void;
    /** What holds now: what was asked for, and no more than the gateway granted. */
    readonly current: WireConsent;
  };
  /** The user's voice. Questions that are asked aloud come back as `turn` events. */
  readonly mic: Microphone;
  readonly highlighter: {
    /** Installs the presenter that was given to `connect`, for this scene. */
    default(scene: object): ActionPresenter;
    use(presenter: ActionPresenter | undefined): void;
  };

  /** Connects and waits for the gateway's welcome. Rejects with a `FoveaError` when there is none to be had. */
  static async connect(options: ConnectOptions): Promise<Fovea> {
    const fovea = new Fovea(options);
    await fovea.#firstWelcome();
    return fovea;
  }

  private constructor(options: ConnectOptions) {
    super();
    this.#options = options;
    this.#clock = options.clock ?? BROWSER_CLOCK;
    const random = options.random ?? BROWSER_RANDOM;
    this.#pageId = Math.floor(random() * 2 ** 40).toString(36);
    this.#consent = { ...NO_WIRE_CONSENT, ...options.consent };
    this.#connection = new GatewayConnection({
      url: options.url,
      ...(options.token === undefined ? {} : { token: options.token }),
      socket: options.WebSocket ?? (globalThis.WebSocket as unknown as SocketConstructor),
      clock: this.#clock,
      random,
      describe: () => this.#describe(),
      onMessage: (message) => this.#onMessage(message),
      onPacket: (bytes) => this.#onPacket(bytes),
      onWelcome: (welcome, isFirst) => this.#onWelcome(welcome, isFirst),
      onDrop: (code, reason, retryMs) => this.emit("disconnect", { code, reason, retryMs }),
      onEnd: (error) => this.#onEnd(error),
    });
    this.#camera = new CameraSwitch({
      clock: this.#clock,
      consent: () => this.consent.current,
      send: (packet) => this.#connection.sendPacket(packet),
      isOpen: () => this.#connection.isOpen,
      session: () => this.#capture.session,
      onError: (code, message) => this.emit("error", { code, message }),
    });
    this.camera = this.#cameraApi();
    this.#capture = new XRCapture({
      camera: this.#camera,
      connection: this.#connection,
      scene: this.#observer,
      events: this,
      clock: this.#clock,
      consent: () => this.consent.current,
      onError: (code, message) => this.emit("error", { code, message }),
      onFrame: (frame, space) => this.#presentation.frame(frame, space),
    });
    this.#tools = new Tools((message) => this.#send(message));
    this.preferences = new Preferences(options.preferences ?? {}, (message) => {
      if (this.#connection.isOpen) this.#send({ type: "preferences", ...message });
    });
    this.#presentation = new Presentation({
      clock: this.#clock,
      events: this,
      scene: this.#observer,
      preferences: this.preferences,
      inputSources: () => this.#capture.inputSources(),
      makeAudio: options.audioContext ?? browserAudio,
      sendReceipt: (receipt) => this.#send({ type: "receipt", ...receipt }),
      // What goes on is told again in a moment; how an item ended must not be lost.
      sendPlayback: (playback) => {
        if (playback.bufferedMs === 0) this.#send({ type: "playback", ...playback });
        else this.#connection.sendNow({ type: "playback", ...playback });
      },
    });
    this.mic = new Microphone({
      clock: this.#clock,
      isAgreed: () => this.#consent.audio,
      mayHear: () => this.consent.current.audio,
      send: (packet) => void this.#connection.sendPacket(packet),
      tell: (state) => this.#send({ type: "mic.state", ...state }),
      onLevel: (levelDb) => this.emit("miclevel", { levelDb }),
      onEnd: () => this.emit("micend", {}),
    });
    this.haptics = this.#presentation.haptics;
    this.captions = { use: (presenter) => this.#presentation.useCaptions(presenter) };
    this.gestures = this.#capture.gestures;
    this.scene = this.#sceneApi();
    this.consent = this.#consentApi();
    this.highlighter = this.#highlighterApi();
  }

  get sessionId(): string {
    return this.#sessionId;
  }

  get isConnected(): boolean {
    return this.#connection.isOpen;
  }

  /** Follows a three-like renderer: every XR session it starts is captured, the running one included. */
  attach(renderer: RendererLike): void {
    const take = (): void => {
      const session = renderer.xr.getSession();
      const space = renderer.xr.getReferenceSpace();
      this.#camera.useContext(renderer.getContext?.());
      if (session !== null && space !== null) this.attachSession(session, space);
    };
    renderer.xr.addEventListener("sessionstart", take);
    renderer.xr.addEventListener("sessionend", () => this.#capture.detach());
    take();
  }

  /** Captures a running session. All poses, and the scene's objects, are given in this reference space. */
  attachSession(
    session: XRSession,
    referenceSpace: XRReferenceSpace,
    mode?: "immersive-ar" | "immersive-vr" | "inline",
  ): void {
    this.#capture.attach(session, referenceSpace, mode);
  }

  /** Asks about what the user sees. The answer comes in parts; see `AnswerTurn`. */
  ask(text: string, options: AskOptions = {}): AnswerTurn {
    const turn = this.#newTurn();
    if (!turn.isOver) this.#sendAsk(turn, { text }, options);
    return turn;
  }

  /** Lets speech sound; call it from a click or a select, before which browsers keep pages silent. */
  unlockAudio(): void {
    this.#presentation.unlock();
  }

  /**
   * Push-to-talk: what is said until `release` is a question with a name of its own. The microphone must be on. The turn
   * ends with an error where nothing was understood.
   */
  talk(options: AskOptions = {}): AnswerTurn & { release(): void } {
    const turn = this.#newTurn();
    let isHeld = true;
    const release = (): void => {
      if (isHeld) this.#send({ type: "push-to-talk", phase: "end", t: this.#clock.nowMs() });
      isHeld = false;
    };
    if (!turn.isOver) {
      this.unlockAudio();
      this.#sendAsk(turn, { audioStreamId: MICROPHONE_STREAM }, { modalities: SPOKEN, ...options });
      this.#send({ type: "push-to-talk", phase: "start", t: this.#clock.nowMs() });
    }
    return Object.assign(turn, { release });
  }

  /** Offers a function of the application to the models. Returns what withdraws it. */
  tool(tool: Tool): () => void {
    return this.#tools.add(tool);
  }

  /** Notes an event of the application in the recording. */
  marker(name: string, data?: Extract<OutboxMessage, { type: "marker" }>["data"]): void {
    this.#send({ type: "marker", name, t: this.#clock.nowMs(), ...(data === undefined ? {} : { data }) });
  }

  /** What the connection is doing. Undefined members are not known yet. */
  stats(): FoveaStats {
    const { counts, clockSync } = this.#connection;
    return {
      isConnected: this.#connection.isOpen,
      rttMs: clockSync.rttMs,
      clockOffsetMs: clockSync.offsetMs,
      provider: this.#lastAnswer?.provider,
      cacheHit: this.#lastAnswer?.cached,
      sentSamples: counts.packetsSent,
      droppedSamples: counts.packetsDropped,
      unknownMessages: counts.unknownMessages,
      faultyMessages: counts.faultyMessages,
      reconnects: counts.reconnects,
      outboxSize: this.#connection.outboxSize,
      openTurns: this.#turns.size,
    };
  }

  /** Ends the session; open turns end with an error. */
  close(): void {
    this.#connection.close();
  }

  #newTurn(): AnswerTurn {
    const id = `${this.#pageId}-${++this.#turnCount}`;
    const turn = new AnswerTurn(id, () => this.#cancelTurn(id));
    if (this.#turns.size >= OPEN_TURNS_MAX) turn.fail("turn_limit", `at most ${OPEN_TURNS_MAX} turns may be open`);
    else this.#turns.set(id, turn);
    return turn;
  }

  #cancelTurn(id: string): void {
    this.#turns.delete(id);
    this.#tools.abort(id);
    this.#send({ type: "cancel", turnId: id });
  }

  #sendAsk(turn: AnswerTurn, question: Pick<AskMessage, "text" | "audioStreamId">, options: AskOptions): void {
    const isKept = this.#connection.send({
      type: "ask",
      turnId: turn.id,
      ...question,
      include: options.include ?? (this.#camera.isRunning ? [...ALL_SENSES, "image"] : ALL_SENSES),
      modalities: options.modalities ?? ["text", "action", "haptic"],
      t: this.#clock.nowMs(),
      ...(options.latencyMs === undefined ? {} : { latencyMs: options.latencyMs }),
      ...(options.model === undefined ? {} : { model: options.model }),
      locale: this.#locale(),
    });
    if (isKept) return;
    this.#turns.delete(turn.id);
    turn.fail("outbox_full", "The question could not be sent or kept.");
  }

  #firstWelcome(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timeoutMs = this.#options.connectTimeoutMs ?? 15_000;
      const cancel = this.#clock.schedule(timeoutMs, () => {
        this.#onFirst = undefined;
        this.close();
        reject(new FoveaError("connect_timeout", `no welcome from ${this.#options.url} within ${timeoutMs} ms`));
      });
      const settle = (): void => {
        this.#onFirst = undefined;
        cancel();
      };
      this.#onFirst = {
        resolve: () => (settle(), resolve()),
        reject: (error) => (settle(), reject(error)),
      };
      this.#connection.start();
    });
  }

  #describe(): Omit<HelloMessage, "type" | "protocol" | "token" | "resumeToken"> {
    const session = this.#capture.describeSession();
    const unsent = this.#connection.unsentTurnIds();
    const openTurns = [...this.#turns.values()]
      .filter(({ id }) => !unsent.has(id))
      .map(({ id, lastSeq }) => ({ turnId: id, seq: lastSeq }));
    return {
      client: {
        sdk: `fovea-client/${CLIENT_VERSION}`,
        ua: globalThis.navigator?.userAgent?.slice(0, 1_000) ?? "",
        device: this.#options.device ?? "",
      },
      ...(session === undefined ? {} : { session }),
      inputSources: this.#capture.describeInputs(),
      consent: this.#consent,
      locale: this.#locale(),
      preferences: this.preferences.current,
      ...(this.#options.room === undefined ? {} : { room: this.#options.room }),
      openTurns,
    };
  }

  #locale(): string {
    return this.#options.locale ?? globalThis.navigator?.language ?? "en";
  }

  #onWelcome(welcome: WelcomeMessage, isFirst: boolean): void {
    this.#sessionId = welcome.sessionId;
    this.#granted = welcome.levels;
    this.#epoch = welcome.epoch;
    this.#capture.setPoseHz(welcome.poseHz);
    this.#camera.setImageHz(welcome.imageHz ?? 0);
    this.#camera.setImageWidth(undefined);
    // What a lost session saw, the new one does not know.
    if (!welcome.resumed) this.#observer.foldSeen({ full: true, add: [], remove: [] });
    if (!isFirst) this.#afterReconnect(welcome);
    this.mic.resend();
    if (welcome.resumed) this.#presentation.player.reportNow();
    this.#onFirst?.resolve();
    this.emit("connect", { sessionId: welcome.sessionId, resumed: welcome.resumed, levels: welcome.levels });
    if (welcome.resumed) this.emit("resumed", { turns: welcome.turns });
    this.#look();
  }

  #afterReconnect(welcome: WelcomeMessage): void {
    const unsent = this.#connection.unsentTurnIds();
    for (const [id, turn] of this.#turns) {
      if (unsent.has(id) || (welcome.resumed && welcome.turns.includes(id))) continue;
      this.#turns.delete(id);
      turn.fail("session_lost", "The connection was lost and the gateway could not go on with this answer.");
    }
    // A gateway that keeps no account of what it handled may have missed the last scene update.
    if (!welcome.resumed || welcome.ack === undefined) this.#observer.resend();
    if (!welcome.resumed) {
      this.#tools.resend();
      this.preferences.resend();
    }
  }

  #onMessage(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
      case "ping":
      case "clock":
        return;
      case "turn.state":
        this.emit("turnstate", message);
        return;
      case "filler":
        this.emit("filler", { turnId: message.turnId });
        return;
      case "duck":
      case "unduck":
        if (message.epoch === this.#epoch) this.#presentation.player.duck(message.gainDb, message.rampMs);
        return;
      case "rates":
        if (message.imageHz !== undefined) this.#camera.setImageHz(message.imageHz);
        this.#camera.setImageWidth(message.imageWidth);
        this.emit("rates", message);
        return this.#capture.setPoseHz(message.poseHz);
      case "scene.seen":
        this.#observer.foldSeen(message);
        this.emit("seen", { add: message.add, remove: message.remove });
        return;
      case "scene.request":
        return this.#observer.resend();
      case "levels":
        this.#granted = message.levels;
        this.emit("consent", { levels: this.consent.current });
        return;
      case "flush":
        return this.#flush(message.epoch);
      case "transcript": {
        this.emit("transcript", message);
        return;
      }
      case "degraded": {
        const { turnId, from, to, reason } = message;
        if (turnId !== undefined) this.#turns.get(turnId)?.push({ type: "degraded", from, to, reason });
        this.emit("degraded", message);
        return;
      }
      case "limits":
        this.emit("limits", { budgets: message.budgets });
        return;
      case "error":
        return this.#onError(message);
      default:
        return this.#onPart(message);
    }
  }

  /** Speech: the page plays it, because only it knows its audio graph. */
  #onPacket(bytes: Uint8Array): void {
    if (packetKindOf(bytes) !== "audioDown") {
      this.#connection.counts.unknownMessages++;
      return;
    }
    const decoded = decodeAudioPacket(bytes, "down");
    if (decoded.outcome === "error") {
      this.#connection.counts.faultyMessages++;
      this.emit("error", { code: "answer_broken", message: decoded.error.message, field: decoded.error.field });
      return;
    }
    // Epochs wrap on the wire: one that is up to half a turn behind is an older one.
    const behind = (this.#epoch - decoded.packet.epoch) & 0xffff;
    if (behind !== 0 && behind < 0x8000) return;
    // An application that plays speech itself says so with `preventDefault()`.
    if (!this.emit("audio", decoded.packet)) this.#presentation.packet(decoded.packet);
  }

  /** A question that was asked aloud: nobody here has named it. */
  #begin(turnId: string): AnswerTurn {
    const turn = new AnswerTurn(turnId, () => this.#cancelTurn(turnId));
    this.#turns.set(turnId, turn);
    // Its actions are performed and its sound is played whether or not anybody reads it.
    if (this.listenersOf("turn") === 0) void turn.text().catch(() => {});
    else this.emit("turn", { turn });
    return turn;
  }

  #onPart(part: ServerPart): void {
    const isNew = part.type === "start" && part.seq === 0 && part.epoch >= this.#epoch;
    const isOurs = part.turnId.startsWith(`${this.#pageId}-`);
    const turn = this.#turns.get(part.turnId) ?? (isNew && !isOurs ? this.#begin(part.turnId) : undefined);
    // Parts of a cancelled turn, of an older epoch, or seen already before the connection was lost.
    if (turn === undefined || part.epoch < this.#epoch || part.seq <= turn.lastSeq) return;
    turn.lastSeq = part.seq;
    if (part.type === "tool.call") {
      this.emit("toolcall", { name: part.name, args: part.args });
      void this.#tools.call(part);
      return;
    }
    const shown = toTurnPart(part) as TurnPart;
    if (part.type === "done") {
      this.#turns.delete(part.turnId);
      this.#lastAnswer = { provider: part.provider, cached: part.cached };
    }
    turn.push(shown);
    this.#presentation.part(part);
  }

  #onError(message: Extract<ServerMessage, { type: "error" }>): void {
    const { code, message: text, turnId, field, retryAfterMs } = message;
    const turn = turnId === undefined ? undefined : this.#turns.get(turnId);
    // A refused field of a question ends it as well: no `done` follows what never began.
    if (turn !== undefined && turnId !== undefined) {
      this.#turns.delete(turnId);
      turn.fail(code, text, {
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        ...(field === undefined ? {} : { field }),
      });
    }
    this.emit("error", { code, message: text, ...(field === undefined ? {} : { field }) });
  }

  #flush(epoch: number): void {
    if (epoch <= this.#epoch) return;
    this.#epoch = epoch;
    this.#presentation.flush();
    this.emit("flush", { epoch });
  }

  #send(message: OutboxMessage): void {
    if (this.#connection.send(message)) return;
    this.emit("error", { code: "outbox_full", message: `a message of type ${message.type} could not be kept` });
  }

  #look(): void {
    this.#cancelLook();
    if (!this.#connection.isOpen) return;
    this.#capture.lookAtObjects();
    this.#cancelLook = this.#clock.schedule(LOOK_EVERY_MS, () => this.#look());
  }

  #onEnd(error: FoveaError | undefined): void {
    this.#cancelLook();
    this.mic.stop();
    this.#capture.detach();
    this.#camera.stop();
    this.#tools.abort();
    this.#presentation.close();
    const reason = error ?? new FoveaError("closed", "The session was closed.");
    for (const turn of this.#turns.values()) turn.fail(reason.code, reason.message);
    this.#turns.clear();
    this.#onFirst?.reject(reason);
    this.emit("close", error === undefined ? {} : { error });
  }

  #cameraApi(): Fovea["camera"] {
    const camera = this.#camera;
    return {
      start: (options) => camera.start(options),
      stop: () => camera.stop(),
      get isRunning() {
        return camera.isRunning;
      },
    };
  }

  #sceneApi(): Fovea["scene"] {
    const observer = this.#observer;
    return {
      observe: (options) => observer.observe(options),
      add: (object, description) => observer.add(object, description),
      remove: (which) => observer.remove(which),
      find: (id) => observer.find(id),
      objectOf: (id) => observer.objectOf(id),
      nodes: () => observer.nodes(),
    };
  }

  #consentApi(): Fovea["consent"] {
    const current = (): WireConsent => narrower(this.#consent, this.#granted);
    return {
      set: (consent) => {
        this.#consent = { ...this.#consent, ...consent };
        // Less holds at once, more when the gateway says so.
        this.#send({ type: "consent", consent: this.#consent });
        this.emit("consent", { levels: current() });
      },
      get current() {
        return current();
      },
    };
  }

  #highlighterApi(): Fovea["highlighter"] {
    return {
      default: (scene) => {
        const make = this.#options.highlighter;
        if (make === undefined)
          throw new FoveaError(
            "highlighter_missing",
            "pass `highlighter: threeHighlighter` of @fovea/client/three to connect",
          );
        const presenter = make(scene);
        this.highlighter.use(presenter);
        return presenter;
      },
      use: (presenter) => this.#presentation.use(presenter),
    };
  }
}

export interface FoveaStats {
  readonly isConnected: boolean;
  readonly rttMs: number | undefined;
  readonly clockOffsetMs: number | undefined;
  /** Of the last answer. */
  readonly provider: string | undefined;
  readonly cacheHit: boolean | undefined;
  readonly sentSamples: number;
  readonly droppedSamples: number;
  readonly unknownMessages: number;
  readonly faultyMessages: number;
  readonly reconnects: number;
  readonly outboxSize: number;
  readonly openTurns: number;
}

const HANDS: readonly WireConsent["hands"][] = ["none", "gesture", "rounded", "raw"];
const ROOMS: readonly WireConsent["room"][] = ["none", "labels", "lod", "full"];

/** Of each modality the lesser of two levels. */
function narrower(a: WireConsent, b: WireConsent): WireConsent {
  return {
    head: a.head && b.head,
    hands: HANDS[Math.min(HANDS.indexOf(a.hands), HANDS.indexOf(b.hands))] ?? "none",
    room: ROOMS[Math.min(ROOMS.indexOf(a.room), ROOMS.indexOf(b.room))] ?? "none",
    camera: a.camera && b.camera,
    audio: a.audio && b.audio,
    eyes: a.eyes && b.eyes,
  };
}
