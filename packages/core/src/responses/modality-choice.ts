// By which senses an answer shall arrive: from what the person can take in, what the device can put out, what the
// surroundings drown, and what receipts have taught. Rules: docs/spec/responses.md MC1..MC9.
import type { Handedness, InputSourceState, XRContext } from "../model/xr-context.ts";

export type TouchWay = "touch" | "sound" | "sight";

export interface TouchChoice {
  /** What to try, in order; empty where nothing could be noticed. */
  readonly ways: readonly TouchWay[];
  /** Factor on the strength that the effect asks for. */
  readonly gain: number;
}

export interface ModalityChoice {
  readonly speech: boolean;
  readonly captions: boolean;
  /** Whether something drawn is seen. */
  readonly sight: boolean;
  /** Whether words must say where things are, because nothing drawn will. */
  readonly saysPlaces: boolean;
  /** Why it is not simply everything, for the trace and for models. */
  readonly reasons: readonly string[];
}

/** A microphone hears talk at arm's length at about -26 dB of full scale; noise this near to it drowns a voice in the ear. */
const NOISY_DB = -38;
const HOLDING = new Set(["grab", "pinch", "two-hand-scale", "two-hand-rotate"]);
/** What a hand holds damps the motor in it. */
const HOLDING_GAIN = 1.4;
const NOISY_GAIN = 1.2;

export function chooseModalities(context: XRContext): ModalityChoice {
  const { person, output, environment } = context;
  const isDeaf = person?.hearing === "none";
  const isMuted = output?.muted === true;
  const isBlind = person?.sight === "none";
  const isHidden = environment.visibility === "hidden";
  const noisy = isNoisy(context);
  const reasons: string[] = [];
  if (isDeaf) reasons.push("the user does not hear");
  if (isMuted) reasons.push("the sound is muted");
  if (isBlind) reasons.push("the user does not see");
  if (isHidden) reasons.push("the page is hidden");
  if (noisy) reasons.push("the surroundings are loud");
  const speech = !isDeaf && !isMuted;
  const sight = !isBlind && !isHidden;
  const isCalledFor = !speech || noisy || person?.hearing === "low";
  return { speech, sight, captions: sight && (person?.captions ?? isCalledFor), saysPlaces: !sight, reasons };
}

/** How a touch shall be made noticeable. It stays with its hand: the side is often what it means. */
export function chooseTouch(context: XRContext, handedness: Handedness | "both"): TouchChoice {
  const { speech, sight } = chooseModalities(context);
  const others: TouchWay[] = [];
  // Somebody who is speaking would not hear a short sound, and would be interrupted by it.
  if (speech && !context.audio.speaking) others.push("sound");
  if (sight) others.push("sight");
  const canFeel = context.person?.touch !== false && hasMotor(context, handedness);
  const gain = (isHolding(context, handedness) ? HOLDING_GAIN : 1) * (isNoisy(context) ? NOISY_GAIN : 1);
  return { ways: canFeel ? ["touch", ...others] : others, gain };
}

/** One paragraph for a model: what its words must carry, and what it should not count on. Undefined: nothing special. */
export function manners({ speech, sight, reasons }: ModalityChoice): string | undefined {
  if (reasons.length === 0) return undefined;
  const rules: string[] = [];
  if (!sight) {
    rules.push(
      "the user will not see highlights or labels: say where each thing is by clock face and distance, name every " +
        "obstacle on a way, and never say 'here' or 'this one' alone",
    );
  }
  if (!speech) rules.push("the answer is read, not heard: put what matters first and keep it under two lines");
  else if (reasons.includes("the surroundings are loud")) rules.push("use few, short words");
  return rules.length === 0 ? undefined : `Note: ${rules.join("; ")}.`;
}

function isNoisy(context: XRContext): boolean {
  const { noiseDb } = context.audio;
  return noiseDb !== undefined && noiseDb > NOISY_DB && context.output?.headphones !== true;
}

function hasMotor(context: XRContext, handedness: Handedness | "both"): boolean {
  return handedness === "both"
    ? canReach(context, "left") || canReach(context, "right") || canReach(context, "none")
    : canReach(context, handedness);
}

function canReach(context: XRContext, hand: Handedness): boolean {
  if (context.numbHands?.includes(hand) === true) return false;
  return context.inputSources.some((source) => source.handedness === hand && source.haptics.actuators > 0);
}

function isHolding(context: XRContext, handedness: Handedness | "both"): boolean {
  const holds = (source: InputSourceState): boolean =>
    source.gestures.some(({ name, phase }) => phase !== "end" && HOLDING.has(name));
  const sources = context.inputSources.filter(({ handedness: hand }) => handedness === "both" || hand === handedness);
  return sources.length > 0 && sources.every(holds);
}
