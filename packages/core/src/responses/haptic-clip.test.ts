// Rules HA1..HA4 of docs/spec/haptics.md. `read` gives "ok" or the path of the refused field.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import test from "node:test";
import { GatewayError } from "../errors/gateway-error.ts";
import { parseHapticClip } from "./haptic-clip.ts";
import { amplitudeAt, frequencyAt, hapticDurationS, meanAmplitude } from "./haptic-envelope.ts";

const CLIPS = `${process.env["FOVEA_DATA"] ?? "../shared/data"}/xr/haptics`;

const VERSION = { major: 1, minor: 0, patch: 0 };

function clip(amplitude: unknown, frequency?: unknown): unknown {
  return { version: VERSION, signals: { continuous: { envelopes: { amplitude, frequency } } } };
}

function read(input: unknown): string {
  try {
    parseHapticClip(input);
    return "ok";
  } catch (error) {
    assert.ok(GatewayError.has(error, "request_invalid"));
    return String(error.details.param);
  }
}

const AMPLITUDE = "signals.continuous.envelopes.amplitude";
const FREQUENCY = "signals.continuous.envelopes.frequency";

test("[HA1] a clip is read unchanged from text or object, without keys the format does not define", () => {
  const authored = {
    version: VERSION,
    metadata: { editor: "x", tags: ["a"], description: "d" },
    signals: {
      continuous: {
        envelopes: {
          amplitude: [
            { time: 0, amplitude: 0.2, emphasis: { amplitude: 0.7, frequency: 0.1 } },
            { time: 0.5, amplitude: 0 },
          ],
          frequency: [{ time: 0, frequency: 1 }],
        },
      },
    },
  };
  assert.deepEqual(parseHapticClip(JSON.stringify({ ...authored, later: true })), authored);
  assert.deepEqual(parseHapticClip(authored), authored);
});

test("[HA2] what the format forbids is refused with the path of the field", () => {
  const good = { time: 0, amplitude: 0.5 };
  const cases: readonly (readonly [unknown, string])[] = [
    ["{", ""],
    [[], ""],
    [{ version: { ...VERSION, major: 2 } }, "version.major"],
    [
      { version: { major: 1, minor: -1, patch: 0 }, signals: { continuous: { envelopes: { amplitude: [good] } } } },
      "version.minor",
    ],
    [{ version: VERSION, signals: {} }, "signals.continuous"],
    [clip([]), AMPLITUDE],
    [clip(undefined), AMPLITUDE],
    [clip([{ time: 0, amplitude: 1.01 }]), `${AMPLITUDE}[0].amplitude`],
    [clip([{ time: 0, amplitude: "1" }]), `${AMPLITUDE}[0].amplitude`],
    [clip([{ time: Number.NaN, amplitude: 1 }]), `${AMPLITUDE}[0].time`],
    [clip([{ time: -1, amplitude: 1 }]), `${AMPLITUDE}[0].time`],
    [clip([good, { time: 1, amplitude: 0 }, { time: 0.9, amplitude: 0 }]), `${AMPLITUDE}[2].time`],
    [clip([{ ...good, emphasis: { amplitude: 0.5 } }]), `${AMPLITUDE}[0].emphasis.frequency`],
    [clip([{ ...good, emphasis: 1 }]), `${AMPLITUDE}[0].emphasis`],
    [clip([good], [{ time: 0, frequency: -0.1 }]), `${FREQUENCY}[0].frequency`],
    [clip([{ time: 601, amplitude: 0 }]), `${AMPLITUDE}[0].time`],
    [clip(Array.from({ length: 20_001 }, () => good)), AMPLITUDE],
  ];
  for (const [input, path] of cases) assert.equal(read(input), path);
  assert.equal(read(clip([good, { time: 0, amplitude: 0 }])), "ok");
});

const missing = existsSync(`${CLIPS}/clips`) ? false : "FOVEA_DATA absent";

test("[HA3] every authored clip is read unchanged", { skip: missing }, () => {
  const files = globSync("**/*.haptic", { cwd: CLIPS });
  assert.ok(files.length >= 131);
  for (const file of files) {
    const text = readFileSync(`${CLIPS}/${file}`, "utf8");
    assert.deepEqual(JSON.parse(JSON.stringify(parseHapticClip(text))), JSON.parse(text), file);
  }
});

test("[HA4] envelopes are linear, steps take the later value, silence follows the end", () => {
  const parsed = parseHapticClip(
    clip(
      [
        { time: 0.1, amplitude: 0.2 },
        { time: 0.2, amplitude: 0.4 },
        { time: 0.2, amplitude: 1 },
        { time: 0.4, amplitude: 0 },
        { time: 0.5, amplitude: 0.8 },
      ],
      [
        { time: 0, frequency: 0 },
        { time: 1, frequency: 1 },
      ],
    ),
  );
  const at = [0, 0.15, 0.2, 0.3, 0.5, 0.501].map((timeS) => amplitudeAt(parsed, timeS).toFixed(3));
  assert.deepEqual(at, ["0.200", "0.300", "1.000", "0.500", "0.800", "0.000"]);
  assert.equal(frequencyAt(parsed, 0.25), 0.25);
  assert.equal(frequencyAt(parsed, 9), 1);
  assert.equal(hapticDurationS(parsed), 1);
  // By hand: 0.1 s of 0.2, 0.1 s of mean 0.3, 0.2 s of mean 0.5, 0.1 s of mean 0.4.
  assert.ok(Math.abs(meanAmplitude(parsed, 0, 0.5) - (0.02 + 0.03 + 0.1 + 0.04) / 0.5) < 1e-9);
  assert.ok(Math.abs(meanAmplitude(parsed, 0.45, 0.55) - 0.6 / 2) < 1e-9);
});
