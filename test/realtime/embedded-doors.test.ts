// Rule RT3 of docs/spec/realtime.md: no key, no network, nothing but programs of the machine. flite speaks the user, pocketsphinx
// hears, the room's geometry answers, espeak-ng or flite speaks.
import assert from "node:assert/strict";
import test from "node:test";
import { Resampler } from "@fovea/core";
import { sceneNode } from "@fovea/core/testing";
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { noSpeech, spoken } from "../voice/spoken.ts";
import { startDoorGateway } from "./door-gateway.ts";
import { inRealTime, Seen, tlsFront } from "./realtime-clients.ts";

interface Event {
  readonly type: string;
  readonly [name: string]: unknown;
}

test(
  "[RT3] the official openai client asks aloud about a room and is answered aloud, without any vendor",
  { skip: noSpeech },
  async () => {
    await using gateway = await startDoorGateway({ hasSpeech: true });
    await using front = await tlsFront(gateway.port);
    const client = new OpenAI({ apiKey: "unused", baseURL: `https://localhost:${front.port}/v1` });
    const socket = new OpenAIRealtimeWS({ model: "auto", options: { rejectUnauthorized: false } }, client);
    const seen = new Seen<Event>();
    socket.on("event", (event) => seen.push(event as unknown as Event));
    socket.on("error", () => {});
    await seen.until("session.created");
    const send = (event: object): void => socket.send(event as never);
    send({
      type: "session.update",
      session: { type: "realtime", audio: { input: { transcription: { model: "auto" } } } },
    });
    send({ type: "fovea.xr", message: { type: "pose", viewer: [0, 1.6, 0, 0, 0, 0, 1] } });
    const pump = sceneNode("pump-1", [0, 1.5, -2], { semanticLabel: "pump", name: "pump" });
    send({
      type: "fovea.xr",
      message: { type: "scene.update", frame: "local-floor", full: true, add: [pump], update: [], remove: [] },
    });
    await seen.until("fovea.xr.taken", 2);
    const up = new Resampler({ fromHz: 16_000, toHz: 24_000 });
    const pcm = up.process(await spoken("what am i looking at"));
    const append = (bytes: Uint8Array): void =>
      send({ type: "input_audio_buffer.append", audio: Buffer.from(bytes).toString("base64") });
    const bytes = new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
    await inRealTime([bytes, new Uint8Array(48 * 1_500)], append);
    const done = await seen.until("response.done", undefined, 15_000);
    const transcript = seen.take("conversation.item.input_audio_transcription.completed")[0];
    assert.match(String(transcript?.["transcript"]), /what am i looking at/i);
    assert.match(JSON.stringify(done), /pump/);
    const sounded = seen
      .take("response.output_audio.delta")
      .reduce((sum, event) => sum + Buffer.from(String(event["delta"]), "base64").length, 0);
    assert.ok(sounded > 24_000, `${sounded} bytes of speech`);
    socket.close();
  },
);
