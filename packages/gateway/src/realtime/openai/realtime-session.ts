// One session of an OpenAI realtime client, whatever carries it (WebSocket or a data channel): its events to calls of the
// voice conversation behind the door.
import type { Cancel, Clock, Ids, Log } from "@fovea/core";
import {
  base64At,
  EventError,
  listAt,
  objectAt,
  optionalObject,
  optionalText,
  parseEvent,
  samplesOf,
  shallowEnough,
  textAt,
  numberAt,
  type Json,
} from "../doors/json-event.ts";
import { decodeG711 } from "../doors/g711.ts";
import type { XRExtension } from "../doors/xr-extension.ts";
import type { CreateResponseOptions, VoiceHandle, VoiceOutputPort } from "../voice/voice-port.ts";
import { ItemList } from "./item-list.ts";
import type { MediaOutput } from "./media-output.ts";
import { AUDIO_BYTES_MAX, readItem, toldItem, toolResultMessage } from "./items.ts";
import type { RateLimitLine } from "./rate-limits.ts";
import { SessionOutput } from "./session-output.ts";
import {
  changedSession,
  choiceOf,
  idleTimeoutMs,
  inputFormat,
  isTranscriptionOnly,
  modalityOf,
  newSession,
  outputMax,
  RATE_OF,
  toolsOf,
  voiceSettingsOf,
} from "./session-object.ts";

export interface RealtimeSessionParts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Undefined: the first update may still name it; else `auto`. */
  readonly model: string | undefined;
  readonly isTranscription: boolean;
  /** What a client secret was made with. */
  readonly preset?: Json;
  readonly send: (event: Json) => void;
  readonly close: (code: number, reason: string) => void;
  /** Where the sound goes when it is not part of the events (WebRTC). */
  readonly media?: MediaOutput;
  /** How far sound may run ahead of its playing; without it the client plays at its own pace. */
  readonly leadMs?: number;
  readonly xr: XRExtension;
  /** What the caller may still spend; told after every answer has begun. */
  readonly limits?: () => readonly RateLimitLine[];
  /** Throws `GatewayError` for a model that nobody has. */
  readonly open: (session: {
    readonly model: string;
    readonly settings: ReturnType<typeof voiceSettingsOf>;
    readonly output: VoiceOutputPort;
  }) => VoiceHandle;
}

/** The service of the vendor ends sessions after an hour as well. */
const SESSION_MS = 60 * 60_000;
const MESSAGES_MAX = 256;

type Handler = (event: Json) => void;

export class RealtimeSession {
  readonly #parts: RealtimeSessionParts;
  readonly #items = new ItemList();
  readonly #output: SessionOutput;
  #opened: VoiceHandle | undefined;
  readonly #handlers: Readonly<Record<string, Handler>>;
  readonly #calls = new Map<string, string>();
  #session: Json;
  #cancelEnd: Cancel;
  #isOver = false;

