// Conversations written down: who looks where, says what, interrupts when, and what has to come of it. Times count from the
// last sound of what was said; `absent` watches for its whole `within_ms`.
import assert from "node:assert/strict";
import { sceneNode } from "@fovea/core/testing";
import type { ServerMessage } from "@fovea/protocol";
import { z } from "zod";
import { soundingSpan, spoken } from "./spoken.ts";
import type { Heard } from "./voice-client.ts";
import { VoiceClient } from "./voice-client.ts";

const expectation = z.strictObject({
  event: z.enum(["transcript", "start", "text", "action", "audio", "duck", "unduck", "flush", "done"]),
  within_ms: z.number().positive().default(5_000),
  absent: z.boolean().default(false),
  /** Part of the text. */
  text: z.string().optional(),
  outcome: z.string().optional(),
  /** Label of the thing that is acted on, or from which it sounds. */
  target: z.string().optional(),
  at: z.string().optional(),
  /** A length that the text must tell. */
  metres: z.number().optional(),
  within_m: z.number().default(0.1),
});

const turn = z.strictObject({
  look: z.string().optional(),
  /** As soon as the last word is out. */
  then_look: z.string().optional(),
  say: z.string(),
  voice: z.string().default("rms"),
  /** Says it so long after the event; at once where absent. */
  interrupt: z.strictObject({ after: z.string().optional(), delay_ms: z.number().default(0) }).optional(),
  expect: z.array(expectation).min(1),
});

export const scenarioSchema = z.strictObject({
  name: z.string(),
  room: z.record(z.string(), z.tuple([z.number(), z.number(), z.number()])),
  turns: z.array(turn).min(1),
});

type Scenario = z.output<typeof scenarioSchema>;
type Expectation = z.output<typeof expectation>;

const HEAD = [0, 1.6, 0] as const;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function playScenario(url: string, scenario: Scenario): Promise<void> {
  await using client = await VoiceClient.connect(url);
  const add = Object.entries(scenario.room).map(([label, position], i) =>
    sceneNode(label, position, { ref: i + 1, semanticLabel: label }),
  );
  client.send({ type: "scene.update", frame: "local-floor", add, update: [], remove: [] });
  const look = (label: string | undefined): void => {
    const at = label === undefined ? undefined : scenario.room[label];
    const yaw = at === undefined ? 0 : Math.atan2(-(at[0] - HEAD[0]), -(at[2] - HEAD[2]));
    client.pose = (sample) => sample.viewer.set([...HEAD, 0, Math.sin(yaw / 2), 0, Math.cos(yaw / 2)]);
  };
  look(undefined);
  client.listen();
  // The recogniser's dictionary is loaded when the first who may speak connects.
  await pause(2_500);
  for (const [index, { look: label, then_look: then, say, voice, interrupt, expect }] of scenario.turns.entries()) {
    if (label !== undefined) look(label);
    await waitFor(client, interrupt);
    if (label !== undefined) await pause(700);
    const from = client.heard.length;
    let endMs = performance.now();
    if (say !== "") {
      const samples = await spoken(say, voice);
      endMs = client.say(samples) + soundingSpan(samples).untilMs;
      await pause(Math.max(0, endMs - performance.now()));
    }
    if (then !== undefined) look(then);
    for (const wanted of expect)
      await meet(client, wanted, { from, endMs, what: `${scenario.name}, turn ${index + 1}` });
  }
}

/** Without an interruption a turn waits until the answer before has sounded to its end. */
async function waitFor(client: VoiceClient, interrupt: Scenario["turns"][number]["interrupt"]): Promise<void> {
  if (interrupt === undefined) {
    const item = client.items.at(-1);
    if (item !== undefined && Number.isFinite(item.startMs)) {
      await pause(Math.max(0, item.startMs + item.samples / 24 + 600 - performance.now()));
    }
    return;
  }
  if (interrupt.after !== undefined) await client.until(({ message }) => kindOf(message) === interrupt.after, 10_000);
  await pause(interrupt.delay_ms);
}

async function meet(
  client: VoiceClient,
  wanted: Expectation,
  { from, endMs, what }: { readonly from: number; readonly endMs: number; readonly what: string },
): Promise<void> {
  const untilMs = endMs + wanted.within_ms;
  const leftMs = Math.max(50, Math.ceil(untilMs - performance.now()));
  const found = await client.until((heard) => fits(heard, wanted, client, from), leftMs, from).catch(() => undefined);
  const isMet = found !== undefined && found.atMs <= untilMs + 50;
  const seen = client.heard.slice(from).map(({ atMs, message }) => `${kindOf(message)} ${Math.round(atMs - endMs)}`);
  assert.equal(isMet, !wanted.absent, `${what}: ${JSON.stringify(wanted)}; came: ${seen.join(", ")}`);
}

function fits({ message }: Heard, wanted: Expectation, client: VoiceClient, from: number): boolean {
  if (kindOf(message) !== wanted.event) return false;
  if (message.type === "transcript" && !message.isFinal) return false;
  if (wanted.outcome !== undefined && !(message.type === "done" && message.outcome === wanted.outcome)) return false;
  if (wanted.at !== undefined && !(message.type === "audio" && message.at === wanted.at)) return false;
  if (wanted.target !== undefined) {
    if (message.type !== "action" || !("target" in message.action) || message.action.target !== wanted.target)
      return false;
  }
  const text = message.type === "transcript" ? message.text : textSince(client, from);
  if (wanted.text !== undefined && !text.toLowerCase().includes(wanted.text.toLowerCase())) return false;
  if (wanted.metres === undefined) return true;
  const told = /(\d+(?:\.\d+)?) m\b/.exec(text)?.[1];
  return told !== undefined && Math.abs(Number(told) - wanted.metres) <= wanted.within_m;
}

const textSince = (client: VoiceClient, from: number): string =>
  client.heard
    .slice(from)
    .map(({ message }) => (message.type === "text.delta" ? message.text : ""))
    .join("");

function kindOf(message: ServerMessage): string {
  return message.type === "text.delta" ? "text" : message.type;
}
