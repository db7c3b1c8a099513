// Which of several cells gets the next request. Load score: waiting behind what is in flight, plus the learned time to
// first content, all multiplied by distrust after errors, which fades with time alone: a memory that only successes
// clear would starve a recovered cell for ever. Over all cells where they are few; over two picked at random where they
// are many. Pure: time and randomness are arguments. Rules: docs/spec/routing.md LB1..LB9.

/** A call on its way. Beyond the limit calls stand in a queue, first come first served, until another one ends. */
interface OpenCall {
  readonly sentMs: number;
  /** When a slot was free for it; `Infinity` while it stands in the queue. */
  servedMs: number;
  hasContent: boolean;
  /** An answer in one piece shows nothing while it is made: its silence says nothing. */
  readonly isWhole: boolean;
}

/** What one cell's past says. Seconds inside. */
interface LoadState {
  /** In the order they were sent. */
  readonly calls: OpenCall[];
  /** Calls that other gateways have at this cell, as far as they have told. */
  elsewhere: number;
  limit: number;
  configuredLimit: number;
  isLimitGiven: boolean;
  /** Of first contents that came: as of late, and as usual. */
  ttftS: number | undefined;
  usualTtftS: number;
  ttftAtMs: number;
  lastTtftS: number;
  /** What the logarithms of its times differ by. */
  spread: number;
  /** Seconds on top, from calls that stayed silent. */
  suspicionS: number;
  suspicionAtMs: number;
  serviceS: number | undefined;
  distrust: number;
  distrustAtMs: number;
  share: number;
}

/** Which call: cells do not know requests, and calls of one cell that began at the same time are alike. */
export interface LoadCall {
  readonly name: string;
  readonly sentMs: number;
}

export interface LoadView {
  readonly inFlight: number;
  readonly limit: number;
  readonly ttftMs: number | undefined;
  readonly distrust: number;
}

const LIMIT_DEFAULT = 32;
const DISTRUST_TAU_MS = 10_000;
/**
 * By what the logarithms of a cell's times differ (recorded endpoints: 0.1 to 0.45). The more, the less the last ones say:
 * above `gain` the estimate moves less with each of them, above `memory` they are forgotten sooner.
 */
const STEADY = { start: 0.2, gain: 0.2, memory: 0.4 };
const SPREAD_SHARE = 0.05;
/** A difference beyond this is a change of the cell and no spread: it counts as this. */
const SPREAD_MAX = 0.6;
/** Without news a cell that was slow is taken for what it usually is: nobody would ask it again otherwise. */
const TTFT_TAU_MS = { least: 10_000, most: 120_000 };
/** A cell nobody has called is taken for a middling one. */
const TTFT_PRIOR_S = 0.5;
const SERVICE_S_MIN = 3;
const TTFT_SHARE = 0.2;
const USUAL_SHARE = 0.02;
/** What a silent call had waited when it was given up counts for most: nothing shorter can have been true. */
const SILENCE_SHARE = 0.8;
/** What one waits that is still on its way. */
const PENDING_SHARE = 0.2;
/** Above this, looking at two at random costs less than it loses. */
const SCORE_ALL_MAX = 32;
const AFFINITY_KEPT = 10_000;
const HEDGE_ROOM = 0.3;
const QUEUED_HEDGE_MS = 500;

export class LoadBalancer {
  readonly #cells = new Map<string, LoadState>();
  readonly #affinity = new Map<string, string>();

  /** Concurrent requests a cell takes before they queue. Without it 32, then learned from 429s. */
  setLimit(name: string, limit: number): void {
    const state = this.#state(name);
    state.configuredLimit = limit;
    state.limit = limit;
    state.isLimitGiven = true;
  }

  /** A factor of the cell's usual share, above 0: half of it is as good as twice the wait. */
  setShare(name: string, share: number): void {
    this.#state(name).share = Math.max(0.01, share);
  }

  shareOf(name: string): number {
    return this.#cells.get(name)?.share ?? 1;
  }

  /** What other gateways have in flight at this cell. It counts like the own calls until it is told anew. */
  setElsewhere(name: string, calls: number): void {
    this.#state(name).elsewhere = Math.max(0, calls);
  }

