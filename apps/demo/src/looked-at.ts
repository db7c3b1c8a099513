import type { Fovea } from "@fovea/client";

type Node = ReturnType<Fovea["scene"]["nodes"]> extends Iterable<infer T> ? T : never;

export interface LookedAt {
  readonly label: string;
  readonly distanceM: number;
}

/** What the middle of the view lies on, for the page's own display. Answers come from the gateway, not from here. */
export function lookedAt(nodes: Iterable<Node>, frame: XRFrame, space: XRReferenceSpace | null): LookedAt | undefined {
  const pose = space === null ? undefined : frame.getViewerPose(space);
  if (!pose) return undefined;
  const { position: p, orientation: q } = pose.transform;
  const direction = turn([q.x, q.y, q.z, q.w], [0, 0, -1]);
  let best: LookedAt | undefined;
  for (const node of nodes) {
    if (node.kind === "mesh" || node.kind === "anchor") continue;
    const distanceM = hit(node, [p.x, p.y, p.z], direction);
    if (distanceM !== undefined && distanceM < (best?.distanceM ?? Infinity))
      best = { label: node.name ?? node.semanticLabel, distanceM };
  }
  return best;
}

type Triple = readonly [number, number, number];

function turn([x, y, z, w]: readonly number[], [vx, vy, vz]: Triple): Triple {
  const [qx = 0, qy = 0, qz = 0, qw = 1] = [x, y, z, w];
  const tx = 2 * (qy * vz - qz * vy);
  const ty = 2 * (qz * vx - qx * vz);
  const tz = 2 * (qx * vy - qy * vx);
  return [vx + qw * tx + qy * tz - qz * ty, vy + qw * ty + qz * tx - qx * tz, vz + qw * tz + qx * ty - qy * tx];
}

/** Ray against the node's box on its own axes. */
function hit(node: Node, origin: Triple, direction: Triple): number | undefined {
  const [x, y, z, w] = node.pose.orientation;
  const back = [-x, -y, -z, w];
  const [px, py, pz] = node.pose.position;
  const from = turn(back, [origin[0] - px, origin[1] - py, origin[2] - pz]);
  const along = turn(back, direction);
  const xs = node.polygon?.map((corner) => corner[0]) ?? [];
  const zs = node.polygon?.map((corner) => corner[1]) ?? [];
  const min = node.bounds?.min ?? [Math.min(...xs), -0.01, Math.min(...zs)];
  const max = node.bounds?.max ?? [Math.max(...xs), 0.01, Math.max(...zs)];
  let near = 0;
  let far = Infinity;
  for (let axis = 0; axis < 3; axis++) {
    const a = ((min[axis] ?? 0) - (from[axis] ?? 0)) / (along[axis] ?? 0);
    const b = ((max[axis] ?? 0) - (from[axis] ?? 0)) / (along[axis] ?? 0);
    near = Math.max(near, Math.min(a, b));
    far = Math.min(far, Math.max(a, b));
  }
  return near <= far && near > 0 ? near : undefined;
}
