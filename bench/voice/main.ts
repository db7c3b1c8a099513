// The figures of a voice session (docs/spec/voice.md), measured at the client's speaker.
//   npm run bench -- voice [turns|interruptions|added|echo|alignment|capacity] [size]
import { measureInterruptions } from "./interruptions.ts";
import { measureTurns } from "./turns.ts";

const [what = "all", size] = process.argv.slice(2);
const is = (name: string): boolean => what === name || what === "all";
if (is("turns")) await measureTurns(Number(size ?? 60), 3);
if (is("interruptions")) await measureInterruptions(Number(size ?? 1));
process.exit(0);
