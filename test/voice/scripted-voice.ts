// A voice conversation on a fake clock: an engine that hears, answers and speaks what a test says, and a microphone that is
// a timeline. "s500" is half a second of voice, "_500" of silence; other words are calls of the handle.
import type {
  AnswerEngine,
  AnswerPart,
  ClientTools,
  ModelListing,
  OperationOutput,
  OperationRequest,
  Served,
  UnaryOperation,
  XRRequest,
} from "@fovea/core";
import { GatewayError, NO_CONTEXT, NO_METER } from "@fovea/core";
import { CountingIds, FakeClock, LOCAL_PRINCIPAL, MemoryLog, PARTS, settle } from "@fovea/core/testing";
import { openVoice } from "../../packages/gateway/src/realtime/voice/open-voice.ts";
import type {
  VoiceHandle,
  VoiceOutputPort,
  VoiceSettings,
} from "../../packages/gateway/src/realtime/voice/voice-port.ts";

export const SPEECH_RATE = 24_000;
/** Of the voice that speaks here. */
const WORD_MS = 300;

export interface Script {
  /** What the recogniser says, call by call; the last one stays. A failure is written as "!". */
  readonly heard?: readonly string[];
  /** How long it takes. */
  readonly hearMs?: number;
  readonly complete?: boolean;
  readonly answer?: (
    request: XRRequest,
    tools: ClientTools | undefined,
    signal: AbortSignal,
  ) => AsyncIterable<AnswerPart>;
  readonly speak?: (text: string, model: string) => AsyncIterable<Uint8Array>;
  readonly models?: readonly string[];
  readonly settings?: Partial<VoiceSettings>;
}

export class ScriptedVoice {
  readonly clock = new FakeClock(10_000);
  readonly lines: string[] = [];
  readonly requests: XRRequest[] = [];
  readonly transcribed: { readonly bytes: number; readonly model: string }[] = [];
  readonly log = new MemoryLog();
  readonly handle: VoiceHandle;
  /** Of every packet: when it came, where it stands in its item, how long it is. */
  readonly packets: {
    readonly atMs: number;
    readonly itemId: string;
    readonly startMs: number;
    readonly ms: number;
    readonly epoch: number;
  }[] = [];
  readonly words: { readonly text: string; readonly startMs: number; readonly endMs: number }[] = [];
  items: string[] = [];
  #phase = 0;
  #step = 0;
  readonly #script: Script;

  constructor(script: Script = {}) {
    this.#script = script;
    this.handle = openVoice({
      engine: this.#engine(),
      clock: this.clock,
      ids: new CountingIds(),
      log: this.log,
      meter: NO_METER,
      principal: LOCAL_PRINCIPAL,
      context: () => NO_CONTEXT,
      settings: { playback: "estimated", cancelsEcho: false, ...script.settings },
      output: this.#output(),
    });
  }

  /** Runs the timeline and returns what came out. */
  async play(script: string): Promise<string[]> {
    for (const word of script.split(/\s+/)) {
      const span = /^([s_])(\d+)$/.exec(word);
      if (span === null) this.#call(word);
      else for (let ms = 0; ms < Number(span[2]); ms += 20) await this.#packet(span[1] === "s");
      await settle();
    }
    return this.lines;
  }

  /** The conversation as models see it. */
  get told(): string {
    return this.handle.items
      .map(
        ({ message }) =>
          `${message.role}: ${message.content.map((part) => (part.type === "text" ? part.text : part.type)).join(" ")}`,
      )
      .join(" | ");
  }

  say(line: string): void {
    this.lines.push(`${line} @${this.clock.monotonicMs() - 10_000}`);
  }

