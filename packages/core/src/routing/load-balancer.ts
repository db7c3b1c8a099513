// Which of several cells gets the next request. Load score: waiting behind what is in flight, plus the learned time to
// first content, all multiplied by distrust after errors, which fades with time alone: a memory that only successes
// clear would starve a recovered cell for ever. Over all cells where they are few; over two picked at random where they
// are many. Pure: time and randomness are arguments. Rules: docs/spec/routing.md LB1..LB9.

/** What one cell's past says. Seconds inside. */
interface LoadState {
  inFlight: number;
  limit: number;
  configuredLimit: number;
  ttftS: number | undefined;
  serviceS: number | undefined;
  distrust: number;
  distrustAtMs: number;
  share: number;
}

export interface LoadView {
  readonly inFlight: number;
  readonly limit: number;
  readonly ttftMs: number | undefined;
  readonly distrust: number;
}

const LIMIT_DEFAULT = 32;
const DISTRUST_TAU_MS = 10_000;
/** A cell nobody has called is taken for a middling one. */
const TTFT_PRIOR_S = 0.5;
const SERVICE_S_MIN = 3;
/** Above this, looking at two at random costs less than it loses. */
const SCORE_ALL_MAX = 32;
const AFFINITY_KEPT = 10_000;

export class LoadBalancer {
  readonly #cells = new Map<string, LoadState>();
  readonly #affinity = new Map<string, string>();

  /** Concurrent requests a cell takes before they queue. Without it 32, then learned from 429s. */
  setLimit(name: string, limit: number): void {
    const state = this.#state(name);
    state.configuredLimit = limit;
    state.limit = limit;
  }

  /** A factor of the cell's usual share, above 0: half of it is as good as twice the wait. */
  setShare(name: string, share: number): void {
    this.#state(name).share = Math.max(0.01, share);
  }

  shareOf(name: string): number {
    return this.#cells.get(name)?.share ?? 1;
  }

  started(name: string): void {
    const state = this.#state(name);
    state.inFlight += 1;
    state.distrust *= 0.98;
  }

  /** A time measured while a queue stood says nothing about the cell itself, unless it was measured without the queue. */
  firstContent(name: string, elapsedMs: number, isServiceTime = false): void {
    const state = this.#state(name);
    if (state.inFlight > state.limit && !isServiceTime) return;
    state.ttftS = ewma(state.ttftS, elapsedMs / 1_000, 0.2);
  }

  succeeded(name: string, durationMs: number): void {
    const state = this.#ended(name);
    const level = Math.max(1, (state.inFlight + 1) / state.limit);
    state.serviceS = ewma(state.serviceS, durationMs / 1_000 / level, 0.1);
    if (state.limit < state.configuredLimit && state.inFlight + 1 >= state.limit) state.limit += 0.1;
  }

  /** `waitedMs` without content is an observation of its own: the cell is at least that slow. */
  failed(name: string, nowMs: number, failure: { readonly waitedMs?: number; readonly isThrottle: boolean }): void {
    const state = this.#ended(name);
    if (failure.isThrottle) state.limit = Math.max(1, Math.min(state.limit, (state.inFlight + 1) * 0.9));
    const { waitedMs } = failure;
    if (waitedMs !== undefined && waitedMs / 1_000 > (state.ttftS ?? 0)) {
      state.ttftS = ewma(state.ttftS, waitedMs / 1_000, 0.2);
    }
    state.distrust = state.distrust * this.#fade(state, nowMs) * 0.8 + 0.2;
    state.distrustAtMs = nowMs;
  }

  cancelled(name: string): void {
    this.#ended(name);
  }

  /** Seconds until first content as this cell stands, times distrust; the least is best. */
  score(name: string, nowMs: number): number {
    const state = this.#cells.get(name);
    if (state === undefined) return TTFT_PRIOR_S;
    const { inFlight, limit } = state;
    const queueS = (Math.max(0, inFlight + 1 - limit) * Math.max(state.serviceS ?? 0, SERVICE_S_MIN)) / limit;
    const ttftS = (state.ttftS ?? TTFT_PRIOR_S) * (1 + inFlight / limit);
    const waitS = queueS + ttftS + (0.3 * inFlight) / limit;
    return (waitS * (1 + 20 * state.distrust * this.#fade(state, nowMs))) / state.share;
  }

  view(name: string): LoadView {
    const state = this.#cells.get(name);
    if (state === undefined) return { inFlight: 0, limit: LIMIT_DEFAULT, ttftMs: undefined, distrust: 0 };
    const { inFlight, limit, ttftS, distrust } = state;
    return { inFlight, limit, ttftMs: ttftS === undefined ? undefined : ttftS * 1_000, distrust };
  }

  /** A hedge is allowed only where its cell has a free slot and three in ten of all slots are free. */
  hasRoomForHedge(name: string, among: readonly string[]): boolean {
    const target = this.view(name);
    if (target.inFlight >= target.limit) return false;
    let slots = 0;
    let taken = 0;
    for (const other of among) {
      const { inFlight, limit } = this.view(other);
      slots += limit;
      taken += Math.min(limit, inFlight);
    }
    return slots - taken >= 0.3 * slots;
  }

  /** Which cells are worth scoring: all of a small set, two picked at random of a large one. */
  sample<T>(cells: readonly T[], random: () => number): readonly T[] {
    if (cells.length <= SCORE_ALL_MAX) return cells;
    const first = Math.floor(random() * cells.length);
    const second = (first + 1 + Math.floor(random() * (cells.length - 1))) % cells.length;
    return [cells[first] as T, cells[second] as T];
  }

  /** The cell that served this session last; a provider's prompt cache is warm there. */
  affinityOf(key: string): string | undefined {
    return this.#affinity.get(key);
  }

  remember(key: string, name: string): void {
    this.#affinity.delete(key);
    this.#affinity.set(key, name);
    if (this.#affinity.size <= AFFINITY_KEPT) return;
    for (const oldest of this.#affinity.keys()) {
      this.#affinity.delete(oldest);
      break;
    }
  }

  #ended(name: string): LoadState {
    const state = this.#state(name);
    state.inFlight = Math.max(0, state.inFlight - 1);
    return state;
  }

  #fade(state: LoadState, nowMs: number): number {
    return state.distrust === 0 ? 1 : Math.exp(-(nowMs - state.distrustAtMs) / DISTRUST_TAU_MS);
  }

  #state(name: string): LoadState {
    let state = this.#cells.get(name);
    if (state === undefined) {
      state = {
        inFlight: 0,
        limit: LIMIT_DEFAULT,
        configuredLimit: LIMIT_DEFAULT,
        ttftS: undefined,
        serviceS: undefined,
        distrust: 0,
        distrustAtMs: 0,
        share: 1,
      };
      this.#cells.set(name, state);
    }
    return state;
  }
}

function ewma(before: number | undefined, value: number, share: number): number {
  return before === undefined ? value : before + share * (value - before);
}
