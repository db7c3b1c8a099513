import type { AudioPacket, PlaybackMessage, ServerPart } from "@fovea/protocol";
import type { CancelTask, ClientClock } from "../platform/client-clock.ts";
import type { SoundStage } from "./sound-stage.ts";
import { Upsampler } from "./upsampler.ts";

type AudioPart = Extract<ServerPart, { type: "audio" }>;

/** What is queued at once: half a minute. The gateway sends no faster than it is told of playback. */
const QUEUED_S_MAX = 30;
/** Before the first sample and after a gap: what packets may be late. */
const LEAD_S = 0.06;
const REPORT_EVERY_MS = 200;
const FADE_S = 0.012;
const ITEMS_KEPT = 64;
const RATES = { "pcm16-16k": 16_000, "pcm16-24k": 24_000 } as const;

interface Stream {
  readonly part: AudioPart;
  readonly itemId: string;
  readonly upsampler: Upsampler;
  readonly gain: GainNode;
  readonly end: () => void;
}

/** A piece of an item in the time of the audio context. */
interface Segment {
  readonly source: AudioBufferSourceNode;
  readonly stream: Stream;
  readonly item: Item;
  readonly startS: number;
  readonly durationS: number;
  /** Where in the item it lies. */
  readonly offsetMs: number;
}

interface Item {
  readonly id: string;
  queuedMs: number;
  playedMs: number;
  /** Where in the time of the context the item lies: one entry, and one more after each gap. */
  readonly runs: { readonly offsetMs: number; readonly startS: number }[];
}

export interface SpeechPlayerParts {
  readonly clock: ClientClock;
  readonly stage: SoundStage;
  readonly report: (playback: Omit<PlaybackMessage, "type">) => void;
  /** An item has got its place in time, or lost it: cues and captions look again. */
  readonly onChange: () => void;
}

/** Plays the gateway's speech in order, knows when each word sounds, and stops within one fade when it is flushed. */
export class SpeechPlayer {
  readonly #parts: SpeechPlayerParts;
  readonly #streams = new Map<number, Stream>();
  /** Of ids that name another stream by now. */
  readonly #retired = new Set<Stream | undefined>();
  readonly #items = new Map<string, Item>();
  #segments: Segment[] = [];
  #duckDb = 0;
  #nextS = 0;
  #cancelReport: CancelTask | undefined;

  constructor(parts: SpeechPlayerParts) {
    this.#parts = parts;
  }

  get isPlaying(): boolean {
    return this.#segments.length > 0;
  }

