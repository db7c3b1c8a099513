import type { DeixisCandidate, DeixisSample } from "@fovea/core";
import { resolveDeixis } from "@fovea/core";
import type { Line, OperationFamily } from "./operation.ts";

type Vec = readonly [number, number, number];

interface SceneObject {
  readonly id: string | number;
  readonly label: string;
  readonly center: Vec;
  readonly size: Vec;
}

/** What nobody means by "that" in a room. */
const STRUCTURE = new Set(["wall", "floor", "ceiling"]);

/**
 * `point` {scene, origin, dir, sigma_deg, class} and `utterance` {scene, origin, samples [[t, dx, dy, dz]], word_t, end_t,
 * class} -> {id, confidence}. Times in seconds. The line `scene` is heard too (its answer belongs to the spatial family).
 */
export function deixisOperations(): OperationFamily & { readonly hearScene: (line: Line) => void } {
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
    reset: () => undefined,
    hearScene: (line) => {
      const objects = (line["objects"] ?? []) as readonly SceneObject[];
      const things = objects.filter((object) => !STRUCTURE.has(object.label.toLowerCase()));
      scenes.set(String(line["id"]), {
        candidates: things.map(({ id, label, center, size }) => ({
          id: String(id),
          label: label.toLowerCase(),
          center,
          size,
        })),
        ids: new Map(objects.map((object) => [String(object.id), object.id])),
      });
    },
    operations: {
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
    },
  };
}

function unit(v: Vec): Vec {
  const size = Math.hypot(...v) || 1;
  return [v[0] / size, v[1] / size, v[2] / size];
}
