// What a call cost. The list comes with the package @pydantic/genai-prices (MIT) and is never fetched: no request waits
// for, or fails on, a price update. Its own arithmetic is not used, because it prices a known model at zero where a unit
// is missing from the row, and throws where a part is reported without its whole; here both are "unpriced", said aloud.
import { calcPrice, findProvider, type TieredPrices } from "@pydantic/genai-prices";
import type { Clock, Cost, PriceBook, ProviderConfig, ProviderPrice, ProviderType, Usage } from "@fovea/core";

type Rates = Readonly<Record<string, number | TieredPrices | undefined>>;

const UNPRICED: Cost = { microUsd: undefined, source: "unpriced" };
const FREE: Cost = { microUsd: 0, source: "free" };
/** World Labs sells 1,250 credits for a dollar. */
const CREDIT_MICRO_USD = 800;
/** Prices change by the date and, at some vendors, by the hour: a row is looked up again after this. */
const ROW_FRESH_MS = 600_000;

export type PriceUsage = (providerType: ProviderType, model: string, usage: Usage) => Cost;

/** The price list by vendor, at the time of the call. */
export function createPriceList(clock: Clock): PriceUsage {
  const rows = new RowCache(clock);
  return (providerType, model, usage) => {
    if (providerType === "embedded") return FREE;
    const { listId, name } = listed(providerType, model);
    return priced(listId === undefined ? undefined : rows.find(listId, name), usage);
  };
}

/** By configured provider, operator's prices first. */
export function createProviderPrices(configs: readonly ProviderConfig[], clock: Clock): PriceBook {
  const byId = new Map(configs.map((config) => [config.id, config]));
  // Every answer asks twice: what the operator wrote stays what it is.
  const ownById = new Map(configs.map((config) => [config.id, operatorPrices(config)]));
  const rows = new RowCache(clock);
  const rowOf = (config: ProviderConfig, model: string): Rates | undefined => {
    const { listId, name } = listed(config.type, model, config.baseUrl);
    return listId === undefined ? undefined : rows.find(listId, name);
  };
  return {
    costOf(providerId, model, usage) {
      const config = byId.get(providerId);
      if (config?.type === "embedded") return FREE;
      if (config === undefined) return UNPRICED;
      const own = ownById.get(providerId)?.(model);
      if (own !== undefined) {
        const cost = priced(own, usage);
        return cost.microUsd === undefined ? UNPRICED : { ...cost, source: "operator" };
      }
      return priced(rowOf(config, model), usage);
    },
    ratesOf(providerId, model) {
      const config = byId.get(providerId);
      if (config?.type === "embedded") return { input: 0, output: 0 };
      const rates = config === undefined ? undefined : (ownById.get(providerId)?.(model) ?? rowOf(config, model));
      const input = rateOf(rates, "input_mtok", 0);
      if (input === undefined) return undefined;
      // Dollars a million are micro-dollars a token.
      return { input: input * 1_000, output: (rateOf(rates, "output_mtok", 0) ?? 0) * 1_000 };
    },
  };
}

/** What the operator wrote, by the model's whole name, then the longest beginning of it, then for all models. */
function operatorPrices(config: ProviderConfig): (model: string) => Rates | undefined {
  const exact = new Map<string, Rates>();
  const beginnings: { readonly start: string; readonly rates: Rates }[] = [];
  for (const [name, price] of Object.entries(config.prices ?? {})) {
    if (name.endsWith("*")) beginnings.push({ start: name.slice(0, -1), rates: operatorRates(price) });
    else exact.set(name, operatorRates(price));
  }
  beginnings.sort((a, b) => b.start.length - a.start.length);
  const all = config.price === undefined ? undefined : operatorRates(config.price);
  return (model) => exact.get(model) ?? beginnings.find(({ start }) => model.startsWith(start))?.rates ?? all;
}

