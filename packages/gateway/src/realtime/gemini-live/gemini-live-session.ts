// One session of a Gemini Live client: its messages to calls of the voice conversation behind the door, and back.
import type { Cancel, ContentPart, Message, Principal, Usage } from "@fovea/core";
import type { DoorPort, DoorRequest, DoorSession } from "../doors/door-socket.ts";
import {
  base64At,
  EventError,
  isObject,
  listAt,
  objectAt,
  optionalText,
  parseEvent,
  samplesOf,
  textAt,
  type Json,
} from "../doors/json-event.ts";
import { bytesOfSamples } from "../doors/json-event.ts";
import { checkModel, openSession, type SessionParts } from "../doors/open-session.ts";
import { XRExtension, xrEventOf } from "../doors/xr-extension.ts";
import type { VoiceHandle, VoiceOutputPort } from "../voice/voice-port.ts";
import { readSetup, type LiveClientSetup } from "./live-setup.ts";
import type { ResumableSessions } from "./resumable-sessions.ts";

const SETUP_MS = 10_000;
const AUDIO_BYTES_MAX = 15 * 1024 * 1024;
const TURNS_MAX = 512;
const SESSION_MS = 60 * 60_000;
const GOODBYE_MS = 60_000;
const RATES = { min: 8_000, max: 48_000 };

export class GeminiLiveSession implements DoorSession {
  readonly #parts: SessionParts;
  readonly #port: DoorPort;
  readonly #principal: Principal;
  readonly #resumable: ResumableSessions;
  readonly #xr: XRExtension;
  #cancels: Cancel[] = [];
  #setup: LiveClientSetup | undefined;
  #voice: VoiceHandle | undefined;
  /** Calls that the client has yet to answer. */
  readonly #calls = new Map<string, string>();
  #isTurnOpen = false;
  #hasSound = false;
  #soundUntilMs = -Infinity;
  #transcript = "";
  #picture: ContentPart | undefined;
  #handle: string | undefined;
  #messages = 0;
  #isOver = false;

  constructor(parts: SessionParts, port: DoorPort, request: DoorRequest, resumable: ResumableSessions) {
    const { principal, url } = request;
    this.#parts = parts;
    this.#port = port;
    this.#principal = principal;
    this.#resumable = resumable;
    this.#xr = new XRExtension(parts.clock, principal, url);
    this.#cancels.push(
      parts.clock.schedule(SETUP_MS, () => {
        if (this.#setup === undefined) this.#port.close(1008, "setup did not come in time");
      }),
    );
  }

