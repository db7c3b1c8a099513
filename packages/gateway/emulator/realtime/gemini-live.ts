// The emulated Gemini Live API (BidiGenerateContent). Its messages leave as binary frames that hold JSON, as the real
// service sends them. Sources: the types of the official client and docs/spec/emulator.md.
import type { Script, ScriptedCall } from "../answer-script.ts";
import { listOf, objectOf, textOf, type Json } from "../json.ts";
import type { Rule } from "../scenario.ts";
import { Ear, spokenMs, voice } from "./sound.ts";
import { Performance, type RealtimeStage, type RealtimeSurface } from "./stage.ts";

interface Turn {
  readonly role: string;
  readonly text: string;
  readonly isToolResult?: boolean;
}

interface Kept {
  readonly turns: readonly Turn[];
}

const INPUT_HZ = 16_000;

export function geminiLive(stage: RealtimeStage): RealtimeSurface {
  return new GeminiSession(stage);
}

class GeminiSession implements RealtimeSurface {
  readonly #stage: RealtimeStage;
  #setup: Json | undefined;
  #turns: Turn[] = [];
  #ear = new Ear(INPUT_HZ);
  #audioBytes = 0;
  #typed = "";
  #performance: Performance | undefined;
  #pendingCalls: string[] = [];
  #cancels: (() => void)[] = [];
  #spoken = 0;
  #consumed = 0;

  constructor(stage: RealtimeStage) {
    this.#stage = stage;
  }

  open(): void {}

