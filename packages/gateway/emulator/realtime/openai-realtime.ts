// The emulated OpenAI Realtime WebSocket, with the event names of the general release. Sources: the types of the official
// client and docs/spec/emulator.md.
import type { Prompt } from "../answer-script.ts";
import { listOf, objectOf, textOf } from "../json.ts";
import { RealtimeAnswer, type AnswerHost } from "./openai-answer.ts";
import { checkItem, EventRefusal, newSession, textOfItem, updatedSession, type Json } from "./openai-items.ts";
import { Ear, type Heard } from "./sound.ts";
import type { RealtimeStage, RealtimeSurface } from "./stage.ts";

const RATE_HZ = 24_000;
const BYTES_PER_MS = (RATE_HZ / 1000) * 2;
/** Less than this in the buffer cannot be committed, as the real service has it. */
const COMMIT_MS_MIN = 100;

export function openAiRealtime(stage: RealtimeStage): RealtimeSurface {
  return new OpenAiSession(stage);
}

class OpenAiSession implements RealtimeSurface, AnswerHost {
  readonly stage: RealtimeStage;
  readonly #items = new Map<string, Json>();
  readonly #audioMs = new Map<string, number>();
  readonly #conversationId: string;
  #session: Json;
  #ear = new Ear(RATE_HZ);
  #bufferedBytes = 0;
  #itemOfSpeech: string | undefined;
  #answer: RealtimeAnswer | undefined;
  #cancelExpiry: (() => void) | undefined;
  #spoken = 0;

  constructor(stage: RealtimeStage) {
    this.stage = stage;
    this.#conversationId = stage.nextId("conv_");
    this.#session = newSession(stage.nextId("sess_"), stage.model, stage.query.get("intent") === "transcription");
  }

  open(): void {
    this.emit("session.created", { session: this.#session });
    const { sessionMs } = this.stage.rule.realtime ?? {};
    if (sessionMs === undefined) return;
    this.#cancelExpiry = this.stage.clock.schedule(sessionMs, () => {
      this.#complain(new EventRefusal("session_expired", "Your session hit the maximum duration of 60 minutes."), null);
      this.stage.close(1001, "session expired");
    });
  }

  closed(): void {
    this.#cancelExpiry?.();
    this.#answer?.drop();
  }

  emit(type: string, fields: Json): void {
    this.stage.send({ type, event_id: this.stage.nextId("event_"), ...fields });
  }

  append(item: Json): string | null {
    const previous = [...this.#items.keys()].at(-1) ?? null;
    this.#items.set(String(item["id"]), item);
    return previous;
  }

  settle(itemId: string, item: Json): void {
    this.#items.set(itemId, item);
    const ms = this.#answer?.audioMsByItem.get(itemId);
    if (ms !== undefined) this.#audioMs.set(itemId, ms);
  }

  receive(text: string): void {
    let event: Json;
    try {
      event = objectOf(JSON.parse(text));
    } catch {
      this.#complain(new EventRefusal("invalid_json", "The message could not be parsed as JSON."), null);
      return;
    }
    try {
      this.#handle(textOf(event["type"]), event);
    } catch (error) {
      if (!(error instanceof EventRefusal)) throw error;
      this.#complain(error, event["event_id"]);
    }
  }

  #complain(refusal: EventRefusal, eventId: unknown): void {
    const { code, message, param } = refusal;
    const error = { type: "invalid_request_error", code, message, param: param ?? null, event_id: eventId ?? null };
    this.emit("error", { error });
  }

