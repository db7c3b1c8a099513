// Speech without key or network: espeak-ng (streams within some 15 ms) or flite (whole utterance at once, softer voice,
// exact phone times). Both are separate programs of the machine; espeak-ng is GPL-3 and is only ever started, never linked.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GatewayError } from "@fovea/core";
import type { Clock } from "@fovea/core";
import { runProgram } from "./run-program.ts";
import { parseWav, toMono, WAV_HEADER_BYTES } from "./wav.ts";

export const ESPEAK_RATE_HZ = 22_050;
/** Ten minutes of speech at espeak's normal speed; longer text is the caller's to split. */
export const TEXT_CHARACTERS_MAX = 8_000;
const UTTERANCE_TIMEOUT_MS = 30_000;
const UTTERANCE_BYTES_MAX = 64 * 1024 * 1024;

export interface Utterance {
  readonly text: string;
  readonly voice: string;
  /** 1 is normal. */
  readonly speed: number;
}

export interface SpokenUtterance {
  readonly sampleRateHz: number;
  readonly samples: Int16Array;
}

/**
 * PCM16 mono at `ESPEAK_RATE_HZ`, as espeak-ng makes it. Text goes in by standard input: as an argument, a leading dash
 * would be read as an option. The first 44 bytes are a header with invented sizes and are left out.
 */
export async function* speakWithEspeak(
  program: string,
  utterance: Utterance,
  clock: Clock,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  checkText(utterance.text);
  signal?.throwIfAborted();
  const args = ["--stdout", "--stdin", "-v", utterance.voice, "-s", String(Math.round(175 * utterance.speed))];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] });
  const ended = new Promise<number>((resolve) => {
    child.on("error", () => resolve(-1));
    child.on("close", (code) => resolve(code ?? -1));
  });
  const kill = (): void => void child.kill("SIGKILL");
  const cancelTimer = clock.schedule(UTTERANCE_TIMEOUT_MS, kill);
  signal?.addEventListener("abort", kill, { once: true });
  child.stdin.on("error", () => {});
  child.stdin.end(utterance.text);
  try {
    let skip = WAV_HEADER_BYTES;
    let spoken = 0;
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      const start = Math.min(skip, chunk.length);
      skip -= start;
      spoken += chunk.length - start;
      if (chunk.length > start) yield chunk.subarray(start);
    }
    const code = await ended;
    signal?.throwIfAborted();
    if (code !== 0 || spoken === 0)
      throw new GatewayError(
        "provider_failed",
        `espeak-ng ended with code ${code} after ${spoken} bytes; is the voice "${utterance.voice}" installed?`,
        { param: "voice" },
      );
  } finally {
    cancelTimer();
    signal?.removeEventListener("abort", kill);
    kill();
  }
}

/** The whole utterance. flite treats a single word as a file name unless told `-t`, and needs a real file to write to. */
export async function speakWithFlite(
  program: string,
  utterance: Utterance,
  clock: Clock,
  signal?: AbortSignal,
): Promise<SpokenUtterance> {
  checkText(utterance.text);
  const folder = await mkdtemp(join(tmpdir(), "fovea-voice-"));
  try {
    const file = join(folder, "speech.wav");
    const stretch = `duration_stretch=${(1 / utterance.speed).toFixed(2)}`;
    const args = ["-voice", utterance.voice, "--setf", stretch, "-t", utterance.text, "-o", file];
    const result = await runProgram(
      {
        command: program,
        args,
        timeoutMs: UTTERANCE_TIMEOUT_MS,
        outputBytesMax: 65_536,
        ...(signal === undefined ? {} : { signal }),
      },
      clock,
    );
    const bytes = result.code === 0 ? await readFile(file).catch(() => undefined) : undefined;
    if (bytes === undefined || bytes.length > UTTERANCE_BYTES_MAX)
      throw new GatewayError(
        "provider_failed",
        `flite ended with code ${result.code} and no speech; is the voice "${utterance.voice}" installed?`,
        { param: "voice" },
      );
    const audio = parseWav(bytes);
    return { sampleRateHz: audio.sampleRateHz, samples: toMono(audio) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function checkText(text: string): void {
  if (text.trim() === "") throw new GatewayError("request_invalid", "There is no text to speak.", { param: "input" });
  if (text.length > TEXT_CHARACTERS_MAX)
    throw new GatewayError(
      "request_too_large",
      `The text has ${text.length} characters; at most ${TEXT_CHARACTERS_MAX} can be spoken at once.`,
      { param: "input" },
    );
}
