import type { Message } from "../model/chat.ts";

/** What was said in a session, newest last, within a size: follow-up questions ("and behind it?") rest on it. */
export class Conversation {
  readonly #charactersMax: number;
  #exchanges: { readonly messages: readonly Message[]; readonly size: number }[] = [];
  #size = 0;

  constructor(charactersMax: number) {
    this.#charactersMax = charactersMax;
  }

  /** A question without an answer is not kept: a provider that sees two questions in a row answers both. */
  note(question: string, answer: string): void {
    if (question === "" || answer === "") return;
    const messages: readonly Message[] = [
      { role: "user", content: [{ type: "text", text: question }] },
      { role: "assistant", content: [{ type: "text", text: answer }] },
    ];
    const size = question.length + answer.length;
    this.#exchanges.push({ messages, size });
    this.#size += size;
    while (this.#size > this.#charactersMax && this.#exchanges.length > 0) {
      this.#size -= this.#exchanges.shift()?.size ?? 0;
    }
  }

  messages(): readonly Message[] {
    return this.#exchanges.flatMap((exchange) => exchange.messages);
  }

  clear(): void {
    this.#exchanges = [];
    this.#size = 0;
  }
}
