// Recognition of gestures, the same files in the gateway and in a browser: hands, head, taught poses, trained movements.
export type * from "./gesture-event.ts";
export { NO_GESTURES } from "./gesture-event.ts";
export { HandGestures } from "./hand-gestures.ts";
export type { HandCalibration } from "./hand-gestures.ts";
export { HeadGestures } from "./head-gestures.ts";
export { PoseTemplates } from "./pose-templates.ts";
export type * from "./pose-templates.ts";
export { buildChannels, CHANNEL_STEPS, CHANNELS, fromWebXRJoints, SEQUENCE_JOINTS } from "./gesture-channels.ts";
export type { JointSequence } from "./gesture-channels.ts";
export { buildKernels, KernelWorkspace, mulberry32, POOLS } from "./gesture-kernels.ts";
export type { GestureKernels } from "./gesture-kernels.ts";
export { GestureClassifier, standardize } from "./gesture-classifier.ts";
export type { GestureAnswer } from "./gesture-classifier.ts";
export { readGestureModel, writeGestureModel } from "./gesture-model.ts";
export type { GestureModel, ReadGestureModel } from "./gesture-model.ts";
export { GestureStream, NO_GESTURE } from "./gesture-stream.ts";
export type { StreamGesture, StreamOptions } from "./gesture-stream.ts";
