import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Pose, XRContext } from "@fovea/core";
import { answerPlainly, NO_CONTEXT } from "@fovea/core";
import { parseJsonText } from "./query-json.ts";
import type { Command } from "./command.ts";
import type { QueryScene } from "./query-files.ts";
import { issueText, parseSceneFile, questionSchema, viewerPose, viewerSchema } from "./query-files.ts";

const USAGE = `usage: fovea query --scene <scene.json> [--viewer <pose.json>] < questions.jsonl

Reads one question a line: {"id": …, "question": "…", "viewer": {…}?, "candidates": [ids]?}
Writes one answer a line:  {"id", "entityIds", "answer", "value"?, "unit"?, "confidence", "ambiguous", "basis"}`;

/** What the command touches; lines come from standard input. */
export interface QueryIo {
  readonly workingFolder: string;
  readonly lines: AsyncIterable<string>;
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
}

/** `fovea query`: the embedded engine over a scene file. Exit code 0; 1 when a line was bad; 2 for the command line or scene. */
export async function runQuery(args: readonly string[], io: QueryIo): Promise<number> {
  const flags = readFlags(args);
  if (flags === undefined || flags.isHelp || flags.scene === undefined) {
    (flags?.isHelp === true ? io.print : io.printError)(USAGE);
    return flags?.isHelp === true ? 0 : 2;
  }
  let scene: QueryScene;
  let viewer: Pose | undefined;
  try {
    scene = parseSceneFile(readJsonFile(resolve(io.workingFolder, flags.scene)));
    viewer = flags.viewer === undefined ? undefined : readViewer(resolve(io.workingFolder, flags.viewer), scene);
  } catch (error) {
    io.printError(`fovea query: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
  let badLines = 0;
  for await (const line of io.lines) {
    if (line.trim() === "") continue;
    const answer = answerLine(line, scene, viewer);
    if ("error" in answer) badLines++;
    io.print(JSON.stringify(answer));
  }
  return badLines === 0 ? 0 : 1;
}

export const query: Command = (args, terminal) =>
  runQuery(args, { ...terminal, lines: createInterface({ input: process.stdin, crlfDelay: Infinity }) });

interface QueryFlags {
  readonly scene?: string;
  readonly viewer?: string;
  readonly isHelp: boolean;
}

function readFlags(args: readonly string[]): QueryFlags | undefined {
  const found: { scene?: string; viewer?: string; isHelp: boolean } = { isHelp: false };
  for (let at = 0; at < args.length; at++) {
    const [name, inline] = (args[at] ?? "").split(/=(.*)/s);
    if (name === "--help" || name === "-h") found.isHelp = true;
    else if (name === "--scene" || name === "--viewer") {
      const value = inline ?? args[++at];
      if (value === undefined) return undefined;
      found[name === "--scene" ? "scene" : "viewer"] = value;
    } else return undefined;
  }
  return found;
}

function readJsonFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new Error(`cannot read ${path}`);
  }
  return parseJsonText(text, path);
}

function readViewer(path: string, scene: QueryScene): Pose {
  const read = viewerSchema.safeParse(readJsonFile(path));
  if (!read.success) throw new Error(`${path}: ${issueText(read.error)}`);
  return viewerPose(read.data, scene.up);
}

interface AnswerLine {
  readonly id: string | number | null;
  readonly entityIds: readonly string[];
  readonly answer: string;
  readonly value?: number | string;
  readonly unit?: string;
  readonly confidence: number;
  readonly ambiguous: boolean;
  readonly basis: string;
}

function answerLine(
  line: string,
  scene: QueryScene,
  viewer: Pose | undefined,
): AnswerLine | { readonly id: string | number | null; readonly error: string } {
  let value: unknown;
  try {
    value = parseJsonText(line, "the line");
  } catch (error) {
    return { id: null, error: error instanceof Error ? error.message : String(error) };
  }
  const read = questionSchema.safeParse(value);
  if (!read.success) return { id: idOf(value), error: issueText(read.error) };
  const { id, question, candidates } = read.data;
  const own =
    read.data.viewer === null || read.data.viewer === undefined ? viewer : viewerPose(read.data.viewer, scene.up);
  const { result, value: bare, unit } = answerPlainly(contextFor(scene, own), question, candidates ?? undefined);
  return {
    id: id ?? null,
    entityIds: result.entityIds,
    answer: result.answer,
    ...(bare === undefined ? {} : { value: bare }),
    ...(unit === undefined ? {} : { unit }),
    confidence: Math.round(result.confidence * 10_000) / 10_000,
    ambiguous: result.isAmbiguous,
    basis: result.basis,
  };
}

/** Of a line that is refused for something else: whoever reads the answers has to know which it was. */
function idOf(value: unknown): string | number | null {
  const id: unknown = typeof value === "object" && value !== null && "id" in value ? value.id : null;
  return typeof id === "string" || typeof id === "number" ? id : null;
}

function contextFor(scene: QueryScene, viewer: Pose | undefined): XRContext {
  if (viewer === undefined) return { ...NO_CONTEXT, scene: scene.snapshot };
  return { ...NO_CONTEXT, scene: scene.snapshot, viewer: { ...NO_CONTEXT.viewer, isTracked: true, pose: viewer } };
}
