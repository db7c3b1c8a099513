// What every realtime adapter must do, whatever its wire: cases without a runner. The caller brings the vendor.
import assert from "node:assert/strict";
import { voice as speech } from "../../packages/gateway/emulator/realtime/sound.ts";
import type { ScenarioInput } from "../../packages/gateway/emulator/index.ts";
import type { VoiceHandle, VoiceSettings } from "../../packages/gateway/src/realtime/voice/voice-port.ts";
import { askedOf, type BridgeStage, type Told } from "./bridge-stage.ts";

export interface RealtimeContractCase {
  readonly title: string;
  readonly scenario?: ScenarioInput;
  readonly settings?: Partial<VoiceSettings>;
  readonly run: (stage: BridgeStage) => Promise<void>;
}

export const LONG = "The cup that you look at is red and stands on the table near the window. ".repeat(8);
const LOOK = { name: "look", schema: { type: "object", properties: { at: { type: "string" } } } };
const CALL = { toolCalls: [{ name: "look", arguments: { at: "cup", note: 'a "quoted" word' } }] };

const samples = (bytes: Uint8Array): Int16Array =>
  new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);

export function type(voice: VoiceHandle, text: string): void {
  voice.addItem({
    id: `typed-${text.length}-${performance.now()}`,
    message: { role: "user", content: [{ type: "text", text }] },
  });
}

export function say(voice: VoiceHandle, ms = 800): void {
  voice.pushAudio(samples(speech(ms)), 24_000);
  voice.pushAudio(new Int16Array(24_000), 24_000);
}

const names = (told: readonly Told[]): string =>
  told
    .map((event) => event.type)
    .filter((name, index, all) => name !== all[index - 1])
    .join(" ");
const text = (stage: BridgeStage): string =>
  stage.told
    .take("answerText")
    .map((event) => String(event["text"]))
    .join("");
const slow = (more: object = {}): ScenarioInput => ({
  rules: [{ when: { method: "RESPONSE" }, answer: { text: LONG }, delay: { tokenMs: 15 }, ...more }],
});

