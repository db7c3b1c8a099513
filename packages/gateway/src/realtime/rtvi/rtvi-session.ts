// One session of a Pipecat client (RTVI 2.1): JSON messages and sound in protobuf envelopes. Its player cannot be emptied,
// so sound leaves with a small lead only: that lead is the longest tail after an interruption.
import type { Cancel, Principal } from "@fovea/core";
import type { DoorPort, DoorSession } from "../doors/door-socket.ts";
import {
  base64At,
  bytesOfSamples,
  EventError,
  isObject,
  listAt,
  numberAt,
  objectAt,
  optionalObject,
  optionalText,
  parseEvent,
  samplesOf,
  textAt,
  type Json,
} from "../doors/json-event.ts";
import { openSession, type SessionParts } from "../doors/open-session.ts";
import { XRExtension } from "../doors/xr-extension.ts";
import { toolsOf } from "../openai/session-object.ts";
import type { VoiceHandle, VoiceSettings } from "../voice/voice-port.ts";
import { decodeFrame, encodeAudio, encodeMessage } from "./frame-codec.ts";
import { RtviOutput } from "./rtvi-output.ts";

const VERSION = "2.1.0";
const OUTPUT_HZ = 24_000;
/** What has been sent plays to its end whatever happens. */
const LEAD_MS = 100;
const READY_MS = 30_000;
const AUDIO_BYTES_MAX = 4 * 1024 * 1024;
/** The client asks for its own answer within ten seconds. */
const SPOKEN_BUTTONS_MAX = 64;

type Handler = (voice: VoiceHandle, data: Json, id: string) => void;

export class RtviSession implements DoorSession {
  readonly #port: DoorPort;
  readonly #parts: SessionParts;
  readonly #voice: VoiceHandle;
  readonly #output: RtviOutput;
  readonly #xr: XRExtension;
  readonly #cancelReady: Cancel;
  #isReady = false;
  #isOver = false;

