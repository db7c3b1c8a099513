// A voice conversation for a door: a pipeline that listens and speaks, the engine that answers, and the conversation as
// models will see it, which holds of every answer only what its user heard.
import type {
  AnswerPart,
  ClientTools,
  ContentPart,
  Cost,
  Message,
  TimedText,
  ToolDefinition,
  Usage,
  XRRequest,
} from "@fovea/core";
import { ERROR_TABLE, GatewayError } from "@fovea/core";
import { VoicePipeline } from "./voice-pipeline.ts";
import type { BeginTurn } from "./voice-pipeline.ts";
import type {
  ConversationItem,
  CreateResponseOptions,
  OpenVoiceOptions,
  VoiceHandle,
  VoiceSettings,
  VoiceTurnStatus,
} from "./voice-port.ts";
import { VOICE_SETTINGS } from "./voice-port.ts";

/** Opens a voice conversation for a door. It ends with `close()`, and only then. */
export function openVoice(options: OpenVoiceOptions): VoiceHandle {
  return new OpenVoice(options);
}

const ANSWER_MS = 60_000;
/** Older ones are forgotten, oldest first: models get what fits, memory stays bounded. */
const ITEMS_MAX = 256;
const CALLS_KEPT = 64;

type Ending = "finished" | "turn_detected" | "client_cancelled" | "superseded" | "failed";

interface Answer {
  readonly turnId: string;
  itemId: string;
  readonly abort: AbortController;
  readonly options: CreateResponseOptions;
  readonly utteranceId: string | undefined;
  readonly speaks: boolean;
  /** Parts of a guess wait until it is certain that it was none. */
  held: AnswerPart[] | undefined;
  text: string;
  usage: Usage | undefined;
  cost: Cost | undefined;
  finishReason: string | undefined;
  isFailed: boolean;
  /** The engine has ended. */
  isOver: boolean;
  isDone: boolean;
  readonly calls: Map<string, { readonly name: string; readonly args: string }>;
  readonly open: Map<number, { readonly id: string; readonly name: string }>;
  /** Results that came before anybody could wait for them: applications may be faster than the rest of a stream. */
  readonly early: Map<string, { readonly text: string; readonly isError: boolean }>;
}

interface PendingCall {
  readonly turnId: string;
  readonly name: string;
  readonly resolve: ((result: { readonly text: string; readonly isError?: boolean }) => void) | undefined;
}

class OpenVoice implements VoiceHandle {
  readonly #options: OpenVoiceOptions;
  readonly #pipeline: VoicePipeline;
  readonly #answers = new Map<string, Answer>();
  readonly #calls = new Map<string, PendingCall>();
  /** Items whose text is what was heard of them, which may still become known. */
  readonly #spokenItems = new Set<string>();
  /** Utterances whose words are not known yet, and the answers that wait for them. */
  readonly #unheard = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  #items: ConversationItem[] = [];
  #settings: VoiceSettings;
  #isClosed = false;

  constructor(options: OpenVoiceOptions) {
    this.#options = options;
    this.#settings = { ...VOICE_SETTINGS, ...options.settings };
    const { engine, clock, ids, log, meter, principal, noise, output } = options;
    const parts = { engine, clock, ids, log, meter, principal, ...(noise === undefined ? {} : { noise }) };
    this.#pipeline = new VoicePipeline(parts, this.#settings, {
      speechStarted: (event) => output.speechStarted(event),
      speechStopped: (event) => output.speechStopped(event),
      committed: (event) => {
        this.#unheard.add(event.utteranceId);
        output.committed(event);
      },
      transcriptPart: (event) => output.transcriptPart(event),
      transcriptFailed: (event) => output.transcriptFailed(event),
      transcriptDone: ({ utteranceId, text, words, language, fromMs, untilMs }) => {
        if (text !== "") this.#note(utteranceId, { role: "user", content: [{ type: "text", text }] });
        const known = language === undefined ? {} : { language };
        const durationMs = Math.max(0, untilMs - fromMs);
        output.transcriptDone({ utteranceId, text, words: placedFrom(words, fromMs), ...known, durationMs });
        this.#unheard.delete(utteranceId);
        if (this.#unheard.size > 0) return;
        for (const start of this.#waiting.splice(0)) start();
      },
      beginTurn: (turn) => this.#begin(turn),
      confirmTurn: (turnId) => this.#confirm(turnId),
      dropTurn: (turnId) => this.#drop(turnId),
      wordMark: (event) => output.wordMark(event),
      audio: (event) => output.audio(event),
      audioDone: (event) => output.audioDone(event),
      duck: (event) => output.duck(event),
      unduck: (event) => output.unduck(event),
      filler: (event) => output.filler(event),
      interrupted: ({ epoch, turnId, itemId, reason, heardMs, heardText }) => {
        output.flush({ epoch, ...(itemId === undefined ? {} : { itemId }), heardMs, heardText });
        if (turnId !== undefined) this.#cancelled(turnId, reason);
      },
      resume: ({ text }) => void this.#say(text),
      spoken: ({ turnId }) => this.#finish(turnId, "completed", "finished"),
      speechFailed: ({ turnId, error }) => this.#tell(error, turnId),
    });
  }

