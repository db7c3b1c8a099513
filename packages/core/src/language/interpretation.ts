import type { EntitySelector, SpatialQuery } from "../model/spatial.ts";

export type LengthUnit = "m" | "cm" | "mm" | "ft" | "in";

/** What the speaker wants done beside an answer. */
export interface Command {
  readonly verb: "highlight" | "label" | "point" | "navigate" | "move" | "place" | "undo" | "haptic";
  readonly target?: EntitySelector;
  /** Text of a label, name of a thing to place, name of a haptic pattern. */
  readonly text?: string;
  readonly destination?: EntitySelector;
  readonly relation?:
    | "on"
    | "next-to"
    | "in-front-of"
    | "behind"
    | "left-of"
    | "right-of"
    | "under"
    | "between"
    | "here";
  readonly handedness?: "left" | "right";
}

export type Outside = "model" | "colour" | "vision" | "control" | "person" | "unclear";

/** What one utterance asks for. `unit` is set when the speaker named one. */
export type Interpretation = {
  readonly unit?: LengthUnit;
  /** Asked so that yes or no answers it. */
  readonly isPolar?: boolean;
  /** The comparison asked for, as said: "bigger". */
  readonly comparative?: string;
  /** Which size is asked for: "how tall". */
  readonly dimension?: "height" | "width" | "length" | "depth" | "longest" | "area";
} & (
  | { readonly intent: "query"; readonly query: SpatialQuery }
  | { readonly intent: "command"; readonly command: Command }
  | { readonly intent: "help" | "greeting" | "thanks" | "identity" }
  | { readonly intent: "outside"; readonly why: Outside; readonly words: string }
);

/** How an answer is wanted, beside what is asked. */
export type Manner = Pick<Interpretation, "unit" | "isPolar" | "dimension" | "comparative">;
