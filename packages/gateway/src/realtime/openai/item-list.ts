import type { Json } from "../doors/json-event.ts";

/** Items by id in their order. The oldest are forgotten: they can no longer be asked for, and the models get what fits. */
const ITEMS_MAX = 1_000;

export class ItemList {
  readonly #items: { readonly id: string; item: Json }[] = [];
  /** Milliseconds of sound that were sent, by item. */
  readonly #soundMs = new Map<string, number>();

  get last(): string | null {
    return this.#items.at(-1)?.id ?? null;
  }

  get(id: string): Json | undefined {
    return this.#items.find((entry) => entry.id === id)?.item;
  }

  /** Returns the id of the item before it. */
  add(id: string, item: Json, afterId?: string): string | null {
    const index = afterId === "root" ? 0 : afterId === undefined ? this.#items.length : this.#indexOf(afterId) + 1;
    this.#items.splice(index, 0, { id, item });
    const previous = this.#items[index - 1]?.id ?? null;
    while (this.#items.length > ITEMS_MAX) this.#soundMs.delete(this.#items.shift()?.id ?? "");
    return previous;
  }

  set(id: string, item: Json): void {
    const entry = this.#items[this.#indexOf(id)];
    if (entry !== undefined) entry.item = item;
  }

  previousOf(id: string): string | null {
    return this.#items[this.#indexOf(id) - 1]?.id ?? null;
  }

  remove(id: string): boolean {
    const index = this.#indexOf(id);
    if (index >= 0) this.#items.splice(index, 1);
    this.#soundMs.delete(id);
    return index >= 0;
  }

  sounded(id: string, ms: number): void {
    this.#soundMs.set(id, (this.#soundMs.get(id) ?? 0) + ms);
  }

  soundMs(id: string): number {
    return this.#soundMs.get(id) ?? 0;
  }

  #indexOf(id: string): number {
    return this.#items.findIndex((entry) => entry.id === id);
  }
}
