// Rules KP1, KP2, KP4 and KP6 to KP9 of docs/spec/client.md. `speaking` gives a page whose turn t1 is being spoken.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Fovea } from "@fovea/client";
import type { Caption, ConnectOptions } from "@fovea/client";
import { settle } from "@fovea/core/testing";
import { encodeAudioPacket } from "@fovea/protocol";
import { fakeAudio } from "./fake-audio.ts";
import type { FakeAudio } from "./fake-audio.ts";
import { FULL_CONSENT, ScriptedGateway } from "./scripted-gateway.ts";

const WORDS = ["This", "lamp", "is", "new."].map((text, i) => ({ text, startMs: i * 200, endMs: i * 200 + 180 }));
const HIGHLIGHT = { kind: "highlight", target: "lamp", style: "outline", ttlMs: 1_000 } as const;

class Page {
  readonly gateway = new ScriptedGateway();
  readonly audio: FakeAudio = fakeAudio(this.gateway.clock);
  readonly log: string[] = [];
  xr!: Fovea;
  #seq = 0;
  #startMs = 0;
  #packets = 0;

  async connect(options: Partial<ConnectOptions> = {}): Promise<this> {
    const opening = Fovea.connect({
      url: "ws://gateway/xr",
      consent: FULL_CONSENT,
      WebSocket: this.gateway.WebSocket,
      clock: this.gateway.clientClock,
      random: () => 0.5,
      audioContext: () => this.audio.context,
      ...options,
    });
    await this.gateway.welcome();
    this.xr = await opening;
    const note = (text: string): void => void this.log.push(`${this.#sinceMs()} ${text}`);
    this.xr.on("action", ({ detail }) => note(detail.action.kind));
    this.xr.on("caption", ({ detail }) => note(`caption ${shown(detail.caption)}`));
    void this.xr.ask("which lamp?").text();
    this.#startMs = this.gateway.clock.monotonicMs();
    return this;
  }

