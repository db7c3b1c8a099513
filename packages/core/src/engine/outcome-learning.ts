// What routing learns from how answers turned out: how good a model is, and which prompts need a strong one. Outcomes are
// what callers say (`POST /v1/feedback`) and what can be seen without asking: whether structured output can be read. Until
// the first outcome nothing is computed and nothing kept. Of prompts only hashed words are held, never their text.
// Rules: docs/spec/routing.md OL1..OL4.
import type { XRRequest } from "../model/xr-request.ts";
import type { Candidate } from "../providers/catalogue.ts";
import { DifficultyLearner } from "../routing/difficulty-learner.ts";
import { qualityPrior } from "../routing/scoring.ts";

const REQUESTS_KEPT = 2_000;
const MODELS_KEPT = 2_000;
/** The beginning of a prompt says what it is about; hashing the rest would cost more than it tells. */
const CHARACTERS_MAX = 1_500;
/** So many outcomes weigh as much as what is known of a model by its name. */
const PRIOR_WEIGHT = 20;
const STRONG_FROM = 0.65;
const DIFFICULTY_WEIGHT = 0.4;

interface ServedRequest {
  readonly tenantId: string;
  readonly providerId: string;
  readonly model: string;
}

interface ModelRecord {
  outcomes: number;
  good: number;
}

export interface FeedbackNoted {
  readonly providerId: string;
  readonly model: string;
}

export class OutcomeLearning {
  readonly #learner = new DifficultyLearner(REQUESTS_KEPT);
  readonly #served = new Map<string, ServedRequest>();
  readonly #models = new Map<string, ModelRecord>();
  #isActive = false;

  /** Who answered a request; the last one counts. */
  served({ requestId, principal }: XRRequest, { cell }: Candidate): void {
    this.#served.delete(requestId);
    const { providerId, model } = cell;
    this.#served.set(requestId, { tenantId: principal.tenantId, providerId, model });
    if (this.#served.size > REQUESTS_KEPT) forgetOldest(this.#served);
  }

  /** `score`: 0 useless to 1 right. Undefined where the request is not known, or another tenant's. Counts once. */
  feedback(requestId: string, tenantId: string, score: number): FeedbackNoted | undefined {
    const served = this.#served.get(requestId);
    if (served === undefined || served.tenantId !== tenantId) return undefined;
    this.#served.delete(requestId);
    this.#isActive = true;
    const { providerId, model } = served;
    this.#record(model, score);
    this.#learner.observe(requestId, isStrong(model) ? "strong" : "weak", score);
    return { providerId, model };
  }

  /** Whether an answer had the form that was asked for. Says something of its model, and leaves its caller their word. */
  observeForm(requestId: string, isGood: boolean): void {
    const served = this.#served.get(requestId);
    if (served !== undefined) this.#record(served.model, isGood ? 1 : 0);
  }

  #record(model: string, score: number): void {
    const record = this.#models.get(model) ?? { outcomes: 0, good: 0 };
    record.outcomes += 1;
    record.good += score;
    this.#models.set(model, record);
    if (this.#models.size > MODELS_KEPT) forgetOldest(this.#models);
  }

  /** Undefined while nothing but the model's name is known. */
  qualityOf({ model }: Candidate): number | undefined {
    const record = this.#models.get(model.id);
    if (record === undefined) return undefined;
    return (qualityPrior(model.id) * PRIOR_WEIGHT + record.good) / (PRIOR_WEIGHT + record.outcomes);
  }

  /** What to add to the estimated complexity of a request: above 0 where prompts like it needed a strong model. */
  difficultyOf(request: XRRequest): number {
    if (!this.#isActive) return 0;
    return this.#learner.score(request.requestId, promptOf(request)) * DIFFICULTY_WEIGHT;
  }
}

function isStrong(model: string): boolean {
  return qualityPrior(model) >= STRONG_FROM;
}

function promptOf(request: XRRequest): string {
  const last = request.chat.messages.findLast((message) => message.role === "user");
  let text = "";
  for (const part of last?.content ?? []) {
    if (part.type === "text") text += part.text.slice(0, CHARACTERS_MAX - text.length);
    if (text.length >= CHARACTERS_MAX) break;
  }
  return text;
}

function forgetOldest(map: Map<string, unknown>): void {
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
