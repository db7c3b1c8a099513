// What the gateway adds: from the release of the push-to-talk button, when nothing is left to wait for, to the first packet
// of the answer's sound at the client, with a recogniser, a model and a voice that take no time.
import type { AnswerEngine, OperationOutput, OperationRequest, Served, UnaryOperation } from "@fovea/core";
import { PARTS } from "@fovea/core/testing";
import { startServer } from "../../test/realtime/xr-client.ts";
import { tone } from "../../test/voice/scripted-voice.ts";
import { spoken } from "../../test/voice/spoken.ts";
import { VoiceClient } from "../../test/voice/voice-client.ts";
import { line, pause } from "./figures.ts";

const engineParts: Pick<AnswerEngine, "perform" | "listModels"> = {
  listModels: () => [
    { name: "fake/ear", providerId: "fake", features: ["transcribe"] },
    { name: "fake/voice", providerId: "fake", features: ["speak"] },
  ],
  perform: async <O extends UnaryOperation>(request: OperationRequest<O>): Promise<Served<OperationOutput[O]>> => {
    const { text = "" } = request.input as { text?: string };
    const result =
      request.operation === "transcribe"
        ? { text: "what is that", words: [], isComplete: true, warnings: [] }
        : {
            mime: "audio/pcm",
            sampleRateHz: 24_000,
            stream: tone(text),
            warnings: [],
            usage: Promise.resolve(undefined),
          };
    const plan = { cells: [], reason: "" } as unknown as Served<OperationOutput[O]>["plan"];
    return {
      result: result as unknown as OperationOutput[O],
      providerId: "fake",
      model: "fake",
      cost: { microUsd: 0, source: "free" },
      plan,
    };
  },
};

export async function measureAdded(turns: number): Promise<void> {
  await using server = await startServer({
    ...engineParts,
    answer: async function* () {
      yield PARTS.start();
      yield PARTS.text("It is a lamp.");
      yield PARTS.end();
    },
  });
  await using client = await VoiceClient.connect(server.url);
  client.listen();
  const question = await spoken("what is that");
  const added: number[] = [];
  await pause(500);
  for (let turn = 0; turn < turns + 5; turn++) {
    const from = client.heard.length;
    client.send({ type: "ask", turnId: `t${turn}`, audioStreamId: 1, include: [], modalities: ["text", "audio"] });
    client.send({ type: "push-to-talk", phase: "start", t: performance.now() });
    client.say(question.subarray(4_800, 9_600));
    await pause(330);
    const releasedMs = performance.now();
    client.send({ type: "push-to-talk", phase: "end", t: releasedMs });
    const audio = await client.until(({ message }) => message.type === "audio", 5_000, from);
    if (turn >= 5) added.push(audio.atMs - releasedMs);
    client.send({ type: "cancel", turnId: `t${turn}` });
    await pause(60);
  }
  console.log(line("release of the button to the answer's sound, providers taking no time", added, "p50 15, p99 50"));
}