  constructor(parts: RealtimeSessionParts) {
    this.#parts = parts;
    const { clock, ids } = parts;
    const expiresAtS = Math.floor((clock.unixMs() + SESSION_MS) / 1000);
    const fresh = newSession(ids.next("sess"), parts.model ?? "auto", parts.isTranscription, expiresAtS);
    this.#session = parts.preset === undefined ? fresh : changedSession(fresh, parts.preset);
    this.#output = new SessionOutput({
      clock,
      nextId: (prefix) => ids.next(prefix),
      emit: (type, fields) => this.#emit(type, fields),
      items: this.#items,
      session: () => this.#session,
      limits: () => parts.limits?.() ?? [],
      takesXR: () => parts.xr.isOn,
      called: (callId, name) => void this.#calls.set(callId, name),
      idle: () => this.#idle(),
      ...(parts.media === undefined ? {} : { media: parts.media }),
    });
    this.#handlers = this.#buildHandlers();
    this.#emit("session.created", { session: this.#session });
    const conversation = { id: this.#output.conversationId, object: "realtime.conversation" };
    // The agents SDK falls silent on a data channel that says this before its first update.
    const isSocket = parts.media === undefined;
    if (isSocket && !parts.isTranscription) this.#emit("conversation.created", { conversation });
    this.#cancelEnd = clock.schedule(SESSION_MS, () => {
      this.#complain(
        new EventError("session_expired", "Your session hit the maximum duration of 60 minutes."),
        undefined,
      );
      parts.close(1001, "session expired");
    });
    if (parts.model !== undefined) this.#open();
  }

  /** One event as text. */
  text(text: string): void {
    if (this.#isOver) return;
    let eventId: unknown;
    try {
      const event = parseEvent(text);
      eventId = event["event_id"];
      const type = textAt(event["type"], "type");
      const handler = Object.hasOwn(this.#handlers, type) ? this.#handlers[type] : undefined;
      if (handler === undefined)
        throw new EventError("invalid_value", `Unknown event type: '${type.slice(0, 100)}'.`, "type");
      handler(event);
    } catch (error) {
      const known = EventError.from(error);
      if (known === undefined) throw error;
      this.#complain(known, eventId);
    }
  }

  /** Sound that did not come as an event. */
  audio(pcm: Int16Array, rateHz: number): void {
    if (!this.#isOver) this.#voice.pushAudio(pcm, rateHz);
  }

  /** What has left for the client's speaker. */
  played(mark: { readonly itemId: string; readonly epoch: number; readonly audioMs: number }): void {
    if (!this.#isOver) this.#voice.played(mark);
  }

  /** An event of the transport. */
  tell(type: string, fields: Json): void {
    this.#emit(type, fields);
  }

  closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelEnd();
    this.#output.close();
    this.#opened?.close();
  }

  get #voice(): VoiceHandle {
    return this.#opened ?? this.#open();
  }

  #open(): VoiceHandle {
    const { model } = this.#session;
    const opened = this.#parts.open({
      model: typeof model === "string" ? model : (this.#parts.model ?? "auto"),
      settings: this.#settings(),
      output: this.#output.port,
    });
    this.#opened = opened;
    return opened;
  }

  #emit(type: string, fields: Json): void {
    if (!this.#isOver) this.#parts.send({ type, event_id: this.#parts.ids.next("event"), ...fields });
  }

  #complain(error: EventError, eventId: unknown): void {
    const { code, message, param } = error;
    const event_id = typeof eventId === "string" ? eventId.slice(0, 512) : null;
    this.#emit("error", { error: { type: "invalid_request_error", code, message, param: param ?? null, event_id } });
  }

  #settings(): ReturnType<typeof voiceSettingsOf> {
    const { leadMs } = this.#parts;
    const settings = voiceSettingsOf(this.#session);
    if (leadMs === undefined) return { ...settings, leadMs: Infinity, playback: "estimated", cancelsEcho: false };
    // The sound leaves by the gateway's own hand: it knows what was played, and its rate is its own.
    return { ...settings, outputRateHz: 24_000, leadMs, playback: "reported", cancelsEcho: false };
  }

  #buildHandlers(): Readonly<Record<string, Handler>> {
    const update: Handler = (event) => {
      const change = objectAt(event["session"], "session");
      const next = changedSession(this.#session, change);
      const names = this.#opened === undefined && !this.#parts.isTranscription && typeof change["model"] === "string";
      const before = this.#session;
      this.#session = names ? { ...next, model: change["model"] } : next;
      try {
        this.#voice.update(this.#settings());
      } catch (error) {
        this.#session = before;
        throw error;
      }
      this.#emit("session.updated", { session: this.#session });
    };
    return {
      "session.update": update,
      "transcription_session.update": (event) =>
        update({ session: { type: this.#session["type"], ...optionalObject(event["session"], "session") } }),
      "input_audio_buffer.append": (event) => this.#append(event),
      "input_audio_buffer.commit": () => this.#commit(),
      "input_audio_buffer.clear": () => {
        this.#output.bufferedMs = 0;
        this.#voice.clear();
        this.#emit("input_audio_buffer.cleared", {});
      },
      "output_audio_buffer.clear": () => this.#output.clearSound(),
      "conversation.item.create": (event) => this.#create(event),
      "conversation.item.retrieve": (event) => this.#emit("conversation.item.retrieved", { item: this.#item(event) }),
      "conversation.item.delete": (event) => this.#delete(event),
      "conversation.item.truncate": (event) => this.#truncate(event),
      "response.create": (event) => this.#respond(optionalObject(event["response"], "response") ?? {}),
      "response.cancel": (event) => this.#cancel(event),
      "fovea.xr": (event) => {
        this.#parts.xr.take(event["message"], "message");
        this.#emit("fovea.xr.taken", {});
      },
    };
  }

  #append(event: Json): void {
    const bytes = base64At(event["audio"], "audio", AUDIO_BYTES_MAX);
    const format = inputFormat(this.#session);
    if (format === "pcm" && bytes.length % 2 === 1) {
      throw new EventError("invalid_value", "'audio' must hold whole 16-bit samples.", "audio");
    }
    const pcm = format === "pcm" ? samplesOf(bytes) : decodeG711(bytes, format);
    const rateHz = RATE_OF[format];
    this.#output.bufferedMs += (pcm.length / rateHz) * 1000;
    this.#voice.pushAudio(pcm, rateHz);
  }

  #commit(): void {
    const ms = this.#output.bufferedMs;
    if (ms < 100 || this.#voice.commit() === undefined) {
      const message = `Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has ${ms.toFixed(2)}ms of audio.`;
      throw new EventError("input_audio_buffer_commit_empty", message);
    }
    this.#output.bufferedMs = 0;
  }

  #create(event: Json): void {
    const item = objectAt(event["item"], "item");
    shallowEnough(item, "item");
    const given = readItem(item);
    const id = optionalText(item["id"], "item.id") ?? this.#parts.ids.next("item");
    if (id.length > 64) throw new EventError("invalid_value", "'item.id' takes at most 64 characters.", "item.id");
    if (this.#items.get(id) !== undefined) {
      throw new EventError("item_exists", `Item with id '${id}' exists already.`, "item.id");
    }
    const afterId = optionalText(event["previous_item_id"], "previous_item_id");
    if (afterId !== undefined && afterId !== "root" && this.#items.get(afterId) === undefined) {
      throw new EventError("item_not_found", `Item with id '${afterId}' not found.`, "previous_item_id");
    }
    if (given.kind === "output") this.#answerCall(id, given.callId, given.text);
    else {
      const [call] = given.message.content;
      if (call?.type === "tool-call") this.#calls.set(call.id, call.name);
      this.#voice.addItem({ id, message: given.message }, afterId);
    }
    const told = toldItem(item, id);
    const previous_item_id = this.#items.add(id, told, afterId);
    this.#emit("conversation.item.added", { previous_item_id, item: told });
    this.#emit("conversation.item.done", { previous_item_id, item: told });
  }

  #answerCall(id: string, callId: string, text: string): void {
    const name = this.#calls.get(callId);
    if (name === undefined) {
      throw new EventError("invalid_tool_call_id", `No tool call with id '${callId}'.`, "item.call_id");
    }
    // A turn that is still open goes on with the result, so the result waits for the client to ask for an answer.
    if (this.#output.holdResult(callId, text)) return;
    if (!this.#voice.toolResult(callId, text)) {
      this.#voice.addItem({ id, message: toolResultMessage(callId, name, text) });
    }
  }

  #item(event: Json): Json {
    const id = textAt(event["item_id"], "item_id");
    const item = this.#items.get(id);
    if (item === undefined)
      throw new EventError("item_not_found", `The item with id '${id}' does not exist.`, "item_id");
    return item;
  }

  #delete(event: Json): void {
    const id = String(this.#item(event)["id"]);
    this.#items.remove(id);
    this.#voice.removeItem(id);
    this.#emit("conversation.item.deleted", { item_id: id });
  }

  #truncate(event: Json): void {
    const item = this.#item(event);
    const id = String(item["id"]);
    if (item["role"] !== "assistant") {
      throw new EventError("invalid_value", "Only messages of the assistant can be truncated.", "item_id");
    }
    const index = event["content_index"] === undefined ? 0 : numberAt(event["content_index"], "content_index", 0, 0);
    const asked = numberAt(event["audio_end_ms"], "audio_end_ms", 0, 86_400_000);
    if (!Number.isInteger(asked))
      throw new EventError("invalid_type", "'audio_end_ms' must be an integer.", "audio_end_ms");
    // Clients measure by the wall clock; more than was sent cannot have been heard.
    const heardMs = Math.min(asked, Math.ceil(this.#items.soundMs(id)));
    const heard = this.#voice.truncate(id, heardMs) ?? "";
    this.#items.set(id, { ...item, status: "incomplete", content: [{ type: "output_audio", transcript: heard }] });
    this.#emit("conversation.item.truncated", { item_id: id, content_index: index, audio_end_ms: heardMs });
  }

  #respond(response: Json): void {
    const refuse = (id: string): EventError =>
      new EventError(
        "conversation_already_has_active_response",
        `Conversation already has an active response in progress: ${id}. Wait until the response is finished before creating a new one.`,
      );
    const { activeId } = this.#output;
    if (activeId !== undefined) throw refuse(activeId);
    const options = this.#responseOptions(response);
    shallowEnough(response["metadata"], "response.metadata");
    const wish = { metadata: response["metadata"], maxOutputTokens: response["max_output_tokens"] };
    const held = this.#output.takeHeld(wish);
    if (held.length > 0) {
      for (const { callId, text } of held) this.#voice.toolResult(callId, text);
      return;
    }
    if (isTranscriptionOnly(this.#session)) {
      throw new EventError("invalid_value", "A transcription session gives no responses.", "type");
    }
    this.#output.expect(wish, options.isKept !== false);
    if (this.#voice.createResponse(options) !== undefined) return;
    this.#output.expect(undefined, true);
    throw refuse("another");
  }

  #responseOptions(response: Json): CreateResponseOptions {
    const instructions = optionalText(response["instructions"], "response.instructions");
    const maxOutputTokens =
      response["max_output_tokens"] === undefined
        ? undefined
        : outputMax(response["max_output_tokens"], "response.max_output_tokens");
    const given =
      response["input"] === undefined ? undefined : listAt(response["input"], "response.input", MESSAGES_MAX);
    const messages = given?.map((item, index) =>
      this.#inputMessage(objectAt(item, `response.input[${index}]`), `response.input[${index}]`),
    );
    const modality =
      response["output_modalities"] === undefined ? undefined : modalityOf(response["output_modalities"], "response");
    return {
      ...(instructions === undefined ? {} : { instructions }),
      ...(response["tools"] === undefined
        ? {}
        : { tools: toolsOf(response["tools"], "response.tools").map(({ tool }) => tool) }),
      ...(response["tool_choice"] === undefined
        ? {}
        : { toolChoice: choiceOf(response["tool_choice"], "response.tool_choice") }),
      ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
      ...(messages === undefined ? {} : { messages }),
      ...(modality === undefined ? {} : { speaks: modality === "audio" }),
      ...(response["conversation"] === "none" ? { isKept: false } : {}),
    };
  }

  #inputMessage(item: Json, at: string): NonNullable<CreateResponseOptions["messages"]>[number] {
    if (item["type"] === "item_reference") {
      const id = textAt(item["id"], `${at}.id`);
      const found = this.#voice.items.find((entry) => entry.id === id);
      if (found === undefined)
        throw new EventError("item_not_found", `The item with id '${id}' does not exist.`, `${at}.id`);
      return found.message;
    }
    const given = readItem(item, at);
    if (given.kind === "message") return given.message;
    return toolResultMessage(given.callId, this.#calls.get(given.callId) ?? "", given.text);
  }

  #cancel(event: Json): void {
    const wanted = optionalText(event["response_id"], "response_id");
    const { activeId } = this.#output;
    if (activeId === undefined || (wanted !== undefined && wanted !== activeId)) {
      throw new EventError("response_cancel_not_active", "Cancellation failed: no active response found");
    }
    this.#voice.cancel();
  }

  #idle(): void {
    if (idleTimeoutMs(this.#session) === undefined || isTranscriptionOnly(this.#session)) return;
    this.#voice.createResponse({});
  }
}
