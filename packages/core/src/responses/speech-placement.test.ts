// Rules SP1..SP5 of docs/spec/responses.md.
import assert from "node:assert/strict";
import test from "node:test";
import type { SceneEntity } from "../model/spatial.ts";
import type { XRContext } from "../model/xr-context.ts";
import { NO_CONTEXT } from "../model/xr-context.ts";
import { placeSpeech } from "./speech-placement.ts";

function room(things: Readonly<Record<string, number>>, change: Partial<XRContext> = {}): XRContext {
  const entities = Object.entries(things).map(([id, z]) => entityAt(id, z));
  return {
    ...NO_CONTEXT,
    viewer: { ...NO_CONTEXT.viewer, isTracked: true },
    scene: { version: 1, entities, byId: new Map(entities.map((entity) => [entity.id, entity])), changes: [] },
    ...change,
  };
}

function entityAt(id: string, awayM: number): SceneEntity {
  const pose = { position: [0, 0, -awayM] as const, orientation: [0, 0, 0, 1] as const };
  return { id, semanticLabel: id, pose } as unknown as SceneEntity;
}

/** "where gain occlusion" */
function placed(
  context: XRContext,
  targets: readonly string[],
  options: { agent?: string; seen?: number } = {},
): string {
  const { at, gainDb, occlusion } = placeSpeech(context, {
    targets,
    ...(options.agent === undefined ? {} : { agent: { entityId: options.agent } }),
    seenShare: () => options.seen ?? 1,
  });
  return `${typeof at === "object" && "entityId" in at ? at.entityId : JSON.stringify(at)} ${gainDb} ${occlusion}`;
}

test("[SP1] about one thing, from that thing", () => {
  assert.equal(placed(room({ lamp: 1 }), ["lamp", "lamp"]), "lamp 0 0");
});

test("[SP2] about several or none, from the agent or in the head", () => {
  assert.equal(placed(room({ lamp: 1, robot: 1 }), ["lamp", "robot"], { agent: "robot" }), "robot 0 0");
  assert.equal(placed(room({ lamp: 1 }), []), '"head" 0 0');
  assert.equal(placed(room({ lamp: 1 }), ["gone"]), '"head" 0 0');
});

test("[SP3] in the head where direction means nothing", () => {
  assert.equal(placed(room({ lamp: 1 }, { viewer: NO_CONTEXT.viewer }), ["lamp"]), '"head" 0 0');
  assert.equal(placed(room({ lamp: 1 }, { person: { hearing: "low" } }), ["lamp"]), '"head" 0 0');
});

test("[SP4] distance takes half", () => {
  assert.equal(placed(room({ lamp: 4 }), ["lamp"]), "lamp 6.02 0");
  assert.equal(placed(room({ lamp: 100 }), ["lamp"]), "lamp 9 0");
  assert.equal(placed(room({ lamp: 0.2 }), ["lamp"]), "lamp 0 0");
});

test("[SP5] what stands between", () => {
  assert.equal(placed(room({ lamp: 2 }), ["lamp"], { seen: 0.25 }), "lamp 3.01 0.75");
  assert.equal(placed(room({ lamp: 0.4 }), ["lamp"], { seen: 0 }), "lamp 0 0");
});
