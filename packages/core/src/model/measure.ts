/** Tokens and other billed units. `input.total` includes cached tokens, `output.total` includes reasoning tokens. */
export interface Usage {
  readonly input: {
    readonly total: number;
    readonly cacheRead: number;
    readonly cacheWrite: number;
    readonly cacheWriteByTtl?: Readonly<Partial<Record<"5m" | "30m" | "1h" | "12h", number>>>;
    readonly audio?: number;
    readonly image?: number;
    readonly video?: number;
    readonly toolUse?: number;
  };
  readonly output: {
    readonly total: number;
    readonly reasoning?: number;
    readonly audio?: number;
    readonly image?: number;
  };
  readonly seconds?: { readonly audioIn?: number; readonly audioOut?: number; readonly compute?: number };
  readonly units?: {
    readonly characters?: number;
    readonly searches?: number;
    readonly requests?: number;
    readonly credits?: number;
    readonly images?: number;
  };
  /** Tokens the vendor charges for where they differ from the tokens the model read and wrote (Cohere). */
  readonly billed?: { readonly inputTokens: number; readonly outputTokens: number };
  /** `estimated` when the provider did not report and the gateway counted what was delivered. */
  readonly source: "provider" | "estimated";
}

/** `undefined` micro-dollars means "no price known", which is said to the client and never shown as zero. */
export interface Cost {
  readonly microUsd: number | undefined;
  readonly source: "price-list" | "operator" | "provider" | "free" | "unpriced";
}

/** What one attempt at one provider took. Milliseconds of the session clock. */
export interface AttemptTiming {
  readonly startedMs: number;
  readonly headersMs?: number;
  readonly firstContentMs?: number;
  readonly endedMs: number;
}

export interface LimitBucket {
  readonly name: string;
  readonly limit?: number;
  readonly remaining?: number;
  readonly resetMs?: number;
}

/** Advisory: the last thing a vendor said about its limits. `atMs` is filled where the answer was received. */
export interface LimitSnapshot {
  readonly atMs: number;
  readonly buckets: readonly LimitBucket[];
}