  get epoch(): number {
    return this.#pipeline.epoch;
  }

  /** As of now: what is still playing counts as far as it was heard. */
  get items(): readonly ConversationItem[] {
    return this.#items.map((item) => this.#heardItem(item));
  }

  pushAudio(pcm16: Int16Array, sampleRateHz: number, capturedAtMs?: number): void {
    this.#pipeline.pushAudio(pcm16, sampleRateHz, capturedAtMs);
  }

  commit(): { readonly utteranceId: string } | undefined {
    return this.#pipeline.commit();
  }

  clear(): void {
    this.#pipeline.clear();
  }

  createResponse(options: CreateResponseOptions = {}): string | undefined {
    if (this.#isClosed || this.#pipeline.turnId !== undefined) return undefined;
    const turnId = this.#options.ids.next("turn");
    const answer = this.#newAnswer(turnId, options, undefined, false);
    answer.itemId = this.#pipeline.create(turnId, answer.speaks);
    this.#announce(answer);
    const start = (): void => void this.#run(answer, this.#messages(options));
    // What was committed a moment ago belongs to the question.
    if (this.#unheard.size === 0) start();
    else this.#waiting.push(start);
    return turnId;
  }

  say(text: string): string {
    return this.#say(text).turnId;
  }

  cancel(): void {
    this.#pipeline.cancel();
  }

  played({
    epoch,
    itemId,
    audioMs,
  }: {
    readonly epoch: number;
    readonly itemId: string;
    readonly audioMs: number;
  }): void {
    // What was heard of an item that was cut off is known best from its last report, which comes after the flush.
    if (epoch <= this.epoch) this.#pipeline.played(itemId, audioMs);
  }

  truncate(itemId: string, audioMs: number): string | undefined {
    const index = this.#items.findIndex(({ id }) => id === itemId);
    const item = this.#items[index];
    if (item === undefined) return undefined;
    const text = this.#pipeline.heardText(itemId, audioMs);
    this.#spokenItems.delete(itemId);
    this.#items[index] = { id: itemId, message: withText(item.message, text) };
    return text;
  }

  toolResult(callId: string, text: string, isError = false): boolean {
    const call = this.#calls.get(callId);
    if (call === undefined) return false;
    const answer = this.#answers.get(call.turnId);
    if (call.resolve === undefined && answer !== undefined) {
      // The call itself is not in the conversation yet: a result before it would be refused by vendors.
      answer.early.set(callId, { text, isError });
      return true;
    }
    this.#calls.delete(callId);
    if (call.resolve !== undefined && answer !== undefined) {
      call.resolve({ text, isError });
      return true;
    }
    const content: ContentPart[] = [
      {
        type: "tool-result",
        id: callId,
        name: call.name,
        content: [{ type: "text", text }],
        ...(isError ? { isError } : {}),
      },
    ];
    this.#note(this.#options.ids.next("item"), { role: "tool", content });
    return true;
  }

  addItem(item: ConversationItem, afterId?: string): void {
    const index = afterId === undefined ? -1 : this.#items.findIndex(({ id }) => id === afterId);
    if (index < 0) this.#items.push(item);
    else this.#items.splice(index + 1, 0, item);
    this.#trim();
  }

  removeItem(itemId: string): boolean {
    const before = this.#items.length;
    this.#items = this.#items.filter(({ id }) => id !== itemId);
    return this.#items.length < before;
  }

  update(settings: Partial<VoiceSettings>): void {
    this.#settings = { ...this.#settings, ...settings };
    this.#pipeline.update(this.#settings);
  }

  cue(cue: "gaze" | "hold", isActive: boolean): void {
    this.#pipeline.cue(cue, isActive);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pipeline.close();
    for (const { abort } of this.#answers.values()) abort.abort(new GatewayError("request_cancelled", "closed"));
    this.#answers.clear();
    this.#calls.clear();
  }

  // --- turns ---

  #begin(turn: BeginTurn): void {
    const answer = this.#newAnswer(turn.turnId, {}, turn.utteranceId, turn.isGuess);
    // A guess is asked before its question is in the conversation.
    const question: Message = { role: "user", content: [{ type: "text", text: turn.text }] };
    const messages = turn.isGuess ? [...this.#messages({}), question] : this.#messages({});
    if (!turn.isGuess) {
      answer.itemId = this.#pipeline.openTurn(turn.turnId, answer.speaks);
      this.#announce(answer);
    }
    void this.#run(answer, messages);
  }

  #confirm(turnId: string): void {
    const answer = this.#answers.get(turnId);
    if (answer === undefined) return;
    answer.itemId = this.#pipeline.openTurn(turnId, answer.speaks);
    this.#announce(answer);
    const held = answer.held ?? [];
    answer.held = undefined;
    for (const part of held) this.#fold(answer, part);
    if (answer.isOver) this.#ended(answer);
  }

  #drop(turnId: string): void {
    const answer = this.#answers.get(turnId);
    this.#answers.delete(turnId);
    answer?.abort.abort(new GatewayError("request_cancelled", "the question went on"));
    this.#options.meter.count("xr.voice.guesses", { outcome: "dropped" });
  }

  #say(text: string): Answer {
    const turnId = this.#options.ids.next("turn");
    const answer = this.#newAnswer(turnId, {}, undefined, false);
    answer.itemId = this.#pipeline.create(turnId, answer.speaks);
    this.#announce(answer);
    this.#fold(answer, { type: "text-delta", text });
    answer.isOver = true;
    answer.finishReason = "stop";
    this.#ended(answer);
    return answer;
  }

