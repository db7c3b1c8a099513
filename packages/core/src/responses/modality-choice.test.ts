// Rules MC1..MC9 of docs/spec/responses.md.
import assert from "node:assert/strict";
import test from "node:test";
import type { GestureState, Handedness, InputSourceState, XRContext } from "../model/xr-context.ts";
import { NO_CONTEXT } from "../model/xr-context.ts";
import { chooseModalities, chooseTouch, manners } from "./modality-choice.ts";

function hand(handedness: Handedness, actuators: number, gesture?: GestureState["name"]): InputSourceState {
  return {
    id: handedness === "left" ? 1 : 2,
    handedness,
    targetRayMode: "tracked-pointer",
    profiles: [],
    pressedButtons: 0,
    gestures: gesture === undefined ? [] : [{ name: gesture, phase: "update", confidence: 1, sinceMs: 0 }],
    haptics: { pulse: actuators > 0, effects: [], actuators },
  };
}

function room(change: Partial<XRContext>): XRContext {
  return { ...NO_CONTEXT, inputSources: [hand("left", 1), hand("right", 1)], ...change };
}

/** "speech captions sight places" as far as they hold. */
function senses(change: Partial<XRContext>): string {
  const { speech, captions, sight, saysPlaces } = chooseModalities(room(change));
  return [speech && "speech", captions && "captions", sight && "sight", saysPlaces && "places"]
    .filter(Boolean)
    .join(" ");
}

function touch(change: Partial<XRContext>, wanted: "left" | "right" | "both" = "both"): string {
  const { ways, gain } = chooseTouch(room(change), wanted);
  return `x${gain.toFixed(1)} ${ways.join(" ")}`;
}

test("[MC1] nothing known, nothing taken away", () => {
  assert.equal(senses({}), "speech sight");
  assert.equal(touch({}), "x1.0 touch sound sight");
});

test("[MC2] deaf users and muted devices read", () => {
  assert.equal(senses({ person: { hearing: "none" } }), "captions sight");
  assert.equal(senses({ output: { muted: true } }), "captions sight");
  assert.equal(touch({ person: { hearing: "none" } }), "x1.0 touch sight");
});

test("[MC3] blind users and hidden pages hear where things are", () => {
  assert.equal(senses({ person: { sight: "none" } }), "speech places");
  assert.equal(senses({ environment: { visibility: "hidden" } }), "speech places");
  assert.equal(touch({ person: { sight: "none" } }), "x1.0 touch sound");
});

test("[MC4] loud surroundings", () => {
  assert.equal(senses({ audio: { speaking: false, noiseDb: -30 } }), "speech captions sight");
  assert.equal(senses({ audio: { speaking: false, noiseDb: -60 } }), "speech sight");
  const headphones = { audio: { speaking: false, noiseDb: -30 }, output: { muted: false, headphones: true } };
  assert.equal(senses(headphones), "speech sight");
  assert.equal(touch({ audio: { speaking: false, noiseDb: -30 } }), "x1.2 touch sound sight");
});

test("[MC5] the wish about captions", () => {
  assert.equal(senses({ person: { captions: true } }), "speech captions sight");
  assert.equal(senses({ person: { captions: false }, output: { muted: true } }), "sight");
  assert.equal(senses({ person: { captions: true, sight: "none" } }), "speech places");
});

test("[MC6] no sound into the user's own words", () => {
  assert.equal(touch({ audio: { speaking: true } }), "x1.0 touch sight");
  assert.equal(touch({ inputSources: [], audio: { speaking: true } }), "x1.0 sight");
  assert.equal(touch({ inputSources: [], person: { sight: "none", hearing: "none" } }), "x1.0 ");
});

test("[MC7] no motor, or none that is felt", () => {
  const oneMotor = { inputSources: [hand("left", 0), hand("right", 1)] };
  assert.equal(touch(oneMotor, "left"), "x1.0 sound sight");
  assert.equal(touch(oneMotor, "both"), "x1.0 touch sound sight");
  assert.equal(touch({ numbHands: ["left"] }, "left"), "x1.0 sound sight");
  assert.equal(touch({ numbHands: ["left", "right"] }, "both"), "x1.0 sound sight");
  assert.equal(touch({ person: { touch: false } }, "left"), "x1.0 sound sight");
});

test("[MC8] a hand that holds something", () => {
  const busy = { inputSources: [hand("left", 1, "grab"), hand("right", 1)] };
  assert.equal(touch(busy, "left"), "x1.4 touch sound sight");
  assert.equal(touch(busy, "right"), "x1.0 touch sound sight");
});

test("[MC9] models are told what their words must carry", () => {
  assert.equal(manners(chooseModalities(room({}))), undefined);
  assert.match(manners(chooseModalities(room({ person: { sight: "none" } }))) ?? "", /clock face/);
  assert.match(manners(chooseModalities(room({ output: { muted: true } }))) ?? "", /read, not heard/);
});
