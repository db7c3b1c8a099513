import type { IdentifiedAdapter } from "../providers/provider-adapter.ts";
import type { RoutedPlan } from "../routing/routed-plan.ts";

/**
 * Which adapters the requests on their way may still call: all of their plans, not only the one that answers now, because
 * an answer that breaks goes on with the next. An adapter that nobody holds any more can be closed.
 */
export class AdapterUse {
  readonly #holds = new Map<IdentifiedAdapter, number>();

  /** The returned function must be called once, when the request is over. */
  hold(plan: RoutedPlan): () => void {
    const { cells } = plan;
    for (const cell of cells) this.#add(cell.candidate.entry.adapter, 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      for (const cell of cells) this.#add(cell.candidate.entry.adapter, -1);
    };
  }

  isHeld(adapter: IdentifiedAdapter): boolean {
    return this.#holds.has(adapter);
  }

  #add(adapter: IdentifiedAdapter, by: number): void {
    const count = (this.#holds.get(adapter) ?? 0) + by;
    if (count <= 0) this.#holds.delete(adapter);
    else this.#holds.set(adapter, count);
  }
}
