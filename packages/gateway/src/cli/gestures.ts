import { createReadStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { GestureExample, GestureModel, JointSequence, PoseExample, StreamGesture } from "@fovea/core";
import {
  fromWebXRJoints,
  GatewayError,
  GestureClassifier,
  GestureStream,
  NO_GESTURE,
  parseGestureModel,
  PoseTemplates,
  SEQUENCE_JOINTS,
  trainGestureModel,
  writeGestureModel,
} from "@fovea/core";
import type { Command } from "./command.ts";

const USAGE = `usage: fovea gestures --model <model.json> [--input <lines.jsonl>] [--find]
       fovea gestures train --examples <examples.jsonl> --model <new model.json> [--base <model.json>] [--copies <n>]

Reads one line after another (standard input without --input), writes one answer a line.
A line is {"id": any, "fps": number, "samples": [[75 numbers: WebXR joints] or [66 numbers]]}, in metres, or one pose,
{"id": any, "pose": [75 numbers], "handedness": "left" or "right"}.
An answer is {"id", "gesture", "variant"?, "confidence"}, or {"id", "error"}; "gesture" is null for a pose that is none.
With --find a line is a whole recording and its answer {"id", "events": [{"gesture", "confidence", "startMs", "endMs"}]}.
An example is such a line with "label" ("wave" or "wave/left-hand") and perhaps "performer"; label what the hand does
otherwise "none". Three to five examples of each gesture are a good beginning. A pose needs one.
The gateway recognises a model named as gestures.modelFile in its configuration; a page, one given to fovea.gestures.`;

/** What the command touches of the world, so that tests run it without files or a process. */
export interface GestureIo {
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
  readonly readText: (path: string) => Promise<string>;
  readonly writeText: (path: string, text: string) => Promise<void>;
  /** Lines of a file, or of standard input when there is no path. */
  readonly lines: (path: string | undefined) => AsyncIterable<string>;
}

const LINE_LENGTH_MAX = 32 * 1_048_576;
const SAMPLES_MAX = 100_000;
const OPTIONS = ["model", "input", "find", "examples", "base", "copies"] as const;

/** Returns the exit code: 0 fine, 1 some line could not be answered, 2 the command line is wrong. */
export async function runGestures(args: readonly string[], io: GestureIo): Promise<number> {
  if (args.includes("--help")) {
    io.print(USAGE);
    return 0;
  }
  const isTraining = args[0] === "train";
  const options = readOptions(isTraining ? args.slice(1) : args);
  if (options === undefined || options.model === undefined || (isTraining && options.examples === undefined)) {
    io.printError(USAGE);
    return 2;
  }
  return isTraining ? train(options, io) : classify(options, io);
}

/** The command of the command line: files and standard input of this process. */
export const gestures: Command = (args, terminal) => {
  // A line with a whole recording is long; the reader bounds nothing, so the length is checked for each line.
  const lines = (path: string | undefined): AsyncIterable<string> =>
    createInterface({ input: path === undefined ? process.stdin : createReadStream(path), crlfDelay: Infinity });
  return runGestures(args, {
    print: terminal.print,
    printError: terminal.printError,
    readText: (path) => readFile(path, "utf8"),
    writeText: (path, text) => writeFile(path, text),
    lines,
  });
};

type Options = Partial<Record<(typeof OPTIONS)[number], string>>;

function readOptions(args: readonly string[]): Options | undefined {
  const options: Options = {};
  for (let i = 0; i < args.length; i += 2) {
    const name = OPTIONS.find((option) => args[i] === `--${option}`);
    // The only option that takes no value.
    if (name === "find") i -= 1;
    const value = name === "find" ? "yes" : args[i + 1];
    if (name === undefined || value === undefined) return undefined;
    options[name] = value;
  }
  return options;
}

async function classify(options: Options, io: GestureIo): Promise<number> {
  const model = parseGestureModel(await io.readText(options.model ?? ""));
  if (options.find !== undefined && model.spot === undefined) {
    io.printError("fovea gestures: the model was not trained for streams");
    return 2;
  }
  const answer = options.find === undefined ? namer(model) : finder(model);
  let failed = 0;
  for await (const line of io.lines(options.input)) {
    if (line.trim() === "") continue;
    const { id, result } = attempt(line, answer);
    if ("error" in result) failed += 1;
    io.print(JSON.stringify({ id, ...result }));
  }
  return failed === 0 ? 0 : 1;
}

type Given = Readonly<Record<string, unknown>>;

function attempt(line: string, answer: (given: Given) => object): { id: unknown; result: object } {
  let id: unknown = null;
  try {
    const given = readLine(line);
    id = given["id"] ?? null;
    return { id, result: answer(given) };
  } catch (error) {
    if (GatewayError.is(error)) return { id, result: { error: error.message } };
    throw error;
  }
}

/** Names what a line shows: one movement or one pose. */
function namer(model: GestureModel): (given: Given) => object {
  const classifier = new GestureClassifier(model);
  const poses = new PoseTemplates(model.poses);
  return (given) => {
    if (given["pose"] !== undefined) {
      const { joints, handedness } = readPose(given);
      const match = poses.match(joints, handedness);
      return { gesture: match?.name ?? null, confidence: rounded(match?.confidence ?? 0) };
    }
    if (model.gestures.length === 0) refuse("", "is a movement, and the model knows only poses");
    const found = classifier.classify(readSequence(given));
    if (found === undefined) refuse("samples", "hold no hand, or are fewer than two");
    const { gesture, variant, confidence } = found;
    return { gesture, ...(variant === undefined ? {} : { variant }), confidence: rounded(confidence) };
  };
}

/** Finds the movements in the recording of a line. */
function finder(model: GestureModel): (given: Given) => object {
  return (given) => {
    const { joints, fps } = readSequence(given);
    const stream = new GestureStream(model);
    const found: StreamGesture[] = [];
    const width = SEQUENCE_JOINTS * 3;
    for (let i = 0; i < joints.length; i += width) {
      found.push(...stream.fold(joints.subarray(i, i + width), ((i / width) * 1_000) / fps));
    }
    found.push(...stream.end());
    const events = found.map(({ gesture, variant, confidence, startMs, endMs }) => ({
      gesture,
      ...(variant === undefined ? {} : { variant }),
      confidence: rounded(confidence),
      startMs: Math.round(startMs),
      endMs: Math.round(endMs),
    }));
    return { events };
  };
}

function rounded(confidence: number): number {
  return Math.round(confidence * 10_000) / 10_000;
}

async function train(options: Options, io: GestureIo): Promise<number> {
  const examples: GestureExample[] = [];
  const poses: PoseExample[] = [];
  try {
    for await (const line of io.lines(options.examples)) {
      if (line.trim() === "") continue;
      const given = readLine(line);
      const { label, performer } = given;
      if (typeof label !== "string" || label === "") refuse("label", "must be a text");
      if (given["pose"] !== undefined) {
        poses.push({ label, ...readPose(given) });
        continue;
      }
      examples.push({
        sequence: readSequence(given),
        label,
        ...(typeof performer === "string" ? { performer } : {}),
      });
    }
    const base = options.base === undefined ? {} : { base: parseGestureModel(await io.readText(options.base)) };
    // A handful of examples shows little of how people differ: more varied copies stand in for more people.
    const copies =
      options.copies === undefined
        ? Math.max(2, Math.min(20, Math.round(200 / Math.max(1, examples.length))))
        : Number(options.copies);
    if (!(Number.isInteger(copies) && copies >= 0 && copies <= 50)) refuse("copies", "must be 0 to 50");
    const model = trainGestureModel(examples, { ...base, copies, poses, streams: true });
    await io.writeText(options.model ?? "", writeGestureModel(model));
    const names = new Set([...model.gestures, ...model.poses.map(({ name }) => name)]);
    names.delete(NO_GESTURE);
    io.print(`${options.model}: ${names.size} gestures from ${examples.length + poses.length} examples`);
    return 0;
  } catch (error) {
    if (!GatewayError.is(error)) throw error;
    io.printError(`fovea gestures: example ${examples.length + poses.length + 1}: ${error.message}`);
    return 1;
  }
}

function readLine(line: string): Given {
  if (line.length > LINE_LENGTH_MAX) refuse("", "is longer than 32 MB");
  let given: unknown;
  try {
    given = JSON.parse(line);
  } catch {
    refuse("", "is not JSON");
  }
  if (typeof given !== "object" || given === null || Array.isArray(given)) refuse("", "must be an object");
  return given as Given;
}

function readSequence(given: Given): JointSequence {
  const fps = given["fps"] ?? 30;
  if (typeof fps !== "number" || !(fps > 0 && fps <= 1_000)) refuse("fps", "must be above 0 and at most 1000");
  const samples = given["samples"];
  if (!Array.isArray(samples) || samples.length > SAMPLES_MAX)
    refuse("samples", `must be a list of at most ${SAMPLES_MAX}`);
  const width = SEQUENCE_JOINTS * 3;
  const joints = new Float32Array(samples.length * width);
  samples.forEach((sample: unknown, index: number) => {
    const path = `samples[${index}]`;
    if (!Array.isArray(sample) || (sample.length !== 75 && sample.length !== width))
      refuse(path, "must be 75 or 66 numbers");
    if (!sample.every((value) => typeof value === "number" && Number.isFinite(value))) refuse(path, "must be numbers");
    if (sample.length === 75) fromWebXRJoints(sample as number[], joints, index * width);
    else joints.set(sample as number[], index * width);
  });
  return { joints, fps };
}

function readPose(given: Given): Pick<PoseExample, "joints" | "handedness"> {
  const { pose } = given;
  const handedness = given["handedness"] ?? "right";
  if (handedness !== "left" && handedness !== "right") refuse("handedness", 'must be "left" or "right"');
  const isHand =
    Array.isArray(pose) &&
    pose.length === 75 &&
    pose.every((value) => typeof value === "number" && Number.isFinite(value));
  if (!isHand) refuse("pose", "must be 75 numbers");
  return { joints: Float64Array.from(pose as number[]), handedness };
}

function refuse(param: string, problem: string): never {
  throw new GatewayError("request_invalid", `${param === "" ? "the line" : param} ${problem}`, { param });
}
