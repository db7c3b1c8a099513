// Recorded XR sessions from the folder FOVEA_DATA (default: shared/data beside the repository). They are never copied
// into the repository; a test that needs one skips visibly where the folder is missing.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import type { InputSourceDescription, PoseSample, PoseSource } from "@fovea/protocol";
import type { Pose } from "../src/geometry/pose.ts";
import { compose } from "../src/geometry/pose.ts";
import { normalizeQuat } from "../src/geometry/quat.ts";

const JOINTS = 25;
const JOINT_NUMBERS = 8;

export interface RecordedSource {
  readonly description: InputSourceDescription;
  readonly targetRay: Pose;
  readonly grip?: Pose;
  /** 75 and 100 numbers, in the reference space. */
  readonly joints?: Float32Array;
  readonly jointOrientations?: Float32Array;
  readonly pressed: number;
  readonly touched: number;
  readonly values: readonly number[];
  readonly axes: readonly number[];
}

export interface RecordedSample {
  /** Milliseconds since the recording began. */
  readonly tMs: number;
  readonly viewer: Pose;
  readonly sources: readonly RecordedSource[];
}

export interface Recording {
  readonly descriptions: readonly InputSourceDescription[];
  readonly samples: readonly RecordedSample[];
}

interface SchemaEntry {
  readonly handedness: "left" | "right" | "none";
  readonly targetRayMode: InputSourceDescription["targetRayMode"];
  readonly profiles: readonly string[];
  readonly hasGrip: boolean;
  readonly hasHand: boolean;
  readonly hasGamepad: boolean;
  readonly numButtons: number;
  readonly numAxes: number;
}

export function dataFolder(): string {
  return process.env["FOVEA_DATA"] ?? resolve(import.meta.dirname, "../../../../shared/data");
}

/** `skip` value for a test that needs the file: a reason where it is missing, else false. */
export function skipWithout(path: string): string | false {
  return existsSync(join(dataFolder(), path)) ? false : `FOVEA_DATA absent (${path})`;
}

export const QUEST3_PATH = "xr/quest3-session.json.gz";

/** 20 s of a Meta Quest 3, 89.5 Hz: controllers, then hands, then controllers (meta-quest IWER, MIT). */
export function loadQuest3(): Recording {
  const text = gunzipSync(readFileSync(join(dataFolder(), QUEST3_PATH))).toString();
  const raw = JSON.parse(text) as { schema: [number, SchemaEntry][]; frames: unknown[][] };
  const entries = new Map(raw.schema);
  const descriptions = new Map(raw.schema.map(([index, entry]) => [index, describe(index, entry)]));
  const samples = raw.frames.map((values): RecordedSample => {
    const numbers = values.slice(0, 8) as number[];
    const sources = (values.slice(8) as unknown[][]).map((source) => {
      const index = source[0] as number;
      return readSource(source, entries.get(index) as SchemaEntry, descriptions.get(index) as InputSourceDescription);
    });
    return { tMs: numbers[0] as number, viewer: poseAt(numbers, 1), sources };
  });
  const startMs = samples[0]?.tMs ?? 0;
  return {
    descriptions: [...descriptions.values()],
    samples: samples.map((sample) => ({ ...sample, tMs: sample.tMs - startMs })),
  };
}

function describe(index: number, entry: SchemaEntry): InputSourceDescription {
  return {
    id: index,
    handedness: entry.handedness,
    targetRayMode: entry.targetRayMode,
    profiles: entry.profiles,
    hand: entry.hasHand,
    buttons: entry.hasGamepad ? entry.numButtons : 0,
    axes: entry.hasGamepad ? entry.numAxes : 0,
    haptics: { pulse: !entry.hasHand, effects: [], actuators: entry.hasHand ? 0 : 1 },
  };
}

function readSource(
  values: readonly unknown[],
  entry: SchemaEntry,
  description: InputSourceDescription,
): RecordedSource {
  const targetRay = poseAt(values as number[], 1);
  let at = 8;
  let grip: Pose | undefined;
  if (entry.hasGrip && Array.isArray(values[at])) grip = poseAt(values[at++] as number[], 0);
  let hand: Pick<RecordedSource, "joints" | "jointOrientations"> = {};
  if (entry.hasHand && Array.isArray(values[at])) hand = readHand(values[at++] as number[], targetRay);
  const pad = (Array.isArray(values[at]) ? values[at] : []) as (number | [number, number, number])[];
  const buttons = pad.filter((value): value is [number, number, number] => Array.isArray(value));
  const bits = (which: 0 | 1): number =>
    buttons.reduce((mask, button, index) => mask | (Number(button[which]) > 0 ? 1 << index : 0), 0);
  return {
    description,
    targetRay,
    ...(grip === undefined ? {} : { grip }),
    ...hand,
    pressed: bits(0),
    touched: bits(1),
    values: buttons.slice(0, 2).map((button) => button[2]),
    axes: pad.filter((value): value is number => typeof value === "number"),
  };
}

/** The recording gives joints relative to the target ray space; everything else on our wire is in the reference space. */
function readHand(
  numbers: readonly number[],
  targetRay: Pose,
): Required<Pick<RecordedSource, "joints" | "jointOrientations">> {
  const joints = new Float32Array(JOINTS * 3);
  const jointOrientations = new Float32Array(JOINTS * 4);
  for (let joint = 0; joint < JOINTS; joint++) {
    const { position, orientation } = compose(targetRay, poseAt(numbers, joint * JOINT_NUMBERS));
    joints.set(position, joint * 3);
    jointOrientations.set(orientation, joint * 4);
  }
  return { joints, jointOrientations };
}

/** Three decimals are recorded, so quaternions are normalised again. */
function poseAt(numbers: readonly number[], at: number): Pose {
  const [x, y, z, qx, qy, qz, qw] = numbers.slice(at, at + 7) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { position: [x, y, z], orientation: normalizeQuat([qx, qy, qz, qw]) };
}

/** Fills a sample as the decoder would. `t` is given, so that a recording can be played at any time and again. */
export function fillSample(recorded: RecordedSample, into: PoseSample, t: number, seq: number): void {
  into.t = t;
  into.seq = seq & 0xffff;
  into.emulatedPosition = false;
  into.isTrackingLost = false;
  into.hasVelocities = false;
  into.hasJointOrientations = false;
  setPose(into.viewer, recorded.viewer);
  into.sourceCount = recorded.sources.length;
  recorded.sources.forEach((source, index) => fillSource(source, into.sources[index] as PoseSource));
}

function fillSource(recorded: RecordedSource, into: PoseSource): void {
  into.id = recorded.description.id;
  into.hasTargetRay = true;
  setPose(into.targetRay, recorded.targetRay);
  into.hasGrip = recorded.grip !== undefined;
  if (recorded.grip !== undefined) setPose(into.grip, recorded.grip);
  into.hasHand = recorded.joints !== undefined;
  if (recorded.joints !== undefined) into.joints.set(recorded.joints);
  if (recorded.jointOrientations !== undefined) into.jointOrientations.set(recorded.jointOrientations);
  into.pressed = recorded.pressed;
  into.touched = recorded.touched;
  into.buttonCount = recorded.description.buttons;
  into.axisCount = recorded.description.axes;
  into.values.set(recorded.values);
  into.axes.set(recorded.axes);
}

function setPose(into: Float32Array, { position, orientation }: Pose): void {
  into.set(position);
  into.set(orientation, 3);
}
