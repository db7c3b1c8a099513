export const SENSE_LEVELS = ["full", "low", "none"] as const;

/**
 * How answers reach this person, as set by the person or the application. Absent means nothing is known, and counts as
 * `full` or true.
 */
export interface WirePreferences {
  /** `none`: answers say where things are in words, and never rely on a highlight. */
  readonly sight?: (typeof SENSE_LEVELS)[number];
  /** `none`: nothing is spoken and no sound stands in for a touch. */
  readonly hearing?: (typeof SENSE_LEVELS)[number];
  /** False: no touches. */
  readonly touch?: boolean;
  /** Captions beside speech: always, or never. Absent: where the surroundings call for them. */
  readonly captions?: boolean;
}

/** What the device can put out now. */
export interface OutputState {
  readonly muted: boolean;
  readonly headphones?: boolean;
}
