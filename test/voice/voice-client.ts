// A headset's ear and mouth for tests: a microphone that runs in real time, a speaker that knows which sample sounds when.
// Times are `performance.now()` of this process; the speaker begins 40 ms after the first packet of an item arrives.
import type { ClientMessageBody, HelloMessage, PoseSample, ServerMessage } from "@fovea/protocol";
import {
  createPoseSample,
  decodeAudioPacket,
  encodeAudioPacket,
  encodePosePacket,
  parseServerMessage,
  SourceTable,
} from "@fovea/protocol";
import { helloMessage } from "@fovea/core/testing";
import { WebSocket } from "ws";
import { RATE } from "./spoken.ts";

export interface Heard {
  readonly atMs: number;
  readonly message: ServerMessage;
}

interface Item {
  readonly itemId: string;
  readonly streamId: number;
  /** When its first sample sounds. */
  startMs: number;
  samples: number;
  stoppedMs: number | undefined;
}

const DOWN_RATE = 24_000;
const BUFFER_MS = 40;
const REPORT_MS = 100;
const PACKET = 320;

export class VoiceClient {
  socket: WebSocket;
  readonly heard: Heard[] = [];
  readonly items: Item[] = [];
  /** What has been received, mono 24 kHz, by item. */
  readonly sound = new Map<string, Int16Array[]>();
  resumeToken = "";
  readonly #table = new SourceTable();
  readonly #waiting = new Set<() => void>();
  readonly #timers: NodeJS.Timeout[] = [];
  #queue: Int16Array[] = [];
  #micSeq = 0;
  #poseSeq = 0;
  #epoch = 1;
  #gainDb = 0;
  readonly #lastSeq = new Map<string, number>();
  /** Called for each packet of the microphone before it is sent: echo is added here. */
  mix: ((samples: Int16Array, atMs: number) => Int16Array) | undefined;
  /** The head's orientation for poses, sent every 33 ms where given. */
  pose: ((sample: PoseSample) => void) | undefined;
  reportsPlayback = true;
  /** Encodes what goes up, where the client speaks Opus. */
  encode: ((samples: Int16Array) => Uint8Array) | undefined;
  /** Decodes what comes down. */
  decode: ((packet: Uint8Array, seq: number) => Int16Array) | undefined;

  private constructor(url: string) {
    this.socket = this.#open(url);
  }

