// Helpers for tests and desktops without a headset. iwer and @iwer/sem are optional peers: only this entry needs them.
export type { EmulatedRoom, EmulateOptions, PulseRecord, SessionPlayer } from "./emulate.ts";
export { emulate, EMULATED_ROOMS, replay, tapHaptics } from "./emulate.ts";
