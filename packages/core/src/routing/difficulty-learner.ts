// Whether a prompt needs the strong model, learned from outcomes while serving. Two logistic models over hashed words, word
// pairs and letters (one for each of "the weak model is right" and "the strong one is"), trained again on what has been
// seen whenever a block of feedback is complete. Texts alone do not carry over to subjects never seen, so the score shrinks
// to the common rate where a prompt holds little that is known. Rules: docs/spec/routing.md DL1..DL3 and DL8.

const BITS = 18;
const SIZE = 1 << BITS;
const BLOCK = 250;
const KEPT_MAX = 20_000;
const EPOCHS = 1;
const RATE = 0.02;
const RIDGE = 1e-2;
/** Before anything is known, long prompts are taken for harder ones; after five hundred outcomes that counts for half. */
const LENGTH_PRIOR = 0.03;
const PRIOR_OUTCOMES = 500;

interface Example {
  readonly features: Int32Array;
  /** Undefined where that model was not asked. */
  readonly weak: number | undefined;
  readonly strong: number | undefined;
}

export class DifficultyLearner {
  readonly #weak = new LogisticModel();
  readonly #strong = new LogisticModel();
  readonly #pending = new Map<string, Int32Array>();
  readonly #examples: Example[] = [];
  readonly #pendingMax: number;
  #untrained = 0;
  #seen = 0;

  /** `pendingMax`: prompts that wait for their outcome. */
  constructor(pendingMax = KEPT_MAX) {
    this.#pendingMax = pendingMax;
  }

  /** Higher: the strong model is more likely to be right where the weak one is not. */
  score(id: string, prompt: string): number {
    const features = featuresOf(prompt);
    this.#pending.set(id, features);
    if (this.#pending.size > this.#pendingMax)
      for (const oldest of this.#pending.keys()) if (this.#pending.delete(oldest)) break;
    const prior = (LENGTH_PRIOR * Math.log(1 + prompt.length) * PRIOR_OUTCOMES) / (PRIOR_OUTCOMES + this.#seen);
    return this.#strong.predict(features) - this.#weak.predict(features) + prior;
  }

  /** Outcomes of a prompt that was scored, 0 or 1 each. Unknown ids are ignored. */
  feedback(id: string, weak: number, strong: number): void {
    this.#learnLater(id, weak, strong);
  }

  /** The outcome of the one model that was asked, 0 to 1. Unknown ids are ignored. */
  observe(id: string, model: "weak" | "strong", score: number): void {
    this.#learnLater(id, model === "weak" ? score : undefined, model === "strong" ? score : undefined);
  }

  #learnLater(id: string, weak: number | undefined, strong: number | undefined): void {
    const features = this.#pending.get(id);
    if (features === undefined) return;
    this.#pending.delete(id);
    this.#examples.push({ features, weak, strong });
    if (this.#examples.length > KEPT_MAX) this.#examples.shift();
    this.#untrained += 1;
    if (this.#untrained >= BLOCK) this.#train();
  }

  #train(): void {
    this.#seen += this.#untrained;
    this.#untrained = 0;
    for (let epoch = 0; epoch < EPOCHS; epoch++) {
      for (const { features, weak, strong } of this.#examples) {
        if (weak !== undefined) this.#weak.learn(features, weak);
        if (strong !== undefined) this.#strong.learn(features, strong);
      }
    }
  }
}

/** AdaGrad logistic regression over presence of hashed features, with a ridge. */
class LogisticModel {
  readonly #weights = new Float32Array(SIZE);
  readonly #squares = new Float32Array(SIZE);
  #bias = 0;

  predict(features: Int32Array): number {
    let sum = 0;
    for (const feature of features) sum += this.#weights[feature] as number;
    return 1 / (1 + Math.exp(-(this.#bias + sum / Math.sqrt(Math.max(1, features.length)))));
  }

  learn(features: Int32Array, label: number): void {
    const error = this.predict(features) - label;
    const scale = 1 / Math.sqrt(Math.max(1, features.length));
    this.#bias -= 0.002 * error;
    for (const feature of features) {
      const weight = this.#weights[feature] as number;
      const gradient = error * scale + RIDGE * weight;
      const square = (this.#squares[feature] as number) + gradient * gradient;
      this.#squares[feature] = square;
      this.#weights[feature] = weight - (RATE * gradient) / Math.sqrt(square + 1e-4);
    }
  }
}

function featuresOf(prompt: string): Int32Array {
  const words =
    prompt
      .toLowerCase()
      .slice(0, 6_000)
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  const found = new Set<number>();
  let previous = "";
  for (const word of words) {
    found.add(hashOf(`w ${word}`));
    if (previous !== "") found.add(hashOf(`p ${previous} ${word}`));
    for (let at = 0; at + 4 <= word.length; at += 1) found.add(hashOf(`c ${word.slice(at, at + 4)}`));
    previous = word;
  }
  for (const shape of shapesOf(prompt, words)) found.add(hashOf(shape));
  return Int32Array.from(found);
}

/** How a prompt is built, in coarse steps: its length, lines, figures and signs, what it offers to choose from. */
function shapesOf(prompt: string, words: readonly string[]): readonly string[] {
  const lines = prompt.split("\n");
  const first = lines[0] ?? "";
  const items = lines.slice(1).flatMap((line) => /^\s*(?:[A-Za-z0-9][.)]|[-*])\s+(.*)$/.exec(line)?.[1] ?? []);
  const count = (pattern: RegExp, text = prompt): number => text.match(pattern)?.length ?? 0;
  const step = (value: number, steps: number): number => Math.floor(Math.log2(1 + value) * steps);
  return [
    `length ${step(prompt.length, 2)}`,
    `length fine ${step(prompt.length, 4)}`,
    `length finer ${step(prompt.length, 8)}`,
    `lines ${Math.min(30, lines.length)}`,
    `digits ${Math.min(5, count(/\d/g) >> 2)}`,
    `figures ${Math.min(4, count(/\d+/g, first))}`,
    `signs ${Math.min(6, step(count(/[=+^*\\/<>~()∨⊃·]/g), 1.5))}`,
    `word length ${Math.round((words.join("").length / (1 + words.length)) * 2)}`,
    `opens ${words.slice(0, 3).join(" ")}`,
    `closes ${first.slice(-1)}`,
    `gap ${/_{2,}/.test(prompt)}`,
    `negated ${/\b(?:NOT|EXCEPT|LEAST|not)\b/.exec(first)?.[0] ?? ""}`,
    `items ${items.length} ${step(items.join("").length, 2)}`,
    `figures as items ${items.filter((item) => /^[-\d.,$% ]+$/.test(item)).length}`,
    `capitals as items ${items.filter((item) => /^\p{Lu}/u.test(item)).length}`,
    `sentences as items ${items.filter((item) => item.endsWith(".")).length}`,
  ];
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash ^ (hash >>> 15)) & (SIZE - 1);
}
