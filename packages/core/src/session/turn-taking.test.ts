// Rules TU1..TU16 of docs/spec/turn-taking.md. A script is a timeline: "s200" is speech and "_500" silence for so many
// ms, words stand in quotes ("where is the" partial, "where is it." final), cues are +gaze -hold, "A" and "/A" start and
// end answer audio. The result lists what came out, with the time in ms.
import assert from "node:assert/strict";
import test from "node:test";
import { SeededRandom } from "../../testing/seeded-random.ts";
import type { TurnInput, TurnOutput } from "./turn-taking.ts";
import { TurnTaking } from "./turn-taking.ts";

const STEP_MS = 20;

function inputsOf(script: string): TurnInput[] {
  const inputs: TurnInput[] = [];
  let atMs = 10_000;
  for (const word of script.match(/"[^"]*"|\S+/g) ?? []) {
    const span = /^([s_])(\d+)$/.exec(word);
    if (span !== null) {
      const end = atMs + Number(span[2]);
      for (; atMs < end; atMs += STEP_MS) inputs.push({ type: "voice", isSpeech: span[1] === "s", atMs });
    } else if (word.startsWith('"')) {
      const text = word.slice(1, -1);
      // "where is it;" is a whole command of a grammar.
      const isComplete = text.endsWith(";");
      inputs.push({
        type: "words",
        text: text.replace(/;$/, ""),
        isFinal: isComplete || /[.!?]$/.test(text) || text === "",
        isComplete,
        atMs,
      });
    } else if (/^[+-]/.test(word))
      inputs.push({ type: "cue", cue: word.slice(1) as "gaze" | "hold", isActive: word[0] === "+", atMs });
    else if (word === "A" || word === "/A")
      inputs.push({ type: "answer-audio", phase: word === "A" ? "start" : "end", atMs });
    else if (word === "converged") inputs.push({ type: "echo", isConverged: true, atMs });
    else throw new Error(word);
  }
  return inputs;
}

const show = (output: TurnOutput, nowMs: number): string => {
  const at = `@${nowMs - 10_000}`;
  if (output.type === "utterance-end") return `end${at} "${output.text}"${output.isAddressed ? " addressed" : ""}`;
  if (output.type === "utterance-start") return `start${at} from ${output.atMs - 10_000}`;
  return output.type === "interrupt" ? `interrupt${at} epoch ${output.epoch}` : `${output.type}${at}`;
};

type Options = Partial<ConstructorParameters<typeof TurnTaking>[0]>;

/** What comes of the script, pauses left out. */
function play(script: string, startedMs = 0, tickEveryMs = 0, options: Options = {}): string[] {
  return playAll(script, { ...options, startedMs }, tickEveryMs).filter((line) => !line.startsWith("pause"));
}

/** `tickEveryMs` 0 ticks only when due. */
function playAll(script: string, options: Options = {}, tickEveryMs = 0): string[] {
  const turns = new TurnTaking({ startedMs: 0, ...options });
  const lines: string[] = [];
  let now = 10_000;
  const passTo = (atMs: number): void => {
    if (tickEveryMs > 0)
      for (; now < atMs; now += tickEveryMs) lines.push(...turns.tick(now).map((output) => show(output, now)));
    for (let due = turns.dueMs; due !== undefined && due < atMs && tickEveryMs === 0; due = turns.dueMs) {
      const out = turns.tick(due);
      lines.push(...out.map((output) => show(output, due as number)));
      if (out.length === 0) break;
    }
    now = atMs;
  };
  for (const input of inputsOf(script)) {
    passTo(input.atMs);
    lines.push(...turns.handle(input).map((output) => show(output, input.atMs)));
  }
  return lines;
}

test("[TU1] speech starts an utterance, a click does not", () => {
  assert.deepEqual(play("_100 s40 _500 s200"), ["start@700 from 640"]);
});

test("[TU2] silence ends an utterance, sooner after a whole sentence", () => {
  assert.deepEqual(play('s1000 "where is the lamp" _600'), ["start@60 from 0", 'end@1480 "where is the lamp"']);
  assert.deepEqual(play('s1000 "where is the lamp?" _600'), ["start@60 from 0", 'end@1180 "where is the lamp?"']);
});

test("[TU3] patience with the unfinished, and with who holds", () => {
  assert.deepEqual(
    play('s1000 "put it on the" _3000'),
    ["start@60 from 0", 'end@3480 "put it on the"', "filler@4000"].slice(0, 2),
  );
  assert.deepEqual(play('+hold s1000 "put it there." _1000 -hold'), [
    "start@60 from 0",
    'end@2000 "put it there." addressed',
  ]);
});

test("[TU4] a short sound over the answer only ducks it", () => {
  assert.deepEqual(play("A s100 _400"), ["duck@80", "restore@201"]);
});

test("[TU5] lasting speech, or a real word, takes the floor once", () => {
  assert.deepEqual(play("A s600"), ["duck@80", "interrupt@260 epoch 2", "start@260 from 0"]);
  assert.deepEqual(play('A s100 "wait" s300'), ["duck@80", "interrupt@100 epoch 2", "start@100 from 0"]);
});

test("[TU6] back-channels never take the floor", () => {
  assert.deepEqual(play('A s100 "mm-hmm" s900 _300'), ["duck@80", "restore@1101"]);
  assert.deepEqual(play('A s100 "Yeah." s300 "yeah but" s100'), [
    "duck@80",
    "interrupt@400 epoch 2",
    "start@400 from 0",
  ]);
});

