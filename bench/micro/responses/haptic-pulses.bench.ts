// One op: every effect of the library compiled into a pulse train.
import { compilePulses, HAPTIC_EFFECTS } from "@fovea/core";

export function setup(_size: number): void {}

export function run(): number {
  let pulses = 0;
  for (const effect of HAPTIC_EFFECTS) pulses += compilePulses(effect.clip).length;
  return pulses;
}
