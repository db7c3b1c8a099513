import type { Message } from "../model/chat.ts";

/** What was said in a session, newest last, within a size: follow-up questions ("and behind it?") rest on it. */
export class Conversation {
  readonly #charactersMax: number;
  #exchanges: {
    readonly id: string;
    readonly question: string;
    readonly messages: readonly Message[];
    readonly size: number;
  }[] = [];
  #size = 0;

  constructor(charactersMax: number) {
    this.#charactersMax = charactersMax;
  }

  /** A question without an answer is not kept: a provider that sees two questions in a row answers both. */
  note(id: string, question: string, answer: string): void {
    if (question === "" || answer === "") return;
    const messages: readonly Message[] = [
      { role: "user", content: [{ type: "text", text: question }] },
      { role: "assistant", content: [{ type: "text", text: answer }] },
    ];
    const size = question.length + answer.length;
    this.#exchanges.push({ id, question, messages, size });
    this.#size += size;
    while (this.#size > this.#charactersMax && this.#exchanges.length > 0) {
      this.#size -= this.#exchanges.shift()?.size ?? 0;
    }
  }

  /** Only this much of an answer reached its user. */
  amend(id: string, answer: string): void {
    const index = this.#exchanges.findIndex((exchange) => exchange.id === id);
    const exchange = this.#exchanges[index];
    if (exchange === undefined) return;
    const [question, said] = exchange.messages;
    if (question === undefined || said === undefined) return;
    this.#size -= exchange.size;
    if (answer === "") {
      this.#exchanges.splice(index, 1);
      return;
    }
    const size = exchange.question.length + answer.length;
    this.#exchanges[index] = {
      ...exchange,
      messages: [question, { ...said, content: [{ type: "text", text: answer }] }],
      size,
    };
    this.#size += size;
  }

  messages(): readonly Message[] {
    return this.#exchanges.flatMap((exchange) => exchange.messages);
  }

  clear(): void {
    this.#exchanges = [];
    this.#size = 0;
  }
}
