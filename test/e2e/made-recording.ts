// A stand-in for the recorded session, in the emulator's format: a head that turns from thing to thing and rests on each.
import type { Recording, RoomEntity } from "./scanned-room.ts";

const REST_MS = 1_600;
const TURN_MS = 500;
const STEP_MS = 20;
const EYE = [0, 1.5, 0.6] as const;

export function lookAround(room: readonly RoomEntity[]): Recording {
  const goals = ["screen", "table", "door", "plant", "window", "screen"].flatMap((label) => {
    const entity = room.find((one) => one.label === label);
    return entity === undefined ? [] : [angles(entity)];
  });
  const frames: number[][] = [];
  let timeMs = 0;
  goals.forEach((goal, index) => {
    const from = goals[index - 1] ?? goal;
    for (let elapsed = 0; elapsed < REST_MS + TURN_MS; elapsed += STEP_MS, timeMs += STEP_MS) {
      const share = Math.min(1, elapsed / TURN_MS);
      const yaw = from.yaw + (goal.yaw - from.yaw) * share;
      const pitch = from.pitch + (goal.pitch - from.pitch) * share;
      frames.push([timeMs, ...EYE, ...quaternion(yaw, pitch)]);
    }
  });
  return { schema: [], frames };
}

function angles(entity: RoomEntity): { yaw: number; pitch: number } {
  const [x, y, z] = entity.position.map((value, axis) => value - (EYE[axis] ?? 0)) as [number, number, number];
  return { yaw: Math.atan2(-x, -z), pitch: Math.atan2(y - 0.1, Math.hypot(x, z)) };
}

/** Yaw about Y, then pitch about the head's own X. */
function quaternion(yaw: number, pitch: number): [number, number, number, number] {
  const [sy, cy, sx, cx] = [Math.sin(yaw / 2), Math.cos(yaw / 2), Math.sin(pitch / 2), Math.cos(pitch / 2)];
  return [cy * sx, sy * cx, -sy * sx, cy * cx];
}
