// Rule XV12 of docs/spec/voice.md: the conversations of test/voice/scenarios, held with the real process.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import type { RunningFovea } from "../gateway/run-fovea.ts";
import { startFovea } from "../gateway/run-fovea.ts";
import { playScenario, scenarioSchema } from "./scenario.ts";
import { noSpeech } from "./spoken.ts";

let fovea: RunningFovea;

before(async () => {
  if (noSpeech === false) fovea = await startFovea([], { FOVEA_STORE: "memory" });
});

after(async () => {
  await fovea?.stop();
});

for (const file of globSync("scenarios/*.yaml", { cwd: import.meta.dirname }).sort()) {
  const scenario = scenarioSchema.parse(parse(readFileSync(join(import.meta.dirname, file), "utf8")));
  test(`[XV12] ${scenario.name}`, { skip: noSpeech, timeout: 90_000 }, async () => {
    await playScenario(`${fovea.url.replace("http", "ws")}/xr`, scenario);
  });
}