  constructor(
    parts: SessionParts,
    port: DoorPort,
    asked: { readonly principal: Principal; readonly model: string; readonly settings: Partial<VoiceSettings> },
  ) {
    this.#parts = parts;
    this.#port = port;
    const { principal, model } = asked;
    this.#xr = new XRExtension(parts.clock, principal);
    this.#output = new RtviOutput({
      clock: parts.clock,
      userId: principal.userId,
      send: (type, data) => this.#send(type, data),
      sound: (pcm) => this.#sendBytes(encodeAudio(bytesOfSamples(pcm), OUTPUT_HZ)),
      // After what is being done now: the conversation closes the turn first.
      goOn: () => void Promise.resolve().then(() => this.#voice.createResponse()),
    });
    this.#voice = openSession(parts, {
      principal,
      output: this.#output.port,
      context: () => this.#xr.context(),
      settings: {
        ...asked.settings,
        model,
        outputRateHz: OUTPUT_HZ,
        leadMs: LEAD_MS,
        playback: "estimated",
        cancelsEcho: false,
      },
    });
    this.#cancelReady = parts.clock.schedule(READY_MS, () => {
      if (!this.#isReady) port.close(1008, "client-ready did not come in time");
    });
  }

  text(text: string): void {
    this.#guard(() => this.#message(text));
  }

  binary(bytes: Uint8Array): void {
    this.#guard(() => {
      const frame = decodeFrame(bytes);
      if (frame.kind === "message") this.#message(frame.text);
      else if (frame.kind === "audio") this.#sound(frame.pcm, frame.sampleRateHz, frame.channels);
    });
  }

  closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelReady();
    this.#output.close();
    this.#voice.close();
  }

  #guard(run: () => void): void {
    if (this.#isOver) return;
    try {
      run();
    } catch (error) {
      const known = EventError.from(error);
      if (known === undefined) throw error;
      this.#sendError(known);
    }
  }

  /** The server of the protocol writes `error`, the client's type says `message`. */
  #sendError(error: EventError): void {
    const text = error.param === undefined ? error.message : `${error.param}: ${error.message}`;
    this.#send("error", { error: text, message: text, fatal: false });
  }

  #send(type: string, data: Json | undefined, id?: string): void {
    const envelope = {
      label: "rtvi-ai",
      type,
      id: id ?? this.#parts.ids.next("rtvi"),
      ...(data === undefined ? {} : { data }),
    };
    this.#sendBytes(encodeMessage(JSON.stringify(envelope)));
  }

  #sendBytes(bytes: Uint8Array): void {
    if (!this.#isOver) this.#port.send(bytes);
  }

  #message(text: string): void {
    const message = parseEvent(text);
    if (message["label"] !== "rtvi-ai") throw new EventError("invalid_message", "'label' must be 'rtvi-ai'.", "label");
    const type = textAt(message["type"], "type");
    const id = optionalText(message["id"], "id") ?? "";
    const data = message["data"] === undefined || message["data"] === null ? {} : objectAt(message["data"], "data");
    const handler = Object.hasOwn(HANDLERS, type) ? this.#handlers[type] : undefined;
    if (handler === undefined) {
      this.#send("error-response", { error: `Unsupported type ${type.slice(0, 80)}` }, id);
      return;
    }
    try {
      handler(this.#voice, data, id);
    } catch (error) {
      const known = EventError.from(error);
      if (known === undefined) throw error;
      this.#send(
        "error-response",
        { error: known.param === undefined ? known.message : `${known.param}: ${known.message}` },
        id,
      );
    }
  }

  readonly #handlers: Readonly<Record<string, Handler>> = {
    "client-ready": (_voice, data, id) => this.#ready(data, id),
    "disconnect-bot": () => this.#port.close(1000, "the client has asked for it"),
    "client-message": (_voice, data, id) => this.#request(data, id),
    "send-text": (voice, data) => this.#sendText(voice, data),
    "append-to-context": (voice, data) => this.#append(voice, data),
    dtmf: (voice, data) => this.#buttons(voice, data),
    "llm-function-call-result": (voice, data) => this.#callResult(voice, data),
    "raw-audio": (_voice, data) => this.#rawAudio([data["base64Audio"]], data),
    "raw-audio-batch": (_voice, data) =>
      this.#rawAudio(listAt(data["base64AudioBatch"], "data.base64AudioBatch", 256), data),
    "scene-snapshot": (_voice, data) =>
      this.#xr.take(
        { type: "scene.update", frame: "local-floor", full: true, update: [], remove: [], ...data },
        "data",
      ),
    "fovea-xr": (_voice, data) => this.#xr.take(data, "data"),
    "ui-event": () => {},
    "ui-snapshot": () => {},
    "ui-cancel-job-group": () => {},
  };

  #ready(data: Json, id: string): void {
    const version = optionalText(data["version"], "data.version") ?? VERSION;
    const [major, ...rest] = version.split(".").map(Number);
    const isKnown = rest.length === 2 && rest.every(Number.isInteger) && (major === 1 || major === 2);
    // Told, and the connection goes on: other versions differ in what they show, not in what they need.
    if (!isKnown)
      this.#send(
        "error-response",
        { error: `version ${version.slice(0, 40)} is not served; 1.x and ${VERSION} are` },
        id,
      );
    this.#isReady = true;
    this.#cancelReady();
    this.#send("bot-ready", { version: VERSION, about: { library: "fovea" } }, id);
  }

  #request(data: Json, id: string): void {
    const kind = textAt(data["t"], "data.t");
    if (kind === "fovea.configure") {
      this.#voice.update(configurationOf(optionalObject(data["d"], "data.d") ?? {}));
      this.#send("server-response", { t: kind, d: { configured: true } }, id);
      return;
    }
    if (kind === "fovea.xr") {
      this.#xr.take(data["d"], "data.d");
      this.#send("server-response", { t: kind, d: { taken: true } }, id);
      return;
    }
    this.#send(
      "error-response",
      { error: `there is no request ${kind.slice(0, 80)}; known: fovea.configure, fovea.xr` },
      id,
    );
  }

  #sendText(voice: VoiceHandle, data: Json): void {
    const text = textAt(data["content"], "data.content");
    const options = optionalObject(data["options"], "data.options") ?? {};
    this.#addUser(voice, text);
    if (options["run_immediately"] === false) return;
    this.#interrupt(voice);
    voice.createResponse(options["audio_response"] === false ? { speaks: false } : {});
  }

  #append(voice: VoiceHandle, data: Json): void {
    const text = textAt(data["content"], "data.content");
    const role = data["role"] === "assistant" ? "assistant" : "user";
    voice.addItem({ id: this.#parts.ids.next("item"), message: { role, content: [{ type: "text", text }] } });
    if (data["run_immediately"] !== true) return;
    this.#interrupt(voice);
    voice.createResponse();
  }

  #buttons(voice: VoiceHandle, data: Json): void {
    const buttons = Array.isArray(data["buttons"]) ? data["buttons"] : [data["button"]];
    const keys = buttons.map((button: unknown) => String(button)).join(" ");
    if (!/^[0-9*#A-D](?: [0-9*#A-D])*$/.test(keys) || buttons.length > SPOKEN_BUTTONS_MAX) {
      throw new EventError("invalid_value", "'data.buttons' holds keys of a telephone.", "data.buttons");
    }
    this.#addUser(voice, `[pressed ${keys}]`);
    this.#interrupt(voice);
    voice.createResponse();
  }

  #callResult(voice: VoiceHandle, data: Json): void {
    const callId = textAt(data["tool_call_id"], "data.tool_call_id");
    const result: unknown = data["result"];
    const text = typeof result === "string" ? result : JSON.stringify(result ?? null);
    if (!this.#output.answered(callId, result)) return;
    voice.toolResult(callId, text);
    if (this.#output.openCalls === 0 && !this.#output.isTurnOpen) voice.createResponse();
  }

  #rawAudio(pieces: readonly unknown[], data: Json): void {
    const rateHz = numberAt(data["sampleRate"], "data.sampleRate", 8_000, 48_000);
    const channels = data["numChannels"] === undefined ? 1 : numberAt(data["numChannels"], "data.numChannels", 1, 2);
    for (const piece of pieces) this.#sound(base64At(piece, "data.base64Audio", AUDIO_BYTES_MAX), rateHz, channels);
  }

  #sound(bytes: Uint8Array, rateHz: number, channels: number): void {
    if (bytes.length % (2 * channels) !== 0 || rateHz < 8_000 || rateHz > 48_000 || channels < 1 || channels > 2) {
      throw new EventError("invalid_audio", "Sound is 16-bit, of one or two channels, at 8 to 48 kHz.");
    }
    const samples = samplesOf(bytes);
    this.#voice.pushAudio(channels === 1 ? samples : mono(samples), rateHz);
  }

  #interrupt(voice: VoiceHandle): void {
    if (this.#output.isTurnOpen || this.#output.isSpeaking) voice.cancel();
  }

  #addUser(voice: VoiceHandle, text: string): void {
    voice.addItem({ id: this.#parts.ids.next("item"), message: { role: "user", content: [{ type: "text", text }] } });
  }
}

