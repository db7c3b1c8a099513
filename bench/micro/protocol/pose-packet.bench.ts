// What one pose packet costs to write and to read: two hands (441 bytes), into memory that is used again.
import type { PoseSample } from "@fovea/protocol";
import {
  createPoseSample,
  decodePosePacket,
  encodePosePacket,
  POSE_PACKET_BYTES_MAX,
  SourceTable,
} from "@fovea/protocol";
import { POSE_CHOICES, poseSampleOf } from "../../../test/wire-compat/samples.ts";
import { SOURCES } from "../../../test/wire-compat/samples.ts";

const table = new SourceTable();
for (const source of SOURCES) table.set(source);
const packet = new Uint8Array(POSE_PACKET_BYTES_MAX);
const into = createPoseSample();
let sample: PoseSample = createPoseSample();
let rounds = 1;

export function setup(size: number): void {
  rounds = size;
  sample = poseSampleOf(POSE_CHOICES["pose-two-hands"] ?? { sources: [] });
}

export function run(): number {
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    const length = encodePosePacket(sample, table, packet);
    if (typeof length !== "number") throw new Error(length.message);
    const error = decodePosePacket(packet.subarray(0, length), table, into);
    if (error !== undefined) throw new Error(error.message);
    bytes += length;
  }
  return bytes;
}