  #open(url: string): WebSocket {
    const socket = new WebSocket(url, "fovea.v1", { perMessageDeflate: false });
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      if (socket !== this.socket) return;
      if (isBinary) this.#packet(data);
      else this.#text(data);
    });
    socket.on("error", () => this.#wake());
    socket.on("close", () => this.#wake());
    return socket;
  }

  /** Loses the connection, comes back after a while and says where the player stands; resolves with the welcome. */
  async reconnect(url: string, afterMs: number): Promise<Heard> {
    this.socket.terminate();
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    const openTurns = [...this.#lastSeq].map(([turnId, seq]) => ({ turnId, seq }));
    const from = this.heard.length;
    this.socket = this.#open(url);
    await new Promise<void>((resolve) => this.socket.once("open", () => resolve()));
    this.send(helloMessage({ resumeToken: this.resumeToken, openTurns }));
    const welcome = await this.until(({ message }) => message.type === "welcome", 5_000, from);
    const item = this.items.at(-1);
    if (item !== undefined) {
      const playedMs = this.playedMs(item.itemId);
      const bufferedMs = (item.samples * 1_000) / DOWN_RATE - playedMs;
      this.send({ type: "playback", itemId: item.itemId, playedMs, bufferedMs });
    }
    return welcome;
  }

  static async connect(url: string, hello: Partial<HelloMessage> = {}): Promise<VoiceClient> {
    const client = new VoiceClient(url);
    await new Promise<void>((resolve, reject) => {
      client.socket.once("open", () => resolve());
      client.socket.once("error", reject);
    });
    client.send(
      helloMessage({
        consent: { head: true, hands: "raw", room: "full", camera: false, audio: true, eyes: false },
        ...hello,
      }),
    );
    const welcome = await client.until(({ message }) => message.type === "welcome");
    if (welcome.message.type === "welcome") client.resumeToken = welcome.message.resumeToken;
    return client;
  }

  send(message: ClientMessageBody): void {
    if (this.socket.readyState === this.socket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** Opens the microphone: silence until something is said. */
  listen(): void {
    const startMs = performance.now();
    let sent = 0;
    this.#timers.push(
      setInterval(() => {
        for (; sent * 20 <= performance.now() - startMs - 20; sent++) this.#speak(startMs + sent * 20);
      }, 5),
      setInterval(() => this.#report(), REPORT_MS),
      setInterval(() => this.#sendPose(), 33),
    );
  }

  /** Says it as soon as what was said before is over; returns when its first sample goes into the microphone. */
  say(samples: Int16Array): number {
    const waiting = this.#queue.reduce((sum, piece) => sum + piece.length, 0);
    this.#queue.push(samples);
    return performance.now() + (waiting * 1_000) / RATE;
  }

  get isSpeaking(): boolean {
    return this.#queue.length > 0;
  }

  /** Gain of the speaker, decibels. */
  get gainDb(): number {
    return this.#gainDb;
  }

  async until(fits: (heard: Heard) => boolean, timeoutMs = 10_000, from = 0): Promise<Heard> {
    const timer = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const found = this.heard.slice(from).find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve, reject) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          timer.removeEventListener("abort", late);
          resolve();
        };
        const late = (): void => {
          this.#waiting.delete(wake);
          const last = this.heard.slice(-6).map(({ message }) => JSON.stringify(message).slice(0, 160));
          reject(new Error(`waited too long; last: ${last.join("\n")}`));
        };
        this.#waiting.add(wake);
        timer.addEventListener("abort", late, { once: true });
      });
    }
  }

  /** What sounds from the speaker during 20 ms from `atMs`, at 16 kHz, by nearest sample: enough for an echo. */
  playing(atMs: number, count = PACKET): Int16Array {
    const out = new Int16Array(count);
    const gain = 10 ** (this.#gainDb / 20);
    for (const item of this.items) {
      if (item.stoppedMs !== undefined && atMs >= item.stoppedMs) continue;
      const pieces = this.sound.get(item.itemId) ?? [];
      const whole = pieces.length === 1 ? (pieces[0] as Int16Array) : joinPieces(pieces);
      if (pieces.length > 1) this.sound.set(item.itemId, [whole]);
      for (let i = 0; i < count; i++) {
        const at = Math.round(((atMs - item.startMs) / 1_000) * DOWN_RATE + (i * DOWN_RATE) / RATE);
        if (at >= 0 && at < whole.length)
          out[i] = Math.max(-32_768, Math.min(32_767, (out[i] as number) + gain * (whole[at] as number)));
      }
    }
    return out;
  }

  /** Text of the answers so far. */
  text(): string {
    return this.heard.map(({ message }) => (message.type === "text.delta" ? message.text : "")).join("");
  }

  /** Milliseconds of the item that have left the speaker. */
  playedMs(itemId: string): number {
    const item = this.items.find((entry) => entry.itemId === itemId);
    if (item === undefined) return 0;
    const untilMs = item.stoppedMs ?? performance.now();
    return Math.max(0, Math.min(untilMs - item.startMs, (item.samples * 1_000) / DOWN_RATE));
  }

  drop(): void {
    this.#stop();
    this.socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    if (this.socket.readyState === this.socket.CLOSED) return;
    const closed = new Promise<void>((resolve) => this.socket.once("close", () => resolve()));
    this.socket.close(1000);
    await closed;
  }

  #stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.length = 0;
  }

  #speak(atMs: number): void {
    const samples = new Int16Array(PACKET);
    for (let i = 0; i < PACKET; i++) samples[i] = Math.round((Math.random() - 0.5) * 24);
    let filled = 0;
    while (filled < PACKET && this.#queue.length > 0) {
      const piece = this.#queue[0] as Int16Array;
      const count = Math.min(piece.length, PACKET - filled);
      for (let i = 0; i < count; i++) samples[filled + i] = piece[i] as number;
      filled += count;
      if (count === piece.length) this.#queue.shift();
      else this.#queue[0] = piece.subarray(count);
    }
    const mixed = this.mix?.(samples, atMs) ?? samples;
    const payload = this.encode?.(mixed) ?? new Uint8Array(mixed.buffer, mixed.byteOffset, mixed.byteLength);
    const packet = {
      codec: this.encode === undefined ? ("pcm16-16k" as const) : ("opus" as const),
      streamId: 1,
      seq: this.#micSeq++ & 0xffff,
      epoch: 0,
      t0: atMs,
      payload,
    };
    if (this.socket.readyState === this.socket.OPEN) this.socket.send(encodeAudioPacket(packet, "up"));
  }

  #sendPose(): void {
    if (this.pose === undefined || this.socket.readyState !== this.socket.OPEN) return;
    const sample = createPoseSample();
    sample.t = performance.now();
    sample.seq = this.#poseSeq++ & 0xffff;
    sample.viewer.set([0, 1.6, 0, 0, 0, 0, 1]);
    this.pose(sample);
    const bytes = new Uint8Array(1_024);
    const size = encodePosePacket(sample, this.#table, bytes);
    if (typeof size === "number") this.socket.send(bytes.subarray(0, size));
  }

  #report(): void {
    const item = this.items.at(-1);
    if (item === undefined || !this.reportsPlayback) return;
    const playedMs = this.playedMs(item.itemId);
    if (playedMs > 0) this.send({ type: "playback", itemId: item.itemId, playedMs });
  }

  #text(data: Buffer): void {
    const parsed = parseServerMessage(data.toString());
    if (parsed.outcome !== "message") throw new Error(`unreadable: ${data.toString().slice(0, 200)}`);
    const { message } = parsed;
    const atMs = performance.now();
    this.heard.push({ atMs, message });
    if ("seq" in message) this.#lastSeq.set(message.turnId, message.seq);
    if (message.type === "done") this.#lastSeq.delete(message.turnId);
    if (message.type === "ping") this.send({ type: "pong", id: message.id, t1: atMs, t2: performance.now() });
    if (message.type === "welcome") this.#epoch = message.epoch;
    if (message.type === "duck" || message.type === "unduck") this.#gainDb = message.gainDb;
    if (message.type === "audio") {
      this.items.push({
        itemId: message.itemId ?? "",
        streamId: message.streamId,
        startMs: Infinity,
        samples: 0,
        stoppedMs: undefined,
      });
      this.#gainDb = 0;
    }
    if (message.type === "flush") {
      this.#epoch = message.epoch;
      for (const item of this.items) item.stoppedMs ??= atMs;
      this.#report();
    }
    this.#wake();
  }

  #packet(data: Buffer): void {
    const decoded = decodeAudioPacket(new Uint8Array(data), "down");
    if (decoded.outcome === "error") throw new Error(decoded.error.message);
    const { streamId, payload, epoch, codec, seq } = decoded.packet;
    const item = this.items.find((entry) => entry.streamId === streamId);
    if (item === undefined) throw new Error(`sound of stream ${streamId}, which no part announced`);
    if (epoch < (this.#epoch & 0xffff) || item.stoppedMs !== undefined) return;
    const samples =
      codec === "opus" ? (this.decode?.(payload, seq) ?? new Int16Array(0)) : new Int16Array(payload.slice().buffer);
    if (item.samples === 0) item.startMs = performance.now() + BUFFER_MS;
    const late = performance.now() - (item.startMs + (item.samples * 1_000) / DOWN_RATE);
    if (late > 0) item.startMs += late;
    item.samples += samples.length;
    const pieces = this.sound.get(item.itemId) ?? [];
    pieces.push(samples);
    this.sound.set(item.itemId, pieces);
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}

function joinPieces(pieces: readonly Int16Array[]): Int16Array {
  const out = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
