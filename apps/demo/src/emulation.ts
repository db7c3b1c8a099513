import type { EmulatedRoom } from "@fovea/client/testing";
import type { XRDevice } from "iwer";

/** The emulated headset that the page runs on, where there is no real one. */
export interface Emulation {
  readonly device: XRDevice;
  readonly room: EmulatedRoom;
  readonly rooms: readonly EmulatedRoom[];
}
