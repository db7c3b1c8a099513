// The packets and messages that stand as golden vectors. Values are exact in float32 and differ from field to field, so
// that a port which swaps two fields or an axis does not pass.
import type {
  AudioPacket,
  DepthPacket,
  ImagePacket,
  InputSourceDescription,
  MeshPacket,
  PoseSample,
} from "@fovea/protocol";
import { createPoseSample } from "@fovea/protocol";

export const SOURCES: readonly Pick<InputSourceDescription, "id" | "buttons" | "axes">[] = [
  { id: 1, buttons: 12, axes: 4 },
  { id: 2, buttons: 12, axes: 4 },
  { id: 3, buttons: 1, axes: 0 },
  { id: 4, buttons: 1, axes: 0 },
];

interface PoseChoice {
  readonly sources: readonly { readonly id: number; readonly hand: boolean }[];
  readonly velocities?: boolean;
  readonly orientations?: boolean;
  readonly lost?: boolean;
}

export const POSE_CHOICES: Readonly<Record<string, PoseChoice>> = {
  "pose-head-only": { sources: [] },
  "pose-head-lost": { sources: [], lost: true },
  "pose-two-controllers": {
    sources: [
      { id: 1, hand: false },
      { id: 2, hand: false },
    ],
    velocities: true,
  },
  "pose-two-hands": {
    sources: [
      { id: 3, hand: true },
      { id: 4, hand: true },
    ],
  },
  "pose-hand-orientations": { sources: [{ id: 4, hand: true }], orientations: true },
};

export function poseSampleOf(choice: PoseChoice): PoseSample {
  const sample = createPoseSample();
  sample.t = 81_234.5;
  sample.seq = 65_534;
  sample.emulatedPosition = choice.lost === true;
  sample.isTrackingLost = choice.lost === true;
  sample.viewer.set([0.125, 1.5, -2.25, 0.5, -0.5, 0.5, 0.5]);
  sample.hasVelocities = choice.velocities === true;
  sample.linearVelocity.set([0.5, -0.25, 1]);
  sample.angularVelocity.set([-1.5, 2, 0.75]);
  sample.hasJointOrientations = choice.orientations === true;
  sample.sourceCount = choice.sources.length;
  choice.sources.forEach(({ id, hand }, index) => {
    const source = sample.sources[index];
    if (source === undefined) return;
    source.id = id;
    source.hasTargetRay = true;
    source.targetRay.set([0.25 + index, 1.25, -0.5, 0, 0.6, 0, 0.8]);
    source.hasGrip = !hand || index === 0;
    source.grip.set([0.375 + index, 1.125, -0.375, 0.8, 0, -0.6, 0]);
    source.hasHand = hand;
    for (let joint = 0; joint < 25; joint++) {
      source.joints.set([index + joint / 256, 1 - joint / 512, -0.5 + joint / 1024], joint * 3);
      const angle = 0.25 + joint / 32;
      source.jointOrientations.set([0.6 * Math.sin(angle), 0, 0.8 * Math.sin(angle), Math.cos(angle)], joint * 4);
    }
    source.pressed = 0b1000_0000_0101;
    source.touched = 0b1000_0000_0111;
    source.values.set([1, 0.2]);
    source.axes.set([0, 0, -1, 0.5]);
  });
  return sample;
}

export const AUDIO: AudioPacket = {
  codec: "pcm16-24k",
  streamId: 513,
  seq: 65_535,
  epoch: 7,
  t0: 1_234.25,
  payload: new Uint8Array([1, 0, 255, 127, 0, 128]),
};

export const IMAGE: ImagePacket = {
  format: "jpeg",
  isIntrinsicsEstimated: true,
  imageId: 70_000,
  t: 4_321.125,
  cameraPose: new Float32Array([0.5, 1.625, -0.25, 0.5, 0.5, -0.5, 0.5]),
  intrinsics: new Float32Array([800, 801, 640.5, 360.25]),
  width: 1280,
  height: 720,
  depthRef: 9,
  payload: new Uint8Array([0xff, 0xd8, 0xff, 0xd9]),
};

export const DEPTH: DepthPacket = {
  format: "uint16",
  depthId: 9,
  t: 4_320.5,
  sensorPose: new Float32Array([-0.5, 1.75, 0.25, 0.6, 0, 0, 0.8]),
  normDepthBufferFromNormView: new Float32Array([1, 0.5, -0.5, 2, 0.25, 0.75]),
  projection: new Float32Array([1.5, 2.5, 0.125, -0.125]),
  rawValueToMeters: 0.0009765625,
  width: 3,
  height: 2,
  payload: new Uint8Array([0, 0, 1, 0, 2, 0, 3, 0, 4, 1, 5, 255]),
};

export const MESH: MeshPacket = {
  level: 3,
  ref: 4_000_000_000,
  min: new Float32Array([-1, 0, -2.5]),
  max: new Float32Array([1.5, 2.75, 3]),
  errorCm: 4.25,
  isPlain: false,
  vertexCount: 4,
  indexCount: 6,
  vertexBytes: new Uint8Array([1, 2, 3]),
  indexBytes: new Uint8Array([4, 5]),
};
