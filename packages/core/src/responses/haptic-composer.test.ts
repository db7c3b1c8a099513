// Rules HA15..HA23 of docs/spec/haptics.md.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import test from "node:test";
import { readWav } from "../../../../bench/data/wav.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { composeFromAudio } from "./audio-to-haptic.ts";
import { parseHapticClip } from "./haptic-clip.ts";
import { composeHaptic, placeHaptic } from "./haptic-composer.ts";
import { amplitudeAt, frequencyAt, hapticDurationS } from "./haptic-envelope.ts";
import { HAPTIC_EFFECTS } from "./haptic-library.ts";
import { HAPTIC_TOOL_SCHEMA, readHapticArguments } from "./haptic-schema.ts";
import { plainContext } from "../../testing/plain-room.ts";
import { RoomQueries } from "../engine/room-queries.ts";
import { TurnComposer } from "../engine/turn-composer.ts";

test("[HA15] texts are felt as what they tell", () => {
  const cases: Readonly<Record<string, string>> = {
    "Sorry, I could not find the lamp.": "error",
    "That request failed.": "error",
    "There were no errors.": "success",
    "The upload completed successfully": "success",
    "Watch out! You will hit the wall.": "danger",
    "Careful, the stove may be hot": "warning",
    "Okay, the light is on.": "confirm",
    "Look over there, behind the sofa": "attention",
    "The door is on your left": "left",
    "A hammer smashes the glass": "impact-hard",
    "You gently touch the pillow": "impact-soft",
    "The rough bark of a tree": "texture-rough",
    "You have a new message from Ann": "notify",
    "One moment, let me check": "thinking",
    "Rain falls on the roof": "rain",
    "You are getting closer": "near",
    "The table was selected": "select",
    "impact hard": "impact-hard",
    heartbeat: "heartbeat",
  };
  for (const [text, name] of Object.entries(cases)) assert.equal(composeHaptic(text).name, name, text);
  for (const effect of HAPTIC_EFFECTS) assert.equal(composeHaptic(effect.name).name, effect.name);
});

test("[HA16] urgency, calm, and the hand", () => {
  const gain = (text: string): number => composeHaptic(text).gain;
  assert.ok(gain("Okay!! Do it now") > gain("Okay, do it"));
  assert.ok(gain("OKAY DONE") > gain("Okay, done"));
  assert.ok(gain("Okay, whenever you like, slowly") < gain("Okay, do it"));
  assert.equal(composeHaptic("Done, feel it in your left hand").handedness, "left");
  assert.equal(composeHaptic("The right controller is connected, okay").handedness, "right");
  assert.equal(composeHaptic("left hand and right hand, done").handedness, "both");
  const calm = composeHaptic("The door could not be opened");
  const urgent = composeHaptic("The door could not be opened! Hurry!");
  assert.ok(hapticDurationS(urgent.clip) > 1.5 * hapticDurationS(calm.clip), "it comes twice");
});

test("[HA17] other texts are felt as their rhythm", () => {
  const taps = (text: string): number =>
    composeHaptic(text).clip.signals.continuous.envelopes.amplitude.filter((point) => point.amplitude >= 0.3).length;
  assert.equal(composeHaptic("The bottle stands beside a banana").name, "speech");
  assert.equal(taps("banana"), 3);
  assert.equal(taps("the bottle"), 3);
  const end = (text: string): number => hapticDurationS(composeHaptic(text).clip);
  assert.ok(end("red. blue") > end("red blue") + 0.2);
  assert.ok(end("banana ".repeat(200)) <= 3.5);
  assert.equal(taps(""), 0);
});

test("[HA18] clips as text, and the tool's schema", () => {
  const own = HAPTIC_EFFECTS[3]?.clip;
  assert.deepEqual(composeHaptic(JSON.stringify(own)).clip, own);
  assert.throws(
    () => composeHaptic('{"version":{"major":1}}'),
    (error) => GatewayError.has(error, "request_invalid"),
  );
  const { name } = HAPTIC_TOOL_SCHEMA["properties"] as { name: { enum: readonly string[] } };
  assert.deepEqual(
    name.enum,
    HAPTIC_EFFECTS.map((entry) => entry.name),
  );
});

test("[HA22] a model's own touch is checked, and refused with the field", () => {
  const knock = [
    { time: 0, amplitude: 0.2, emphasis: { amplitude: 1, frequency: 0.5 } },
    { time: 0.1, amplitude: 0 },
  ];
  const read = (fields: Record<string, unknown>): string => {
    const made = readHapticArguments(fields);
    return typeof made === "string" ? made : `${made.name} ${made.handedness} ${made.gain} ${made.pulses.length > 0}`;
  };
  assert.equal(read({ amplitude: knock, hand: "left", gain: 0.5 }), "authored left 0.5 true");
  assert.equal(read({ name: "tick" }), "tick both 1 true");
  assert.match(read({ amplitude: [{ time: 0, amplitude: 3 }] }), /^amplitude\[0\]\.amplitude: /);
  assert.match(read({ amplitude: knock.toReversed() }), /^amplitude\[1\]\.time: /);
  assert.match(read({ amplitude: [knock[0], { time: 60, amplitude: 0 }] }), /at most 10 seconds/);
  assert.match(read({ name: "no such" }), /^haptic effects are .*tick/);
});

