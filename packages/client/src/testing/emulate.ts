// WebXR without a device, for tests and for desktops: IWER emulates the runtime, @iwer/sem a really scanned room.
// Facts about the emulator that this file works around are in the comments; both packages are optional peers.

import type { XRDevice } from "iwer";

export type EmulatedRoom = "office_small" | "office_large" | "meeting_room" | "living_room" | "music_room";
export const EMULATED_ROOMS: readonly EmulatedRoom[] = [
  "office_small",
  "office_large",
  "meeting_room",
  "living_room",
  "music_room",
];

export interface EmulateOptions {
  /** Draws the room's scanned mesh. Geometry works without; frames are slower with. */
  readonly meshesVisible?: boolean;
  /** False: the emulator draws nothing behind the application's canvas, which then has to fill the view itself. */
  readonly drawsBackground?: boolean;
}

/**
 * Installs the emulator in place of whatever `navigator.xr` is, with a Quest 3 in the given room. Must run before any
 * module that reads `navigator.xr` while it loads: load the application with a dynamic import afterwards.
 */
export async function emulate(room: EmulatedRoom, options: EmulateOptions = {}): Promise<XRDevice> {
  const [iwer, sem] = await Promise.all([import("iwer"), import("@iwer/sem")]);
  const device = new iwer.XRDevice(iwer.metaQuest3);
  device.stereoEnabled = false;
  // Desktop Chromium has a navigator.xr of its own, and then the emulator would skip its installation.
  (device.installRuntime as (options: { forceInstall: boolean }) => void)({ forceInstall: true });
  device.installSEM(sem.SyntheticEnvironmentModule as never);
  const environment = device.sem as unknown as
    | { loadDefaultEnvironment(name: string): Promise<void>; meshesVisible: boolean; render(): void }
    | undefined;
  if (environment === undefined) throw new Error("the synthetic environment did not install");
  await environment.loadDefaultEnvironment(room);
  environment.meshesVisible = options.meshesVisible ?? false;
  // Without a GPU the second canvas costs as much as the application's own.
  if (options.drawsBackground === false) environment.render = () => {};
  return device;
}

export interface PulseRecord {
  readonly t: number;
  readonly value: number;
  readonly ms: number;
}

/**
 * Every pulse from now on, of all sources. The emulator itself keeps only the last one, and does not export the class:
 * its prototype is taken from an actuator. Undefined when no source has one, as with hands and during playback.
 */
export function tapHaptics(session: XRSession, onPulse?: (pulse: PulseRecord) => void): PulseRecord[] | undefined {
  const actuator = [...session.inputSources].map((source) => source.gamepad?.hapticActuators?.[0]).find(Boolean);
  if (actuator === undefined) return undefined;
  const log: PulseRecord[] = [];
  const prototype = Object.getPrototypeOf(actuator) as { pulse: (value: number, ms: number) => Promise<boolean> };
  const { pulse } = prototype;
  prototype.pulse = function tapped(this: unknown, value: number, ms: number): Promise<boolean> {
    const record = { t: performance.now(), value, ms };
    log.push(record);
    onPulse?.(record);
    return pulse.call(this, value, ms);
  };
  return log;
}

export interface SessionPlayer {
  play(): void;
  stop(): void;
  seek(timeMs: number): void;
  stepFrames(count: number): void;
  readonly currentTime: number;
  readonly duration: number;
  readonly playing: boolean;
}

/** Plays a recorded session into the emulated device, select and squeeze events included. */
export function replay(
  device: XRDevice,
  session: XRSession,
  space: XRReferenceSpace,
  capture: unknown,
  frame: () => XRFrame | undefined,
): SessionPlayer {
  const player = device.createActionPlayer(space as never, capture as never) as unknown as SessionPlayer & {
    setEventContext(context: { session: XRSession; getFrame: () => XRFrame | undefined }): void;
  };
  // Without the context the player moves the device but fires no select and no squeeze.
  player.setEventContext({ session, getFrame: frame });
  return player;
}
