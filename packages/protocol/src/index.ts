// The public surface of the wire contract.
export { CLOSE_CODES, closeCodeRow, closeReason } from "./close-codes.ts";
export type * from "./close-codes.ts";
export type * from "./client-messages.ts";
export { GAZE_SOURCES, INCLUDES, MODALITIES, RECEIPT_VIAS } from "./client-messages.ts";
export type * from "./consent.ts";
export { HAND_LEVELS, NO_WIRE_CONSENT, ROOM_LEVELS } from "./consent.ts";
export { ContentHasher, hashNode } from "./content-hash.ts";
export { encodeMessage, parseClientMessage, parseServerMessage } from "./control-codec.ts";
export type * from "./input-source.ts";
export { HANDEDNESSES, JOINT_COUNT, JOINT_NAMES, SourceTable, TARGET_RAY_MODES } from "./input-source.ts";
export type * from "./limits.ts";
export { LIMITS } from "./limits.ts";
export type * from "./media-packet.ts";
export {
  AUDIO_CODECS,
  AUDIO_HEADER_BYTES,
  decodeAudioPacket,
  decodeDepthPacket,
  decodeImagePacket,
  DEPTH_HEADER_BYTES,
  encodeAudioPacket,
  encodeDepthPacket,
  encodeImagePacket,
  IMAGE_HEADER_BYTES,
} from "./media-packet.ts";
export type * from "./coarse-mesh.ts";
export { coarsenMesh, dequantizeVertices, LOD_ERROR_CM, quantizeVertices } from "./coarse-mesh.ts";
export type * from "./mesh-packet.ts";
export { decodeMeshPacket, encodeMeshPacket, MESH_HEADER_BYTES } from "./mesh-packet.ts";
export type * from "./packet-kind.ts";
export { PACKET_KIND, packetKindOf } from "./packet-kind.ts";
export type * from "./packet-layout.ts";
export { PACKET_LAYOUTS } from "./packet-layout.ts";
export type * from "./pose-json.ts";
export { toPoseJson } from "./pose-json.ts";
export { decodePosePacket, encodePosePacket, POSE_PACKET_BYTES_MAX, posePacketBytes } from "./pose-packet.ts";
export type * from "./pose-sample.ts";
export { createPoseSample } from "./pose-sample.ts";
export type * from "./preferences.ts";
export { SENSE_LEVELS } from "./preferences.ts";
export type * from "./protocol-error.ts";
export { closeCodeOf, gatewayCodeOf } from "./protocol-error.ts";
export type * from "./scene-diff.ts";
export { diffScene, isSamePose, SCENE_TOLERANCE, sceneUpdates } from "./scene-diff.ts";
export type * from "./scene-node.ts";
export { isSceneMove, isSceneNode, NODE_KINDS } from "./scene-node.ts";
export type * from "./server-messages.ts";
export { PROTOCOL_VERSION, SUBPROTOCOL } from "./version.ts";
