// Together's two sockets: recognition (`/v1/realtime`) and speech (`/v1/audio/speech/websocket`). Source: the vendor's
// pages as summarised in docs/spec/emulator.md; nothing was recorded from the real service.
import { objectOf, textOf, type Json } from "../json.ts";
import { Ear, spokenMs, voice } from "./sound.ts";
import type { RealtimeStage, RealtimeSurface } from "./stage.ts";

const RECOGNISER_HZ = 16_000;

export function togetherSocket(stage: RealtimeStage): RealtimeSurface {
  return stage.query.has("input_audio_format") ? new Recogniser(stage) : new Speaker(stage);
}

class Recogniser implements RealtimeSurface {
  readonly #stage: RealtimeStage;
  readonly #ear = new Ear(RECOGNISER_HZ);
  #detects = true;
  #bytes = 0;
  #spoken = 0;

  constructor(stage: RealtimeStage) {
    this.#stage = stage;
  }

  open(): void {
    this.#say("session.created", { session: { id: this.#stage.nextId("sess_"), model: this.#stage.model } });
  }

  closed(): void {}

  receive(text: string): void {
    const event = objectOf(parsed(text));
    if (event["type"] === "transcription_session.updated") {
      this.#detects = objectOf(event["session"])["turn_detection"] !== null;
    } else if (event["type"] === "input_audio_buffer.append") {
      const pcm = Buffer.from(textOf(event["audio"]), "base64");
      this.#bytes += pcm.length;
      const heard = this.#detects ? this.#ear.push(pcm, { prefixMs: 250, silenceMs: 500 }) : [];
      if (heard.some((item) => item.type === "stopped")) this.#complete();
    } else if (event["type"] === "input_audio_buffer.commit") this.#complete();
    else
      this.#say("error", {
        error: { type: "invalid_request_error", message: `unknown event ${String(event["type"])}` },
      });
  }

  #complete(): void {
    const ms = Math.round(this.#bytes / ((RECOGNISER_HZ / 1000) * 2));
    this.#bytes = 0;
    const text = this.#stage.rule.realtime?.hears?.[this.#spoken++] ?? `${ms} milliseconds of speech`;
    const item_id = this.#stage.nextId("item_");
    const name = "conversation.item.input_audio_transcription";
    this.#say(`${name}.delta`, { item_id, delta: text });
    this.#say(`${name}.completed`, { item_id, transcript: text });
  }

  #say(type: string, fields: Json): void {
    this.#stage.send({ type, event_id: this.#stage.nextId("event_"), ...fields });
  }
}

class Speaker implements RealtimeSurface {
  readonly #stage: RealtimeStage;
  #waiting = "";

  constructor(stage: RealtimeStage) {
    this.#stage = stage;
  }

  open(): void {
    this.#stage.send({
      type: "session.created",
      session: { id: this.#stage.nextId("sess_"), object: "realtime.tts.session" },
    });
  }

  closed(): void {}

  receive(text: string): void {
    const event = objectOf(parsed(text));
    if (event["type"] === "input_text_buffer.append") {
      const added = textOf(event["text"]);
      this.#waiting += added;
      this.#stage.send({ type: "conversation.item.input_text.received", text: added });
      // Whole sentences are spoken at once; the rest waits for more or for the commit.
      const end = /^[\s\S]*[.!?](?=\s|$)/.exec(this.#waiting)?.[0];
      if (end !== undefined) this.#speak(end);
    } else if (event["type"] === "input_text_buffer.clear") this.#waiting = "";
    else if (event["type"] === "input_text_buffer.commit") this.#speak(this.#waiting);
  }

  #speak(text: string): void {
    this.#waiting = this.#waiting.slice(text.length);
    const item_id = this.#stage.nextId("item_");
    const wholeMs = spokenMs(text.trim());
    for (let atMs = 0; atMs < wholeMs; atMs += 100) {
      const bytes = voice(Math.min(100, wholeMs - atMs), atMs);
      const delta = Buffer.from(bytes).toString("base64");
      this.#stage.send({ type: "conversation.item.audio_output.delta", item_id, delta });
    }
    this.#stage.send({ type: "conversation.item.audio_output.done", item_id });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