/** Own names only: a type from outside must not reach a prototype. */
const HANDLERS: Readonly<Record<string, true>> = Object.fromEntries(
  "client-ready disconnect-bot client-message send-text append-to-context dtmf llm-function-call-result raw-audio raw-audio-batch scene-snapshot fovea-xr ui-event ui-snapshot ui-cancel-job-group"
    .split(" ")
    .map((name) => [name, true]),
);

function mono(samples: Int16Array): Int16Array {
  const mixed = new Int16Array(samples.length >> 1);
  for (let index = 0; index < mixed.length; index++) {
    mixed[index] = ((samples[2 * index] as number) + (samples[2 * index + 1] as number)) >> 1;
  }
  return mixed;
}

/** What an application may set from its page: the protocol itself leaves that to the bot. */
function configurationOf(data: Json): Partial<VoiceSettings> {
  const instructions = optionalText(data["instructions"], "data.d.instructions");
  const voice = optionalText(data["voice"], "data.d.voice");
  const language = optionalText(data["language"], "data.d.language");
  const tools =
    data["tools"] === undefined
      ? undefined
      : toolsOf(listAt(data["tools"], "data.d.tools", 128).map(asFunction), "data.d.tools");
  return {
    ...(instructions === undefined ? {} : { instructions }),
    ...(voice === undefined ? {} : { voice }),
    ...(language === undefined ? {} : { language }),
    ...(tools === undefined ? {} : { tools: tools.map(({ tool }) => tool) }),
  };
}

function asFunction(tool: unknown): unknown {
  return isObject(tool) && tool["type"] === undefined ? { ...tool, type: "function" } : tool;
}
