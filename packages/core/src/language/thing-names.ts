/** How things are called in answers. */
export interface ThingNames {
  /** "table", "office chair"; the application's own name where it gave one. */
  noun(id: string): string;
  /** Whether the room has only one thing of that name, so that "the table" says enough. */
  isOnlyOne(id: string): boolean;
}
