// The user's voice on its way to the gateway: an audio worklet hands over 20 ms of 16 kHz sound at a time, each packet says
// when its first sample was taken, on the same clock as the poses, so that words and looks can be put together.
import type { MicStateMessage } from "@fovea/protocol";
import { encodeAudioPacket } from "@fovea/protocol";
import { FoveaError } from "../gateway-connection.ts";
import type { ClientClock } from "../platform/client-clock.ts";

export interface MicrophoneOptions {
  /** One of `enumerateDevices()`; the browser's choice where absent. */
  readonly deviceId?: string;
  /** The browser's own processing; echo cancellation and gain on, noise suppression off unless told. */
  readonly echoCancellation?: boolean;
  readonly noiseSuppression?: boolean;
  readonly autoGainControl?: boolean;
}

export interface MicrophoneParts {
  readonly clock: ClientClock;
  /** What the user agreed to, and what of it holds at the gateway by now. */
  readonly isAgreed: () => boolean;
  readonly mayHear: () => boolean;
  readonly send: (packet: Uint8Array<ArrayBuffer>) => void;
  readonly tell: (state: Omit<MicStateMessage, "type">) => void;
  /** Decibels of full scale, ten times a second. */
  readonly onLevel: (levelDb: number) => void;
  readonly onEnd: () => void;
}

const RATE_HZ = 16_000;
const PACKET_SAMPLES = 320;
const PACKET_MS = 20;
const LEVEL_PACKETS = 5;
/** Every packet of the microphone, and the questions that are asked by it. */
export const MICROPHONE_STREAM = 1;
const SILENCE_DB = -96;
/** The delay between capture and this code varies upwards; the least of the last packets is the truth. */
const OFFSETS_KEPT = 100;

/** Runs in the audio thread: collects the 128 samples of each call into packets of 16 bit. */
const WORKLET = `class FoveaMicrophone extends AudioWorkletProcessor{
constructor(){super();this.at=0;this.packet=new Int16Array(${PACKET_SAMPLES})}
process([[samples]]){if(!samples)return true;
for(let i=0;i<samples.length;i++){const s=Math.max(-1,Math.min(1,samples[i]));this.packet[this.at++]=s<0?s*32768:s*32767;
if(this.at===${PACKET_SAMPLES}){const endS=currentTime+(i+1)/sampleRate;this.port.postMessage({endS,packet:this.packet},[this.packet.buffer]);this.packet=new Int16Array(${PACKET_SAMPLES});this.at=0}}
return true}}
registerProcessor("fovea-microphone",FoveaMicrophone);`;

interface Running {
  readonly context: AudioContext;
  readonly stream: MediaStream;
}

/** Names of `getUserMedia`'s failures, as the SDK's codes. */
const FAILURES: Readonly<Record<string, readonly [code: string, message: string]>> = {
  NotAllowedError: ["microphone_denied", "The user or the browser does not allow the microphone."],
  SecurityError: ["microphone_denied", "This page may not use the microphone."],
  NotFoundError: ["microphone_missing", "There is no microphone."],
  OverconstrainedError: ["microphone_missing", "There is no such microphone."],
  NotReadableError: ["microphone_busy", "The microphone is in use elsewhere."],
};

export class Microphone {
  readonly #parts: MicrophoneParts;
  #running: Running | undefined;
  #starting: Promise<void> | undefined;
  #isMuted = false;
  #seq = 0;
  #offsets: number[] = [];
  #levelSum = 0;
  #levelPackets = 0;

  constructor(parts: MicrophoneParts) {
    this.#parts = parts;
  }

  get isOn(): boolean {
    return this.#running !== undefined;
  }

  get isMuted(): boolean {
    return this.#isMuted;
  }

