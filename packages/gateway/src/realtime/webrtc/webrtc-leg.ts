// One WebRTC connection with a browser or a headset: Opus both ways and one data channel. The other side offers.
import type { Cancel, Clock } from "@fovea/core";
import { GatewayError } from "@fovea/core";
import {
  Application,
  createDecoder,
  createEncoder,
  type OpusDecoderHandle,
  type OpusEncoderHandle,
} from "libopus-wasm";
import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters, RtpHeader, RtpPacket } from "werift";
import { OpusSender, type SoundMark } from "./opus-sender.ts";
import { RtpOrder } from "./rtp-order.ts";

const HEARING_HZ = 16_000;
const SPEAKING_HZ = 24_000;
/** From the answer to a channel that is open. */
const CONNECT_MS = 20_000;
/** Networks change in less; then ICE finds another way or has failed. */
const LOST_MS = 15_000;
const CHANNEL_BYTES_MAX = 4 * 1024 * 1024;
const SDP_BYTES_MAX = 100_000;

export interface LegHost {
  opened(): void;
  text(text: string): void;
  audio(pcm: Int16Array, rateHz: number): void;
  started(responseId: string): void;
  stopped(responseId: string): void;
  played(mark: { readonly itemId: string; readonly epoch: number; readonly audioMs: number }): void;
  closed(): void;
}

type Channel = Parameters<Parameters<RTCPeerConnection["onDataChannel"]["subscribe"]>[0]>[0];

export class WebRtcLeg {
  readonly #clock: Clock;
  readonly #host: LegHost;
  readonly #peer: RTCPeerConnection;
  readonly #track = new MediaStreamTrack({ kind: "audio" });
  readonly #encoder: OpusEncoderHandle;
  readonly #decoder: OpusDecoderHandle;
  readonly #sender: OpusSender;
  readonly #order = new RtpOrder();
  readonly #cancels: Cancel[] = [];
  #cancelLost: Cancel | undefined;
  #channel: Channel | undefined;
  #sequence = 0;
  #isOver = false;

  private constructor(
    clock: Clock,
    host: LegHost,
    codecs: { readonly encoder: OpusEncoderHandle; readonly decoder: OpusDecoderHandle },
  ) {
    this.#clock = clock;
    this.#host = host;
    this.#encoder = codecs.encoder;
    this.#decoder = codecs.decoder;
    const opus = new RTCRtpCodecParameters({ mimeType: "audio/opus", clockRate: 48_000, channels: 2 });
    // Clients on the same machine may know it by loopback only.
    this.#peer = new RTCPeerConnection({
      codecs: { audio: [opus] },
      iceServers: [],
      iceAdditionalHostAddresses: ["127.0.0.1"],
    });
    this.#sender = new OpusSender(clock, {
      encode: (pcm) => this.#encoder.encode(pcm),
      packet: ({ payload, timestamp, marker }) => this.#sendRtp(payload, timestamp, marker),
      started: (id) => host.started(id),
      stopped: (id) => host.stopped(id),
      played: (mark) => host.played(mark),
    });
    this.#listen();
  }

  /** Throws `request_invalid` for an offer that cannot be answered. */
  static async answer(
    offer: string,
    clock: Clock,
    host: LegHost,
  ): Promise<{ readonly leg: WebRtcLeg; readonly sdp: string }> {
    if (!offer.startsWith("v=0") || !/\nm=/.test(offer) || offer.length > SDP_BYTES_MAX) {
      throw new GatewayError("request_invalid", "sdp: is not an SDP offer", { param: "sdp" });
    }
    const encoder = await createEncoder({
      sampleRate: SPEAKING_HZ,
      channels: 1,
      application: Application.Voip,
      bitrate: 32_000,
      fec: true,
      packetLossPercent: 5,
    });
    const decoder = await createDecoder({ sampleRate: HEARING_HZ, channels: 1 });
    const leg = new WebRtcLeg(clock, host, { encoder, decoder });
    try {
      await leg.#peer.setRemoteDescription({ type: "offer", sdp: offer });
      await leg.#peer.setLocalDescription(await leg.#peer.createAnswer());
    } catch {
      leg.close();
      throw new GatewayError("request_invalid", "sdp: the offer cannot be answered", { param: "sdp" });
    }
    const sdp = leg.#peer.localDescription?.sdp;
    if (sdp !== undefined) return { leg, sdp };
    leg.close();
    throw new GatewayError("request_invalid", "sdp: the offer has nothing to answer", { param: "sdp" });
  }

  send(text: string): void {
    const channel = this.#channel;
    if (this.#isOver || channel?.readyState !== "open") return;
    if (channel.bufferedAmount > CHANNEL_BYTES_MAX) this.close();
    else channel.send(text);
  }

  audio(pcm: Int16Array, rateHz: number, mark: SoundMark): void {
    if (!this.#isOver) this.#sender.push(pcm, rateHz, mark);
  }

  finish(): void {
    if (!this.#isOver) this.#sender.finish();
  }

  clear(): boolean {
    return this.#sender.clear();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancelLost?.();
    this.#sender.close();
    this.#track.stop();
    this.#encoder.free();
    this.#decoder.free();
    void this.#peer.close().catch(() => {});
    this.#host.closed();
  }

  #listen(): void {
    const peer = this.#peer;
    peer.addTransceiver(this.#track, { direction: "sendrecv" });
    this.#cancels.push(
      this.#clock.schedule(CONNECT_MS, () => {
        if (this.#channel?.readyState !== "open") this.close();
      }),
    );
    peer.connectionStateChange.subscribe((state) => {
      if (state === "failed" || state === "closed") this.close();
      else if (state === "disconnected") this.#cancelLost = this.#clock.schedule(LOST_MS, () => this.close());
      else if (state === "connected") this.#cancelLost?.();
    });
    peer.onTrack.subscribe((track) => {
      track.onReceiveRtp.subscribe((packet) => this.#hear(packet.header.sequenceNumber, packet.payload));
    });
    peer.onDataChannel.subscribe((channel) => {
      if (this.#channel !== undefined) return;
      this.#channel = channel;
      channel.onMessage.subscribe((data) => {
        if (!this.#isOver) this.#host.text(typeof data === "string" ? data : data.toString("utf8"));
      });
      channel.stateChanged.subscribe((state) => {
        if (state === "open") this.#host.opened();
        else if (state === "closed") this.close();
      });
      if (channel.readyState === "open") this.#host.opened();
    });
  }

  #hear(sequence: number, payload: Uint8Array): void {
    if (this.#isOver) return;
    for (const packet of this.#order.push(sequence, payload)) {
      let pcm: Int16Array;
      try {
        pcm =
          packet === "lost" ? this.#decoder.decodePacketLoss((HEARING_HZ / 1000) * 20) : this.#decoder.decode(packet);
      } catch {
        // What is no Opus is no sound; the stream goes on.
        continue;
      }
      if (pcm.length > 0) this.#host.audio(pcm, HEARING_HZ);
    }
  }

  #sendRtp(payload: Uint8Array, timestamp: number, marker: boolean): void {
    const [transceiver] = this.#peer.getTransceivers();
    const payloadType = transceiver?.codecs[0]?.payloadType;
    if (this.#isOver || payloadType === undefined) return;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const header = new RtpHeader({
      payloadType,
      sequenceNumber: this.#sequence,
      timestamp: timestamp >>> 0,
      ssrc: this.#track.ssrc ?? 1,
      marker,
    });
    this.#track.writeRtp(new RtpPacket(header, Buffer.from(payload)));
  }
}