/** In the names and units of the price list: dollars a million tokens, an hour, a thousand searches. */
function operatorRates(price: ProviderPrice): Rates {
  const rates = {
    input_mtok: price.inputPerMillion,
    output_mtok: price.outputPerMillion,
    cache_read_mtok: price.cacheReadPerMillion,
    cache_write_mtok: price.cacheWritePerMillion,
    input_audio_mtok: price.audioInputPerMillion,
    output_audio_mtok: price.audioOutputPerMillion,
    compute_second: price.perComputeSecond,
    input_audio_hours: scaled(price.perAudioMinute, 60),
    characters_mcount: price.perMillionCharacters,
    images: price.perImage,
    web_searches_kcount: scaled(price.perSearch, 1_000),
  };
  return Object.fromEntries(Object.entries(rates).filter(([, rate]) => rate !== undefined));
}

function scaled(price: number | undefined, factor: number): number | undefined {
  return price === undefined ? undefined : price * factor;
}

/** The list's own name of a vendor. Hugging Face is priced by the upstream that the model's suffix names. */
function listed(type: ProviderType, model: string, baseUrl?: string): { listId?: string; name: string } {
  if (type === "huggingface") {
    const [name = model, upstream] = model.split(/:(?=[\w-]+$)/);
    return upstream === undefined ? { name } : { listId: `huggingface_${upstream.replaceAll("-", "_")}`, name };
  }
  if (type !== "custom") return { listId: type, name: model };
  const known = baseUrl === undefined ? undefined : findProvider({ providerApiUrl: baseUrl });
  return known === undefined ? { name: model } : { listId: known.id, name: model };
}

