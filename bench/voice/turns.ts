// Spoken questions to the real process: flite asks, pocketsphinx hears, geometry answers, espeak-ng speaks. Times are taken
// at the client, from the last audible sample of the question; the answer counts from its first sample at the speaker.
import { sceneNode } from "@fovea/core/testing";
import { startFovea } from "../../test/gateway/run-fovea.ts";
import { soundingSpan, spoken } from "../../test/voice/spoken.ts";
import { VoiceClient } from "../../test/voice/voice-client.ts";
import { line, pause } from "./figures.ts";

const QUESTIONS = [
  "where is the couch",
  "where is the lamp",
  "what is that",
  "how far is the table",
  "highlight the lamp",
  "what am I looking at",
];
const VOICES = ["rms", "slt", "awb"];

export async function measureTurns(turns: number, clients: number): Promise<void> {
  await using fovea = await startFovea([], { FOVEA_STORE: "memory" });
  const decided: number[] = [];
  const sounded: number[] = [];
  let understood = 0;
  let asked = 0;
  const run = async (index: number): Promise<void> => {
    await using client = await VoiceClient.connect(`${fovea.url.replace("http", "ws")}/xr`);
    const add = ["lamp", "couch", "table"].map((label, i) =>
      sceneNode(`${label}-1`, [i * 2 - 2, 1.6, -2], { ref: i + 1, semanticLabel: label }),
    );
    client.send({ type: "scene.update", frame: "local-floor", add, update: [], remove: [] });
    client.pose = () => undefined;
    client.listen();
    await pause(1_500 + index * 700);
    while (asked < turns) {
      const number = asked++;
      const question = QUESTIONS[number % QUESTIONS.length] as string;
      const samples = await spoken(question, VOICES[number % VOICES.length]);
      const from = client.heard.length;
      const endMs = client.say(samples) + soundingSpan(samples).untilMs;
      const done = await client.until(({ message }) => message.type === "done", 15_000, from).catch(() => undefined);
      const news = client.heard.slice(from);
      const transcript = news.find(({ message }) => message.type === "transcript" && message.isFinal);
      if (transcript?.message.type === "transcript" && sameWords(transcript.message.text, question)) understood++;
      if (transcript !== undefined) decided.push(transcript.atMs - endMs);
      const item = client.items.at(-1);
      if (done !== undefined && item !== undefined && Number.isFinite(item.startMs) && item.startMs > endMs)
        sounded.push(item.startMs - endMs);
      const restMs =
        item === undefined ? 500 : (item.samples * 1_000) / 24_000 - (performance.now() - item.startMs) + 400;
      await pause(Math.max(300, restMs));
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => run(index)));
  console.log(line("last sound of the question to its final transcript", decided, "p50 300, p95 700"));
  console.log(line("last sound of the question to first sample at the speaker", sounded, "p50 600, p95 900"));
  console.log(`questions understood: ${understood} of ${asked}`);
}

/** Articles are what a grammar gets wrong without harm. */
function sameWords(a: string, b: string): boolean {
  const plain = (text: string): string => text.toLowerCase().replace(/\b(?:the|a|an) /g, "");
  return plain(a) === plain(b);
}
