import type { DeixisCandidate, DeixisSample } from "@fovea/core";
import { resolveDeixis } from "@fovea/core";
import type { AdapterOps } from "./adapter-ops.ts";

type Line = Parameters<AdapterOps[string]>[0];
type Vec = readonly [number, number, number];

interface SceneObject {
  readonly id: string | number;
  readonly label: string;
  readonly center: Vec;
  readonly size: Vec;
  /** Unit vectors of the box's own axes. */
  readonly axes?: readonly [Vec, Vec, Vec] | null;
}

/** What nobody means by "that" in a room. */
const STRUCTURE = new Set(["wall", "floor", "ceiling"]);

/**
 * `point` {scene, origin, dir, sigma_deg, class} and `utterance` {scene, origin, samples [[t, dx, dy, dz]], word_t, end_t,
 * class} -> {id, confidence}. Times in seconds. `scene` is heard too; the spatial family answers it.
 */
export function deixisOps(): AdapterOps {
  const scenes = new Map<
    string,
    { candidates: readonly DeixisCandidate[]; ids: ReadonlyMap<string, string | number> }
  >();
  const candidatesOf = (line: Line): readonly DeixisCandidate[] => scenes.get(String(line["scene"]))?.candidates ?? [];
  const idOf = (line: Line, id: string | undefined): string | number | null =>
    (id === undefined ? undefined : scenes.get(String(line["scene"]))?.ids.get(id)) ?? null;
  const labelOf = (line: Line): { label?: string } =>
    typeof line["class"] === "string" ? { label: line["class"].toLowerCase() } : {};
  return {
    scene: (line) => {
      const objects = (line["objects"] ?? []) as readonly SceneObject[];
      const things = objects.filter((object) => !STRUCTURE.has(object.label.toLowerCase()));
      scenes.set(String(line["id"]), {
        candidates: things.map(toCandidate),
        ids: new Map(objects.map((object) => [String(object.id), object.id])),
      });
      return undefined;
    },
    point: (line) => {
      const answer = resolveDeixis({
        candidates: candidatesOf(line),
        origin: line["origin"] as Vec,
        samples: [{ tMs: 0, direction: unit(line["dir"] as Vec) }],
        ...labelOf(line),
        ...(typeof line["sigma_deg"] === "number"
          ? { sigmaRad: Math.max(0.008, (line["sigma_deg"] * Math.PI) / 180) }
          : {}),
      });
      return { id: idOf(line, answer.id), confidence: answer.confidence };
    },
    utterance: (line) => {
      const samples = (line["samples"] as readonly (readonly [number, number, number, number])[]).map(
        ([t, dx, dy, dz]): DeixisSample => ({ tMs: t * 1_000, direction: unit([dx, dy, dz]) }),
      );
      const answer = resolveDeixis({
        candidates: candidatesOf(line),
        origin: line["origin"] as Vec,
        samples,
        wordMs: Number(line["word_t"]) * 1_000,
        ...labelOf(line),
      });
      return { id: idOf(line, answer.id), confidence: answer.confidence };
    },
  };
}

function toCandidate({ id, label, center, size, axes }: SceneObject): DeixisCandidate {
  const plain = { id: String(id), label: label.toLowerCase(), center, size };
  return axes === undefined || axes === null ? plain : { ...plain, orientation: toQuaternion(axes) };
}

/** Shepperd 1978: the largest of the four components first, so that nothing is divided by almost zero. */
function toQuaternion([a, b, c]: readonly [Vec, Vec, Vec]): readonly [number, number, number, number] {
  const squares = [1 + a[0] - b[1] - c[2], 1 - a[0] + b[1] - c[2], 1 - a[0] - b[1] + c[2], 1 + a[0] + b[1] + c[2]];
  const rows = [
    [squares[0]!, b[0] + a[1], c[0] + a[2], b[2] - c[1]],
    [b[0] + a[1], squares[1]!, c[1] + b[2], c[0] - a[2]],
    [c[0] + a[2], c[1] + b[2], squares[2]!, a[1] - b[0]],
    [b[2] - c[1], c[0] - a[2], a[1] - b[0], squares[3]!],
  ];
  const row = rows[squares.indexOf(Math.max(...squares))]!;
  const size = Math.hypot(...row);
  return [row[0]! / size, row[1]! / size, row[2]! / size, row[3]! / size];
}

function unit(v: Vec): Vec {
  const size = Math.hypot(...v) || 1;
  return [v[0] / size, v[1] / size, v[2] / size];
}