test("[HA23] a touch about a thing is felt on its side", async () => {
  const things = [{ id: "lamp", at: [1, 1.5, -0.2], size: [0.2, 0.2, 0.2] }] as const;
  const context = plainContext(things);
  const felt = (args: object): string => {
    const composer = new TurnComposer("r", context, new Set(), new RoomQueries(context));
    composer.fold({ type: "tool-start", index: 0, id: "c", name: "haptic" });
    const part = composer.fold({ type: "tool-end", index: 0, args: JSON.stringify(args) });
    return part?.type === "haptic" ? `${part.handedness} ${part.gain.toFixed(2)}` : "nothing";
  };
  assert.equal(felt({ name: "tick" }), "both 1.00");
  assert.equal(felt({ name: "tick", target: "lamp" }), "right 0.94");
  assert.equal(felt({ name: "tick", target: "lamp", hand: "left" }), "left 0.94");
});

test("[HA19] nearer is stronger, on its own side", () => {
  assert.deepEqual(placeHaptic(0.5, 0.6), { handedness: "right", gain: 1 });
  assert.equal(placeHaptic(-1, 2).handedness, "left");
  assert.equal(placeHaptic(0, 2).handedness, "both");
  assert.ok(placeHaptic(0, 1).gain > placeHaptic(0, 3).gain);
  assert.equal(placeHaptic(1, 50).gain, 0.33);
});

function tone(hz: number, loudness: (timeS: number) => number, durationS = 1): Float32Array {
  return Float32Array.from(
    { length: durationS * 44_100 },
    (_, i) => Math.sin((i / 44_100) * 2 * Math.PI * hz) * loudness(i / 44_100),
  );
}

test("[HA20] sounds become envelopes, onsets, and brightness", () => {
  const swell = composeFromAudio(
    tone(200, (t) => 0.2 + 0.6 * Math.sin(Math.PI * t)),
    44_100,
    { peak: 0.8 },
  );
  for (const t of [0.2, 0.5, 0.8])
    assert.ok(Math.abs(amplitudeAt(swell, t) - (0.2 + 0.6 * Math.sin(Math.PI * t))) < 0.06);
  assert.deepEqual(parseHapticClip(JSON.stringify(swell)), swell);
  const clicks = composeFromAudio(
    tone(300, (t) => (t % 0.5 < 0.1 ? 0.9 : 0)),
    44_100,
  );
  const times = clicks.signals.continuous.envelopes.amplitude
    .filter((point) => point.emphasis)
    .map((point) => point.time);
  assert.equal(times.length, 2);
  assert.ok((times[0] ?? 1) < 0.03 && Math.abs((times[1] ?? 0) - 0.5) < 0.03, times.join());
  const silent = composeFromAudio(new Float32Array(44_100), 44_100);
  assert.ok(silent.signals.continuous.envelopes.amplitude.every((point) => point.amplitude === 0 && !point.emphasis));
  const pitch = (hz: number): number =>
    frequencyAt(
      composeFromAudio(
        tone(hz, () => 0.5),
        44_100,
      ),
      0.5,
    ) ?? 0;
  assert.ok(pitch(80) < 0.15 && pitch(400) > pitch(80) && pitch(3_000) > 0.7);
});

const DATA = `${process.env["FOVEA_DATA"] ?? "../shared/data"}/xr/haptics`;
const skip = existsSync(`${DATA}/wav`) ? false : "FOVEA_DATA absent";

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  const product = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, value, i) => sum + (value - mean(x)) * ((y[i] ?? 0) - mean(y)), 0);
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
}

test("[HA21] recorded sounds feel as they were authored", { skip }, () => {
  const own: number[] = [];
  const plain: number[] = [];
  for (const file of globSync("wav/**/*.wav", { cwd: DATA })) {
    if (file.includes("Drums1")) continue; // 7.5 s: the bench has it.
    const { samples, sampleRateHz } = readWav(readFileSync(`${DATA}/${file}`));
    const authored = parseHapticClip(readFileSync(`${DATA}/clips/${file.slice(4, -4)}.haptic`, "utf8"));
    const composed = composeFromAudio(samples, sampleRateHz);
    const times = Array.from({ length: Math.floor((samples.length / sampleRateHz) * 100) }, (_, i) => (i + 0.5) / 100);
    const truth = times.map((time) => amplitudeAt(authored, time));
    own.push(
      correlation(
        times.map((time) => amplitudeAt(composed, time)),
        truth,
      ),
    );
    const width = sampleRateHz / 100;
    const power = times.map((_, i) => {
      const part = samples.subarray(Math.floor(i * width), Math.floor((i + 1) * width));
      return Math.sqrt(part.reduce((sum, value) => sum + value * value, 0) / part.length);
    });
    plain.push(correlation(power, truth));
  }
  const median = (list: number[]): number => list.sort((a, b) => a - b)[list.length >> 1] ?? 0;
  assert.ok(median(own) >= 0.9 && median(own) > median(plain) + 0.03, `${median(own)} ${median(plain)}`);
});
