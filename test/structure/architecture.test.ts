// Rules AR1..AR11 of ARCHITECTURE.md, checked on the real tree, and each guard tried once on a planted violation.
import assert from "node:assert/strict";
import test from "node:test";
import * as rules from "./rules.ts";
import { edgesOf, read, sourceFiles } from "./sources.ts";

const files = sourceFiles();
const sources = new Map(files.map((path) => [path, read(path)]));
const edges = files.flatMap((path) => edgesOf(path, sources.get(path) ?? ""));

const none = (complaints: readonly string[]): void => assert.deepEqual(complaints, []);

test("[AR1] every file belongs to a layer", () => none(rules.orphans(files)));
test("[AR2] imports go down, or sideways inside one folder", () => none(rules.upwardImports(edges)));
test("[AR3] there is no cycle, type-only imports included", () => none(rules.cycles(edges)));
test("[AR5] only the platform folder reads clock, timers or entropy", () => none(rules.clockReaders(sources)));
test("[AR7] a session never waits", () => none(rules.awaitingSessions(sources)));
test("[AR8] nothing below the doors knows HTTP or WebSocket servers", () => none(rules.transportKnowledge(sources)));
test("[AR10] packages import only what their audience may", () => none(rules.foreignImports(edges)));
test("[AR11] index files only re-export, and nobody inside imports them", () =>
  none([...rules.indexImports(edges), ...rules.indexLogic(sources)]));

test("[AR1] [AR2] [AR3] the guards see planted violations", () => {
  const planted = new Map([
    ["packages/core/src/orphanage/a.ts", ""],
    ["packages/core/src/model/a.ts", 'import { x } from "../routing/b.ts";'],
    ["packages/core/src/routing/b.ts", 'import type { y } from "../resilience/c.ts";'],
    ["packages/core/src/resilience/c.ts", 'import type { x } from "../routing/b.ts";'],
    ["packages/core/src/session/d.ts", "export async function d() {}"],
    ["packages/core/src/scene/e.ts", "const t = Date.now();"],
    ["packages/client/src/index.ts", 'import { z } from "@fovea/core"; export const q = 1;'],
  ]);
  const plantedEdges = [...planted].flatMap(([path, text]) => edgesOf(path, text));
  assert.equal(rules.orphans(planted.keys()).length, 1);
  assert.equal(rules.upwardImports(plantedEdges).length, 3);
  assert.equal(rules.cycles(plantedEdges).length, 1);
  assert.equal(rules.awaitingSessions(planted).length, 1);
  assert.equal(rules.clockReaders(planted).length, 1);
  assert.equal(rules.foreignImports(plantedEdges).length, 1);
  assert.equal(rules.indexLogic(planted).length, 1);
});