  /** The vendor takes text and binary messages alike. */
  binary(bytes: Uint8Array): void {
    this.text(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
  }

  text(text: string): void {
    if (this.#isOver) return;
    try {
      const message = parseEvent(text);
      this.#messages++;
      this.#take(message);
    } catch (error) {
      const known = EventError.from(error);
      if (known === undefined) throw error;
      // This wire has no error message: the reason of the close is where its clients look.
      this.#port.close(1007, `${known.param ?? "message"}: ${known.message}`);
    }
  }

  goingAway(): void {
    this.#send({ goAway: { timeLeft: "0s" } });
  }

  closed(): void {
    this.#isOver = true;
    for (const cancel of this.#cancels) cancel();
    this.#voice?.close();
  }

  #send(message: Json): void {
    if (!this.#isOver) this.#port.send(Buffer.from(JSON.stringify(message)));
  }

  #tellXR(fovea: Json): void {
    if (this.#xr.isOn) this.#send({ fovea });
  }

  #take(message: Json): void {
    if (message["setup"] !== undefined) {
      this.#open(objectAt(message["setup"], "setup"));
      return;
    }
    const voice = this.#voice;
    if (voice === undefined) throw new EventError("invalid_event", "the first message is setup", "setup");
    if (message["clientContent"] !== undefined)
      this.#content(voice, objectAt(message["clientContent"], "clientContent"));
    else if (message["realtimeInput"] !== undefined)
      this.#input(voice, objectAt(message["realtimeInput"], "realtimeInput"));
    else if (message["toolResponse"] !== undefined)
      this.#toolResponse(voice, objectAt(message["toolResponse"], "toolResponse"));
    else if (message["foveaXr"] !== undefined) this.#xr.take(message["foveaXr"], "foveaXr");
    else {
      const name = Object.keys(message)[0] ?? "";
      throw new EventError("invalid_event", `Unknown name "${name.slice(0, 60)}"`, name.slice(0, 60));
    }
  }

  #open(given: Json): void {
    if (this.#setup !== undefined) throw new EventError("invalid_event", "a session takes one setup", "setup");
    const setup = readSetup(given);
    this.#setup = setup;
    const kept = this.#resumed(setup);
    if (kept === undefined) return;
    try {
      checkModel(this.#parts.registry, setup.model);
    } catch (error) {
      this.#port.close(1008, EventError.from(error)?.message ?? "the model is not available");
      return;
    }
    const settings = { ...setup.settings, model: setup.model, leadMs: Infinity, outputRateHz: 24_000 };
    const voice = openSession(this.#parts, {
      principal: this.#principal,
      settings: { ...settings, playback: "estimated", cancelsEcho: false },
      output: this.#output(setup),
      context: () => this.#xr.context(),
    });
    this.#voice = voice;
    for (const item of kept) voice.addItem(item);
    this.#send({ setupComplete: { sessionId: this.#parts.ids.next("sess") } });
    this.#offerHandle();
    this.#limit();
  }

  #resumed(setup: LiveClientSetup): ReturnType<ResumableSessions["find"]> {
    const handle = setup.resumption?.handle;
    if (handle === undefined || handle === "") return [];
    const items = this.#resumable.find(handle, this.#principal);
    if (items === undefined) this.#port.close(1008, "the session of this handle is not known, or no longer");
    this.#handle = handle;
    return items;
  }

  #limit(): void {
    const { clock } = this.#parts;
    this.#cancels.push(
      clock.schedule(SESSION_MS - GOODBYE_MS, () => this.#send({ goAway: { timeLeft: `${GOODBYE_MS / 1000}s` } })),
      clock.schedule(SESSION_MS, () => this.#port.close(1001, "the session has reached its length")),
    );
  }

  #offerHandle(): void {
    const voice = this.#voice;
    const resumption = this.#setup?.resumption;
    if (resumption === undefined || voice === undefined) return;
    this.#handle = this.#resumable.keep(this.#principal, voice.items, this.#handle);
    const consumed = resumption.isTransparent ? { lastConsumedClientMessageIndex: String(this.#messages) } : {};
    this.#send({ sessionResumptionUpdate: { newHandle: this.#handle, resumable: true, ...consumed } });
  }

  #content(voice: VoiceHandle, content: Json): void {
    this.#interrupt(voice);
    const turns = content["turns"] === undefined ? [] : listAt(content["turns"], "clientContent.turns", TURNS_MAX);
    for (const [index, turn] of turns.entries()) {
      const at = `clientContent.turns[${index}]`;
      const message = messageOf(objectAt(turn, at), at);
      if (message.content.length > 0) voice.addItem({ id: this.#parts.ids.next("item"), message });
    }
    if (content["turnComplete"] === true || (content["turnComplete"] === undefined && turns.length > 0))
      voice.createResponse();
  }

  #input(voice: VoiceHandle, input: Json): void {
    const legacy = Array.isArray(input["mediaChunks"]) ? input["mediaChunks"] : [];
    for (const [name, value] of [
      ["audio", input["audio"]],
      ["video", input["video"]],
      ...legacy.map((chunk: unknown) => ["mediaChunks", chunk]),
    ] as [string, unknown][]) {
      if (value !== undefined && value !== null)
        this.#media(voice, objectAt(value, `realtimeInput.${name}`), `realtimeInput.${name}`);
    }
    if (isObject(input["activityStart"])) this.#activityStart(voice);
    if (isObject(input["activityEnd"])) this.#activityEnd(voice);
    if (input["audioStreamEnd"] === true) voice.commit();
    const text = optionalText(input["text"], "realtimeInput.text");
    if (text === undefined || text === "") return;
    this.#interrupt(voice);
    this.#addUser(voice, [{ type: "text", text }]);
    voice.createResponse();
  }

  #media(voice: VoiceHandle, blob: Json, at: string): void {
    const mime = textAt(blob["mimeType"], `${at}.mimeType`);
    const bytes = base64At(blob["data"], `${at}.data`, AUDIO_BYTES_MAX);
    if (mime.startsWith("image/")) {
      this.#picture = { type: "media", kind: "image", mime, data: { bytes } };
      return;
    }
    if (!mime.startsWith("audio/pcm")) {
      throw new EventError("invalid_value", `'${at}.mimeType' must be audio/pcm;rate=… or an image.`, `${at}.mimeType`);
    }
    const rateHz = Number(/rate=(\d+)/.exec(mime)?.[1] ?? "16000");
    if (rateHz < RATES.min || rateHz > RATES.max || bytes.length % 2 === 1) {
      throw new EventError("invalid_value", `'${at}' must be 16-bit samples at ${RATES.min} to ${RATES.max} Hz.`, at);
    }
    voice.pushAudio(samplesOf(bytes), rateHz);
  }

  #activityStart(voice: VoiceHandle): void {
    if (this.#setup?.isManual !== true) return;
    if (this.#setup.interrupts) this.#interrupt(voice);
    this.#addPicture(voice);
  }

  #activityEnd(voice: VoiceHandle): void {
    if (this.#setup?.isManual !== true) return;
    if (voice.commit() !== undefined) voice.createResponse();
  }

  #toolResponse(voice: VoiceHandle, response: Json): void {
    const responses = listAt(response["functionResponses"], "toolResponse.functionResponses", 128);
    for (const [index, item] of responses.entries()) {
      const at = `toolResponse.functionResponses[${index}]`;
      const result = objectAt(item, at);
      const id = optionalText(result["id"], `${at}.id`) ?? this.#callNamed(result["name"]) ?? "";
      // A call that was cancelled meanwhile is nobody's fault.
      if (!this.#calls.delete(id)) continue;
      const value = isObject(result["response"]) ? result["response"] : {};
      const isError = value["error"] !== undefined;
      voice.toolResult(
        id,
        JSON.stringify(isError ? value["error"] : (value["output"] ?? value["result"] ?? value)),
        isError,
      );
    }
    if (this.#calls.size === 0 && responses.length > 0 && !this.#isTurnOpen) voice.createResponse();
  }

  #callNamed(name: unknown): string | undefined {
    for (const [id, called] of this.#calls) if (called === name) return id;
    return undefined;
  }

  #interrupt(voice: VoiceHandle): void {
    if (this.#isTurnOpen || this.#soundUntilMs > this.#parts.clock.monotonicMs()) voice.cancel();
    this.#cancelCalls();
  }

  #cancelCalls(): void {
    if (this.#calls.size === 0) return;
    this.#send({ toolCallCancellation: { ids: [...this.#calls.keys()] } });
    this.#calls.clear();
  }

  #addPicture(voice: VoiceHandle): void {
    const picture = this.#picture;
    this.#picture = undefined;
    if (picture !== undefined) this.#addUser(voice, [picture]);
  }

  #addUser(voice: VoiceHandle, content: readonly ContentPart[]): void {
    const picture = this.#picture;
    this.#picture = undefined;
    const message: Message = { role: "user", content: picture === undefined ? content : [picture, ...content] };
    voice.addItem({ id: this.#parts.ids.next("item"), message });
  }

  #output(setup: LiveClientSetup): VoiceOutputPort {
    const { clock } = this.#parts;
    const say = (serverContent: Json, more: Json = {}): void => this.#send({ serverContent, ...more });
    return {
      speechStarted: () => {
        if (setup.wantsActivity) this.#send({ voiceActivity: { voiceActivityType: "ACTIVITY_START" } });
        if (this.#voice !== undefined) this.#addPicture(this.#voice);
      },
      speechStopped: () => {
        if (setup.wantsActivity) this.#send({ voiceActivity: { voiceActivityType: "ACTIVITY_END" } });
      },
      committed: () => (this.#transcript = ""),
      transcriptPart: ({ text }) => this.#inputText(setup, text, false),
      transcriptDone: ({ text }) => this.#inputText(setup, text, true),
      transcriptFailed: () => {},
      answerStarted: () => {
        this.#isTurnOpen = true;
        this.#hasSound = false;
        if (setup.resumption !== undefined) this.#send({ sessionResumptionUpdate: { resumable: false } });
      },
      answerText: ({ text }) => {
        if (setup.settings.speaks !== true) say({ modelTurn: { role: "model", parts: [{ text }] } });
        else if (setup.wantsOutputText) say({ outputTranscription: { text } });
      },
      answerPart: ({ part }) => {
        const event = xrEventOf(part);
        if (event !== undefined) this.#tellXR({ type: event.type, ...event.fields });
      },
      wordMark: () => {},
      audio: ({ pcm, sampleRateHz }) => {
        this.#hasSound = true;
        this.#soundUntilMs = Math.max(clock.monotonicMs(), this.#soundUntilMs) + (pcm.length / sampleRateHz) * 1000;
        const data = bytesOfSamples(pcm).toString("base64");
        say({
          modelTurn: { role: "model", parts: [{ inlineData: { mimeType: `audio/pcm;rate=${sampleRateHz}`, data } }] },
        });
      },
      audioDone: () => {},
      duck: ({ gainDb, rampMs }) => this.#tellXR({ type: "fovea.duck", gain_db: gainDb, ramp_ms: rampMs }),
      unduck: ({ rampMs }) => this.#tellXR({ type: "fovea.unduck", ramp_ms: rampMs }),
      flush: () => {
        if (!this.#isTurnOpen && this.#soundUntilMs <= clock.monotonicMs()) return;
        this.#soundUntilMs = -Infinity;
        say({ interrupted: true });
        this.#cancelCalls();
      },
      filler: () => this.#tellXR({ type: "fovea.filler" }),
      toolCall: ({ callId, name, args }) => {
        this.#calls.set(callId, name);
        this.#send({ toolCall: { functionCalls: [{ id: callId, name, args: parsedArgs(args) }] } });
      },
      turnDone: ({ status, usage, answeredCalls }) => {
        this.#isTurnOpen = false;
        // The vendor's turn goes on after its calls are answered.
        if (this.#calls.size > 0 && status === "completed") return;
        if (answeredCalls !== undefined && status === "completed") {
          // After what is being done now: the conversation closes the turn first.
          void Promise.resolve().then(() => this.#voice?.createResponse());
          return;
        }
        if (status === "completed") say({ generationComplete: true });
        const spent = usage === undefined ? {} : { usageMetadata: usageOf(usage, this.#hasSound) };
        say({ turnComplete: true, ...(status === "failed" ? { turnCompleteReason: "RESPONSE_REJECTED" } : {}) }, spent);
        this.#offerHandle();
      },
      degraded: ({ from, to, reason, isNoticeable }) => {
        if (isNoticeable) this.#tellXR({ type: "fovea.degraded", from, to, reason });
      },
      error: ({ code, message, turnId }) => {
        this.#tellXR({ type: "fovea.error", code, message });
        if (turnId === undefined) this.#port.close(1011, message);
      },
    };
  }

  /** Told as it grows; a guess that is taken back stays untold until the end. */
  #inputText(setup: LiveClientSetup, text: string, finished: boolean): void {
    if (!setup.wantsInputText) return;
    const told = this.#transcript;
    const added = text.startsWith(told) ? text.slice(told.length) : "";
    if (added === "" && !finished) return;
    this.#transcript = finished ? "" : text;
    this.#send({ serverContent: { inputTranscription: { text: added, ...(finished ? { finished } : {}) } } });
  }
}

function messageOf(turn: Json, at: string): Message {
  const parts = turn["parts"] === undefined ? [] : listAt(turn["parts"], `${at}.parts`, 256);
  const content = parts.flatMap((part, index) =>
    partOf(objectAt(part, `${at}.parts[${index}]`), `${at}.parts[${index}]`),
  );
  return { role: turn["role"] === "model" ? "assistant" : "user", content };
}

function partOf(part: Json, at: string): ContentPart[] {
  const text = optionalText(part["text"], `${at}.text`);
  if (text !== undefined) return text === "" ? [] : [{ type: "text", text }];
  if (!isObject(part["inlineData"])) return [];
  const mime = textAt(part["inlineData"]["mimeType"], `${at}.inlineData.mimeType`);
  const bytes = base64At(part["inlineData"]["data"], `${at}.inlineData.data`, AUDIO_BYTES_MAX);
  const kind = mime.startsWith("image/") ? "image" : mime.startsWith("audio/") ? "audio" : "file";
  return [{ type: "media", kind, mime, data: { bytes } }];
}

function parsedArgs(args: string): unknown {
  try {
    return JSON.parse(args);
  } catch {
    return {};
  }
}

function usageOf(usage: Usage, hasSound: boolean): Json {
  const { input, output } = usage;
  return {
    promptTokenCount: input.total,
    responseTokenCount: output.total,
    totalTokenCount: input.total + output.total,
    ...(input.cacheRead === 0 ? {} : { cachedContentTokenCount: input.cacheRead }),
    responseTokensDetails: [{ modality: hasSound ? "AUDIO" : "TEXT", tokenCount: output.total }],
  };
}
