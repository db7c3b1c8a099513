/** First byte of every binary message. Kinds outside this table are ignored and counted. */
export const PACKET_KIND = {
  pose: 0x01,
  audioUp: 0x02,
  image: 0x03,
  mesh: 0x04,
  depth: 0x05,
  audioDown: 0x12,
} as const;

export type PacketKindName = keyof typeof PACKET_KIND;

/** Undefined for an empty message and for kinds that this version does not know. */
export function packetKindOf(bytes: Uint8Array): PacketKindName | undefined {
  switch (bytes[0]) {
    case PACKET_KIND.pose:
      return "pose";
    case PACKET_KIND.audioUp:
      return "audioUp";
    case PACKET_KIND.image:
      return "image";
    case PACKET_KIND.mesh:
      return "mesh";
    case PACKET_KIND.depth:
      return "depth";
    case PACKET_KIND.audioDown:
      return "audioDown";
    default:
      return undefined;
  }
}