  part(part: object): this {
    const turnId = this.gateway.socket.take("ask")[0]?.turnId;
    const header = { turnId, seq: this.#seq++, epoch: 1, provider: "p", cached: false };
    this.gateway.socket.reply({ ...header, ...part });
    return this;
  }

  /** Opens an item and gives 20 ms packets for `ms` of it. */
  speech(ms: number, more: object = {}): this {
    this.part({ type: "audio", streamId: 1, codec: "pcm16-16k", itemId: "i1", gainDb: 0, ...more });
    for (let at = 0; at < ms; at += 20) this.packet();
    return this;
  }

  packet(epoch = 1): void {
    const payload = new Uint8Array(640);
    const packet = { codec: "pcm16-16k", streamId: 1, seq: this.#packets++, epoch, t0: 0, payload } as const;
    this.gateway.socket.replyBytes(encodeAudioPacket(packet, "down"));
  }

  async advance(ms: number): Promise<this> {
    for (let at = 0; at < ms; at += 10) {
      this.gateway.clock.advance(10);
      await settle();
    }
    return this;
  }

  receipts(): string[] {
    return this.gateway.socket.take("receipt").map(({ delivered, via }) => `${delivered} ${via}`);
  }

  #sinceMs(): number {
    return Math.round(this.gateway.clock.monotonicMs() - this.#startMs);
  }
}

function shown(caption: Caption | undefined): string {
  if (caption === undefined) return "-";
  return caption.text
    .split(" ")
    .map((word, index) => (index === caption.word ? `*${word}*` : word))
    .join(" ");
}

test("[KP1] a highlight waits for its word", async () => {
  const page = await new Page().connect();
  page.part({ type: "start", model: "m" });
  page.part({ type: "action", action: HIGHLIGHT, cue: { itemId: "i1", atMs: 200 } });
  await page.advance(100);
  page.speech(800);
  await page.advance(240);
  assert.deepEqual(page.log, []);
  await page.advance(40);
  assert.deepEqual(page.log, ["360 highlight"]);
  assert.deepEqual(page.receipts(), ["true application"]);
});

test("[KP1] without speech nothing waits long", async () => {
  const page = await new Page().connect();
  page.part({ type: "action", action: HIGHLIGHT, cue: { itemId: "never", atMs: 200 } });
  await page.advance(2_600);
  page.part({ type: "action", action: HIGHLIGHT, cue: { itemId: "never", atMs: 200 } });
  page.part(DONE);
  assert.deepEqual(page.log, ["2500 highlight", "2600 highlight"]);
});

test("[KP2] [KP4] a flush drops what waits and tells what was heard", async () => {
  const page = await new Page().connect();
  page.part({ type: "action", action: HIGHLIGHT, cue: { itemId: "i1", atMs: 600 } });
  page.speech(800);
  await page.advance(460);
  const told = page.gateway.socket.take("playback").map(({ playedMs, bufferedMs }) => `${playedMs}+${bufferedMs}`);
  assert.deepEqual(told, ["140+660", "340+460"]);
  page.gateway.socket.reply({ type: "flush", epoch: 2 });
  const { playedMs, bufferedMs } = page.gateway.socket.take("playback").at(-1) ?? {};
  assert.deepEqual([playedMs, bufferedMs], [400, 0]);
  assert.ok(page.audio.log.includes("ramp to 0.00 by 472"), page.audio.log.join());
  assert.deepEqual(page.receipts(), ["false none"]);
  page.packet(1);
  await page.advance(1_000);
  assert.deepEqual(page.log, []);
  assert.equal(page.xr.stats().outboxSize >= 0, true);
});

test("[KP4] the end of an item is told", async () => {
  const page = await new Page().connect();
  page.speech(200);
  await page.advance(400);
  const last = page.gateway.socket.take("playback").at(-1);
  assert.ok(last !== undefined && Math.abs(last.playedMs - 200) <= 2 && last.bufferedMs === 0, JSON.stringify(last));
});

test("[KP6] captions follow the words, and reading speed without them", async () => {
  const page = await new Page().connect({ preferences: { captions: true } });
  page.part({ type: "start", model: "m" });
  page.speech(800).part({ type: "words", itemId: "i1", words: WORDS });
  await page.advance(1_600);
  const captions = page.log.map((line) => line.replace(/^\d+ caption /, ""));
  assert.deepEqual(captions, [
    "*This* lamp is new.",
    "This *lamp* is new.",
    "This lamp *is* new.",
    "This lamp is *new.*",
    "-",
  ]);
  const silent = await new Page().connect();
  silent.part({ type: "start", model: "m", captions: true });
  silent.part({ type: "text.delta", text: "It is behind you. " }).part({ type: "text.delta", text: "Turn round" });
  silent.part(DONE);
  await silent.advance(4_000);
  assert.deepEqual(silent.log, ["0 caption It is behind you.", "1200 caption Turn round", "2400 caption -"]);
  const plain = await new Page().connect();
  plain.part({ type: "start", model: "m" }).part({ type: "text.delta", text: "It is there. " }).part(DONE);
  await plain.advance(3_000);
  assert.deepEqual(plain.log, []);
});

test("[KP7] a mark that is not seen is heard from its place", async () => {
  const page = await new Page().connect({ preferences: { sight: "none" } });
  page.part({ type: "action", action: { ...HIGHLIGHT, target: undefined, position: [1, 1, -1] } });
  assert.deepEqual(page.receipts(), ["true audio"]);
  assert.deepEqual(page.audio.log.slice(0, 1), ["panner"]);
  assert.ok(page.audio.log.includes("tone"));
});

test("[KP8] a touch is tried in the order given", async () => {
  const page = await new Page().connect();
  const haptic = { type: "haptic", clip: "tick", handedness: "right", gain: 1, fallbackPulses: PULSES };
  page.part(haptic).part({ ...haptic, ways: ["touch", "sight"] });
  await page.advance(20);
  assert.deepEqual(page.receipts(), ["true audio", "false none"]);
});

test("[KP9] preferences are told, and a blocked page counts as muted", async () => {
  const page = new Page();
  (page.audio.context as { state: string }).state = "suspended";
  await page.connect({ preferences: { hearing: "low" } });
  const { socket } = page.gateway;
  assert.deepEqual(socket.take("hello")[0]?.preferences, { hearing: "low" });
  page.xr.preferences.set({ sight: "low" });
  page.part({ type: "start", model: "m" }).speech(100);
  await page.advance(50);
  const told = socket.take("preferences").map(({ preferences, output }) => preferences ?? output);
  assert.deepEqual(told, [{ sight: "low" }, { muted: true }]);
  page.part({ type: "text.delta", text: "Heard by nobody. " }).part(DONE);
  assert.deepEqual(page.log.at(-1)?.replace(/^\d+ /, ""), "caption Heard by nobody.");
});

const PULSES = [{ value: 1, duration: 40, at: 0 }];
const DONE = {
  type: "done",
  outcome: "complete",
  model: "m",
  reason: "",
  latency: { total: 1 },
  steps: [],
  tokens: { input: 0, output: 0 },
  cost: { source: "free" },
};