  #newAnswer(
    turnId: string,
    options: CreateResponseOptions,
    utteranceId: string | undefined,
    isGuess: boolean,
  ): Answer {
    const answer: Answer = {
      turnId,
      itemId: "",
      abort: new AbortController(),
      options,
      utteranceId,
      speaks: options.speaks ?? this.#settings.speaks,
      held: isGuess ? [] : undefined,
      text: "",
      usage: undefined,
      cost: undefined,
      finishReason: undefined,
      isFailed: false,
      isOver: false,
      isDone: false,
      calls: new Map(),
      early: new Map(),
      open: new Map(),
    };
    this.#answers.set(turnId, answer);
    return answer;
  }

  #announce({ turnId, itemId, speaks, utteranceId }: Answer): void {
    const spoken = utteranceId === undefined ? {} : { utteranceId };
    this.#options.output.answerStarted({ turnId, itemId, epoch: this.epoch, speaks, ...spoken });
  }

  async #run(answer: Answer, messages: readonly Message[]): Promise<void> {
    try {
      const request = this.#request(answer, messages);
      const tools: ClientTools = {
        resultOf: (call) => {
          const early = answer.early.get(call.id);
          if (early !== undefined) {
            answer.early.delete(call.id);
            this.#calls.delete(call.id);
            return Promise.resolve(early);
          }
          const { promise, resolve } = Promise.withResolvers<{ readonly text: string; readonly isError?: boolean }>();
          this.#expect(call.id, { turnId: answer.turnId, name: call.name, resolve });
          return promise;
        },
      };
      for await (const part of this.#options.engine.answer(request, answer.abort.signal, tools)) {
        if (answer.abort.signal.aborted) break;
        if (answer.held === undefined) this.#fold(answer, part);
        else answer.held.push(part);
      }
    } catch (error) {
      if (answer.abort.signal.aborted || this.#isClosed) return;
      answer.isFailed = true;
      this.#tell(error, answer.turnId);
    }
    answer.isOver = true;
    if (answer.held === undefined) this.#ended(answer);
  }

  #request(answer: Answer, messages: readonly Message[]): XRRequest {
    const { clock, ids, principal } = this.#options;
    const settings = this.#settings;
    const { options } = answer;
    const context = this.#options.context();
    const hasRoom = context.sessionId !== "";
    const system = [settings.instructions, options.instructions].filter((text) => text !== undefined && text !== "");
    const tools: readonly ToolDefinition[] = options.tools ?? settings.tools;
    const choice = options.toolChoice ?? settings.toolChoice;
    const maxOutputTokens = options.maxOutputTokens ?? settings.maxOutputTokens;
    const temperature = options.temperature ?? settings.temperature;
    return {
      requestId: ids.next("voice"),
      kind: hasRoom ? "turn" : "chat",
      model: settings.model,
      chat: {
        messages,
        ...(system.length === 0 ? {} : { system: system as string[] }),
        ...(tools.length === 0 ? {} : { tools }),
        ...(choice === undefined || tools.length === 0 ? {} : { toolChoice: choice }),
        ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
        ...(temperature === undefined ? {} : { sampling: { temperature } }),
      },
      context,
      needs: {
        modalities: ["text"],
        tools: tools.length > 0,
        structuredOutput: false,
        vision: false,
        audioInput: false,
        contextTokensMin: 0,
      },
      deadlineMs: clock.monotonicMs() + ANSWER_MS,
      latencyClass: "interactive",
      principal,
      commit: answer.speaks ? "sentence" : "token",
    };
  }

  // oxlint-disable-next-line complexity -- One case for each kind of part.
  #fold(answer: Answer, part: AnswerPart): void {
    const { output } = this.#options;
    const { turnId, itemId } = answer;
    switch (part.type) {
      case "text-delta":
        answer.text += part.text;
        output.answerText({ turnId, itemId, text: part.text });
        this.#pipeline.answerText(turnId, part.text);
        return;
      case "usage":
        answer.usage = part.usage;
        answer.cost = part.cost;
        return;
      case "error":
        answer.isFailed = true;
        output.error({ code: part.code, message: part.message, turnId });
        return;
      case "end":
        answer.finishReason = part.finishReason;
        return;
      case "tool-call":
        answer.calls.set(part.id, { name: part.name, args: part.args });
        output.toolCall({ turnId, callId: part.id, name: part.name, args: part.args });
        return;
      case "tool-start":
        answer.open.set(part.index, { id: part.id, name: part.name });
        return;
      case "tool-end": {
        const call = answer.open.get(part.index);
        if (call === undefined) return;
        const args = part.args === "" ? "{}" : part.args;
        answer.calls.set(call.id, { name: call.name, args });
        this.#expect(call.id, { turnId, name: call.name, resolve: undefined });
        output.toolCall({ turnId, callId: call.id, name: call.name, args });
        return;
      }
      case "tool-delta":
        return;
      default:
        output.answerPart?.({ turnId, part });
    }
  }

  #expect(callId: string, call: PendingCall): void {
    this.#calls.set(callId, call);
    for (const oldest of this.#calls.keys()) {
      if (this.#calls.size <= CALLS_KEPT) break;
      this.#calls.delete(oldest);
    }
  }

  /** The engine has nothing more to say; the turn is over when the last word was heard. */
  #ended(answer: Answer): void {
    const { turnId } = answer;
    if (this.#answers.get(turnId) !== answer) return;
    if (answer.isFailed) this.#pipeline.answerFailed(turnId);
    else this.#pipeline.answerEnded(turnId);
  }

  #cancelled(turnId: string, reason: Ending): void {
    const answer = this.#answers.get(turnId);
    if (answer === undefined) return;
    answer.abort.abort(new GatewayError("request_cancelled", reason));
    // What waits for a result that nobody will use waits no longer; a history with an open call is refused by vendors.
    for (const [callId, call] of this.#calls) {
      if (call.turnId === turnId) call.resolve?.({ text: "cancelled by user", isError: true });
      if (call.turnId === turnId && call.resolve !== undefined) this.#calls.delete(callId);
    }
    this.#finish(turnId, "cancelled", reason);
  }

  #finish(turnId: string, told: VoiceTurnStatus, why: Ending): void {
    const answer = this.#answers.get(turnId);
    if (answer === undefined || answer.isDone) return;
    answer.isDone = true;
    this.#answers.delete(turnId);
    const isFailed = answer.isFailed && told !== "cancelled";
    this.#keep(answer, told === "cancelled");
    const answeredCalls = answer.options.isKept === false ? 0 : answer.early.size;
    if (answeredCalls > 0) for (const [id, { text, isError }] of answer.early) this.toolResult(id, text, isError);
    this.#options.output.turnDone({
      turnId,
      itemId: answer.itemId,
      status: isFailed ? "failed" : told,
      reason: isFailed ? "failed" : why,
      text: answer.text,
      ...(answer.usage === undefined ? {} : { usage: answer.usage }),
      ...(answer.cost === undefined ? {} : { cost: answer.cost }),
      ...(answer.finishReason === undefined ? {} : { finishReason: answer.finishReason }),
      ...(answeredCalls === 0 ? {} : { answeredCalls }),
    });
  }

  // --- the conversation ---

  #keep(answer: Answer, wasCut: boolean): void {
    if (answer.options.isKept === false) return;
    const { itemId, text, speaks } = answer;
    const content: ContentPart[] = text === "" ? [] : [{ type: "text", text }];
    for (const [id, { name, args }] of answer.calls) {
      // A call of a room's turn was answered within it.
      if (this.#calls.get(id)?.resolve === undefined && this.#calls.has(id))
        content.push({ type: "tool-call", id, name, args });
    }
    if (content.length === 0) return;
    if (speaks && wasCut) this.#spokenItems.add(itemId);
    this.#note(itemId, { role: "assistant", content });
    if (!wasCut) return;
    for (const [id] of answer.calls) {
      if (answer.early.has(id)) continue;
      if (this.#calls.get(id)?.turnId === answer.turnId) this.toolResult(id, "cancelled by user", true);
    }
  }

  #note(id: string, message: Message): void {
    this.#items.push({ id, message });
    this.#trim();
  }

  #trim(): void {
    while (this.#items.length > ITEMS_MAX) {
      const [oldest] = this.#items.splice(0, 1);
      if (oldest !== undefined) this.#spokenItems.delete(oldest.id);
    }
  }

  #heardItem(item: ConversationItem): ConversationItem {
    if (!this.#spokenItems.has(item.id)) return item;
    return { id: item.id, message: withText(item.message, this.#pipeline.heardText(item.id)) };
  }

  #messages(options: CreateResponseOptions): readonly Message[] {
    if (options.messages !== undefined) return options.messages;
    return this.items.map(({ message }) => message).filter(({ content }) => content.length > 0);
  }

  #tell(error: unknown, turnId: string): void {
    const known = GatewayError.is(error) ? error : undefined;
    const isShown = known !== undefined && ERROR_TABLE[known.code].expose;
    if (known === undefined) this.#options.log.write("error", "a voice turn failed unexpectedly", { turnId });
    const message = isShown ? known.message : "the gateway failed to answer";
    this.#options.output.error({ code: known?.code ?? "internal", message, turnId });
  }
}

/** The text replaced by what was heard of it; an item of which nothing was heard keeps its calls only. */
function withText(message: Message, text: string): Message {
  const rest = message.content.filter((part) => part.type !== "text");
  return { ...message, content: text === "" ? rest : [{ type: "text", text }, ...rest] };
}

function placedFrom(words: readonly TimedText[], fromMs: number): readonly TimedText[] {
  return words.map(({ text, startMs, endMs }) => ({ text, startMs: startMs - fromMs, endMs: endMs - fromMs }));
}