  /**
   * Opens the microphone, best from a touch of the user: browsers ask for permission then. Rejects with a `FoveaError`:
   * `consent_missing`, `microphone_denied`, `microphone_missing`, `microphone_busy`, `microphone_unavailable`.
   */
  start(options: MicrophoneOptions = {}): Promise<void> {
    if (this.#running !== undefined) return Promise.resolve();
    this.#starting ??= this.#start(options).finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  stop(): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    for (const track of running.stream.getTracks()) track.stop();
    void running.context.close();
    this.#tell(true);
    this.#parts.onEnd();
  }

  /** Nothing leaves while muted; the permission is kept. */
  mute(isMuted: boolean): void {
    if (this.#isMuted === isMuted) return;
    this.#isMuted = isMuted;
    if (this.isOn) this.#tell(isMuted);
  }

  /** After a reconnect the gateway has to be told again. */
  resend(): void {
    if (this.isOn) this.#tell(this.#isMuted);
  }

  async #start({ deviceId, echoCancellation, noiseSuppression, autoGainControl }: MicrophoneOptions): Promise<void> {
    if (!this.#parts.isAgreed()) {
      throw new FoveaError("consent_missing", "Set `consent.audio` before the microphone is started.");
    }
    const devices = globalThis.navigator?.mediaDevices;
    if (devices?.getUserMedia === undefined || typeof AudioWorkletNode === "undefined") {
      throw new FoveaError("microphone_unavailable", "This page has no microphone: it needs https or localhost.");
    }
    const audio: MediaTrackConstraints = {
      channelCount: 1,
      echoCancellation: echoCancellation ?? true,
      noiseSuppression: noiseSuppression ?? false,
      autoGainControl: autoGainControl ?? true,
      ...(deviceId === undefined ? {} : { deviceId: { exact: deviceId } }),
    };
    const stream = await devices.getUserMedia({ audio }).catch((error: unknown) => {
      const [code, message] = FAILURES[error instanceof Error ? error.name : ""] ?? [
        "microphone_unavailable",
        String(error),
      ];
      throw new FoveaError(code, message);
    });
    const context = new AudioContext({ sampleRate: RATE_HZ, latencyHint: "interactive" });
    try {
      await addWorklet(context);
      const node = new AudioWorkletNode(context, "fovea-microphone", { numberOfOutputs: 0 });
      const latencyMs =
        ((stream.getAudioTracks()[0]?.getSettings() as { latency?: number } | undefined)?.latency ?? 0) * 1_000;
      node.port.onmessage = ({ data }: MessageEvent<{ endS: number; packet: Int16Array<ArrayBuffer> }>) =>
        this.#packet(data.packet, data.endS * 1_000, latencyMs);
      context.createMediaStreamSource(stream).connect(node);
      await context.resume();
    } catch (error) {
      for (const track of stream.getTracks()) track.stop();
      void context.close();
      throw new FoveaError("microphone_unavailable", String(error));
    }
    // Unplugged, or the permission was withdrawn.
    stream.getAudioTracks()[0]?.addEventListener("ended", () => this.stop());
    this.#running = { context, stream };
    this.#offsets = [];
    this.#tell(this.#isMuted);
  }

  #packet(samples: Int16Array<ArrayBuffer>, endMs: number, latencyMs: number): void {
    if (this.#running === undefined) return;
    this.#measure(samples);
    this.#offsets.push(this.#parts.clock.nowMs() - endMs);
    if (this.#offsets.length > OFFSETS_KEPT) this.#offsets.shift();
    if (this.#isMuted || !this.#parts.mayHear()) return;
    const t0 = endMs + Math.min(...this.#offsets) - PACKET_MS - latencyMs;
    const payload = new Uint8Array(samples.buffer);
    const packet = { codec: "pcm16-16k" as const, streamId: MICROPHONE_STREAM, seq: this.#seq, epoch: 0, t0, payload };
    this.#seq = (this.#seq + 1) & 0xffff;
    this.#parts.send(encodeAudioPacket(packet, "up") as Uint8Array<ArrayBuffer>);
  }

  #measure(samples: Int16Array): void {
    for (const sample of samples) this.#levelSum += sample * sample;
    if (++this.#levelPackets < LEVEL_PACKETS) return;
    const mean = this.#levelSum / (LEVEL_PACKETS * PACKET_SAMPLES);
    this.#levelSum = 0;
    this.#levelPackets = 0;
    this.#parts.onLevel(
      mean === 0 ? SILENCE_DB : Math.max(SILENCE_DB, 10 * Math.log10(mean) - 20 * Math.log10(32_768)),
    );
  }

  #tell(muted: boolean): void {
    const settings = this.#running?.stream.getAudioTracks()[0]?.getSettings() ?? {};
    const { echoCancellation, noiseSuppression, autoGainControl } = settings;
    this.#parts.tell({
      muted,
      streamId: MICROPHONE_STREAM,
      ...(typeof echoCancellation === "boolean" ? { echoCancellation } : {}),
      ...(noiseSuppression === undefined ? {} : { noiseSuppression }),
      ...(autoGainControl === undefined ? {} : { autoGainControl }),
    });
  }
}

async function addWorklet(context: AudioContext): Promise<void> {
  const url = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
  try {
    await context.audioWorklet.addModule(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}