class RowCache {
  readonly #clock: Clock;
  readonly #rows = new Map<string, { readonly rates: Rates | undefined; readonly atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  find(listId: string, model: string): Rates | undefined {
    const key = `${listId} ${model}`;
    const nowMs = this.#clock.monotonicMs();
    const known = this.#rows.get(key);
    if (known !== undefined && nowMs - known.atMs < ROW_FRESH_MS) return known.rates;
    const rates = lookUp(listId, model, this.#clock.unixMs());
    // Model names come from clients: what they can make up must not grow without bound.
    if (this.#rows.size >= 1_000) this.#rows.clear();
    this.#rows.set(key, { rates, atMs: nowMs });
    return rates;
  }
}

function lookUp(providerId: string, model: string, unixMs: number): Rates | undefined {
  if (findProvider({ providerId }) === undefined) return undefined;
  return calcPrice({ input_tokens: 0 }, model, { providerId, timestamp: new Date(unixMs) })?.model_price;
}

/** Dollars a unit, in the tier of the whole prompt. */
function rateOf(rates: Rates | undefined, name: string, promptTokens: number): number | undefined {
  const rate = rates?.[name];
  if (rate === undefined || typeof rate === "number") return rate;
  return rate.tiers.reduce((price, tier) => (promptTokens > tier.start ? tier.price : price), rate.base);
}

function priced(rates: Rates | undefined, usage: Usage): Cost {
  const credits = usage.units?.credits;
  if (credits !== undefined) return { microUsd: nano(credits * CREDIT_MICRO_USD), source: "price-list" };
  if (rates === undefined) return UNPRICED;
  const prompt = usage.billed?.inputTokens ?? usage.input.total;
  const rate: Rate = (first, second, third) => {
    const found = rateOf(rates, first, prompt);
    if (found !== undefined || second === undefined) return found;
    return rateOf(rates, second, prompt) ?? (third === undefined ? undefined : rateOf(rates, third, prompt));
  };
  const sums = [
    tokensIn(usage, prompt, rate),
    tokensOut(usage, rate),
    timeOf(usage, rate),
    searchesOf(usage, rate),
    countedOf(usage.units?.images, rate("images"), 1_000_000),
    countedOf(usage.units?.characters, rate("characters_mcount"), 1),
  ];
  const known = sums.filter((sum) => sum !== "nothing");
  // One unit without a price makes the whole unknown; so does a call of which nothing was counted in priced units.
  if (known.length === 0 || known.includes("unknown")) return UNPRICED;
  return { microUsd: nano(known.reduce<number>((total, sum) => total + Number(sum), 0)), source: "price-list" };
}

/** The first of the names that has a price. */
type Rate = (first: string, second?: string, third?: string) => number | undefined;
type Sum = number | "nothing" | "unknown";

function tokensIn(usage: Usage, total: number, rate: Rate): Sum {
  if (total === 0) return "nothing";
  // A model that is priced by time reports tokens too; the time is the bill.
  if (rate("input_mtok") === undefined) return isTimed(usage, rate) ? "nothing" : "unknown";
  const { input } = usage;
  const audio = Math.min(total, input.audio ?? 0);
  const image = Math.min(total - audio, input.image ?? 0);
  const video = Math.min(total - audio - image, input.video ?? 0);
  const text = total - audio - image - video;
  const isBilled = usage.billed !== undefined;
  const cacheRead = isBilled ? 0 : Math.min(text, input.cacheRead);
  const cachedAudio = isBilled ? 0 : Math.min(audio, Math.max(0, input.cacheRead - cacheRead));
  const cacheWrite = isBilled ? 0 : Math.min(text - cacheRead, input.cacheWrite);
  const longLived = Math.min(cacheWrite, (input.cacheWriteByTtl?.["1h"] ?? 0) + (input.cacheWriteByTtl?.["12h"] ?? 0));
  return (
    (text - cacheRead - cacheWrite) * (rate("input_mtok") ?? 0) +
    cacheRead * (rate("cache_read_mtok", "input_mtok") ?? 0) +
    (cacheWrite - longLived) * (rate("cache_write_mtok", "input_mtok") ?? 0) +
    longLived * (rate("cache_write_1h_mtok", "cache_write_mtok", "input_mtok") ?? 0) +
    (audio - cachedAudio) * (rate("input_audio_mtok", "input_mtok") ?? 0) +
    cachedAudio * (rate("cache_audio_read_mtok", "input_audio_mtok", "input_mtok") ?? 0) +
    image * (rate("input_image_mtok", "input_mtok") ?? 0) +
    video * (rate("input_video_mtok", "input_mtok") ?? 0)
  );
}

function tokensOut(usage: Usage, rate: Rate): Sum {
  const total = usage.billed?.outputTokens ?? usage.output.total;
  if (total === 0) return "nothing";
  const audio = Math.min(total, usage.output.audio ?? 0);
  const image = Math.min(total - audio, usage.output.image ?? 0);
  const text = total - audio - image;
  const textRate = rate("output_mtok");
  if (text > 0 && textRate === undefined) return isTimed(usage, rate) ? "nothing" : "unknown";
  // Audio at the rate of text is the classic way to bill a tenth: without its own rate it has no price.
  const audioRate = rate("output_audio_mtok");
  const imageRate = rate("output_image_mtok", "output_mtok");
  if ((audio > 0 && audioRate === undefined) || (image > 0 && imageRate === undefined)) return "unknown";
  return text * (textRate ?? 0) + audio * (audioRate ?? 0) + image * (imageRate ?? 0);
}

function isTimed(usage: Usage, rate: Rate): boolean {
  return usage.seconds?.audioIn !== undefined && rate("input_audio_hours", "audio_hours") !== undefined;
}

/** Micro-dollars for the hours heard, where there is no token price, and for the seconds computed. */
function timeOf(usage: Usage, rate: Rate): Sum {
  const heard = usage.seconds?.audioIn ?? 0;
  const computed = usage.seconds?.compute ?? 0;
  const isByToken = rate("input_mtok") !== undefined && usage.input.total > 0;
  const hourly = rate("input_audio_hours", "audio_hours");
  const secondly = rate("compute_second");
  if (computed > 0 && secondly === undefined) return "unknown";
  if (heard > 0 && !isByToken && hourly === undefined) return "unknown";
  if (heard === 0 && computed === 0) return "nothing";
  const ofHours = isByToken ? 0 : (heard / 3_600) * (hourly ?? 0);
  return (ofHours + computed * (secondly ?? 0)) * 1_000_000;
}

function searchesOf(usage: Usage, rate: Rate): Sum {
  const searches = usage.units?.searches ?? 0;
  if (searches === 0) return "nothing";
  const perThousand = rate("web_searches_kcount");
  return perThousand === undefined ? "unknown" : searches * perThousand * 1_000;
}

/** Images and characters come beside tokens at vendors that bill tokens: without a price of their own they are nothing. */
function countedOf(count: number | undefined, price: number | undefined, microUsdAUnit: number): Sum {
  return count === undefined || count === 0 || price === undefined ? "nothing" : count * price * microUsdAUnit;
}

/** Nano-dollars are the smallest money. */
function nano(microUsd: number): number {
  return Math.round(microUsd * 1_000) / 1_000;
}
