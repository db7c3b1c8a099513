// Pixel to world: how far from the truth does a point land that a model marks in an image, two seconds and a walk later?
// `npm run bench -- vision-error`: synthetic views of the five scanned rooms, at 1, 2 and 3 m, by depth, by the room's triangles,
// and by what a naive client does (the head's pose at the time of the answer). Seeds are printed.
import { DepthMap, placePixel, viewFromPacket } from "@fovea/core";
import type { ImageView, SceneSnapshot } from "@fovea/core";
import { loadMeshedRoom, SCANNED_ROOMS } from "@fovea/core/testing";
import { HEIGHT, ViewMaker, WIDTH } from "./vision/synthetic-views.ts";
import type { SyntheticView } from "./vision/synthetic-views.ts";

const INCIDENCE_MAX_DEG = 75;

export interface ErrorRow {
  readonly distanceM: number;
  readonly by: "depth" | "mesh" | "naive";
  readonly errorsM: number[];
}

/** Errors in metres for `count` views of each room and distance. */
export function measureErrors(count: number, distances: readonly number[], seed: number): readonly ErrorRow[] {
  const rows = distances.flatMap((distanceM) =>
    (["depth", "mesh", "naive"] as const).map((by): ErrorRow => ({ distanceM, by, errorsM: [] })),
  );
  for (const room of SCANNED_ROOMS) {
    const maker = new ViewMaker(room, seed);
    const scene = loadMeshedRoom(room);
    for (const distanceM of distances) {
      for (let made = 0, tries = 0; made < count && tries < count * 200; tries++) {
        const view = maker.next(distanceM);
        if (view === undefined || view.incidenceDeg > INCIDENCE_MAX_DEG) continue;
        made++;
        for (const row of rows) if (row.distanceM === distanceM) row.errorsM.push(errorOf(view, scene, row.by));
      }
    }
  }
  return rows;
}

function errorOf(synthetic: SyntheticView, scene: SceneSnapshot, by: ErrorRow["by"]): number {
  const [y, x] = synthetic.pointThousandths;
  const { image } = synthetic;
  const own = viewFromPacket(image, 0, by === "depth" ? new DepthMap(synthetic.depth) : undefined);
  const view: ImageView = by === "naive" ? viewFromPacket({ ...image, cameraPose: synthetic.laterPose }, 0) : own;
  const { position } = placePixel(view, scene, (x / 1_000) * WIDTH, (y / 1_000) * HEIGHT);
  return Math.hypot(...position.map((value, axis) => value - (synthetic.truth[axis] as number)));
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

if (import.meta.main) {
  const seed = Number(process.argv[2] ?? 1);
  const count = Number(process.argv[3] ?? 100);
  process.stdout.write(
    `seed ${seed}, ${count} views of each of ${SCANNED_ROOMS.length} rooms, incidence to ${INCIDENCE_MAX_DEG} degrees\n`,
  );
  for (const { distanceM, by, errorsM } of measureErrors(count, [1, 2, 3], seed)) {
    const cm = (share: number): string => (percentile(errorsM, share) * 100).toFixed(1).padStart(6);
    const within = errorsM.filter((error) => error <= 0.03).length / errorsM.length;
    process.stdout.write(
      `${distanceM} m ${by.padEnd(6)} p50 ${cm(0.5)}  p95 ${cm(0.95)}  p99 ${cm(0.99)}  max ${cm(1)} cm  within 3 cm ${(within * 100).toFixed(1)} %  (n ${errorsM.length})\n`,
    );
  }
}