test("[TU7] no interruption while the echo is being learnt", () => {
  assert.deepEqual(play("A s600 _300", 9_000), ["duck@80", "restore@701"]);
  assert.deepEqual(play("A converged s600", 9_000), ["duck@80", "interrupt@260 epoch 2", "start@260 from 0"]);
  assert.deepEqual(play("A +hold s600", 9_000), ["duck@80", "interrupt@260 epoch 2", "start@260 from 0"]);
});

test("[TU8] a floor taken for nothing is given back", () => {
  const lines = play("A s300 _100 s2000 _200");
  assert.ok(lines.includes("false-interrupt@2260"), lines.join("; "));
});

test("[TU9] a late answer is filled once", () => {
  assert.deepEqual(play('s500 "hello?" _3000'), ["start@60 from 0", 'end@680 "hello?"', "filler@1380"]);
  assert.deepEqual(play('s500 "hello?" _400 A _2000'), ["start@60 from 0", 'end@680 "hello?"']);
});

test("[TU10] speaking on while it thinks replaces the question", () => {
  assert.deepEqual(play('s500 "hello?" _300 s200'), [
    "start@60 from 0",
    'end@680 "hello?"',
    "interrupt@860 epoch 2",
    "start@860 from 800",
  ]);
});

test("[TU11] ticking when due equals ticking always", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new SeededRandom(seed);
    const words = ['"mm-hmm"', '"where is the"', '"stop."', "A", "/A", "+hold", "-hold", "+gaze", '"what is it?"'];
    const script = Array.from({ length: 12 }, () =>
      random.next() < 0.6 ? `${random.next() < 0.5 ? "s" : "_"}${20 * (1 + random.integer(60))}` : random.pick(words),
    ).join(" ");
    // Ends of silence at the voice windows' own times are equal in both; what falls between must be too.
    for (const awaitsWords of [false, true])
      assert.deepEqual(
        playAll(script, { awaitsWords }),
        playAll(script, { awaitsWords }, 1),
        `seed ${seed}: ${script}`,
      );
  }
});

test("[TU12] a pause is told once, and a whole command ends the turn early", () => {
  assert.deepEqual(
    playAll('s500 _140 "where is the lamp;" _600'),
    ["start@60 from 0", "pause@600", 'end@680 "where is the lamp"', "filler@1380"].slice(0, 3),
  );
  assert.deepEqual(playAll("s500 _140 s500 _140"), ["start@60 from 0", "pause@600", "pause@1240"]);
  // Words of before the pause do not end what goes on after it.
  assert.deepEqual(play('s500 _140 "stop;" s500 _300'), ["start@60 from 0"]);
});

test("[TU13] short speech over an answer waits for its words", () => {
  const awaitsWords = { awaitsWords: true, profile: { commitMs: 600 } };
  assert.deepEqual(play('A s300 _160 "yeah." _900', 0, 0, awaitsWords), ["duck@80", "verify@401", "restore@460"]);
  assert.deepEqual(play('A s300 _160 "stop." _100', 0, 0, awaitsWords), [
    "duck@80",
    "verify@401",
    "interrupt@460 epoch 2",
    "start@460 from 0",
  ]);
  assert.deepEqual(play('A s300 _160 "" _100', 0, 0, awaitsWords), ["duck@80", "verify@401", "restore@460"]);
  assert.deepEqual(play("A s300 _1500", 0, 0, awaitsWords), ["duck@80", "verify@401", "restore@1201"]);
  assert.deepEqual(play("A s900", 0, 0, awaitsWords), ["duck@80", "interrupt@600 epoch 2", "start@600 from 0"]);
});

test("[TU16] speech over the last words of an answer goes on as an utterance", () => {
  const awaitsWords = { awaitsWords: true, profile: { commitMs: 700 } };
  assert.deepEqual(play('A s300 /A s200 "stop." _300', 0, 0, awaitsWords), [
    "duck@80",
    "restore@300",
    "start@300 from 0",
    'end@680 "stop."',
  ]);
  assert.deepEqual(play("A s300 _160 /A _700", 0, 0, awaitsWords), [
    "duck@80",
    "verify@401",
    "restore@460",
    "start@460 from 0",
    'end@780 ""',
  ]);
});

test("[TU14] what the agent does decides which figures hold", () => {
  const profiles = { thinking: { startMs: 200 }, speaking: { duckMs: 20, commitMs: 400 } };
  assert.deepEqual(play('s500 "hello?" _300 s160 _200 s300', 0, 0, { profiles }), [
    "start@60 from 0",
    'end@680 "hello?"',
    "interrupt@1360 epoch 2",
    "start@1360 from 1160",
  ]);
  assert.deepEqual(play("A s500", 0, 0, { profiles }), ["duck@20", "interrupt@400 epoch 2", "start@400 from 0"]);
});

test("[TU15] a detector of the operator's replaces the rules where it is sure", () => {
  const detector = (prediction: object): Options => ({ detectors: [{ observe: () => {}, predict: () => prediction }] });
  assert.deepEqual(play("s500 _300", 0, 0, detector({ endOfTurn: 0.9 })), ["start@60 from 0", 'end@680 ""']);
  assert.deepEqual(play('s500 "where is the lamp?" _900', 0, 0, detector({ endOfTurn: 0.1 })), ["start@60 from 0"]);
  assert.deepEqual(play("A s600 _300", 0, 0, detector({ backchannel: 0.8 })), ["duck@80", "restore@701"]);
  assert.deepEqual(play("s500 _600", 0, 0, detector({ addressed: 0.8 })), ["start@60 from 0", 'end@980 "" addressed']);
});
