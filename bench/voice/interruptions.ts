// Speech over an answer, in four voices: nods ("yeah", "okay") must leave it alone, words and sentences must end it.
import { sceneNode } from "@fovea/core/testing";
import { startFovea } from "../../test/gateway/run-fovea.ts";
import { soundingSpan, spoken } from "../../test/voice/spoken.ts";
import { VoiceClient } from "../../test/voice/voice-client.ts";
import { line, pause } from "./figures.ts";

const NODS = ["yeah", "yes", "okay", "right", "sure", "I see", "uh huh", "got it"];
const REAL = [
  "stop",
  "wait",
  "no",
  "cancel",
  "where is the lamp",
  "highlight the table",
  "how far is the couch",
  "what is that",
];
const VOICES = ["rms", "slt", "awb", "kal16"];
/** The echo canceller's learning time, in which nothing takes the floor. */
const LEARNING_MS = 3_300;

export async function measureInterruptions(rounds: number): Promise<void> {
  await using fovea = await startFovea([], { FOVEA_STORE: "memory" });
  const ducked: number[] = [];
  const ended: number[] = [];
  const restored: number[] = [];
  const counts = { nods: 0, falsely: 0, real: 0, caught: 0 };
  const work = Array.from({ length: rounds }, () =>
    VOICES.flatMap((voice) => [
      ...NODS.map((text) => ({ text, voice, isNod: true })),
      ...REAL.map((text) => ({ text, voice, isNod: false })),
    ]),
  ).flat();
  const run = async (index: number): Promise<void> => {
    await using client = await VoiceClient.connect(`${fovea.url.replace("http", "ws")}/xr`);
    const add = ["lamp", "couch", "table"].map((label, i) =>
      sceneNode(`${label}-1`, [i * 2 - 2, 1.6, -2], { ref: i + 1, semanticLabel: label }),
    );
    client.send({ type: "scene.update", frame: "local-floor", add, update: [], remove: [] });
    client.pose = () => undefined;
    client.listen();
    await pause(1_500 + index * 900);
    let learnt = 0;
    for (let item = work.shift(); item !== undefined; item = work.shift()) {
      if (!(await isAnswering(client))) {
        learnt = performance.now() + (learnt === 0 ? LEARNING_MS : 700);
        await pause(learnt - performance.now());
      }
      const samples = await spoken(item.text, item.voice);
      const from = client.heard.length;
      const onsetMs = client.say(samples) + soundingSpan(samples).fromMs;
      await pause((samples.length * 1_000) / 16_000 + 1_300);
      const news = client.heard.slice(from);
      const at = (type: string): number | undefined => news.find(({ message }) => message.type === type)?.atMs;
      const duckMs = at("duck");
      const flushMs = at("flush");
      if (duckMs !== undefined) ducked.push(duckMs - onsetMs);
      if (item.isNod) {
        counts.nods++;
        if (flushMs !== undefined) counts.falsely++;
        const backMs = at("unduck");
        if (backMs !== undefined)
          restored.push(backMs - onsetMs - (soundingSpan(samples).untilMs - soundingSpan(samples).fromMs));
      } else {
        counts.real++;
        if (flushMs === undefined) console.log(`missed: "${item.text}" by ${item.voice}`);
        else counts.caught++;
        if (flushMs !== undefined) ended.push(flushMs - onsetMs);
      }
      if (item.isNod && flushMs !== undefined) console.log(`falsely: "${item.text}" by ${item.voice}`);
      if (flushMs !== undefined) await pause(1_500);
    }
  };
  await Promise.all([0, 1, 2].map(run));
  console.log(line("onset to lowered", ducked, "p50 120, p95 200"));
  console.log(line("onset to ended, of real interruptions", ended, "scenario: 450 to 900"));
  console.log(line("end of a nod to restored", restored, "300"));
  console.log(
    `nods that ended an answer: ${counts.falsely} of ${counts.nods} (goal: 10 %); real interruptions caught: ${counts.caught} of ${counts.real} (goal: 98 %)`,
  );
}

/** Starts the long answer where none sounds, and waits for its first sample. False where it had to be started. */
async function isAnswering(client: VoiceClient): Promise<boolean> {
  const item = client.items.at(-1);
  const restMs =
    item === undefined || item.stoppedMs !== undefined
      ? 0
      : item.startMs + (item.samples * 1_000) / 24_000 - performance.now();
  const isOpen =
    client.heard.findLast(({ message }) => message.type === "done" || message.type === "audio")?.message.type ===
    "audio";
  // Only what is said over the long answer counts: the short ones would end by themselves.
  if (isOpen && restMs > 3_000) return true;
  if (restMs > 0) await pause(restMs + 700);
  const from = client.heard.length;
  client.send({
    type: "ask",
    turnId: `long-${performance.now()}`,
    text: "what can you do",
    include: [],
    modalities: ["text", "audio"],
  });
  await client.until(({ message }) => message.type === "audio", 10_000, from);
  return false;
}