  #call(word: string): void {
    const { handle } = this;
    const [name, argument] = word.split(":");
    if (name === "commit") this.say(handle.commit() === undefined ? "nothing to commit" : "commit");
    else if (name === "clear") handle.clear();
    else if (name === "cancel") handle.cancel();
    else if (name === "create") this.say(handle.createResponse() === undefined ? "refused" : "created");
    else if (name === "hold" || name === "release") handle.cue("hold", name === "hold");
    else if (name === "played") handle.played({ epoch: 1, itemId: this.items.at(-1) ?? "", audioMs: Number(argument) });
    else if (name === "result") handle.toolResult("call_1", argument ?? "");
    else throw new Error(word);
  }

  async #packet(isVoice: boolean): Promise<void> {
    const samples = new Int16Array(320);
    for (let i = 0; i < samples.length; i++) {
      this.#phase += 130 / 16_000;
      this.#step = (this.#step * 1_103_515_245 + 12_345) & 0x7fffffff;
      samples[i] = (isVoice ? ((this.#phase % 1) - 0.5) * 12_000 : 0) + ((this.#step % 16) - 8);
    }
    await this.clock.advanceAsync(20);
    this.handle.pushAudio(samples, 16_000, this.clock.monotonicMs() - 20);
    await settle();
  }

  #engine(): AnswerEngine {
    const {
      heard = ["hello there"],
      hearMs = 0,
      complete = false,
      answer,
      speak,
      models = ["fake/ear", "fake/voice"],
    } = this.#script;
    const pending = [...heard];
    const answers = answer ?? sayBack;
    const listing = models.map((name): ModelListing => ({
      name,
      providerId: name.split("/")[0] ?? "",
      features: [name.includes("ear") ? "transcribe" : "speak"],
    }));
    const transcribe = async (model: string, bytes: number, signal: AbortSignal): Promise<object> => {
      this.transcribed.push({ bytes, model });
      await new Promise<void>((resolve) => void this.clock.schedule(hearMs, resolve));
      if (signal.aborted) throw new GatewayError("request_cancelled", "left");
      const text = (pending.length > 1 ? pending.shift() : pending[0]) ?? "";
      if (text === "!") throw new GatewayError("provider_failed", "deaf");
      const words = text.split(" ").map((word, i) => ({ text: word, startMs: 300 + i * 200, endMs: 480 + i * 200 }));
      return { text, words, isComplete: complete, warnings: [] };
    };
    return {
      answer: (request, signal, tools) => {
        this.requests.push(request);
        return answers(request, tools, signal);
      },
      perform: async <O extends UnaryOperation>(
        request: OperationRequest<O>,
        signal: AbortSignal,
      ): Promise<Served<OperationOutput[O]>> => {
        const input = request.input as { model: string; text?: string; audio?: { bytes: Uint8Array } };
        const result =
          request.operation === "transcribe"
            ? await transcribe(input.model, input.audio?.bytes.length ?? 0, signal)
            : {
                mime: "audio/pcm",
                sampleRateHz: SPEECH_RATE,
                stream: (speak ?? tone)(input.text ?? "", input.model),
                warnings: [],
                usage: Promise.resolve(undefined),
              };
        const plan = { cells: [], reason: "" } as unknown as Served<OperationOutput[O]>["plan"];
        return {
          result: result as OperationOutput[O],
          providerId: "fake",
          model: input.model,
          cost: { microUsd: 0, source: "free" },
          plan,
        };
      },
      listModels: () => listing,
    };
  }

  #output(): VoiceOutputPort {
    return {
      speechStarted: () => this.say("speech"),
      speechStopped: () => this.say("silence"),
      committed: () => undefined,
      transcriptPart: ({ text }) => this.say(`part "${text}"`),
      transcriptDone: ({ text }) => this.say(`heard "${text}"`),
      transcriptFailed: () => this.say("not heard"),
      answerStarted: ({ itemId, epoch }) => {
        this.items.push(itemId);
        this.say(`answer e${epoch}`);
      },
      answerText: ({ text }) => this.say(`text "${text}"`),
      wordMark: ({ words }) => this.words.push(...words),
      audio: ({ itemId, pcm, startMs, epoch }) => {
        if (startMs === 0) this.say(`sound e${epoch}`);
        this.packets.push({
          atMs: this.clock.monotonicMs(),
          itemId,
          startMs,
          ms: (pcm.length * 1_000) / SPEECH_RATE,
          epoch,
        });
      },
      audioDone: ({ durationMs }) => this.say(`sent ${Math.round(durationMs)} ms`),
      duck: () => this.say("duck"),
      unduck: () => this.say("unduck"),
      flush: ({ epoch, heardText }) => this.say(`flush e${epoch} "${heardText}"`),
      filler: () => this.say("filler"),
      toolCall: ({ name, args }) => this.say(`call ${name} ${args}`),
      turnDone: ({ status, reason }) => this.say(`done ${status} ${reason}`),
      error: ({ code }) => this.say(`error ${code}`),
    };
  }
}

/** Two sentences of five words. */
export async function* sayBack(): AsyncGenerator<AnswerPart> {
  yield PARTS.start();
  yield PARTS.text("One two three four five. ");
  yield PARTS.text("Six seven eight nine ten.");
  yield PARTS.end();
}

/** 300 ms a word, in pieces of 100 ms. */
export async function* tone(text: string): AsyncGenerator<Uint8Array> {
  const words = text.trim().split(/\s+/).length;
  for (let ms = 0; ms < words * WORD_MS; ms += 100) {
    yield new Uint8Array(Int16Array.from({ length: SPEECH_RATE / 10 }, (_, i) => 3_000 * Math.sin(i / 9)).buffer);
  }
}
