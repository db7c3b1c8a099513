// Folding a pose packet with two hands in a room of 60 things: window, attention of five means, gestures.
// Goal: at most 6 us a packet at 30 Hz; `npm run bench -- context`.
import { createPoseSample } from "@fovea/protocol";
import { ContextBuilder } from "../../../packages/core/src/context/context-builder.ts";
import { NO_CONTEXT } from "../../../packages/core/src/model/xr-context.ts";

let builder = new ContextBuilder(NO_CONTEXT);
const sample = createPoseSample();
let atMs = 0;

/** `size` times 60 entities. */
export function setup(size: number): void {
  builder = new ContextBuilder({ ...NO_CONTEXT, sessionId: "bench", userId: "bench" });
  builder.applyConsent({ head: true, hands: "raw", room: "full", camera: false, audio: false, eyes: false });
  const haptics = { pulse: false, effects: [], actuators: 0 };
  for (const [id, handedness] of [
    [0, "left"],
    [1, "right"],
  ] as const) {
    const what = {
      id,
      handedness,
      targetRayMode: "tracked-pointer",
      profiles: [],
      hand: true,
      buttons: 1,
      axes: 0,
    } as const;
    builder.addSource({ ...what, haptics }, 0);
  }
  const add = Array.from({ length: size * 60 }, (_, index) => ({
    id: `e${index}`,
    kind: "box" as const,
    semanticLabel: "object",
    pose: {
      position: [(index % 8) - 4, (index % 3) * 0.6, -1 - (index % 5)] as const,
      orientation: [0, 0, 0, 1] as const,
    },
    bounds: { min: [-0.3, -0.3, -0.3] as const, max: [0.3, 0.3, 0.3] as const },
    confidence: 1,
    source: "device" as const,
    affordances: [],
  }));
  builder.scene.apply({ add: add.slice(0, 10_000) }, 0);
  sample.sourceCount = 2;
}

export function run(): number {
  atMs += 33;
  const turn = Math.sin(atMs / 3_000) / 2;
  sample.viewer.set([0, 1.6, 0, 0, Math.sin(turn), 0, Math.cos(turn)]);
  for (let index = 0; index < 2; index++) {
    const source = sample.sources[index];
    if (source === undefined) continue;
    source.id = index;
    source.hasTargetRay = true;
    source.targetRay.set([index - 0.5, 1.2, -0.3, 0, Math.sin(turn), 0, Math.cos(turn)]);
    source.hasHand = true;
    for (let joint = 0; joint < 25; joint++) {
      const finger = joint === 0 ? 0 : Math.floor((joint - 1) / 5) + 1;
      source.joints[joint * 3] = index - 0.5 + finger * 0.02;
      source.joints[joint * 3 + 1] = 1.2;
      source.joints[joint * 3 + 2] = -0.3 - ((joint - 1) % 5) * 0.03 + Math.sin(atMs / 500) * 0.01;
    }
  }
  return builder.foldPose(sample, atMs, true).length;
}