  #handle(type: string, event: Json): void {
    switch (type) {
      case "session.update":
        this.#session = updatedSession(this.#session, objectOf(event["session"]));
        this.emit("session.updated", { session: this.#session });
        return;
      case "input_audio_buffer.append":
        this.#hear(Buffer.from(textOf(event["audio"]), "base64"));
        return;
      case "input_audio_buffer.commit":
        this.#commit(this.stage.nextId("item_"));
        return;
      case "input_audio_buffer.clear":
        this.#bufferedBytes = 0;
        this.emit("input_audio_buffer.cleared", {});
        return;
      case "conversation.item.create":
        this.#create(objectOf(event["item"]), event["previous_item_id"]);
        return;
      case "response.create":
        this.#respond(objectOf(event["response"]));
        return;
      case "response.cancel":
        this.#cancel();
        return;
      default:
        this.#handleItem(type, event);
    }
  }

  #handleItem(type: string, event: Json): void {
    const id = textOf(event["item_id"]);
    const item = this.#items.get(id);
    const known = ["conversation.item.delete", "conversation.item.retrieve", "conversation.item.truncate"];
    if (!known.includes(type)) throw new EventRefusal("invalid_value", `Invalid value: '${type}'.`, "type");
    if (item === undefined) {
      throw new EventRefusal("item_not_found", `Error: the item with id '${id}' does not exist.`, "item_id");
    }
    if (type === "conversation.item.delete") {
      this.#items.delete(id);
      this.emit("conversation.item.deleted", { item_id: id });
    } else if (type === "conversation.item.retrieve") this.emit("conversation.item.retrieved", { item });
    else this.#truncate(id, item, event);
  }