  /** Calls of this gateway at each cell that has any. */
  *ownCalls(): Generator<readonly [name: string, calls: number]> {
    for (const [name, { calls }] of this.#cells) if (calls.length > 0) yield [name, calls.length];
  }

  started(name: string, nowMs: number, isWhole = false): void {
    const state = this.#state(name);
    const isServed = state.calls.length + state.elsewhere < state.limit;
    state.calls.push({ sentMs: nowMs, servedMs: isServed ? nowMs : Infinity, hasContent: false, isWhole });
    state.distrust *= 0.98;
  }

  /**
   * The time that counts is from the moment a slot was free, not from sending: a queue says nothing about the cell itself.
   * `toldS`: the service time where somebody knows it better.
   */
  firstContent(name: string, nowMs: number, sentMs: number, toldS = Infinity): void {
    const state = this.#state(name);
    const call = callOf(state, sentMs, false);
    if (call === undefined) return;
    call.hasContent = true;
    if (call.servedMs === Infinity) {
      // It answers although it should stand in a queue: the cell takes more at once than was thought.
      if (!state.isLimitGiven) state.limit = state.configuredLimit = Math.max(state.limit, servedOf(state) + 1);
      call.servedMs = nowMs;
      return;
    }
    const valueS = Math.min(toldS, (nowMs - call.servedMs) / 1_000);
    if (state.ttftS === undefined) state.usualTtftS = valueS;
    if (valueS > 0 && state.lastTtftS > 0) {
      // Of two that follow each other, so that a lasting change counts once; their difference has √2 times the spread.
      const difference = Math.abs(Math.log(valueS / state.lastTtftS)) / Math.SQRT2;
      state.spread = ewma(state.spread, Math.min(SPREAD_MAX, difference), SPREAD_SHARE);
    }
    state.lastTtftS = valueS;
    state.ttftS = ewma(learnedTtftS(state, nowMs), valueS, state.ttftS === undefined ? 1 : gainOf(state));
    state.usualTtftS = ewma(state.usualTtftS, valueS, USUAL_SHARE);
    state.ttftAtMs = nowMs;
    state.suspicionS *= 1 - TTFT_SHARE;
  }

  succeeded(name: string, nowMs: number, sentMs: number): void {
    const state = this.#state(name);
    const isFull = state.calls.length >= state.limit;
    const call = end(state, nowMs, sentMs);
    if (call !== undefined && call.servedMs < nowMs) {
      state.serviceS = ewma(state.serviceS, (nowMs - call.servedMs) / 1_000, 0.1);
    }
    if (state.limit < state.configuredLimit && isFull) state.limit += 0.1;
  }

  /** `isSilent`: it was given up before its first content, and had to be waited for. */
  failed(
    name: string,
    nowMs: number,
    sentMs: number,
    failure: { readonly isSilent?: boolean; readonly isThrottle: boolean },
  ): void {
    const state = this.#state(name);
    if (failure.isThrottle) state.limit = Math.max(1, Math.min(state.limit, state.calls.length * 0.9));
    const call = end(state, nowMs, sentMs);
    if (failure.isSilent === true) suspect(state, call, nowMs);
    state.distrust = state.distrust * this.#fade(state, nowMs) * 0.8 + 0.2;
    state.distrustAtMs = nowMs;
  }

  /** A call that lost a race or was given up before its first content has shown one thing: the cell is at least that slow. */
  cancelled(name: string, nowMs: number, sentMs: number): void {
    const state = this.#state(name);
    suspect(state, end(state, nowMs, sentMs), nowMs);
  }

  /** The cell answers again after it was out of service: what was held against it is over. */
  recovered(name: string): void {
    const state = this.#state(name);
    state.suspicionS = 0;
    state.distrust = 0;
    if (state.ttftS !== undefined) state.ttftS = Math.min(state.ttftS, state.usualTtftS);
  }

  /** Seconds until first content as this cell stands, times distrust; the least is best. */
  score(name: string, nowMs: number): number {
    const state = this.#cells.get(name);
    if (state === undefined) return TTFT_PRIOR_S;
    const { limit } = state;
    const inFlight = state.calls.length + state.elsewhere;
    const queueS = (Math.max(0, inFlight + 1 - limit) * Math.max(state.serviceS ?? 0, SERVICE_S_MIN)) / limit;
    const ttftS = expectedTtftS(state, nowMs) * (1 + inFlight / limit);
    const waitS = queueS + ttftS + (0.3 * inFlight) / limit;
    return (waitS * (1 + 20 * state.distrust * this.#fade(state, nowMs))) / state.share;
  }

  view(name: string): LoadView {
    const state = this.#cells.get(name);
    if (state === undefined) return { inFlight: 0, limit: LIMIT_DEFAULT, ttftMs: undefined, distrust: 0 };
    const { limit, ttftS, distrust } = state;
    const ttftMs = ttftS === undefined ? undefined : ttftS * 1_000;
    return { inFlight: state.calls.length + state.elsewhere, limit, ttftMs, distrust };
  }

  /** How long to wait for a first content before a second cell is asked. A call that stands in a queue waits in vain. */
  hedgeDelayMs(call: LoadCall, usualMs: number): number {
    return this.#isQueued(call) ? Math.min(usualMs, QUEUED_HEDGE_MS) : usualMs;
  }

  /**
   * Whether a copy of this call may go to `target`: that cell needs a free slot. Where the first call stands in a queue the
   * copy costs nothing, because the one that loses was never served. Otherwise three in ten of all slots have to be free:
   * at saturation hedges make everybody slower.
   */
  mayHedge(call: LoadCall, target: string, among: readonly string[]): boolean {
    const { inFlight, limit } = this.view(target);
    if (inFlight >= limit) return false;
    if (this.#isQueued(call)) return true;
    let slots = 0;
    let taken = 0;
    for (const other of among) {
      const view = this.view(other);
      slots += view.limit;
      taken += Math.min(view.limit, view.inFlight);
    }
    return slots - taken >= HEDGE_ROOM * slots;
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

  #isQueued({ name, sentMs }: LoadCall): boolean {
    const state = this.#cells.get(name);
    return state !== undefined && callOf(state, sentMs, false)?.servedMs === Infinity;
  }

  #fade(state: LoadState, nowMs: number): number {
    return state.distrust === 0 ? 1 : fadeSince(state.distrustAtMs, nowMs);
  }

  #state(name: string): LoadState {
    let state = this.#cells.get(name);
    if (state === undefined) {
      state = {
        calls: [],
        elsewhere: 0,
        limit: LIMIT_DEFAULT,
        configuredLimit: LIMIT_DEFAULT,
        isLimitGiven: false,
        ttftS: undefined,
        usualTtftS: TTFT_PRIOR_S,
        ttftAtMs: 0,
        lastTtftS: 0,
        spread: STEADY.start,
        suspicionS: 0,
        suspicionAtMs: 0,
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

/** Seconds to first content as learned from first contents, fading to the usual ones without news. */
function learnedTtftS(state: LoadState, nowMs: number): number {
  const { ttftS, usualTtftS, ttftAtMs } = state;
  if (ttftS === undefined) return TTFT_PRIOR_S;
  if (ttftS <= usualTtftS) return ttftS;
  return usualTtftS + (ttftS - usualTtftS) * fadeSince(ttftAtMs, nowMs, memoryMs(state));
}

/** With what silent calls say on top. One that has waited longer than expected shows that the cell is slow now. */
function expectedTtftS(state: LoadState, nowMs: number): number {
  let expectedS = learnedTtftS(state, nowMs);
  if (state.suspicionS > 0) expectedS += state.suspicionS * fadeSince(state.suspicionAtMs, nowMs, memoryMs(state));
  for (const call of state.calls) {
    if (call.hasContent || call.isWhole) continue;
    const waitedS = (nowMs - call.servedMs) / 1_000;
    // In the order they were sent: the ones that follow have waited less.
    if (waitedS <= expectedS) break;
    expectedS = ewma(expectedS, waitedS, PENDING_SHARE);
  }
  return expectedS;
}

/** A call that was given up silent has shown one thing: the cell is at least that slow. */
function suspect(state: LoadState, call: OpenCall | undefined, nowMs: number): void {
  if (call === undefined || call.hasContent || call.isWhole) return;
  const suspicionS = state.suspicionS * fadeSince(state.suspicionAtMs, nowMs, memoryMs(state));
  const beyondS = (nowMs - call.servedMs) / 1_000 - learnedTtftS(state, nowMs) - suspicionS;
  if (!(beyondS > 0)) return;
  state.suspicionS = suspicionS + SILENCE_SHARE * beyondS;
  state.suspicionAtMs = nowMs;
}

/** What one first content counts for in the estimate. */
function gainOf({ spread }: LoadState): number {
  return TTFT_SHARE * Math.min(1, (STEADY.gain / spread) ** 2);
}

function memoryMs({ spread }: LoadState): number {
  const { least, most } = TTFT_TAU_MS;
  return Math.max(least, most * Math.min(1, (STEADY.memory / spread) ** 2));
}

function fadeSince(atMs: number, nowMs: number, tauMs = DISTRUST_TAU_MS): number {
  return Math.exp(-(nowMs - atMs) / tauMs);
}

/** The call sent at that time; of several, one that has shown nothing yet where `hasContent` is false. */
function callOf(state: LoadState, sentMs: number, hasContent: boolean): OpenCall | undefined {
  const { calls } = state;
  // Times of a call are computed back and forth, so the last digits may differ.
  for (const call of calls) if (Math.abs(call.sentMs - sentMs) < 1e-3 && (hasContent || !call.hasContent)) return call;
  return undefined;
}

function servedOf(state: LoadState): number {
  return state.calls.reduce((count, call) => count + (call.servedMs === Infinity ? 0 : 1), 0);
}

/** Takes a call out; the slot it leaves is the first one's in the queue. */
function end(state: LoadState, nowMs: number, sentMs: number): OpenCall | undefined {
  const call = callOf(state, sentMs, true);
  if (call === undefined) return undefined;
  state.calls.splice(state.calls.indexOf(call), 1);
  if (call.servedMs === Infinity) return call;
  const next = state.calls.find((waiting) => waiting.servedMs === Infinity);
  if (next !== undefined) next.servedMs = nowMs;
  return call;
}

function ewma(before: number | undefined, value: number, share: number): number {
  return before === undefined ? value : before + share * (value - before);
}
