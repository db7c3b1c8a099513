// Recognition without key or network. With a grammar made from the labels of the room, pocketsphinx is fast and
// accurate (one process an utterance, about 60 ms); with its general language model it is slow and rough, and the
// result says so. One utterance is one file: pocketsphinx cannot open the socket that Node gives as standard input.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GatewayError, Resampler } from "@fovea/core";
import type { Clock } from "@fovea/core";
import { runProgram } from "./run-program.ts";
import { buildWav } from "./wav.ts";

export const SPHINX_RATE_HZ = 16_000;
/** A minute of audio takes the general model up to two minutes on a slow core. */
const TIMEOUT_MS = 120_000;

export interface SphinxGrammar {
  readonly jsgf: string;
  /** Lines of a pronouncing dictionary; every word of the grammar must be in it. */
  readonly dictionary: string;
}

export interface RecognizedWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface Recognition {
  readonly text: string;
  readonly words: readonly RecognizedWord[];
}

export interface SphinxPrograms {
  readonly program: string;
  /** Folder with `en-us`, `cmudict-en-us.dict`, `en-us.lm.bin`. */
  readonly model: string;
}

/** Mono PCM16 of any rate. Nothing recognised is an empty text, not an error. */
export async function recognizeWithSphinx(
  programs: SphinxPrograms,
  audio: { readonly samples: Int16Array; readonly sampleRateHz: number },
  clock: Clock,
  options: { readonly grammar?: SphinxGrammar; readonly signal?: AbortSignal } = {},
): Promise<Recognition> {
  const folder = await mkdtemp(join(tmpdir(), "fovea-ear-"));
  try {
    const file = join(folder, "utterance.wav");
    await writeFile(file, buildWav(atSphinxRate(audio), SPHINX_RATE_HZ));
    const args = [
      "-infile",
      file,
      "-hmm",
      join(programs.model, "en-us"),
      "-logfn",
      "/dev/null",
      "-time",
      "yes",
      ...(await languageArgs(programs, folder, options.grammar)),
    ];
    const run = { command: programs.program, args, timeoutMs: TIMEOUT_MS, outputBytesMax: 1_048_576 };
    const result = await runProgram(options.signal === undefined ? run : { ...run, signal: options.signal }, clock);
    if (result.code !== 0)
      throw new GatewayError("provider_failed", `pocketsphinx ended with code ${result.code}`, {
        program: "pocketsphinx",
      });
    return parseTimedWords(result.stdout.toString("utf8"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function languageArgs(
  programs: SphinxPrograms,
  folder: string,
  grammar: SphinxGrammar | undefined,
): Promise<string[]> {
  if (grammar === undefined) {
    return ["-dict", join(programs.model, "cmudict-en-us.dict"), "-lm", join(programs.model, "en-us.lm.bin")];
  }
  const jsgf = join(folder, "room.gram");
  const dictionary = join(folder, "room.dict");
  await Promise.all([writeFile(jsgf, grammar.jsgf), writeFile(dictionary, grammar.dictionary)]);
  return ["-dict", dictionary, "-jsgf", jsgf];
}

function atSphinxRate({
  samples,
  sampleRateHz,
}: {
  readonly samples: Int16Array;
  readonly sampleRateHz: number;
}): Int16Array {
  if (sampleRateHz === SPHINX_RATE_HZ) return samples;
  const resampler = new Resampler({ fromHz: sampleRateHz, toHz: SPHINX_RATE_HZ });
  const out = resampler.process(samples);
  // The filter's delay would shift every word time: it is cut from the start.
  return out.subarray(Math.round(resampler.delaySamples));
}

const TIMED_WORD = /^(\S+) (\d+\.\d+) (\d+\.\d+) \d+\.\d+$/;

/** Lines are `word start end confidence`; pauses, fillers and alternative-pronunciation marks are left out. */
export function parseTimedWords(output: string): Recognition {
  const words: RecognizedWord[] = [];
  for (const line of output.split("\n")) {
    const match = TIMED_WORD.exec(line.trim());
    if (match === null) continue;
    const text = (match[1] as string).replace(/\(\d+\)$/, "");
    if (text === "" || /^[<[(]/.test(text) || text.startsWith("++")) continue;
    words.push({ text, startMs: Math.round(Number(match[2]) * 1_000), endMs: Math.round(Number(match[3]) * 1_000) });
  }
  return { text: words.map((word) => word.text).join(" "), words };
}
