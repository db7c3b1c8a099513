// Operations scene, refer (with an optional `tree`, a relation tree of the text) and ask: the engine that users run, over rooms given as labelled boxes with z up.
import type { PlainObject, Vec3, XRContext } from "@fovea/core";
import { answerPlainly, buildPlainScene, NO_CONTEXT, resolveDescription, toUpY } from "@fovea/core";
import type { AdapterOps } from "./adapter-ops.ts";

type Point = readonly [number, number, number];

interface Agent {
  readonly position: Point;
  /** Radians, counter-clockwise from above; 0 looks along +x of the scene. */
  readonly yaw: number;
}

export function spatialOps(): AdapterOps {
  const scenes = new Map<string, XRContext>();
  const known = new Map<string, ReadonlyMap<string, string | number>>();
  return {
    scene: (line) => {
      const objects = line["objects"] as readonly Readonly<Record<string, unknown>>[];
      const up = line["up"] === "y" ? "y" : "z";
      const id = String(line["id"]);
      scenes.set(id, { ...NO_CONTEXT, scene: buildPlainScene(objects.map(plainObject), up) });
      known.set(id, new Map(objects.map((object) => [String(object["id"]), object["id"] as string | number])));
      return undefined;
    },
    refer: (line) => {
      const scene = String(line["scene"]);
      const reference = resolveDescription(contextOf(scenes, scene), String(line["text"]), line["tree"]);
      const original = (id: string): string | number => known.get(scene)?.get(id) ?? id;
      return {
        id: reference.id === undefined ? null : original(reference.id),
        confidence: reference.confidence,
        alternatives: reference.alternatives.map((each) => original(each.id)),
      };
    },
    ask: (line) => {
      const context = contextOf(scenes, String(line["scene"]));
      const agent = line["agent"] as Agent | null | undefined;
      const { value } = answerPlainly(
        agent === null || agent === undefined ? context : seenBy(context, agent),
        String(line["text"]),
      );
      return { answer: value ?? null };
    },
  };
}

function contextOf(scenes: ReadonlyMap<string, XRContext>, id: string): XRContext {
  const context = scenes.get(id);
  if (context === undefined) throw new Error(`no scene '${id}'`);
  return context;
}

function plainObject(object: Readonly<Record<string, unknown>>): PlainObject {
  const front = object["front"] as Point | null | undefined;
  const axes = object["axes"] as readonly [Point, Point, Point] | null | undefined;
  return {
    id: String(object["id"]),
    label: String(object["label"]),
    center: object["center"] as Point,
    size: object["size"] as Point,
    ...(front === null || front === undefined ? {} : { front }),
    ...(axes === null || axes === undefined ? {} : { axes }),
  };
}

function seenBy(context: XRContext, agent: Agent): XRContext {
  const position: Vec3 = toUpY(agent.position, "z");
  // Yaw 0 looks along +x; Fovea's identity looks along -Z, a quarter turn counter-clockwise from +x seen from above.
  const half = (agent.yaw - Math.PI / 2) / 2;
  const orientation = [0, Math.sin(half), 0, Math.cos(half)] as const;
  return { ...context, viewer: { ...context.viewer, isTracked: true, pose: { position, orientation } } };
}