  closed(): void {
    this.#performance?.cancel();
    for (const cancel of this.#cancels) cancel();
  }

  receive(text: string): void {
    let message: Json;
    try {
      message = objectOf(JSON.parse(text));
    } catch {
      this.#stage.close(1007, "Invalid JSON payload received.");
      return;
    }
    this.#consumed++;
    if (message["setup"] !== undefined) this.#start(objectOf(message["setup"]));
    else if (this.#setup === undefined) this.#stage.close(1007, "setup must be the first message");
    else if (message["clientContent"] !== undefined) this.#content(objectOf(message["clientContent"]));
    else if (message["realtimeInput"] !== undefined) this.#realtime(objectOf(message["realtimeInput"]));
    else if (message["toolResponse"] !== undefined) this.#toolResponse(objectOf(message["toolResponse"]));
    else this.#stage.close(1007, `Invalid JSON payload received. Unknown name "${Object.keys(message)[0] ?? ""}"`);
  }

  #start(setup: Json): void {
    if (this.#setup !== undefined) {
      this.#stage.close(1011, "Internal error encountered.");
      return;
    }
    if (!textOf(setup["model"]).startsWith("models/")) {
      this.#stage.close(1007, "setup.model: models/ is expected");
      return;
    }
    const handle = textOf(objectOf(setup["sessionResumption"])["handle"]);
    if (handle !== "" && !this.#resume(handle)) return;
    this.#setup = setup;
    this.#stage.send({ setupComplete: { sessionId: this.#stage.nextId("") } });
    this.#announceHandle(true);
    this.#scheduleEnd();
  }

  #resume(handle: string): boolean {
    const kept = this.#stage.memory.get(`gemini:${handle}`) as Kept | undefined;
    if (kept === undefined || this.#stage.rule.realtime?.forgets === true) {
      this.#stage.close(1008, "BidiGenerateContent session not found");
      return false;
    }
    this.#turns = [...kept.turns];
    return true;
  }

  #scheduleEnd(): void {
    const { goAwayMs, timeLeftMs = 10_000, sessionMs } = this.#stage.rule.realtime ?? {};
    const { clock } = this.#stage;
    if (goAwayMs !== undefined) {
      this.#cancels.push(
        clock.schedule(goAwayMs, () => {
          this.#stage.send({ goAway: { timeLeft: `${timeLeftMs / 1000}s` } });
          this.#cancels.push(clock.schedule(timeLeftMs, () => this.#stage.close(1001, "going away")));
        }),
      );
    }
    if (sessionMs !== undefined) {
      this.#cancels.push(
        clock.schedule(sessionMs, () => this.#stage.close(1011, "The service is currently unavailable.")),
      );
    }
  }

  /** While it generates or a tool runs, a session cannot be resumed without loss, and says so. */
  #announceHandle(isResumable: boolean): void {
    if (this.#setup?.["sessionResumption"] === undefined) return;
    if (!isResumable) {
      this.#stage.send({ sessionResumptionUpdate: { resumable: false } });
      return;
    }
    const handle = this.#stage.nextId("handle_");
    this.#stage.memory.set(`gemini:${handle}`, { turns: [...this.#turns] } satisfies Kept);
    const isTransparent = objectOf(this.#setup["sessionResumption"])["transparent"] === true;
    const consumed = isTransparent ? { lastConsumedClientMessageIndex: String(this.#consumed) } : {};
    this.#stage.send({ sessionResumptionUpdate: { newHandle: handle, resumable: true, ...consumed } });
  }

  #content(content: Json): void {
    this.#interrupt();
    for (const turn of listOf(content["turns"]).map(objectOf)) {
      const text = listOf(turn["parts"])
        .map((part) => textOf(objectOf(part)["text"]))
        .join(" ");
      const isToolResult = listOf(turn["parts"]).some((part) => objectOf(part)["functionResponse"] !== undefined);
      this.#turns.push({ role: textOf(turn["role"]) || "user", text, isToolResult });
    }
    if (content["turnComplete"] !== false) this.#answer();
  }

  #realtime(input: Json): void {
    const media = input["audio"] ?? listOf(input["mediaChunks"])[0];
    if (media !== undefined) this.#hear(Buffer.from(textOf(objectOf(media)["data"]), "base64"));
    if (typeof input["text"] === "string") {
      this.#typed += input["text"];
      if (!this.#isManual()) this.#closeUserTurn();
    }
    if (input["activityStart"] !== undefined) this.#interrupt();
    if (input["activityEnd"] !== undefined) this.#closeUserTurn();
    if (input["audioStreamEnd"] === true && this.#ear.isSpeech) this.#closeUserTurn();
  }

  #isManual(): boolean {
    const config = objectOf(objectOf(this.#setup?.["realtimeInputConfig"])["automaticActivityDetection"]);
    return config["disabled"] === true;
  }

  #hear(pcm: Uint8Array): void {
    this.#audioBytes += pcm.length;
    if (this.#isManual()) return;
    const config = objectOf(objectOf(this.#setup?.["realtimeInputConfig"])["automaticActivityDetection"]);
    const prefixMs = Number(config["prefixPaddingMs"] ?? 20);
    const silenceMs = Number(config["silenceDurationMs"] ?? 500);
    for (const heard of this.#ear.push(pcm, { prefixMs, silenceMs })) {
      if (heard.type === "started") this.#interrupt();
      else this.#closeUserTurn();
    }
  }

  #closeUserTurn(): void {
    const ms = Math.round(this.#audioBytes / ((INPUT_HZ / 1000) * 2));
    const { hears } = this.#stage.rule.realtime ?? {};
    const text = this.#typed === "" ? (hears?.[this.#spoken++] ?? `${ms} milliseconds of speech`) : this.#typed;
    if (this.#typed === "" && this.#setup?.["inputAudioTranscription"] !== undefined) {
      this.#stage.send({ serverContent: { inputTranscription: { text } } });
    }
    this.#audioBytes = 0;
    this.#typed = "";
    this.#turns.push({ role: "user", text });
    this.#answer();
  }

  #interrupt(): void {
    const performance = this.#performance;
    if (performance !== undefined && !performance.isOver) {
      performance.cancel();
      this.#stage.send({ serverContent: { interrupted: true } });
      this.#stage.send({ serverContent: { turnComplete: true } });
      this.#announceHandle(true);
    }
    if (this.#pendingCalls.length > 0) {
      this.#stage.send({ toolCallCancellation: { ids: this.#pendingCalls } });
      this.#pendingCalls = [];
    }
  }

  #toolResponse(response: Json): void {
    for (const result of listOf(response["functionResponses"]).map(objectOf)) {
      this.#pendingCalls = this.#pendingCalls.filter((id) => id !== result["id"]);
      this.#turns.push({ role: "user", text: JSON.stringify(result["response"] ?? {}), isToolResult: true });
    }
    if (this.#pendingCalls.length === 0) this.#answer();
  }

  #answer(): void {
    this.#announceHandle(false);
    const declared = listOf(this.#setup?.["tools"]).flatMap((tool) => listOf(objectOf(tool)["functionDeclarations"]));
    const last = this.#turns.findLast((turn) => turn.role === "user" && turn.isToolResult !== true);
    const { script, rule } = this.#stage.script({
      lastUserText: last?.text ?? "",
      allText: this.#turns.map((turn) => turn.text).join(" "),
      imageCount: 0,
      tools: declared.map(objectOf).map((tool) => ({
        name: textOf(tool["name"]),
        schema: objectOf(tool["parameters"] ?? tool["parametersJsonSchema"]),
      })),
      toolChoice: "auto",
      endsWithToolResult: this.#turns.at(-1)?.isToolResult === true,
    });
    const performance = new Performance(this.#stage.clock);
    this.#performance = performance;
    performance.play(this.#steps(script, rule), () => this.#finish(script));
  }

  #steps(script: Script, rule: Rule): { readonly delayMs: number; readonly run: () => void }[] {
    const modalities = listOf(objectOf(this.#setup?.["generationConfig"])["responseModalities"]);
    const isText = modalities.length > 0 && !modalities.includes("AUDIO");
    let saidMs = 0;
    const perToken = rule.answer?.audioMs === undefined ? undefined : rule.answer.audioMs / script.tokens.length;
    const steps = script.tokens.map((token, index) => ({
      delayMs: (index === 0 ? rule.delay?.firstTokenMs : rule.delay?.tokenMs) ?? 0,
      run: () => {
        if (isText) {
          this.#stage.send({ serverContent: { modelTurn: { role: "model", parts: [{ text: token }] } } });
          return;
        }
        const ms = perToken ?? spokenMs(token);
        const data = Buffer.from(voice(ms, saidMs)).toString("base64");
        saidMs += ms;
        const inlineData = { mimeType: "audio/pcm;rate=24000", data };
        this.#stage.send({ serverContent: { modelTurn: { role: "model", parts: [{ inlineData }] } } });
        if (this.#setup?.["outputAudioTranscription"] === undefined) return;
        this.#stage.send({ serverContent: { outputTranscription: { text: token } } });
      },
    }));
    if (script.toolCalls.length > 0) {
      const delayMs = (script.tokens.length === 0 ? rule.delay?.firstTokenMs : rule.delay?.tokenMs) ?? 0;
      steps.push({ delayMs, run: () => this.#call(script.toolCalls) });
    }
    const { ending } = rule;
    if (ending === undefined || ending.kind === "complete") return steps;
    const strike: Readonly<Record<string, () => void>> = {
      eof: () => this.#stage.close(1000, ""),
      error: () => this.#stage.close(1011, "Internal error encountered."),
      stall: () => {},
    };
    const run = strike[ending.kind] ?? ((): void => this.#stage.cut());
    const kept = steps.slice(0, ending.after ?? steps.length);
    return [...kept, { delayMs: 0, run }, { delayMs: 3_600_000, run: () => {} }];
  }

  #call(calls: readonly ScriptedCall[]): void {
    const functionCalls = calls.map((call) => {
      const id = call.id ?? this.#stage.nextId("function-call-");
      return { id, name: call.name, args: JSON.parse(call.args) as unknown };
    });
    this.#pendingCalls = functionCalls.map((call) => call.id);
    this.#stage.send({ toolCall: { functionCalls } });
  }

  #finish(script: Script): void {
    this.#turns.push({ role: "model", text: script.text });
    if (script.toolCalls.length > 0) return;
    this.#stage.send({ serverContent: { generationComplete: true } });
    const { input, output } = script.usage;
    const usageMetadata = {
      promptTokenCount: input,
      responseTokenCount: output,
      totalTokenCount: input + output,
      responseTokensDetails: [{ modality: "AUDIO", tokenCount: output }],
    };
    this.#stage.send({ serverContent: { turnComplete: true }, usageMetadata });
    this.#announceHandle(true);
  }
}
