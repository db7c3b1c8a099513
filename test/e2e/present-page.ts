// Runs in the page of present.test.ts: real Web Audio, a gateway made of a few messages.
import { Fovea } from "@fovea/client";
import { encodeAudioPacket } from "@fovea/protocol";
import { SoundStage } from "../../packages/client/src/present/sound-stage.ts";

const RATE = 24_000;
const TONE_MS = 300;

/** Energy of the right ear over the left, decibels, for noise at one metre and `azimuthDeg` to the right. */
async function sideLevelDb(azimuthDeg: number): Promise<number> {
  const context = new OfflineAudioContext(2, 48_000, 48_000);
  Object.defineProperty(context, "state", { value: "running" });
  const angle = (azimuthDeg * Math.PI) / 180;
  const stage = new SoundStage(
    () => context as unknown as AudioContext,
    () => [2 + Math.sin(angle), 1.6, 3 - Math.cos(angle)],
    () => {},
  );
  const running = stage.running() as AudioContext;
  stage.update({ position: [2, 1.6, 3], forward: [0, 0, -1], up: [0, 1, 0] });
  const { input } = stage.place(running, "lamp");
  const noise = context.createBuffer(1, 48_000, 48_000);
  let state = 1;
  const samples = noise.getChannelData(0);
  for (let i = 0; i < samples.length; i++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    samples[i] = state / 0x40000000 - 1;
  }
  const source = context.createBufferSource();
  source.buffer = noise;
  source.connect(input);
  source.start();
  const heard = await context.startRendering();
  const energy = (channel: number): number => heard.getChannelData(channel).reduce((sum, x) => sum + x * x, 0);
  return 10 * Math.log10(energy(1) / energy(0));
}

/** A context that keeps what reaches the loudspeaker. */
class TappedContext extends AudioContext {
  readonly tap: AnalyserNode;

  constructor() {
    super({ latencyHint: "interactive" });
    this.tap = this.createAnalyser();
    this.tap.fftSize = 32_768;
    this.tap.connect(super.destination);
  }

  override get destination(): AudioDestinationNode {
    return (this.tap ?? super.destination) as unknown as AudioDestinationNode;
  }

  /** Context time at which the sound now in the window began. */
  onsetS(): number | undefined {
    const window = new Float32Array(this.tap.fftSize);
    const atS = this.currentTime;
    this.tap.getFloatTimeDomainData(window);
    const first = window.findIndex((value) => Math.abs(value) > 0.02);
    return first < 0 ? undefined : atS - (window.length - first) / this.sampleRate;
  }
}

/** Silence, then a tone that stands for the word, in packets of 20 ms. */
function speech(wordMs: number, streamId: number): Uint8Array[] {
  const samples = new Int16Array(((wordMs + TONE_MS) * RATE) / 1_000);
  const wordAt = (wordMs * RATE) / 1_000;
  for (let i = wordAt; i < samples.length; i++) samples[i] = 12_000 * Math.sin((2 * Math.PI * 440 * i) / RATE);
  const packets: Uint8Array[] = [];
  const size = RATE / 50;
  for (let at = 0; at < samples.length; at += size) {
    const payload = new Uint8Array(samples.slice(at, at + size).buffer);
    packets.push(
      encodeAudioPacket({ codec: "pcm16-24k", streamId, seq: packets.length, epoch: 1, t0: 0, payload }, "down"),
    );
  }
  return packets;
}

type Listener = (event: object) => void;

class ScriptedSocket {
  static last: ScriptedSocket;
  binaryType = "";
  readonly bufferedAmount = 0;
  readonly sent: Record<string, unknown>[] = [];
  readonly #listeners = new Map<string, Listener[]>();

  constructor() {
    ScriptedSocket.last = this;
    setTimeout(() => this.#fire("open", {}), 0);
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(data: string | Uint8Array): void {
    if (typeof data !== "string") return;
    const message = JSON.parse(data) as Record<string, unknown>;
    this.sent.push(message);
    if (message["type"] === "hello") this.give(WELCOME);
  }

  close(): void {}

  give(data: object | Uint8Array): void {
    this.#fire("message", { data: data instanceof Uint8Array ? data.slice().buffer : JSON.stringify(data) });
  }

  #fire(type: string, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }
}

const WELCOME = {
  type: "welcome",
  protocol: 1,
  sessionId: "s",
  poseHz: 30,
  levels: { head: true, hands: "raw", room: "full", camera: false, audio: false, eyes: false },
  resumeToken: "r",
  limits: {
    controlCharactersMax: 100_000,
    sceneEntitiesMax: 1_000,
    controlMessagesPerSecondMax: 100,
    asksPerSecondMax: 10,
    openTurnsMax: 4,
    imagePayloadBytesMax: 100_000,
  },
  resumed: false,
  turns: [],
  ack: 0,
  epoch: 1,
};

interface Spoken {
  /** Highlight minus the word's onset at the ear, milliseconds; positive is late. */
  readonly lateMs: number[];
  readonly via: unknown[];
  readonly playedMs: unknown[];
}

/** Speaks `count` times with a highlight on a word at `wordMs`, and compares sound and sight. */
async function wordsAndHighlights(count: number, wordMs: number): Promise<Spoken> {
  const context = new TappedContext();
  const xr = await Fovea.connect({
    url: "ws://gateway/xr",
    WebSocket: ScriptedSocket as never,
    audioContext: () => context,
  });
  const socket = ScriptedSocket.last;
  const lateMs: number[] = [];
  let shownS = 0;
  xr.on("action", () => void (shownS = context.currentTime));
  for (let turn = 0; turn < count; turn++) {
    const asked = xr.ask("which lamp?");
    let seq = 0;
    const part = (more: object): void =>
      socket.give({ turnId: asked.id, seq: seq++, epoch: 1, provider: "p", cached: false, ...more });
    const itemId = `item${turn}`;
    part({ type: "start", model: "m" });
    part({
      type: "action",
      action: { kind: "highlight", target: "lamp", style: "outline", ttlMs: 500 },
      cue: { itemId, atMs: wordMs },
    });
    part({ type: "audio", streamId: turn, codec: "pcm16-24k", itemId, gainDb: 0 });
    for (const packet of speech(wordMs, turn)) socket.give(packet);
    shownS = 0;
    const deadline = performance.now() + 4_000;
    let onsetS: number | undefined;
    while ((onsetS === undefined || shownS === 0) && performance.now() < deadline) {
      onsetS ??= context.onsetS();
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    const earS = context.outputLatency + context.baseLatency;
    if (onsetS !== undefined && shownS > 0) lateMs.push((shownS - onsetS - earS) * 1_000);
    await new Promise((resolve) => setTimeout(resolve, TONE_MS + 900));
  }
  const sent = (type: string, key: string): unknown[] =>
    socket.sent.filter((message) => message["type"] === type).map((message) => message[key]);
  const spoken = { lateMs, via: sent("receipt", "via"), playedMs: sent("playback", "playedMs") };
  xr.close();
  return spoken;
}

Object.assign(globalThis, { sideLevelDb, wordsAndHighlights });
