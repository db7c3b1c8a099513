import type { Handedness } from "../model/xr-context.ts";

/** One lost touch may be chance; two in a row say that nothing on that side shakes. */
const LOSSES_TO_SWITCH = 2;

/** What receipts have taught about a session's hands. A touch for both counts for both. */
export class TouchReceipts {
  readonly #losses = new Map<Handedness, number>();

  record(handedness: "left" | "right" | "both", delivered: boolean): void {
    const hands: readonly Handedness[] = handedness === "both" ? ["left", "right"] : [handedness];
    for (const hand of hands) this.#losses.set(hand, delivered ? 0 : (this.#losses.get(hand) ?? 0) + 1);
  }

  /** A device that has changed may shake again. */
  forget(): void {
    this.#losses.clear();
  }

  get numbHands(): readonly Handedness[] {
    return [...this.#losses].filter(([, losses]) => losses >= LOSSES_TO_SWITCH).map(([hand]) => hand);
  }
}
