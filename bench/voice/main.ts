// The figures of voice sessions (docs/spec/voice.md), in words of what a user notices. Needs flite, pocketsphinx, espeak-ng.
//   npm run bench -- voice [all|turns|interruptions|added|echo|alignment|capacity] [size]
import { measureAdded } from "./added.ts";
import { measureAlignment } from "./alignment.ts";
import { measureCapacity } from "./capacity.ts";
import { measureEcho } from "./echo.ts";
import { measureInterruptions } from "./interruptions.ts";
import { measureTurns } from "./turns.ts";

const [what = "all", size] = process.argv.slice(2);
const is = (name: string): boolean => what === name || what === "all";
if (is("turns")) await measureTurns(Number(size ?? 200), 4);
if (is("interruptions")) await measureInterruptions(Number(size ?? 1));
if (is("added")) await measureAdded(Number(size ?? 200));
if (is("echo")) await measureEcho(Number(size ?? 10));
if (is("alignment")) await measureAlignment();
if (is("capacity")) await measureCapacity(Number(size ?? 60), 20);
process.exit(0);