  #truncate(id: string, item: Json, event: Json): void {
    const { audio_end_ms: endMs, content_index: contentIndex } = event;
    if (item["role"] !== "assistant") {
      throw new EventRefusal("invalid_value", "Only assistant audio messages can be truncated.", "item_id");
    }
    const lengthMs = this.#audioMs.get(id) ?? this.#answer?.audioMsByItem.get(id) ?? 0;
    if (typeof endMs !== "number" || !Number.isInteger(endMs)) {
      throw new EventRefusal("invalid_type", "Invalid type for 'audio_end_ms': expected an integer.", "audio_end_ms");
    }
    if (endMs > Math.ceil(lengthMs)) {
      const message = `Audio content of ${Math.ceil(lengthMs)}ms is already shorter than ${endMs}ms`;
      throw new EventRefusal("invalid_value", message, "audio_end_ms");
    }
    // The service forgets the whole text of what was cut.
    this.#items.set(id, { ...item, content: [{ type: "output_audio", transcript: "" }] });
    this.emit("conversation.item.truncated", { item_id: id, content_index: contentIndex ?? 0, audio_end_ms: endMs });
  }

  #create(item: Json, previousId: unknown): void {
    checkItem(item);
    const id = textOf(item["id"]) || this.stage.nextId("item_");
    if (this.#items.has(id)) throw new EventRefusal("invalid_value", `Item with id '${id}' exists already.`, "item.id");
    if (typeof previousId === "string" && previousId !== "root" && !this.#items.has(previousId)) {
      throw new EventRefusal("item_not_found", `Item with id '${previousId}' not found.`, "previous_item_id");
    }
    const whole = { object: "realtime.item", status: "completed", ...item, id };
    const previous = this.append(whole);
    this.emit("conversation.item.added", { previous_item_id: previous, item: whole });
    this.emit("conversation.item.done", { previous_item_id: previous, item: whole });
  }

  #turnDetection(): Json | undefined {
    const detection = objectOf(objectOf(this.#session["audio"])["input"])["turn_detection"];
    return detection === null || detection === undefined ? undefined : objectOf(detection);
  }

  #hear(pcm: Uint8Array): void {
    this.#bufferedBytes += pcm.length;
    const detection = this.#turnDetection();
    if (detection === undefined) return;
    const limits = {
      prefixMs: numberOf(detection["prefix_padding_ms"], 300),
      silenceMs: numberOf(detection["silence_duration_ms"], 500),
    };
    for (const heard of this.#ear.push(pcm, limits)) this.#turn(heard, detection);
  }

  #turn(heard: Heard, detection: Json): void {
    if (heard.type === "started") {
      this.#itemOfSpeech = this.stage.nextId("item_");
      this.emit("input_audio_buffer.speech_started", { audio_start_ms: heard.atMs, item_id: this.#itemOfSpeech });
      if (detection["interrupt_response"] !== false) this.#answer?.cancel("turn_detected");
      return;
    }
    const id = this.#itemOfSpeech ?? this.stage.nextId("item_");
    this.#itemOfSpeech = undefined;
    this.emit("input_audio_buffer.speech_stopped", { audio_end_ms: heard.atMs, item_id: id });
    this.#commit(id);
    const isTranscription = this.#session["type"] === "transcription";
    if (!isTranscription && detection["create_response"] !== false) this.#respond({});
  }

  #commit(itemId: string): void {
    const ms = this.#bufferedBytes / BYTES_PER_MS;
    if (ms < COMMIT_MS_MIN) {
      const message = `Error committing input audio buffer: buffer too small. Expected at least ${COMMIT_MS_MIN}ms of audio, but buffer only has ${ms.toFixed(2)}ms of audio.`;
      throw new EventRefusal("input_audio_buffer_commit_empty", message);
    }
    this.#bufferedBytes = 0;
    const transcript = this.stage.rule.realtime?.hears?.[this.#spoken++] ?? `${Math.round(ms)} milliseconds of speech`;
    const content = [{ type: "input_audio", transcript: null }];
    const item: Json = {
      id: itemId,
      object: "realtime.item",
      type: "message",
      status: "completed",
      role: "user",
      content,
    };
    const previous = this.append(item);
    this.emit("input_audio_buffer.committed", { previous_item_id: previous, item_id: itemId });
    this.emit("conversation.item.added", { previous_item_id: previous, item });
    this.emit("conversation.item.done", { previous_item_id: previous, item });
    this.#items.set(itemId, { ...item, content: [{ type: "input_audio", transcript }] });
    const wanted = objectOf(objectOf(this.#session["audio"])["input"])["transcription"];
    if (wanted === null || wanted === undefined) return;
    const place = { item_id: itemId, content_index: 0 };
    const usage = { type: "duration", seconds: Math.ceil(ms / 1000) };
    this.emit("conversation.item.input_audio_transcription.delta", { ...place, delta: transcript });
    this.emit("conversation.item.input_audio_transcription.completed", { ...place, transcript, usage });
  }

  #respond(options: Json): void {
    const isStored = options["conversation"] !== "none";
    if (this.#answer !== undefined && isStored) {
      const message = `Conversation already has an active response in progress: ${this.#answer.id}. Wait until the response is finished before creating a new one.`;
      throw new EventRefusal("conversation_already_has_active_response", message);
    }
    const modalities = options["output_modalities"] ?? this.#session["output_modalities"];
    const { script, rule } = this.stage.script(this.#prompt(options));
    const answer = new RealtimeAnswer(
      {
        responseId: this.stage.nextId("resp_"),
        script,
        rule,
        isText: listOf(modalities).includes("text"),
        conversationId: isStored ? this.#conversationId : null,
        metadata: options["metadata"],
        isStored,
      },
      this,
    );
    if (isStored) this.#answer = answer;
    answer.start(() => {
      if (this.#answer === answer) this.#answer = undefined;
    });
    this.emit("rate_limits.updated", {
      rate_limits: [{ name: "tokens", limit: 40_000, remaining: 39_000, reset_seconds: 1.5 }],
    });
  }

  #cancel(): void {
    if (this.#answer === undefined) {
      throw new EventRefusal("response_cancel_not_active", "Cancellation failed: no active response found");
    }
    this.#answer.cancel("client_cancelled");
  }

  #prompt(options: Json): Prompt {
    const given = options["input"];
    const items = Array.isArray(given) ? given.map(objectOf) : [...this.#items.values()];
    const users = items.filter((item) => item["role"] === "user");
    const tools = listOf(options["tools"] ?? this.#session["tools"]).map(objectOf);
    const choice = options["tool_choice"] ?? this.#session["tool_choice"];
    const images = users.flatMap((item) => listOf(item["content"])).filter(isImage).length;
    return {
      lastUserText: textOfItem(users.at(-1) ?? {}),
      allText: items.map(textOfItem).join(" "),
      imageCount: images,
      tools: tools.map((tool) => ({ name: textOf(tool["name"]), schema: objectOf(tool["parameters"]) })),
      toolChoice:
        choice === "none" || choice === "required"
          ? choice
          : typeof choice === "object" && choice !== null
            ? { name: textOf(objectOf(choice)["name"]) }
            : "auto",
      endsWithToolResult: items.at(-1)?.["type"] === "function_call_output",
    };
  }
}

function isImage(part: unknown): boolean {
  return objectOf(part)["type"] === "input_image";
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
