/** What a runtime may offer on one actuator: every member is tested for, none is assumed. */
export interface ActuatorLike {
  readonly effects?: readonly string[];
  readonly type?: string;
  pulse?: (value: number, durationMs: number) => Promise<boolean>;
  playEffect?: (type: string, parameters: Record<string, number>) => Promise<string>;
  reset?: () => Promise<string>;
}

/** Actuators of a source: the standard one first, then the legacy list. */
export function actuatorsOf(source: XRInputSource): ActuatorLike[] {
  const gamepad = source.gamepad as unknown as
    | { vibrationActuator?: ActuatorLike | null; hapticActuators?: readonly ActuatorLike[] | null }
    | undefined;
  const found: ActuatorLike[] = [];
  if (gamepad?.vibrationActuator) found.push(gamepad.vibrationActuator);
  for (const actuator of gamepad?.hapticActuators ?? [])
    if (actuator && !found.includes(actuator)) found.push(actuator);
  return found;
}

/** Older browsers have `type` in place of the list. */
export function effectsOf(actuator: ActuatorLike): readonly string[] {
  if (typeof actuator.playEffect !== "function") return [];
  return actuator.effects ?? (actuator.type === undefined ? [] : [actuator.type]);
}
