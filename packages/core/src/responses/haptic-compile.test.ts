// Rules HA11..HA14 of docs/spec/haptics.md.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import test from "node:test";
import type { AmplitudeBreakpoint, FrequencyBreakpoint, HapticClip } from "../model/haptic.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { compileAhap, parseAhap } from "./haptic-ahap.ts";
import { parseHapticClip } from "./haptic-clip.ts";
import { compileHjif } from "./haptic-hjif.ts";
import { HAPTIC_EFFECTS } from "./haptic-library.ts";
import { compileDualRumble } from "./haptic-rumble.ts";

const DATA = `${process.env["FOVEA_DATA"] ?? "../shared/data"}/xr/haptics`;
const skip = existsSync(`${DATA}/ahap_pairs`) ? false : "FOVEA_DATA absent";

function clip(amplitude: readonly AmplitudeBreakpoint[], frequency?: readonly FrequencyBreakpoint[]): HapticClip {
  const envelopes = frequency === undefined ? { amplitude } : { amplitude, frequency };
  return { version: { major: 1, minor: 0, patch: 0 }, signals: { continuous: { envelopes } } };
}

/** Same structure, numbers within the tolerance. */
function near(actual: unknown, expected: unknown, tolerance: number, path = ""): void {
  if (typeof expected === "number") {
    assert.ok(
      typeof actual === "number" && Math.abs(actual - expected) <= tolerance,
      `${path}: ${String(actual)} ${expected}`,
    );
  } else if (typeof expected === "object" && expected !== null) {
    assert.deepEqual(Object.keys(actual as object).sort(), Object.keys(expected).sort(), path);
    for (const key of Object.keys(expected)) {
      near(
        (actual as Record<string, unknown>)[key],
        (expected as Record<string, unknown>)[key],
        tolerance,
        `${path}.${key}`,
      );
    }
  } else assert.equal(actual, expected, path);
}

test("[HA11] the reference pairs are reproduced", { skip }, () => {
  const files = globSync("*.haptic", { cwd: `${DATA}/ahap_pairs` });
  assert.equal(files.length, 5);
  for (const file of files) {
    const source = parseHapticClip(readFileSync(`${DATA}/ahap_pairs/${file}`, "utf8"));
    const expected: unknown = JSON.parse(
      readFileSync(`${DATA}/ahap_pairs/${file.replace(".haptic", ".ahap")}`, "utf8"),
    );
    near(compileAhap(source, { asReference: true }), expected, 3e-8);
  }
});

test("[HA11] the first breakpoint keeps its emphasis, except for the reference", () => {
  const first = clip([
    { time: 0, amplitude: 0.25, emphasis: { amplitude: 0.64, frequency: 0.3 } },
    { time: 1, amplitude: 0 },
  ]);
  const kinds = (asReference: boolean): string =>
    compileAhap(first, { asReference })
      .Pattern.map((entry) => ("Event" in entry ? entry.Event.EventType : entry.ParameterCurve.ParameterID))
      .join(" ");
  assert.equal(kinds(true), "HapticIntensityControl HapticContinuous");
  assert.equal(kinds(false), "HapticIntensityControl HapticContinuous HapticTransient");
});

function equalClips(actual: HapticClip, expected: HapticClip, name: string): void {
  near(actual.signals, expected.signals, 1e-4, name);
}

test("[HA12] AHAP is read back", () => {
  for (const effect of HAPTIC_EFFECTS) equalClips(parseAhap(compileAhap(effect.clip)), effect.clip, effect.name);
  const plain = parseAhap({
    Version: 1,
    Pattern: [
      {
        Event: {
          EventType: "HapticContinuous",
          Time: 0.5,
          EventDuration: 1,
          EventParameters: [{ ParameterID: "HapticIntensity", ParameterValue: 0.5 }],
        },
      },
      { Event: { EventType: "HapticTransient", Time: 2, EventParameters: [] } },
      { Event: { EventType: "AudioCustom", Time: 0 } },
    ],
  });
  const points = plain.signals.continuous.envelopes.amplitude;
  assert.deepEqual(
    points.map((point) => [point.time, point.amplitude, point.emphasis?.amplitude]),
    [
      [0.499, 0, undefined],
      [0.5, 0.25, undefined],
      [1.5, 0.25, undefined],
      [1.501, 0, undefined],
      [2, 0, 1],
    ],
  );
});

test("[HA12] malformed AHAP is refused with its path", () => {
  const refused = (input: unknown): string => {
    try {
      parseAhap(input);
      return "ok";
    } catch (error) {
      assert.ok(GatewayError.has(error, "request_invalid"));
      return String(error.details.param);
    }
  };
  assert.equal(refused("nothing"), "");
  assert.equal(refused({ Pattern: 1 }), "Pattern");
  assert.equal(refused({ Pattern: [] }), "Pattern");
  assert.equal(refused({ Pattern: [{ Event: { EventType: "HapticTransient", Time: -1 } }] }), "Pattern[0].Event.Time");
  const curve = {
    ParameterID: "HapticIntensityControl",
    Time: 0,
    ParameterCurveControlPoints: [{ Time: 0, ParameterValue: 2 }],
  };
  const at = "Pattern[0].ParameterCurve.ParameterCurveControlPoints[0].ParameterValue";
  assert.equal(refused({ Pattern: [{ ParameterCurve: curve }] }), at);
});

test("[HA13] dual rumble shares by frequency", () => {
  const flat = (frequency: number, endS = 0.2): string =>
    compileDualRumble(
      clip(
        [
          { time: 0, amplitude: 0.8 },
          { time: endS, amplitude: 0.8 },
        ],
        [{ time: 0, frequency }],
      ),
    )
      .map((step) => `${step.atMs}+${step.durationMs}:${step.strongMagnitude}/${step.weakMagnitude}`)
      .join(" ");
  assert.equal(flat(0), "0+200:0.8/0");
  assert.equal(flat(1), "0+200:0/0.8");
  assert.equal(flat(0.5), "0+200:0.8/0.8");
  assert.equal(flat(0, 12), "0+5000:0.8/0 5000+5000:0.8/0 10000+2000:0.8/0");
  for (const effect of HAPTIC_EFFECTS) {
    let endMs = 0;
    for (const step of compileDualRumble(effect.clip)) {
      assert.ok(step.atMs >= endMs - 1e-6 && step.durationMs <= 5_000, effect.name);
      assert.ok(Math.max(step.strongMagnitude, step.weakMagnitude) > 0, effect.name);
      assert.ok(
        step.strongMagnitude >= 0 && step.strongMagnitude <= 1 && step.weakMagnitude >= 0 && step.weakMagnitude <= 1,
      );
      endMs = step.atMs + step.durationMs;
    }
  }
});

test("[HA14] hjif holds every breakpoint and emphasis", () => {
  const source = clip(
    [
      { time: 0, amplitude: 0.2 },
      { time: 0.25, amplitude: 0.5, emphasis: { amplitude: 0.9, frequency: 1 } },
      { time: 1, amplitude: 0 },
    ],
    [{ time: 0, frequency: 0 }],
  );
  const text = JSON.stringify(compileHjif(source));
  assert.equal(text.match(/"amplitude_modulation"/g)?.length, 4);
  assert.match(text, /"band_type":"Transient".*"position":250.*"amplitude_modulation":0.9,"frequency_modulation":300/);
  assert.match(text, /"relative_position":1000,"amplitude_modulation":0/);
});
