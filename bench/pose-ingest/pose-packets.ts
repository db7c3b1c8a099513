// Poses as a headset sends them, for the benches: packets of one movement without jumps, to be sent in a circle.
import { sourceDescription } from "@fovea/core/testing";
import { createPoseSample, encodePosePacket, SourceTable } from "@fovea/protocol";

export const POSE_SOURCES = [
  sourceDescription(1, { handedness: "left", hand: true, buttons: 1 }),
  sourceDescription(2, { handedness: "right", hand: true, buttons: 1 }),
];

/** A head that looks about and two moving hands. */
export function buildPosePackets(count: number): Uint8Array[] {
  const table = new SourceTable();
  for (const source of POSE_SOURCES) table.set(source);
  const sample = createPoseSample();
  const bytes = new Uint8Array(4_096);
  return Array.from({ length: count }, (_, index) => {
    const yaw = Math.sin((index / count) * 2 * Math.PI) * 0.5;
    sample.viewer.set([0, 1.6, 0, 0, Math.sin(yaw), 0, Math.cos(yaw)]);
    sample.sourceCount = 2;
    for (let hand = 0; hand < 2; hand++) {
      const source = sample.sources[hand];
      if (source === undefined) continue;
      source.id = hand + 1;
      source.hasTargetRay = true;
      source.targetRay.set([hand - 0.5, 1.2, -0.3, 0, Math.sin(yaw), 0, Math.cos(yaw)]);
      source.hasGrip = true;
      source.hasHand = true;
      source.buttonCount = 1;
      source.jointOrientations[3] = 1;
      for (let joint = 0; joint < 25; joint++) {
        const finger = joint === 0 ? 0 : Math.floor((joint - 1) / 5) + 1;
        source.joints[joint * 3] = hand - 0.5 + finger * 0.02;
        source.joints[joint * 3 + 1] = 1.2 + Math.sin(index / 20) * 0.02;
        source.joints[joint * 3 + 2] = -0.3 - ((joint + 4) % 5) * 0.03;
      }
    }
    const size = encodePosePacket(sample, table, bytes);
    if (typeof size !== "number") throw new Error(`${size.field}: ${size.message}`);
    return bytes.slice(0, size);
  });
}
