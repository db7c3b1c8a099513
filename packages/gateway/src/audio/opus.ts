// Opus both ways (libopus compiled to WebAssembly). An ear orders what arrives, conceals what was lost and drops what comes
// too late; a voice encodes 20 ms packets of speech that carry a copy of the one before, so that a single loss is repaired.
import { GatewayError } from "@fovea/core";
import type { OpusDecoderHandle, OpusEncoderHandle } from "libopus-wasm";
import { Application, createDecoder, createEncoder, Signal } from "libopus-wasm";

export const OPUS_EAR_RATE_HZ = 16_000;
export const OPUS_VOICE_RATE_HZ = 24_000;
const PACKET_MS = 20;
const EAR_SAMPLES = (OPUS_EAR_RATE_HZ * PACKET_MS) / 1_000;
/** Longer gaps are silence: nobody guesses 100 ms of speech well. */
const CONCEALED_MAX = 5;
const BITRATE = 24_000;

export interface HeardOpus {
  readonly samples: Int16Array;
  /** Of `samples`, how much was made up for lost packets: it stands before the rest. */
  readonly concealedMs: number;
}

/** Decodes one stream to mono PCM at 16 kHz. */
export class OpusEar {
  readonly #decoder: OpusDecoderHandle;
  #seq: number | undefined;
  #lost = 0;
  #late = 0;

  private constructor(decoder: OpusDecoderHandle) {
    this.#decoder = decoder;
  }

  static async open(): Promise<OpusEar> {
    return new OpusEar(await createDecoder({ sampleRate: OPUS_EAR_RATE_HZ, channels: 1 }));
  }

  get lost(): number {
    return this.#lost;
  }

  /** Packets that came after their successors, or twice. */
  get late(): number {
    return this.#late;
  }

  /** `seq` wraps at 65,536. Undefined for a packet that is too late. Throws `request_invalid` for what is not Opus. */
  decode(packet: Uint8Array, seq: number): HeardOpus | undefined {
    const step = this.#seq === undefined ? 1 : (seq - this.#seq) & 0xffff;
    if (step === 0 || step >= 0x8000) {
      this.#late++;
      return undefined;
    }
    const missing = step - 1;
    this.#lost += missing;
    const pieces: Int16Array[] = [];
    try {
      const concealed = missing > CONCEALED_MAX ? 0 : missing;
      for (let i = 0; i < concealed; i++) {
        // The packet that follows a gap carries its predecessor in small.
        const isLast = i === concealed - 1;
        pieces.push(
          isLast
            ? this.#decoder.decode(packet, { decodeFec: true, frameSize: EAR_SAMPLES })
            : this.#decoder.decodePacketLoss(EAR_SAMPLES),
        );
      }
      pieces.push(this.#decoder.decode(packet));
      this.#seq = seq;
      return { samples: joined(pieces), concealedMs: concealed * PACKET_MS };
    } catch (cause) {
      throw new GatewayError("request_invalid", "the payload is no Opus packet", { param: "payload" }, { cause });
    }
  }

  close(): void {
    this.#decoder.free();
  }
}

/** Encodes speech of 24 kHz in packets of 20 ms. */
export class OpusVoice {
  readonly #encoder: OpusEncoderHandle;

  private constructor(encoder: OpusEncoderHandle) {
    this.#encoder = encoder;
  }

  static async open(): Promise<OpusVoice> {
    const encoder = await createEncoder({
      sampleRate: OPUS_VOICE_RATE_HZ,
      channels: 1,
      application: Application.Voip,
      signal: Signal.Voice,
      bitrate: BITRATE,
      frameSize: (OPUS_VOICE_RATE_HZ * PACKET_MS) / 1_000,
      fec: true,
      packetLossPercent: 5,
    });
    return new OpusVoice(encoder);
  }

  /** A shorter last packet is filled with silence. */
  encode(samples: Int16Array): Uint8Array {
    const { frameSize } = this.#encoder;
    if (samples.length === frameSize) return this.#encoder.encode(samples);
    const whole = new Int16Array(frameSize);
    whole.set(samples.subarray(0, frameSize));
    return this.#encoder.encode(whole);
  }

  close(): void {
    this.#encoder.free();
  }
}

function joined(pieces: readonly Int16Array[]): Int16Array {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const out = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