export const REALTIME_CONTRACT: readonly RealtimeContractCase[] = [
  {
    title: "[RTC1] a typed question is answered once, in order, with what it used",
    scenario: {
      rules: [{ when: { method: "RESPONSE" }, answer: { text: "A red cup.", usage: { input: 20, output: 6 } } }],
    },
    run: async (stage) => {
      type(stage.voice, "what is this");
      const turnId = stage.voice.createResponse();
      const done = await stage.told.until("turnDone");
      assert.match(names(stage.told.all), /^answerStarted (?:(?:answerText|audio) ){6}audioDone turnDone$/);
      assert.deepEqual(
        [done["turnId"], done["status"], done["reason"], done["text"]],
        [turnId, "completed", "finished", "A red cup."],
      );
      assert.match(JSON.stringify(done["usage"]), /"input":\{"total":20.*"output":\{"total":6/);
    },
  },
  {
    title: "[RTC2] a spoken question ends by its silence, is transcribed and answered",
    scenario: { defaults: { realtime: { hears: ["what is this"] } } },
    run: async (stage) => {
      say(stage.voice);
      await stage.told.until("turnDone");
      const started = stage.told.take("speechStarted")[0] ?? (await stage.told.until("speechStarted"));
      const heard = stage.told.take("transcriptDone")[0];
      assert.equal(heard?.["text"], "what is this");
      const same = ["speechStarted", "speechStopped", "committed", "transcriptDone"].map(
        (name) => stage.told.take(name)[0]?.["utteranceId"],
      );
      assert.deepEqual(new Set(same), new Set([started["utteranceId"]]), "one utterance, one name");
      assert.match(text(stage), /what is this/);
      assert.deepEqual(
        stage.voice.items.map(({ message }) => message.role),
        ["user", "assistant"],
      );
    },
  },
  {
    title: "[RTC3] with manual turns nothing happens by itself; commit and createResponse do",
    settings: { turnDetection: { kind: "manual" } },
    scenario: { defaults: { realtime: { hears: ["what is this"] } } },
    run: async (stage) => {
      assert.equal(stage.voice.commit(), undefined, "nothing was said");
      say(stage.voice);
      const committed = stage.voice.commit();
      assert.ok(committed !== undefined);
      stage.voice.createResponse();
      await stage.told.until("turnDone");
      assert.equal(
        stage.told.take("speechStarted").filter((event) => event["utteranceId"] !== committed.utteranceId).length,
        0,
      );
      assert.equal(stage.told.take("committed").length, 1);
      assert.match(text(stage), /what is this/);
    },
  },
  {
    title: "[RTC4] a tool call comes with whole JSON, and its result leads to an answer",
    settings: { tools: [LOOK] },
    scenario: {
      rules: [
        { when: { method: "RESPONSE", attempts: 1 }, answer: CALL },
        { when: { method: "RESPONSE" }, answer: { text: "A red cup." } },
      ],
    },
    run: async (stage) => {
      type(stage.voice, "what is this");
      stage.voice.createResponse();
      const call = await stage.told.until("toolCall");
      assert.deepEqual(JSON.parse(String(call["args"])), CALL.toolCalls[0]?.arguments);
      assert.equal(stage.voice.toolResult("another", "x"), false);
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.equal(stage.voice.toolResult(String(call["callId"]), "a cup"), true);
      assert.equal(stage.voice.toolResult(String(call["callId"]), "again"), false);
      stage.voice.createResponse();
      await stage.told.when((event) => event.type === "turnDone" && event["text"] === "A red cup.");
    },
  },
  {
    title: "[RTC5] speech over an answer raises the epoch, flushes, and nothing older follows",
    scenario: slow(),
    run: async (stage) => {
      type(stage.voice, "tell me");
      stage.voice.createResponse();
      await stage.told.until("audio");
      say(stage.voice, 400);
      const flush = await stage.told.until("flush");
      assert.equal(flush["epoch"], 2);
      assert.equal(stage.voice.epoch, 2);
      const done = await stage.told.until("turnDone");
      assert.deepEqual([done["status"], done["reason"]], ["cancelled", "turn_detected"]);
      const after = stage.told.all.slice(stage.told.all.indexOf(flush));
      assert.ok(after.filter((event) => event.type === "audio").every((event) => Number(event["epoch"]) >= 2));
    },
  },
  {
    title: "[RTC6] of an answer that was cut only what was heard stays in the conversation",
    scenario: slow({ delay: { tokenMs: 0 } }),
    run: async (stage) => {
      type(stage.voice, "tell me");
      stage.voice.createResponse();
      await stage.told.until("audio");
      await new Promise((resolve) => setTimeout(resolve, 600));
      say(stage.voice, 400);
      const flush = await stage.told.until("flush");
      const heard = String(flush["heardText"]);
      assert.ok(Number(flush["heardMs"]) >= 500 && Number(flush["heardMs"]) < 3_000, String(flush["heardMs"]));
      // Fifteen characters a second are said.
      assert.ok(heard.length > 0 && heard.length < 60, heard);
      assert.ok(LONG.startsWith(heard.trim()));
      const kept = JSON.stringify(stage.voice.items.filter(({ message }) => message.role === "assistant").slice(0, 1));
      assert.ok(kept.length < 200, kept);
    },
  },
  {
    title: "[RTC7] a cancelled answer ends at once, says nothing more, and the next one is whole",
    scenario: {
      rules: [
        { when: { method: "RESPONSE", attempts: 1 }, answer: { text: LONG }, delay: { tokenMs: 15 } },
        { when: { method: "RESPONSE" }, answer: { text: "The next one." } },
      ],
    },
    run: async (stage) => {
      type(stage.voice, "tell me");
      const first = stage.voice.createResponse();
      await stage.told.until("audio");
      stage.voice.cancel();
      const done = stage.told.take("turnDone")[0];
      assert.deepEqual(
        [done?.["turnId"], done?.["status"], done?.["reason"]],
        [first, "cancelled", "client_cancelled"],
      );
      type(stage.voice, "and now");
      const second = stage.voice.createResponse();
      const next = await stage.told.when((event) => event.type === "turnDone" && event["turnId"] === second);
      assert.equal(next["text"], "The next one.");
      const stray = stage.told.all.slice(stage.told.all.findIndex((event) => event.type === "turnDone") + 1);
      assert.ok(stray.every((event) => event["turnId"] !== first));
    },
  },
  {
    title: "[RTC8] an answer in text has no sound",
    settings: { speaks: false },
    run: async (stage) => {
      type(stage.voice, "hello");
      stage.voice.createResponse();
      await stage.told.until("turnDone");
      assert.equal(stage.told.take("audio").length, 0);
      assert.match(text(stage), /hello/);
    },
  },
  {
    title: "[RTC9] a connection that breaks in mid-answer is made again with the conversation",
    scenario: {
      rules: [
        {
          when: { method: "RESPONSE", attempts: 1 },
          answer: { text: LONG },
          delay: { tokenMs: 5 },
          ending: { kind: "cut", after: 4 },
        },
      ],
    },
    run: async (stage) => {
      type(stage.voice, "remember seven");
      stage.voice.createResponse();
      const first = await stage.told.until("turnDone");
      assert.deepEqual([first["status"], first["reason"]], ["cancelled", "superseded"]);
      const second = await stage.told.until("turnDone");
      assert.equal(second["status"], "completed");
      assert.match(askedOf(stage.emulators[0]), /remember seven/);
    },
  },
  {
    title: "[RTC10] whom nobody answers is told so: no turn stays open",
    scenario: { rules: [{ when: { method: "GET" }, status: 503 }] },
    run: async (stage) => {
      type(stage.voice, "hello");
      stage.voice.createResponse();
      const error = await stage.told.until("error");
      assert.equal(error["code"], "provider_failed");
      assert.match(String(error["message"]), /refused with 503/);
      assert.equal((await stage.told.until("turnDone"))["status"], "failed");
    },
  },
  {
    title: "[RTC11] after close nothing is said",
    scenario: slow(),
    run: async (stage) => {
      type(stage.voice, "tell me");
      stage.voice.createResponse();
      await stage.told.until("audio");
      stage.voice.close();
      const count = stage.told.all.length;
      await new Promise((resolve) => setTimeout(resolve, 120));
      assert.equal(stage.told.all.length, count);
    },
  },
  {
    title: "[RTC12] sound of any rate is taken, and given at the rate that was asked for",
    settings: { outputRateHz: 8_000 },
    scenario: { rules: [{ when: { method: "RESPONSE" }, answer: { text: "Hi.", audioMs: 1_000 } }] },
    run: async (stage) => {
      stage.voice.pushAudio(samples(speech(800, 0, 48_000)), 48_000);
      stage.voice.pushAudio(new Int16Array(48_000), 48_000);
      const done = await stage.told.until("audioDone");
      assert.ok(Math.abs(Number(done["durationMs"]) - 1_000) < 30, String(done["durationMs"]));
      const given = stage.told.take("audio").reduce((sum, event) => sum + Number(event["samples"]), 0);
      assert.ok(Math.abs(given - 8_000) < 300, String(given));
    },
  },
];