  /** False where nothing will sound: captions have to do. */
  open(part: AudioPart): boolean {
    const context = this.#parts.stage.running();
    if (context === undefined || part.codec === "opus") return false;
    const placed = this.#parts.stage.place(context, part.at, part.occlusion);
    const gain = context.createGain();
    gain.gain.value = factorOf(part.gainDb + this.#duckDb);
    gain.connect(placed.input);
    const end = (): void => {
      gain.disconnect();
      placed.end();
    };
    // What the id named before may still sound: it ends with its last segment.
    this.#retired.add(this.#streams.get(part.streamId));
    const itemId = part.itemId ?? `${part.turnId}/${part.streamId}`;
    const upsampler = new Upsampler(RATES[part.codec], context.sampleRate);
    this.#streams.set(part.streamId, { part, itemId, upsampler, gain, end });
    return true;
  }

  /** The payload may be a view on the socket's buffer: nothing of it is kept. */
  push(packet: AudioPacket): void {
    const stream = this.#streams.get(packet.streamId);
    const context = this.#parts.stage.running();
    if (stream === undefined || context === undefined || stream.part.codec !== packet.codec) return;
    const samples = stream.upsampler.process(pcm16(packet.payload));
    if (samples.length === 0) return;
    const item = this.#itemOf(stream.itemId);
    const startS = Math.max(this.#nextS, context.currentTime + (this.isPlaying ? 0 : LEAD_S));
    if (startS - context.currentTime > QUEUED_S_MAX) return;
    const buffer = context.createBuffer(1, samples.length, context.sampleRate);
    buffer.copyToChannel(samples as Float32Array<ArrayBuffer>, 0);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(stream.gain);
    const segment: Segment = { source, stream, item, startS, durationS: buffer.duration, offsetMs: item.queuedMs };
    source.onended = () => this.#ended(segment);
    source.start(startS);
    const isGap = startS !== this.#nextS || item.runs.length === 0;
    if (isGap) item.runs.push({ offsetMs: item.queuedMs, startS });
    item.queuedMs += buffer.duration * 1_000;
    this.#nextS = startS + buffer.duration;
    this.#segments.push(segment);
    if (isGap) this.#parts.onChange();
    this.#keepReporting();
  }

  /**
   * The page's time at which `atMs` of an item is heard, now or earlier. What is not queued yet is taken to follow without
   * a gap. Undefined while nothing of the item is queued.
   */
  whenHeard(itemId: string, atMs: number): number | undefined {
    const context = this.#parts.stage.running();
    const item = this.#items.get(itemId);
    const run = item?.runs.findLast(({ offsetMs }) => offsetMs <= atMs);
    if (context === undefined || item === undefined || run === undefined) return undefined;
    const heardS = run.startS + (atMs - run.offsetMs) / 1_000;
    return this.#parts.clock.nowMs() + (heardS - context.currentTime + latencyOf(context)) * 1_000;
  }

  duck(gainDb: number, rampMs: number): void {
    this.#duckDb = gainDb;
    const context = this.#parts.stage.running();
    if (context === undefined) return;
    for (const { gain, part } of this.#sounding()) ramp(context, gain, factorOf(part.gainDb + gainDb), rampMs / 1_000);
  }

  /** Silence within 12 ms, and the truth about what was heard. */
  flush(): void {
    const context = this.#parts.stage.running();
    this.#cancelReport?.();
    this.#cancelReport = undefined;
    const items = this.#heard();
    const streams = this.#sounding();
    if (context !== undefined) for (const { gain } of streams) ramp(context, gain, 0, FADE_S);
    for (const { source } of this.#segments.splice(0)) {
      source.onended = null;
      source.stop(context === undefined ? 0 : context.currentTime + FADE_S);
    }
    this.#streams.clear();
    this.#retired.clear();
    if (streams.length > 0) {
      // After the fade: what is taken down at once clicks.
      this.#parts.clock.schedule(FADE_S * 1_000 + 20, () => {
        for (const { end } of streams) end();
      });
    }
    this.#nextS = 0;
    this.#duckDb = 0;
    for (const item of items) this.#report(item, 0);
    for (const { id } of items) this.#items.delete(id);
    this.#parts.onChange();
  }

  /** Tells where the player stands, now: after a reconnect the gateway sends again what got lost. */
  reportNow(): void {
    for (const item of this.#heard()) this.#report(item, Math.max(0, item.queuedMs - item.playedMs));
  }

  close(): void {
    this.flush();
    this.#items.clear();
  }

  #sounding(): readonly Stream[] {
    return [...new Set([...this.#streams.values(), ...this.#retired])].filter((stream) => stream !== undefined);
  }

  #ended(segment: Segment): void {
    segment.item.playedMs = Math.max(segment.item.playedMs, segment.offsetMs + segment.durationS * 1_000);
    this.#segments = this.#segments.filter((other) => other !== segment);
    const { stream } = segment;
    if (this.#retired.has(stream) && !this.#segments.some((other) => other.stream === stream)) {
      this.#retired.delete(stream);
      stream.end();
    }
    if (this.#segments.some(({ item }) => item === segment.item)) return;
    this.#report(segment.item, 0);
    if (this.#segments.length > 0) return;
    this.#cancelReport?.();
    this.#cancelReport = undefined;
    this.#nextS = 0;
  }

  #itemOf(id: string): Item {
    const known = this.#items.get(id);
    if (known !== undefined) return known;
    const item = { id, queuedMs: 0, playedMs: 0, runs: [] };
    this.#items.set(id, item);
    for (const oldest of this.#items.keys()) {
      if (this.#items.size <= ITEMS_KEPT) break;
      this.#items.delete(oldest);
    }
    return item;
  }

  #keepReporting(): void {
    this.#cancelReport ??= this.#parts.clock.schedule(REPORT_EVERY_MS, () => {
      this.#cancelReport = undefined;
      for (const item of this.#heard()) this.#report(item, Math.max(0, item.queuedMs - item.playedMs));
      if (this.isPlaying) this.#keepReporting();
    });
  }

  /** Items that sound or wait, with `playedMs` brought up to date: what has left the loudspeaker, not the queue. */
  #heard(): readonly Item[] {
    const context = this.#parts.stage.running();
    const nowS = context === undefined ? 0 : context.currentTime - latencyOf(context);
    const items = new Set<Item>();
    for (const { item, startS, durationS, offsetMs } of this.#segments) {
      const heardS = Math.min(durationS, nowS - startS);
      if (heardS > 0) item.playedMs = Math.max(item.playedMs, offsetMs + heardS * 1_000);
      items.add(item);
    }
    return [...items];
  }

  #report({ id, playedMs }: Item, bufferedMs: number): void {
    const context = this.#parts.stage.running();
    const latency = context === undefined ? {} : { outputLatencyMs: Math.round(latencyOf(context) * 1_000) };
    this.#parts.report({ itemId: id, playedMs: Math.round(playedMs), bufferedMs: Math.round(bufferedMs), ...latency });
  }
}

function factorOf(db: number): number {
  return 10 ** (db / 20);
}

function ramp(context: AudioContext, { gain }: GainNode, to: number, seconds: number): void {
  gain.cancelScheduledValues(context.currentTime);
  gain.setValueAtTime(gain.value, context.currentTime);
  gain.linearRampToValueAtTime(to, context.currentTime + seconds);
}

/** Between the context's clock and the ear, as far as the browser knows. */
function latencyOf(context: AudioContext): number {
  return (context.outputLatency || 0) + (context.baseLatency || 0);
}

/** Payloads lie anywhere in their packet; samples need an even address. */
function pcm16(bytes: Uint8Array): Int16Array {
  const length = bytes.length - (bytes.length % 2);
  return new Int16Array(bytes.slice(0, length).buffer);
}
