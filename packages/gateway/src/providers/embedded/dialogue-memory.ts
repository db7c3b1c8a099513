import type { DialogueFocus } from "@fovea/core";

/**
 * What each session spoke of last. The conversation itself tells most of it; this keeps what it cannot tell, such as what
 * "that" was when the user has looked elsewhere since. Bounded: the session silent for longest is forgotten.
 */
export class DialogueMemory {
  readonly #sessions = new Map<string, { readonly text: string; readonly focus: DialogueFocus }>();
  readonly #sessionsMax: number;

  constructor(sessionsMax = 1_000) {
    this.#sessionsMax = sessionsMax;
  }

  /** The focus after the utterance before the last one, if that is the one remembered. */
  recall(sessionId: string, utterances: readonly string[]): DialogueFocus | undefined {
    const known = this.#sessions.get(sessionId);
    return known !== undefined && known.text === utterances.at(-2) ? known.focus : undefined;
  }

  remember(sessionId: string, utterances: readonly string[], focus: DialogueFocus): void {
    const text = utterances.at(-1);
    if (sessionId === "" || text === undefined) return;
    this.#sessions.delete(sessionId);
    this.#sessions.set(sessionId, { text, focus });
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= this.#sessionsMax) break;
      this.#sessions.delete(oldest);
    }
  }

  clear(): void {
    this.#sessions.clear();
  }
}
