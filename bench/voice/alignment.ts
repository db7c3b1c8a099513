// How well "that" and "this" are placed in time: the recogniser's start of the word against the end of the phone before it,
// which flite tells of its own speech. The clock adds less than a millisecond on a local network.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalVoiceAdapter } from "../../packages/gateway/src/providers/local-voice/adapter.ts";
import { SystemClock } from "../../packages/gateway/src/platform/system-clock.ts";
import { programs } from "../../test/voice/spoken.ts";
import { line } from "./figures.ts";

const SENTENCES = [
  "what is that",
  "highlight that",
  "how far is that",
  "tell me about this",
  "what is on that",
  "what is behind that",
  "how big is this",
  "show me this",
  "what is next to that",
  "label that lamp",
];
const VOICES = ["rms", "slt", "awb"];

export async function measureAlignment(): Promise<void> {
  if (programs.flite === undefined) return;
  const adapter = new LocalVoiceAdapter(programs, new SystemClock());
  const folder = mkdtempSync(join(tmpdir(), "fovea-align-"));
  const errors: number[] = [];
  for (const text of SENTENCES) {
    for (const voice of VOICES) {
      const file = join(folder, "a.wav");
      const phones = execFileSync(programs.flite, ["-psdur", "-voice", voice, "-t", text, "-o", file])
        .toString()
        .trim()
        .split(/\s+/);
      const bytes = readFileSync(file);
      const trueMs = startOf(phones, /that/.test(text) ? ["dh", "ae"] : ["dh", "ih"]);
      const { words } = await adapter.transcribe({
        model: "pocketsphinx",
        audio: { bytes, mime: "audio/wav" },
        vocabulary: ["lamp", "table", "couch"],
      });
      const word = words?.find((candidate) => candidate.text === "that" || candidate.text === "this");
      if (word !== undefined && trueMs !== undefined) errors.push(Math.abs(word.startMs - trueMs));
    }
  }
  rmSync(folder, { recursive: true });
  console.log(line("start of a pointing word, recognised against spoken", errors, "p95 50"));
}

/** `phone:endSeconds` pairs: where the pair of phones begins. */
function startOf(pairs: readonly string[], [first, second]: readonly string[]): number | undefined {
  const at = pairs.findIndex(
    (pair, i) => pair.startsWith(`${first}:`) && pairs[i + 1]?.startsWith(`${second}:`) === true,
  );
  const before = pairs[at - 1]?.split(":")[1];
  return at < 1 || before === undefined ? undefined : Number(before) * 1_000;
}
